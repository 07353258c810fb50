"""An engine's process, and one that makes everything anew, sound or not."""

from __future__ import annotations

from datetime import datetime

from psycopg import Connection

from lifecycle import log
from projections import rebuild
from projections.engine import Engine
from projections.follower import BATCH, SQL, Follower
from projections.rebuild import Rebuild
from projections.tables import Span
from tests.clock.world import Present
from tests.projections.tables import projections

LATE = datetime.fromisoformat("2040-01-01T00:00:00Z")


def follow(url: str, mutant: bool) -> None:
    """An engine's process."""
    made = Engine(url, projections(), Present(LATE))
    if mutant:
        made.followers = [PositionApart(follower.projection) for follower in made.followers]
    made.run()


def make_anew(url: str, mutant: type[Rebuild]) -> None:
    """A process that makes all projections anew, again and again, in small parts."""
    rebuild.FACTS_A_PART = 40
    rebuild.Rebuild = mutant
    while True:
        for projection in projections():
            for _ in rebuild.rebuild(url, projection):
                pass


class PartReadFirst(Rebuild):
    """The mutant: a part is said to have been read, and then its rows are written."""

    def _load(self, span: Span) -> int:
        self.connection.execute(rebuild.SQL["finish_part"], self.name | {"first": span.first, "facts": 1})
        self.connection.execute("COMMIT; BEGIN")
        return super()._load(span)


class PositionAfterwards(Rebuild):
    """The mutant: the tables take the place of the old ones in one transaction, the position in another."""

    def _take_the_position(self) -> None:
        self.connection.execute("COMMIT; BEGIN")
        super()._take_the_position()


class PositionApart(Follower):
    """The mutant: the rows in one transaction, the position in another."""

    def advance(self, connection: Connection, batch: int = BATCH) -> int:
        name = self.projection.name
        self.hold(connection)
        rows = log.tail_rows(connection, self.position, batch)
        if rows:
            with connection.transaction():
                self.projection.put(connection, self.folds.advance(connection, rows).certificates)
            self.position = rows[-1][0]
            connection.execute(SQL["move_position"], {"projection": name, "position": self.position})
        return len(rows)
