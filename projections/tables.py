"""A projection's tables: the digest of what defines them, and rows written into them in bulk."""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any, LiteralString, NamedTuple
from uuid import UUID

from psycopg import Connection

ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


MOST_AT_ONCE = 2**18

Rows = Sequence[Sequence[Sequence[Any]]]
"""What is to be written of one certificate: the rows of each table."""


class Span(NamedTuple):
    """All ids from ``first`` to ``last``."""

    first: UUID
    last: UUID


def digest(statements: Mapping[str, LiteralString], *names: str) -> str:
    """What tells one definition of tables from another."""
    return sha256("\n".join(statements[name] for name in names).encode()).hexdigest()


def packed(row: Iterable[Any]) -> bytes:
    """The row as ``copy_in`` takes it; a value is a text, a number, a day, an id, bytes or None."""
    return ("\t".join([_field(value) for value in row]) + "\n").encode()


def copy_in(connection: Connection, statement: LiteralString, rows: Iterable[bytes | bytearray]) -> None:
    """The rows stand in the table that the statement names; each item is a row, or several."""
    with connection.cursor().copy(statement) as copy:
        pending = bytearray()
        for row in rows:
            pending += row
            if len(pending) > MOST_AT_ONCE:
                copy.write(pending)
                pending = bytearray()
        copy.write(pending)


def _field(value: Any) -> str:
    if value is None:
        return "\\N"
    if isinstance(value, str):
        return value if value.isprintable() and "\\" not in value else value.translate(ESCAPES)
    if isinstance(value, bytes):
        return "\\\\x" + value.hex()
    return value.hex if isinstance(value, UUID) else str(value)
