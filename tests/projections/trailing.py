"""The trail of a register: brought to the end of the log, read back whole, and told from nothing."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
from psycopg import Connection

from lifecycle import log
from lifecycle.certificate import Certificate, fold
from projections.engine import Engine
from projections.follower import connect
from projections.trail import TrailFollower, TrailProjection
from tests.clock.world import Present
from tests.databases import Database

COLUMNS = "position, stream, version, topic, recorded_at, effective_on, person, cause, proposal, certificate, " \
    "organisation, edition, codes, refers, told"  # fmt: skip


@dataclass(frozen=True)
class Trailed:
    """A register with a trail that stands at the end of the log."""

    database: Database
    connection: Connection
    engine: Engine

    def rows(self) -> list[tuple[Any, ...]]:
        query = f"SELECT {COLUMNS} FROM projections.trail ORDER BY position"
        return self.connection.execute(query, binary=True).fetchall()

    def told(self) -> list[dict[str, Any]]:
        return [msgspec.json.decode(row[-1]) for row in self.rows()]

    def lines(self) -> list[tuple[Any, ...]]:
        """The whole table, to the byte."""
        return table(self.connection)

    def catch_up(self) -> None:
        while self.engine.followers[0].advance(self.connection):
            pass

    def register_certificate(self, id: str) -> Certificate:
        return fold(UUID(id), log.stream(self.connection, UUID(id)))


@contextmanager
def trailed(database: Database) -> Generator[Trailed]:
    made = Engine(database.engine_url, [TrailProjection()], Present())
    with connect(database.engine_url) as connection:
        made.prepare(connection)
        found = Trailed(database, connection, made)
        found.catch_up()
        yield found


def table(connection: Connection) -> list[tuple[Any, ...]]:
    return connection.execute(f"SELECT {COLUMNS} FROM projections.trail ORDER BY position", binary=True).fetchall()


def from_nothing(connection: Connection, batch: int = 500, size: int = 5_000) -> list[tuple[Any, ...]]:
    """The table as a follower that remembers so many certificates makes it; the real one stays."""
    with connection.transaction(force_rollback=True):
        connection.execute("DELETE FROM projections.trail")
        connection.execute("UPDATE projections.position SET position = 0 WHERE projection = 'trail'")
        following = TrailFollower(TrailProjection(), size)
        while following.advance(connection, batch):
            pass
        return table(connection)
