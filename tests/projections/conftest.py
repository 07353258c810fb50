"""A register in which a few years were lived, with an engine that came by now and then."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import dataclass

import pytest
from psycopg import Connection

from lifecycle import events as e
from lifecycle import log
from lifecycle.service import Register
from projections.engine import Follower, connect
from tests.clock.world import Present, World
from tests.databases import Database, Databases
from tests.projections.tables import Tables, engine, tables

SEED = 20260301
WANTED = frozenset({
    e.CertificateIssued, e.CertificateRenewed, e.CertificateReissued, e.GradeChanged, e.CertificateSuspended,
    e.CertificateReinstated, e.CertificateWithdrawn, e.SurveillanceDue, e.SurveillanceRecorded, e.RecordCorrected,
})  # fmt: skip
"""What must have happened before the register has been lived in long enough."""


@dataclass(frozen=True)
class Lived:
    """The register, the world that filled it, and the tables as they were projected live."""

    database: Database
    world: World
    live: Tables
    connection: Connection


@pytest.fixture(scope="session")
def lived(databases: Databases) -> Generator[Lived]:
    """Shared by the tests that only read it."""
    present = Present()
    with databases.register("simulation") as database, connect(database.engine_url) as connection:
        register = Register({"CERTLIFE_DATABASE_URL": database.service_url}, present)
        world, following = World(register, present, SEED).found(), engine(database, present)
        while not _happened(connection) >= WANTED:
            assert present.today.year < 2035, "chance is against us: take another seed"
            _live_half_a_year(world, following.followers, connection)
        following.catch_up(connection)
        yield Lived(database, world, tables(connection), connection)
        register.close()


def _live_half_a_year(world: World, followers: Iterable[Follower], connection: Connection) -> None:
    for _ in range(20):
        world.lives(9, busy=0.5)
        world.tick()
        for follower in followers:
            for _ in range(world.chance.randrange(3)):
                follower.advance(connection, world.chance.choice((1, 5, 20)))


def _happened(connection: Connection) -> set[type[e.Fact]]:
    return {e.FACTS[row[3]] for row in log.tail_rows(connection, 0, 10**6)}


@pytest.fixture
def present() -> Present:
    return Present()


@pytest.fixture
def world(database: Database, present: Present) -> Generator[World]:
    """A world in a register of its own, in which nothing has happened yet."""
    register = Register({"CERTLIFE_DATABASE_URL": database.service_url}, present)
    yield World(register, present, SEED).found()
    register.close()
