"""Verification of a register that is at work: the engine behind, or writing; everything as it stood at one moment."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing

import psycopg
import pytest

from api.present import DatabasePresent
from lifecycle import bulk
from lifecycle.commands import RegisterPerson
from lifecycle.service import Register
from projections import check
from projections.check import Check, Finding, Progress, verify
from projections.check_orphans import OrphansCheck
from projections.check_read_models import ReadModelCheck
from projections.check_receipts import ReceiptsCheck
from projections.check_streams import StreamsCheck
from projections.deadlines import DeadlinesProjection
from projections.engine import Engine, connect
from projections.register import RegisterProjection
from projections.trail import TrailProjection
from tests.clock.world import Present, World, asked, in_postgres
from tests.databases import Database
from tests.projections.tables import STARS

MODELS = (RegisterProjection(STARS), DeadlinesProjection(), TrailProjection())
CHECKS: list[Check] = [StreamsCheck(), ReceiptsCheck(), OrphansCheck(), *map(ReadModelCheck, MODELS)]  # pyright: ignore


@pytest.fixture
def world(database: Database, monkeypatch: pytest.MonkeyPatch) -> Generator[World]:
    """Looked at in small parts."""
    monkeypatch.setattr(bulk, "FACTS_A_PART", 20)
    with closing(in_postgres(database, Present(), 11)) as world:
        yield world


@pytest.fixture
def engine(database: Database, world: World) -> Engine:
    made = Engine(database.engine_url, MODELS, world.present)  # pyright: ignore[reportArgumentType]
    with connect(database.engine_url) as connection:
        made.prepare(connection)
    return made


def some_days(world: World, engine: Engine, database: Database, batches: int) -> None:
    """Much happens, and each projection sees so many batches more, of different sizes."""
    world.lives(60)
    world.tick()
    with connect(database.engine_url) as connection:
        for size, follower in enumerate(engine.followers, 5):
            for _ in range(batches):
                follower.advance(connection, size)


def findings(said: Iterator[Progress | Finding]) -> list[Finding]:
    return [each for each in said if isinstance(each, Finding)]


def test_an_engine_that_is_behind_is_no_obstacle(
    world: World, engine: Engine, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        some_days(world, engine, database, 2)
        assert findings(verify(database.service_url, CHECKS)) == []
    monkeypatch.setattr(ReadModelCheck, "_position", lambda _, connection: check.end_of(connection))
    found = findings(verify(database.service_url, CHECKS))
    assert len(found) == len(MODELS), "the mutant: rows are held to all that is recorded"


def goes_on(world: World, engine: Engine, database: Database) -> list[Finding]:
    """What is found while, after the first part that each check has seen, much happens, and is projected."""
    found, seen = [], set()
    for each in verify(database.service_url, CHECKS):
        if isinstance(each, Finding):
            found.append(each)
        elif each.check not in seen and each.done < each.total:
            seen.add(each.check)
            some_days(world, engine, database, 100)
    assert seen >= {"streams", "register", "deadlines", "trail"}, "they look part after part"
    return found


def test_a_register_at_work_is_seen_as_it_stood_at_one_moment(world: World, engine: Engine, database: Database) -> None:
    some_days(world, engine, database, 100)
    assert goes_on(world, engine, database) == []


def test_without_one_moment_the_test_above_would_be_red(
    world: World, engine: Engine, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    some_days(world, engine, database, 100)
    committed = {**check.SQL, "begin_snapshot": "SET TRANSACTION ISOLATION LEVEL READ COMMITTED"}
    monkeypatch.setattr(check, "SQL", committed)
    assert goes_on(world, engine, database) != []


def test_several_processes_find_what_one_finds(
    world: World, engine: Engine, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    some_days(world, engine, database, 100)
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        owner.execute("UPDATE projections.trail SET person = 'somebody' WHERE position = 30")
        owner.execute("DELETE FROM certlife.receipts WHERE position = 20")
    alone = findings(verify(database.service_url, CHECKS))
    monkeypatch.setattr(check, "FACTS_A_PART", 1)
    shared = findings(verify(database.service_url, CHECKS, hands=2))
    assert sorted(map(str, shared)) == sorted(map(str, alone))
    assert {each.code for each in alone} == {"row_differs", "receipt_missing"}


def test_what_nobody_can_read_does_not_end_a_verification(world: World, engine: Engine, database: Database) -> None:
    some_days(world, engine, database, 100)
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        owner.execute("UPDATE certlife.events SET recorded_at = 'infinity' WHERE position = 40")
    found = findings(verify(database.service_url, CHECKS))
    assert "check_broken" in {each.code for each in found}
    assert all(each.message("zh") and each.message("en") for each in found)


def test_a_read_model_that_says_it_has_seen_what_it_has_not_is_found(production_database: Database) -> None:
    """Of two events the second was recorded before the instant up to which everything is said to have been seen."""
    register = Register({"CERTLIFE_DATABASE_URL": production_database.service_url}, DatabasePresent())
    register.open()
    made = Engine(production_database.engine_url, MODELS, DatabasePresent())  # pyright: ignore[reportArgumentType]
    with connect(production_database.engine_url) as connection:
        made.prepare(connection)
        made.catch_up(connection)
    request = asked("adm", RegisterPerson(person="ana"), "a")
    register.register_person(request, RegisterPerson(person="ana"))
    checks: list[Check] = CHECKS[-len(MODELS) :]
    assert findings(verify(production_database.service_url, checks)) == []
    with psycopg.connect(production_database.owner_url, autocommit=True) as owner:
        owner.execute("UPDATE projections.position SET complete_until = now() + interval '1 day'")
    found = findings(verify(production_database.service_url, checks))
    last = register.recorder.max_notification_id()
    register.close()
    assert [(each.code, each.position) for each in found] == [("position_ahead", last)] * len(MODELS)
