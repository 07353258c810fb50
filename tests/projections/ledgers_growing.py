"""A process that keeps a ledger up, sound or not."""

from __future__ import annotations

from psycopg import Connection

from projections.follower import connect
from projections.ledger import SQL, LedgerFollower, Tree, events_after

BATCH = 64


def grow_again_and_again(url: str, mutant: bool) -> None:
    """The tree grows as long as the process lives."""
    follower = TreeApart() if mutant else LedgerFollower()
    with connect(url) as connection:
        while True:
            follower.advance(connection, BATCH)


class TreeApart(LedgerFollower):
    """The mutant: the leaves in one transaction, the subtrees that they complete in another."""

    def advance(self, connection: Connection, batch: int = BATCH) -> int:
        size, self.position = Tree(connection).end()
        events = events_after(connection, self.position, 4 * batch)
        if events:
            self._edge = Tree(connection).edge(size)
            growth = self._growth(events)
            connection.execute(SQL["grow"], growth | {"levels": [], "numbers": [], "roots": []})
            connection.execute(SQL["grow"], growth | {"first_index": self._edge.size, "positions": [], "hashes": []})
        return len(events)
