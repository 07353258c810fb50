"""The engine: the register brought up to date from nothing, beside the library's ProjectionRunner.

Both project the same facts into the same table through the same ``RegisterProjection.put``; the runner does one
transaction a fact, as it comes, and is timed on a part.
"""

from time import perf_counter
from typing import Any, ClassVar
from uuid import UUID

import psycopg
from eventsourcing.application import Application
from eventsourcing.persistence import StoredEvent, Tracking
from eventsourcing.postgres import PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner

from api.house import House
from benchmarks.ground import FACTS, copies, figure, ground, library_environment, life, middle
from lifecycle.certificate import Certificate, evolve
from lifecycle.events import Recorded
from lifecycle.sql import load
from lifecycle.store import JsonMapper
from lifecycle.upcast import read
from projections.engine import Follower, connect
from projections.folds import CERTIFICATE_FACTS
from projections.register import RegisterProjection

SQL = load("engine", "benchmarks")
ROUNDS = 5
EVENTS = 20_000
RUNNER_SHARE = 10
"""The runner projects one fact in so many."""


class RegisterView(PostgresTrackingRecorder):
    """The register's table, written with the library's tracking record in one transaction."""

    def put(self, certificate: Certificate, tracking: Tracking) -> None:
        with self.datastore.transaction(commit=True) as cursor:
            cursor.execute(SQL["write_to_projections"])
            STARTED["projection"].put(cursor.connection, [certificate])
            self._insert_tracking(cursor, tracking)

    def skip(self, tracking: Tracking) -> None:
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)


class StockProjection(Projection[RegisterView]):
    """One fact, one fold step, one transaction."""

    name = "stock"

    def __init__(self, view: RegisterView) -> None:
        super().__init__(view)
        self.states: dict[UUID, Certificate] = {}

    def process_event(self, domain_event: Recorded, tracking: Tracking) -> None:
        if type(domain_event.fact) not in CERTIFICATE_FACTS:
            self.view.skip(tracking)
            return
        id = domain_event.originator_id
        state = self.states.setdefault(id, Certificate(id))
        evolve(state, domain_event.version, domain_event.fact)
        self.view.put(state, tracking)


class StockApplication(Application[UUID]):
    """The library's own store, holding the same facts in the same form."""

    name = "stockapplication"
    env: ClassVar[dict[str, str]] = {"MAPPER_TOPIC": "benchmarks.engine:StockMapper"}


class StockMapper(JsonMapper):
    """Facts without our columns."""

    def to_domain_event(self, stored_event: StoredEvent) -> Recorded:
        fact = read(stored_event.topic, stored_event.state)
        return Recorded(stored_event.originator_id, stored_event.originator_version, fact)


STARTED: dict[str, RegisterProjection] = {}
"""The projection that both use: the library makes its view itself, and hands it nothing."""


def run(events: int | None) -> tuple[int, list[dict[str, Any]]]:
    """The number of rounds and the figure; ``events`` is how many facts the engine projects in a round."""
    wanted = max(FACTS * RUNNER_SHARE, events or EVENTS)
    with ground() as house:
        copies(house, life(house), wanted // FACTS)
        STARTED["projection"] = RegisterProjection(house.status.stars)
        part = stock_events(house, wanted // RUNNER_SHARE)
        ours, other = [], []
        for _ in range(ROUNDS):
            ours.append(_engine(house))
            other.append(runner(house, part))
    return ROUNDS, [figure("vs_projection_runner", middle(ours), middle(other), "facts/s")]


def _engine(house: House) -> float:
    follower = Follower(STARTED["projection"])
    with connect(house.addresses.engine) as connection:
        _empty(house)
        began = perf_counter()
        done = 0
        while count := follower.advance(connection):
            done += count
        return done / (perf_counter() - began)


def runner(house: House, part: int) -> float:
    """How many facts a second the library's runner projects, of the first so many, from nothing."""
    _empty(house)
    with psycopg.connect(house.addresses.owner, autocommit=True) as owner:
        owner.execute(SQL["forget_tracking"])
    environment = library_environment(house) | {"POSTGRES_SCHEMA": "public"}
    with ProjectionRunner(
        application_class=StockApplication, projection_class=StockProjection, view_class=RegisterView, env=environment
    ) as runner:
        began = perf_counter()
        runner.wait(part, timeout=600)
        return part / (perf_counter() - began)


def stock_events(house: House, count: int) -> int:
    """The first facts in the library's own table; answers how many."""
    StockApplication(library_environment(house)).close()
    with psycopg.connect(house.addresses.owner, autocommit=True) as owner:
        return owner.execute(SQL["copy_to_stock"], {"count": count}).rowcount


def _empty(house: House) -> None:
    with psycopg.connect(house.addresses.owner, autocommit=True) as owner:
        for name in ("empty_register", "empty_certificate", "rewind"):
            owner.execute(SQL[name])
