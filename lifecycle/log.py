"""Reading the log: its tail in commit order, single streams, several at once; and waiting for more."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from itertools import groupby
from threading import Event
from typing import Any, LiteralString, NamedTuple, Self
from uuid import UUID

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.rows import tuple_row

from lifecycle.events import Recorded
from lifecycle.sql import load
from lifecycle.upcast import recorded

SQL = load("log")
ROWS_AT_ONCE = 2_000

Row = tuple[int, UUID, int, str, bytes, datetime]
"""Position, stream, version, topic, state, recorded_at: what ``upcast.recorded`` makes a Recorded of."""


class Settled(NamedTuple):
    """Everything that was or will be recorded before ``instant`` stands at or before ``position`` (0: an empty log)."""

    position: int
    instant: datetime


def tail(connection: psycopg.Connection[Any], after_position: int, limit: int) -> list[Recorded]:
    """What was recorded after a position, in commit order, at most ``limit``. Raises upcast.Unreadable."""
    return [recorded(*row) for row in tail_rows(connection, after_position, limit)]


def tail_rows(connection: psycopg.Connection[Any], after_position: int, limit: int) -> list[Row]:
    """The same unread, for a reader that sets aside what ``upcast.recorded`` cannot read."""
    return _rows(connection, SQL["select_tail"], {"after": after_position, "limit": limit})


def stream(
    connection: psycopg.Connection[Any], id: UUID, upto_position: int | None = None, known_at: datetime | None = None
) -> list[Recorded]:
    """One stream, as far as it was known at the position and at the instant, both included.

    Raises upcast.Unreadable.
    """
    bounds = {"id": id, "upto": upto_position, "known_at": known_at}
    return [recorded(*row) for row in _rows(connection, SQL["select_stream"], bounds)]


def streams(
    connection: psycopg.Connection[Any], ids: Iterable[UUID], upto_position: int | None = None
) -> dict[UUID, list[Recorded]]:
    """Several streams as far as they were known at the position; one of which nothing is known is missing.

    Raises upcast.Unreadable.
    """
    rows = _rows(connection, SQL["select_streams"], {"ids": list(ids), "upto": upto_position})
    return {id: [recorded(*row) for row in own] for id, own in groupby(rows, key=lambda row: row[1])}


class Packed(NamedTuple):
    """A whole stream as it is read in bulk: of its ``facts`` those that are seen, under ``topics``, one a line."""

    id: UUID
    facts: int
    version: int
    position: int
    topics: str
    states: bytes


def packed_streams(
    connection: psycopg.Connection[Any],
    first: UUID,
    last: UUID,
    *,
    upto_position: int,
    without: Iterable[str],
    unseen: Iterable[str],
    checked_position: int,
) -> Iterator[Packed]:
    """All streams with an id from ``first`` to ``last``; within a transaction.

    It is as if facts ``without`` topics were not there; ``unseen`` ones that somebody checked are not shown.
    """
    topics = {"without": list(without), "unseen": list(unseen)}
    bounds = {"first": first, "last": last, "upto": upto_position, "checked": checked_position} | topics
    connection.execute(SQL["prepare_bulk"])
    with connection.cursor().copy(SQL["copy_streams"], bounds) as copy:
        copy.set_types(["uuid", "int8", "int4", "int8", "text", "bytea"])
        for row in copy.rows():
            yield Packed._make(row)


def of_topic(connection: psycopg.Connection[Any], topic: str, upto_position: int) -> Iterator[Row]:
    """The facts of one topic up to a position, in commit order, unread; for which the whole log is looked through."""
    bounds = {"topic": topic, "upto": upto_position}
    with connection.transaction(), connection.cursor("of_topic", row_factory=tuple_row) as cursor:
        cursor.itersize = ROWS_AT_ONCE
        yield from cursor.execute(SQL["select_topic"], bounds, binary=True)  # pyright: ignore[reportReturnType]


def settled(connection: psycopg.Connection[Any], now: datetime | None = None) -> Settled:
    """How far the log is settled. Waits for the append under way; ``now`` is the present of a simulation.

    ValueError inside a transaction: it would hold up every append until that ends, and might not see the last one.
    """
    if connection.info.transaction_status != TransactionStatus.IDLE or not connection.autocommit:
        raise ValueError("Ask what is settled on a connection in autocommit mode, outside a transaction.")
    return Settled(*connection.execute(SQL["select_settled"], {"now": now}, binary=True).fetchall()[0])


def _rows(connection: psycopg.Connection[Any], statement: LiteralString, bounds: Mapping[str, Any]) -> list[Row]:
    with connection.cursor(binary=True, row_factory=tuple_row) as cursor:
        return cursor.execute(statement, bounds, prepare=True).fetchall()  # pyright: ignore[reportReturnType]


class Listener:
    """Tells when to look at the log again. Look after each ``wait``, whatever it answers: a wake-up can be lost.

    It listens before the first ``wait`` returns, so that nothing recorded after a look goes unnoticed for longer than
    the time-out; a lost connection is opened again, after growing pauses.
    """

    LONGEST_PAUSE_SECONDS = 5.0

    def __init__(self, url: str):
        self._url = url
        self._connection: psycopg.Connection[Any] | None = None
        self._pause_seconds = 0.1
        self._stopped = Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._disconnect()

    def wait(self, timeout_seconds: float) -> bool:
        """Whether something was recorded, or may have been while nobody listened; returns by the time-out."""
        if self._stopped.is_set():
            return False
        try:
            if self._connection is None:
                self._connect()
                return True
            return self._was_woken(self._connection, timeout_seconds)
        except psycopg.Error:
            self._pause(timeout_seconds)
            return False

    def stop(self) -> None:
        """No ``wait`` waits any more; may be called from another thread, where one under way ends by its time-out."""
        self._stopped.set()

    def _was_woken(self, connection: psycopg.Connection[Any], timeout_seconds: float) -> bool:
        woken = [*connection.notifies(timeout=timeout_seconds, stop_after=1)]
        return bool([*woken, *connection.notifies(timeout=0)])  # all that came at once is one reason to look

    def _connect(self) -> None:
        self._connection = psycopg.connect(self._url, autocommit=True, connect_timeout=2)
        self._connection.execute(SQL["listen"])
        self._pause_seconds = 0.1

    def _pause(self, timeout_seconds: float) -> None:
        self._disconnect()
        self._stopped.wait(min(self._pause_seconds, timeout_seconds))
        self._pause_seconds = min(self._pause_seconds * 2, self.LONGEST_PAUSE_SECONDS)

    def _disconnect(self) -> None:
        with suppress(psycopg.Error):
            if self._connection is not None:
                self._connection.close()
        self._connection = None
