"""An engine killed at any moment, under load: rows and position are those of a rebuild, to the byte."""

from __future__ import annotations

import random
from collections.abc import Generator, Iterator
from itertools import islice

import psycopg
import pytest
from eventsourcing.persistence import StoredEvent
from psycopg import Connection

from lifecycle.store import Recorder
from projections.engine import connect, standing
from tests.clock.copies import certificate_rows, copied, mixed
from tests.clock.killed import Killed, a_moment
from tests.databases import Database
from tests.projections.conftest import Lived
from tests.projections.following import LATE, follow
from tests.projections.tables import SQL, engine, projections, rebuilt, tables


class Load:
    """Somebody appends, through the real store, copies of lives that were lived."""

    def __init__(self, lived: Lived, database: Database) -> None:
        rows, self.chance = certificate_rows(lived.connection), random.Random(1)
        self.recorder = Recorder(database.service_url)
        self.facts: Iterator[StoredEvent] = mixed((copied(rows, n) for n in range(20)), self.chance)
        self.position = 0

    def append(self, times: int) -> None:
        for _ in range(times):
            for fact in islice(self.facts, self.chance.randint(1, 5)):
                (self.position,) = self.recorder.insert_events([fact], now=LATE)


@pytest.fixture
def load(lived: Lived, database: Database) -> Generator[Load]:
    load = Load(lived, database)
    engine(database)
    yield load
    load.recorder.close()


def kill_again_and_again(load: Load, database: Database, kills: int, *, mutant: bool = False) -> list[str]:
    """The tables in which a kill left other lines than a rebuild up to the position makes; none if all is well."""
    process = Killed(follow, database.engine_url, mutant)
    with connect(database.engine_url) as connection:
        for _ in range(kills):
            before = load.position
            process.start()
            load.append(3)
            assert standing(connection, "deadlines", before + 1, seconds=20) > before, "the engine goes on"
            load.append(random.randrange(12))
            a_moment()
            process.kill()
            if wrong := differing(connection):
                return wrong
    return []


def differing(connection: Connection) -> list[str]:
    """Which tables differ from a rebuild up to the position that they say they stand at."""
    with connection.transaction(force_rollback=True):
        stand = {p.name: position_of(connection, p.name) for p in projections()}
        found, again = tables(connection), rebuilt(connection, upto=stand)
        return [table for table in found if found[table] != again[table]]


def position_of(connection: Connection, projection: str) -> int:
    """Where the projection stands, once the transaction of a killed engine has ended one way or the other."""
    ((position,),) = connection.execute(SQL["hold_position"], {"projection": projection}).fetchall()
    return position


@pytest.mark.parametrize("kills", [20, pytest.param(200, marks=pytest.mark.figures)])
def test_an_engine_killed_at_any_moment_loses_and_doubles_nothing(load: Load, database: Database, kills: int) -> None:
    assert kill_again_and_again(load, database, kills) == []


def test_a_position_in_a_transaction_of_its_own_is_found_out(load: Load, database: Database) -> None:
    assert kill_again_and_again(load, database, 200, mutant=True)


def test_two_engines_at_once_of_which_now_and_then_one_is_killed(load: Load, database: Database) -> None:
    both = [Killed(follow, database.engine_url, False).start() for _ in range(2)]
    with connect(database.engine_url) as connection:
        for _ in range(6):
            load.append(10)
            one = random.choice(both)
            one.kill()
            load.append(10)
            one.start()
        for projection in projections():
            assert standing(connection, projection.name, load.position, seconds=20) == load.position
        for one in both:
            one.kill()
        assert differing(connection) == []
    with psycopg.connect(database.owner_url) as owner:
        ((recorded,),) = owner.execute(SQL["count_facts"], {"position": load.position}).fetchall()
    assert recorded > 100
