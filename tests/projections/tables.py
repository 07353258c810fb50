"""The read models as whole tables, and how they come out of the log when they are made from nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from psycopg import Connection

from lifecycle.rules import shipped_editions
from lifecycle.sql import load
from lifecycle.status import Stars
from projections.deadlines import DeadlinesProjection
from projections.engine import Engine, Follower, connect
from projections.folds import Folds
from projections.rebuild import SQL as REBUILD_SQL
from projections.rebuild import Rebuildable
from projections.register import RegisterProjection
from tests.clock.world import Present
from tests.databases import Database

SQL = load("tables", "tests.projections")
TABLES = ("register", "certificate", "deadline", "quarantine", "position")
STARS: Stars = {
    id: {code: level.stars for code, level in edition.levels.items()} for id, edition in shipped_editions().items()
}

END = {"register": 2**62, "deadlines": 2**62}

Tables = dict[str, list[str]]
"""The lines of each table."""


def projections() -> list[Rebuildable]:
    return [RegisterProjection(STARS), DeadlinesProjection()]


def engine(database: Database, present: Present | None = None) -> Engine:
    """An engine whose tables exist."""
    made = Engine(database.engine_url, projections(), present or Present())
    with connect(database.engine_url) as connection:
        made.prepare(connection)
    return made


def projected(database: Database, present: Present | None = None, batch: int = 500) -> Tables:
    """The tables after everything recorded so far was projected, in batches of that size."""
    made = engine(database, present)
    with connect(database.engine_url) as connection:
        follow(connection, made.followers, batch)
        return tables(connection)


def follow(connection: Connection, followers: Sequence[Follower], batch: int = 500) -> None:
    """Each projection stands at the end of the log."""
    for follower in followers:
        while follower.advance(connection, batch):
            pass


def tables(connection: Connection) -> Tables:
    """The whole content of every table that the engine writes."""
    return {table: _lines(connection, table) for table in TABLES}


def was_rebuilt(connection: Connection, projection: str) -> bool:
    """Whether the rows that serve were made beside, and took the place of others."""
    found = connection.execute(REBUILD_SQL["select_last_rebuild"], {"projection": projection}).fetchone()
    return found is not None and found != (None,)


def rebuilt(connection: Connection, batch: int = 500, *, size: int = 20_000, upto: Mapping[str, int] = END) -> Tables:
    """The tables as they come out of the log from nothing, up to a position of each projection; the real ones stay."""
    with connection.transaction(force_rollback=True):
        for projection in projections():
            follower = Follower(projection)
            follower.folds = Folds(size)
            _from_nothing(connection, follower, upto[projection.name], batch)
        return tables(connection)


def _from_nothing(connection: Connection, follower: Follower, position: int, batch: int) -> None:
    begin_again(connection, follower)
    ((left,),) = connection.execute(SQL["count_facts"], {"position": position}).fetchall()
    while left:
        left -= follower.advance(connection, min(batch, left))


def begin_again(connection: Connection, follower: Follower) -> None:
    """The projection is empty, and stands at the beginning of the log."""
    name = {"projection": follower.projection.name}
    connection.execute(SQL[f"forget_{follower.projection.name}"])
    connection.execute(SQL["forget_quarantine"], name)
    connection.execute(SQL["rewind"], name)


def _lines(connection: Connection, table: str) -> list[str]:
    with connection.cursor().copy(SQL[f"copy_{table}"]) as copy:
        return b"".join(bytes(part) for part in copy).decode().splitlines()
