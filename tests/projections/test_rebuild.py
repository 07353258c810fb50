"""What is projected live, batch by batch, is to the byte what comes out of the whole log."""

from __future__ import annotations

import os
import subprocess
import sys
from hashlib import sha256
from itertools import islice
from random import Random

import psycopg
import pytest

from lifecycle import commands as c
from projections.engine import Follower, connect
from projections.folds import Folds
from tests.clock.copies import certificate_rows, copied, insert, mixed
from tests.clock.told import Told
from tests.clock.world import World
from tests.databases import Database, Databases
from tests.projections.conftest import Lived
from tests.projections.tables import begin_again, engine, follow, projections, rebuilt, tables


@pytest.mark.parametrize("batch", [3, 61, 500])
def test_a_rebuild_equals_what_was_projected_live(lived: Lived, batch: int) -> None:
    assert rebuilt(lived.connection, batch) == lived.live


def test_a_rebuild_does_not_depend_on_hash_seed_or_time_zone(lived: Lived) -> None:
    runs = [("0", "UTC", 500), ("1", "America/St_Johns", 64), ("4711", "Pacific/Kiritimati", 17)]
    processes = [_rebuilding(lived.database, *run) for run in runs]
    digests = {process.communicate()[0].strip() for process in processes}
    assert digests == {sha256(repr(lived.live).encode()).hexdigest()}


def _rebuilding(database: Database, seed: str, zone: str, batch: int) -> subprocess.Popen[str]:
    environ = os.environ | {"PYTHONHASHSEED": seed, "TZ": zone, "PGTZ": zone}
    command = [sys.executable, "-m", "tests.projections.rebuilding", database.engine_url, str(batch)]
    return subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("events", [10_000, pytest.param(100_000, marks=pytest.mark.figures)])
def test_a_long_log_is_projected_the_same_by_every_batch_size(lived: Lived, databases: Databases, events: int) -> None:
    rows, chance = certificate_rows(lived.connection), Random(events)
    with databases.register("simulation") as database, connect(database.engine_url) as connection:
        facts = mixed((copied(rows, number) for number in range(events // len(rows) + 1)), chance)
        followers = engine(database).followers
        with psycopg.connect(database.owner_url, autocommit=True) as owner:
            for some in iter(lambda: list(islice(facts, chance.randrange(1, events // 5))), []):
                insert(owner, some)
                followers[chance.randrange(2)].advance(connection, chance.randrange(1, 2_000))
        follow(connection, followers, 300)
        live = tables(connection)
        assert len(live["register"]) > events / 100
        for batch in (97, 500, 4_000):
            assert rebuilt(connection, batch) == live


@pytest.mark.parametrize("size", [0, 1, 5])
def test_folds_that_remember_little_give_the_same_rows(lived: Lived, size: int) -> None:
    assert rebuilt(lived.connection, 61, size=size) == lived.live


def test_folds_remember_no_more_than_they_may(lived: Lived) -> None:
    follower = Follower(projections()[0])
    follower.folds = Folds(size=3)
    with lived.connection.transaction(force_rollback=True):
        begin_again(lived.connection, follower)
        follow(lived.connection, [follower])
        assert len(follower.folds.states) == 3


def test_a_number_that_was_taken_back_is_no_longer_in_the_register(world: World, database: Database) -> None:
    """A renewal decided early prints a number for later days; a change of grade before them takes its place."""
    following, told = engine(database, world.present), Told(world).issued()
    with connect(database.engine_url) as connection:
        world.present.move(days=800)
        told.both(c.Decide(case=told.graded("renewal", lost=10), outcome="renew"))
        follow(connection, following.followers)
        assert len(tables(connection)["register"]) == 2
        world.present.move(days=30)
        told.both(c.Decide(case=told.graded("regrade", lost=20), outcome="change_grade"))
        follow(connection, following.followers)
        assert tables(connection) == rebuilt(connection)
