"""Tables of an older definition are made anew by themselves, and nobody writes into tables that he does not know."""

from __future__ import annotations

import json
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from uuid import UUID

import msgspec
import psycopg
import pytest
from psycopg import Connection

from lifecycle import log
from lifecycle.certificate import fold
from lifecycle.events import AnyFact, Recorded
from projections.engine import Engine, standing
from projections.follower import Follower, OtherDefinition, connect
from projections.rebuild import Rebuildable, RebuildEnded, rebuild
from projections.register import RegisterProjection
from projections.tables import packed
from tests.clock.copies import certificate_rows, copied, insert, mixed
from tests.clock.told import Told
from tests.clock.world import Present, World
from tests.databases import Database, Databases
from tests.projections.conftest import Lived
from tests.projections.following import LATE
from tests.projections.tables import (
    STARS,
    Tables,
    begin_again,
    engine,
    follow,
    projections,
    tables,
    was_rebuilt,
)

HISTORY = Path(__file__).parent / "frozen_history.jsonl"


class Renamed(RegisterProjection):
    """The next version: the register has one more index, and no level has stars."""

    version = RegisterProjection.version + 1
    definition = "the next"

    def __init__(self) -> None:
        super().__init__({})

    def index(self, connection: Connection) -> None:
        super().index(connection)
        connection.execute("CREATE INDEX IF NOT EXISTS register_turns ON register USING gin (turns)")


def test_an_engine_makes_the_tables_of_an_older_definition_anew_and_the_older_engine_stands_back(
    lived: Lived, databases: Databases
) -> None:
    facts = list(mixed((copied(certificate_rows(lived.connection), number) for number in range(2)), lived.world.chance))
    third = len(facts) // 3
    with databases.register("simulation") as database, connect(database.engine_url) as connection:
        older, newer = engine(database), Engine(database.engine_url, [Renamed()], Present(LATE))
        with psycopg.connect(database.owner_url, autocommit=True) as owner:
            insert(owner, facts[:third])
            older.catch_up(connection)
            before = tables(connection)
            insert(owner, facts[third : 2 * third])
            newer.prepare(connection)
            assert newer.catch_up(connection) == 0, "tables that it does not know"
            assert tables(connection) == before
            newer.renew()
            assert was_rebuilt(connection, "register")
            insert(owner, facts[2 * third :])
        newer.catch_up(connection)
        made = tables(connection)
        older.prepare(connection)
        older.renew()
        older.catch_up(connection)
        newer.renew()
        with pytest.raises(OtherDefinition, match="version 2; this program knows version 1"):
            older.followers[0].advance(connection)
        with pytest.raises(OtherDefinition, match="version 2"):
            list(rebuild(database.engine_url, RegisterProjection(STARS)))
        after = tables(connection)
        assert after["register"] == made["register"] != before["register"]
        assert after["deadline"] != made["deadline"], "what the older engine knows goes on"
        assert after == projected_by(connection, Renamed())


def projected_by(connection: Connection, projection: RegisterProjection) -> Tables:
    """The tables as the projection makes them from nothing, as an engine does it."""
    follower = Follower(projection)
    with connection.transaction(force_rollback=True):
        begin_again(connection, follower)
        follow(connection, [follower])
        return tables(connection)


def test_a_running_engine_makes_it_anew_by_itself(world: World, database: Database) -> None:
    engine(database, world.present)
    Told(world).issued()
    newer = Engine(database.engine_url, [Renamed(), projections()[1]], world.present)
    newer.start()
    try:
        with connect(database.engine_url) as connection:
            while not was_rebuilt(connection, "register"):
                assert newer.is_running
            Told(world).issued()
            end = log.settled(connection, world.present.at).position
            assert standing(connection, "register", end, seconds=20) == end
    finally:
        newer.stop()


def test_nobody_writes_into_tables_that_two_definitions_call_the_same(lived: Lived, database: Database) -> None:
    other = Renamed()
    other.version = RegisterProjection.version
    engine(database)
    with connect(database.engine_url) as connection:
        made = Engine(database.engine_url, [other], Present(LATE))
        made.prepare(connection)
        made.renew()
        with pytest.raises(OtherDefinition):
            made.followers[0].advance(connection)
        assert not was_rebuilt(connection, "register")


def test_one_begun_by_an_older_program_is_begun_anew(lived: Lived, databases: Databases) -> None:
    with databases.register("simulation") as database, connect(database.engine_url) as connection:
        made = engine(database)
        with psycopg.connect(database.owner_url, autocommit=True) as owner:
            insert(owner, copied(certificate_rows(lived.connection), 1))
        made.catch_up(connection)
        stopped = rebuild(database.engine_url, RegisterProjection(STARS))
        next(stopped)
        list(rebuild(database.engine_url, Renamed()))
        with pytest.raises(RebuildEnded):
            list(stopped)
        assert tables(connection) == projected_by(connection, Renamed())


FROZEN = {
    ("register", 1): ("45526ea49a5d8442", "306854316ff3f9e0"),
    ("deadlines", 1): ("af9694e791f84207", "77bd3bd498b25766"),
    ("deadlines", 2): ("af9694e791f84207", "77bd3bd498b25766"),
}
"""Of each version of a projection: the digest of its definition, and of the rows that it makes of a history which never
changes."""


def test_a_changed_definition_or_other_rows_need_a_new_version() -> None:
    """Raise the projection's ``version`` and add a line above; a line that was ever released stays as it is."""
    found = {(p.name, p.version): (p.definition[:16], digest_of_rows(p)[:16]) for p in projections()}
    assert found == {version: FROZEN.get(version) for version in found}


def test_other_rows_are_found_out() -> None:
    assert digest_of_rows(Renamed()) != digest_of_rows(RegisterProjection(STARS))


def digest_of_rows(projection: Rebuildable) -> str:
    lines = (json.loads(line) for line in HISTORY.read_text("utf-8").splitlines())
    told = [Recorded(UUID(id), version, msgspec.convert(state, AnyFact)) for id, version, state in lines]
    streams = [(id, [*stream]) for id, stream in groupby(told, key=lambda each: each.originator_id)]
    rows = [packed(row) for id, stream in streams for table in projection.rows(fold(id, stream)) for row in table]
    return sha256(b"".join(rows)).hexdigest()
