"""The trail of a register, followed by an engine's follower in a copy of it."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from psycopg import Connection

from projections.engine import Engine
from projections.follower import connect
from projections.trail import TrailProjection
from tests.clock.world import Present
from tests.databases import Database
from tests.projections.conftest import Lived

Rows = list[tuple]


@dataclass(frozen=True)
class Trailed:
    """A register with a trail that stands at the end of the log."""

    database: Database
    connection: Connection
    engine: Engine

    def rows(self) -> Rows:
        return self.connection.execute("SELECT * FROM projections.trail ORDER BY position", binary=True).fetchall()


@contextmanager
def trailed(lived: Lived, batch: int = 500) -> Generator[Trailed]:
    made = Engine(lived.database.engine_url, [TrailProjection()], Present())
    with connect(lived.database.engine_url) as connection:
        made.prepare(connection)
        while made.followers[0].advance(connection, batch):
            pass
        yield Trailed(lived.database, connection, made)
