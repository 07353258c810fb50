"""An engine's process, sound or not."""

from __future__ import annotations

from datetime import datetime

from psycopg import Connection

from lifecycle import log
from projections.engine import BATCH, SQL, Engine, Follower
from projections.ledger import LedgerFollower
from tests.clock.world import Present
from tests.projections.tables import projections

LATE = datetime.fromisoformat("2040-01-01T00:00:00Z")


def follow(url: str, mutant: bool) -> None:
    """An engine's process."""
    made = Engine(url, projections(), Present(LATE))
    if mutant:
        made.followers = [PositionApart(follower.projection) for follower in made.followers]
        made.ledger = NoLedger()
    made.run()


class NoLedger(LedgerFollower):
    """Time spent on the ledger would be time in which a kill finds nothing out."""

    def advance(self, connection: Connection, batch: int = BATCH) -> int:
        return 0


class PositionApart(Follower):
    """The mutant: the rows in one transaction, the position in another."""

    def advance(self, connection: Connection, batch: int = BATCH) -> int:
        name = self.projection.name
        ((self.position,),) = connection.execute(SQL["hold_position"], {"projection": name}).fetchall()
        rows = log.tail_rows(connection, self.position, batch)
        if rows:
            with connection.transaction():
                self.projection.put(connection, self.folds.advance(connection, rows).certificates)
            self.position = rows[-1][0]
            connection.execute(SQL["move_position"], {"projection": name, "position": self.position})
        return len(rows)
