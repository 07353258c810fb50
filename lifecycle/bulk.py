"""Reading whole histories of many streams at once, a part of all ids at a time, so that memory stays flat."""

import struct
from collections.abc import Collection, Generator, Iterable, Iterator
from contextlib import ExitStack, closing
from itertools import cycle, pairwise
from typing import Any, NamedTuple
from uuid import UUID

import psycopg

from lifecycle.history import History, amended
from lifecycle.sql import load
from lifecycle.upcast import UPCASTS, read_lines, read_narrow

SQL = load("bulk")
FACTS_A_PART = 50_000
FACTS_SORTED = 500_000
"""So many that what a server scans for one part is worth it, so few that it sorts them in memory."""
IDS = 2**128


class Span(NamedTuple):
    """Ids from first to last, both included."""

    first: UUID
    last: UUID


def spans(facts: int, a_part: int | None = None) -> Iterator[Span]:
    """All ids, in parts of about ``a_part`` facts (FACTS_A_PART if left out), where the log has so many ``facts``."""
    parts = max(1, -(-facts // (a_part or FACTS_A_PART)))
    ends = [IDS * part // parts for part in range(parts + 1)]
    return (Span(UUID(int=first), UUID(int=end - 1)) for first, end in pairwise(ends))


class Packed(NamedTuple):
    """One stream as it is read: its last version, and the versions and states of the facts asked for."""

    id: UUID
    version: int
    versions: bytes
    states: bytes

    def history(self) -> History:
        """Raises upcast.Unreadable."""
        versions = struct.unpack(f"!{len(self.versions) // 4}i", self.versions)
        facts = read_narrow(self.states)
        if facts is None:
            return History(self.id, self.version, amended(self.id, versions, read_lines(self.states)))
        return History(self.id, self.version, list(zip(versions, facts, strict=True)))


def packed(
    connection: psycopg.Connection[Any], parts: Iterable[Span], topics: Collection[str], upto_position: int
) -> Generator[Packed]:
    """The streams in the parts that have facts of the topics, up to a position, in the order of their ids.

    The server sorts a part while those of the part before are taken, for which it needs a second connection; both serve
    nothing else meanwhile.
    """
    with _another(connection) as other, ExitStack() as under_way:
        ahead: Iterator[Packed] = iter(())
        for span, free in zip(parts, cycle((connection, other)), strict=False):
            begun = under_way.enter_context(closing(_begun(free, span, topics, upto_position)))
            next(begun)
            yield from ahead
            ahead = begun
        yield from ahead


def _another(connection: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    """A second connection like it."""
    other = psycopg.connect(connection.info.dsn, password=connection.info.password, autocommit=True)
    other.read_only = connection.read_only
    return other


def _begun(
    connection: psycopg.Connection[Any], span: Span, topics: Collection[str], upto_position: int
) -> Generator[Any]:
    """First None, when the server has begun; then the streams."""
    bounds = {**span._asdict(), "topics": [*topics, *UPCASTS], "upto": upto_position}
    with connection.transaction():
        connection.execute(SQL["prepare_bulk"])
        with connection.cursor().copy(SQL["copy_histories"], bounds) as copy:
            copy.set_types(["uuid", "int4", "bytea", "bytea"])
            yield None
            yield from map(Packed._make, copy.rows())
