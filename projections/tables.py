"""A projection's tables: the digest of what defines them, and rows written into them in bulk."""

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any, LiteralString, NamedTuple
from uuid import UUID

from psycopg import Connection

ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


class Span(NamedTuple):
    """All ids from ``first`` to ``last``."""

    first: UUID
    last: UUID


def digest(statements: Mapping[str, LiteralString], *names: str) -> str:
    """What tells one definition of tables from another."""
    return sha256("\n".join(statements[name] for name in names).encode()).hexdigest()


def copy_in(connection: Connection, statement: LiteralString, rows: Iterable[Iterable[Any]]) -> None:
    """The rows stand in the table that the statement names; a value is a text, a number, a day, an id, bytes or None."""
    with connection.cursor().copy(statement) as copy:
        packed = bytearray()
        for row in rows:
            packed += ("\t".join([_field(value) for value in row]) + "\n").encode()
            if len(packed) > 2**20:
                copy.write(packed)
                packed = bytearray()
        copy.write(packed)


def _field(value: Any) -> str:
    if value is None:
        return "\\N"
    if isinstance(value, bytes):
        return "\\\\x" + value.hex()
    return value.translate(ESCAPES) if isinstance(value, str) else str(value)
