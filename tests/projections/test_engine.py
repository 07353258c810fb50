"""How far the projections say they have come, however busy the register, and what an engine survives."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from datetime import date, datetime
from random import Random
from threading import Thread
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import Connection

from api.postgres import Server
from lifecycle import events as e
from lifecycle import log
from projections.engine import Engine, Follower, connect, standing
from projections.rebuild import rebuild
from tests.clock.copies import certificate_rows, copied, insert, mixed
from tests.clock.told import Told
from tests.clock.world import Present, World
from tests.databases import Database, Databases
from tests.projections.conftest import Lived
from tests.projections.tables import SQL, engine, follow, projections, rebuilt, tables


@pytest.fixture
def connection(database: Database) -> Generator[Connection]:
    with connect(database.engine_url) as connection:
        yield connection


def complete_until(connection: Connection, projection: str = "register") -> datetime | None:
    ((instant,),) = connection.execute(SQL["select_complete_until"], {"projection": projection}).fetchall()
    return instant


# ---- complete until --------------------------------------------------------------------------------------------------


def test_a_silent_register_is_complete_until_now(world: World, database: Database, connection: Connection) -> None:
    made = engine(database, world.present)
    for _ in range(2):
        world.present.move(hours=5)
        made.catch_up(connection)
        assert [complete_until(connection, p.name) for p in projections()] == [world.present.at] * 2


def test_nothing_is_complete_that_was_not_seen(world: World, database: Database, connection: Connection) -> None:
    made = engine(database, world.present)
    made.catch_up(connection)
    seen = complete_until(connection)
    world.present.move(hours=5)
    world.apply()
    for follower in made.followers:
        follower.complete(connection, *log.settled(connection, world.present.at))
    assert complete_until(connection) == seen


def test_what_is_recorded_meanwhile_does_not_keep_it_from_being_complete(
    world: World, database: Database, connection: Connection
) -> None:
    follower = engine(database, world.present).followers[0]
    settled = log.settled(connection, world.present.at)
    world.apply()
    follow(connection, [follower])
    follower.complete(connection, *settled)
    assert complete_until(connection) == settled.instant


def test_an_engine_that_stands_behind_says_nothing_new(
    world: World, database: Database, connection: Connection
) -> None:
    follower = engine(database, world.present).followers[0]
    follower.advance(connection, 3)
    follower.complete(connection, *log.settled(connection, world.present.at))
    assert complete_until(connection) is None


def test_an_append_under_way_is_waited_for_before_anything_is_complete(
    world: World, database: Database, connection: Connection
) -> None:
    made = engine(database, world.present)
    made.catch_up(connection)
    seen = complete_until(connection)
    world.present.move(hours=5)
    with psycopg.connect(database.owner_url) as writer:
        writer.execute(SQL["take_append_lock"])
        thread = Thread(target=made.catch_up, args=(connection,))
        thread.start()
        with psycopg.connect(database.owner_url, autocommit=True) as watcher:
            while thread.is_alive() and not watcher.execute(SQL["count_waiting_for_append"]).fetchall()[0][0]:
                pass
            assert complete_until(watcher) == seen
    thread.join()
    assert complete_until(connection) == world.present.at


def test_no_load_keeps_a_projection_from_its_end(world: World, database: Database, connection: Connection) -> None:
    """Something is recorded at every batch: all the same the engine comes to where the log stood when it began."""
    made = engine(database, world.present)

    class Busy(Follower):
        def advance(self, connection: Connection, batch: int = 3) -> int:
            world.apply()
            assert len(world.certificates) < 100, "it never comes to an end"
            return super().advance(connection, batch)

    made.followers = [Busy(follower.projection) for follower in made.followers]
    end = log.settled(connection, world.present.at).position
    made.catch_up(connection)
    assert [complete_until(connection, p.name) for p in projections()] == [world.present.at] * 2
    assert all(follower.position >= end for follower in made.followers)


# ---- several engines -------------------------------------------------------------------------------------------------


def test_engines_that_start_together_make_the_tables_once(database: Database) -> None:
    failures: list[BaseException] = []

    def prepare() -> None:
        try:
            engine(database)
        except BaseException as failure:
            failures.append(failure)

    for _ in range(10):
        with psycopg.connect(database.owner_url, autocommit=True) as owner:
            owner.execute(SQL["drop_read_models"])
        threads = [Thread(target=prepare) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not failures


def test_engines_that_take_turns_by_chance_make_the_rows_of_one(lived: Lived, databases: Databases) -> None:
    rows, chance = certificate_rows(lived.connection), Random(7)
    facts = list(mixed((copied(rows, number) for number in range(2)), chance))
    with databases.register("simulation") as database, _engines(database) as (connections, engines):
        with psycopg.connect(database.owner_url, autocommit=True) as owner:
            while facts:
                cut = chance.randrange(1, 60)
                insert(owner, facts[:cut])
                del facts[:cut]
                which = chance.randrange(2)
                for follower in engines[which].followers:
                    follower.advance(connections[which], chance.choice((1, 9, 50)))
        follow(connections[0], engines[0].followers)
        assert tables(connections[0]) == rebuilt(connections[0])


@contextmanager
def _engines(database: Database) -> Generator[tuple[list[Connection], list[Engine]]]:
    with connect(database.engine_url) as one, connect(database.engine_url) as other:
        yield [one, other], [engine(database), engine(database)]


def test_an_engine_goes_on_after_somebody_else_rebuilt(
    world: World, database: Database, connection: Connection
) -> None:
    made, told = engine(database, world.present), Told(world).issued()
    made.catch_up(connection)
    for projection in projections():
        list(rebuild(database.engine_url, projection))
    told.suspended()
    made.catch_up(connection)
    assert tables(connection) == rebuilt(connection)


# ---- what an engine survives -----------------------------------------------------------------------------------------


def test_an_engine_survives_the_loss_of_its_connections_and_of_the_server(durable_server: Server) -> None:
    database = Database(durable_server)
    database.migrate("simulation")
    made, facts = engine(database, Present()), Facts(database)
    made.start()
    for disturb in (facts.append, facts.end_sessions, durable_server.restart_immediately, facts.end_sessions):
        disturb()
        facts.append()
        facts.wait_until_projected()
    made.stop()
    with connect(database.engine_url) as connection:
        assert tables(connection) == rebuilt(connection)
        assert len(tables(connection)["certificate"]) == facts.number


APPLICATION = e.encode(
    e.ApplicationSubmitted(
        effective_on=date(2026, 1, 1),
        by=e.By("holder", "applicant", "key"),
        cause=e.Cause("request", "r"),
        case=1,
        kind="initial",
        organisation=UUID(int=1),
        holder="Holder",
        address="1 Example Road",
        scheme="CSP-S01-001",
        certification_type="star",
        accepts_conformity=True,
        scope="alarms",
    )
)


class Facts:
    """Applications, put into the log one by one."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.number = 0

    def append(self) -> None:
        with psycopg.connect(self.database.owner_url, autocommit=True) as owner:
            values = {"id": uuid4(), "topic": "application-submitted.v1", "state": APPLICATION}
            ((_, self.position),) = owner.execute(SQL["insert_event"], values).fetchall()
            self.number += 1

    def end_sessions(self) -> None:
        with psycopg.connect(self.database.owner_url, autocommit=True) as owner:
            owner.execute(SQL["end_sessions"])

    def wait_until_projected(self) -> None:
        with connect(self.database.engine_url) as connection:
            for projection in projections():
                assert standing(connection, projection.name, self.position, seconds=30) == self.position
