"""Everything derived again and compared, with whoever reads the results believing nothing that is stored.

A ``Check`` looks at one thing: it tells how far it has come, and raises a ``Finding`` at the first bad position.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol

from psycopg import Connection

from lifecycle.errors import Refusal
from lifecycle.sql import load

SQL = load("check", "projections")


class Finding(Refusal):
    """Something was changed; ``facts`` has the first bad ``position``."""

    kind = "unavailable"

    @property
    def position(self) -> int:
        return self.facts["position"]


class Progress(NamedTuple):
    """How many events a check has seen, of how many; ``open`` are those at the end that it can say nothing of yet."""

    check: str
    done: int
    total: int
    open: int = 0


class Check(Protocol):
    """One thing that is looked at."""

    name: str

    def run(self, connection: Connection) -> Iterator[Progress]:
        """How far it has come. Raises Finding, and comes to its end if there is none."""
        ...


def verify(connection: Connection, checks: Iterable[Check]) -> Iterator[Progress | Finding]:
    """What each check says, all of them of the register as it stands at the beginning."""
    with connection.transaction():
        connection.execute(SQL["begin_snapshot"])
        for check in checks:
            try:
                yield from check.run(connection)
            except Finding as finding:
                yield finding


def count_events(connection: Connection) -> int:
    """How many events there are."""
    ((count,),) = connection.execute(SQL["count_events"]).fetchall()
    return count
