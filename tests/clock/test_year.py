"""A simulated year, two schedulers with clocks that jump, and kills: each due date once, none early, none missing."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime, timedelta
from multiprocessing import sharedctypes
from typing import NamedTuple
from uuid import UUID

import psycopg
import pytest

from lifecycle import log
from lifecycle.periods import legal_day
from projections.engine import connect
from tests.clock.copies import certificate_rows, copied, insert, later, mixed
from tests.clock.killed import FORK, Killed, a_moment
from tests.clock.ticking import ticking
from tests.clock.told import Told
from tests.clock.world import World, in_postgres
from tests.databases import Database, Databases
from tests.projections.tables import engine

YEAR = timedelta(days=365)
ONE_DAY = timedelta(days=1)
CLOCK_TOPICS = ("surveillance-due.v1", "surveillance-overdue.v1", "certificate-expired.v1")


class Due(NamedTuple):
    """What a clock has to record of a certificate on a day."""

    certificate: UUID
    topic: str
    on: date


class Year:
    """A register with so many due dates in the year that begins, and two schedulers at work in it."""

    def __init__(self, database: Database, world: World, due_dates: int, kind: str = "Register") -> None:
        self.database = database
        self.start = fill(database, world, due_dates)
        self.present = sharedctypes.RawValue("d", self.start.timestamp())
        self.schedulers = [Scheduler(self, kind) for _ in range(2)]

    def passes(self, kills: int) -> None:
        """The year is over, and both schedulers have made a round after its end."""
        for scheduler in self.schedulers:
            scheduler.begin()
        for scheduler in self.schedulers:
            scheduler.makes_a_round()
        for _ in range(kills):
            self.present.value += YEAR.total_seconds() / (kills + 1)
            scheduler = random.choice(self.schedulers)
            scheduler.is_killed_at_random()
            scheduler.begin()
        self.present.value = (self.start + YEAR).timestamp()
        for scheduler in self.schedulers:
            scheduler.makes_a_round()
        for scheduler in self.schedulers:
            scheduler.process.kill()

    def wrong(self) -> list[str]:
        """What is not as it has to be; nothing if all is well."""
        with connect(self.database.engine_url) as connection:
            rows = certificate_rows(connection)
        recorded = [row for row in rows if row[3] in CLOCK_TOPICS and row[5] > self.start]
        done = Counter(Due(row[1], row[3], effective_on(row)) for row in recorded)
        expected = set(falling_due(rows, legal_day(self.start), legal_day(self.start + YEAR)))
        return [
            *(f"twice: {due}" for due, times in done.items() if times > 1),
            *(f"missing: {due}" for due in expected - done.keys()),
            *(f"not due: {due}" for due in done.keys() - expected),
            *(f"early: {row}" for row in recorded if effective_on(row) > legal_day(row[5])),
        ]


class Scheduler:
    """One of the two, which is killed and begins again."""

    def __init__(self, year: Year, kind: str) -> None:
        self.year, self.kind = year, kind

    def begin(self) -> None:
        self.heard, told = FORK.Pipe(duplex=False)
        addresses = (self.year.database.service_url, self.year.database.engine_url)
        self.process = Killed(ticking, self.kind, *addresses, self.year.present, random.randrange(2**32), told)
        self.process.start()
        told.close()

    def is_killed_at_random(self) -> None:
        for _ in range(random.randrange(3)):
            self.heard.recv()
        a_moment()
        self.process.kill()

    def makes_a_round(self) -> None:
        """One that began at the present instant."""
        while self.heard.recv() < self.year.present.value:
            pass


def fill(database: Database, world: World, due_dates: int) -> datetime:
    """The instant at which the year begins. Each copy of one life began some days earlier than the last: in the year
    its visit falls due and is overdue, and most expire."""
    told = Told(world).issued(lost=10)
    for _ in range(2):
        world.present.move(days=350)
        told.visited()
    with connect(database.engine_url) as connection, psycopg.connect(database.owner_url, autocommit=True) as owner:
        rows, copies = certificate_rows(connection), due_dates // 3
        insert(owner, mixed((later(copied(rows, n), -n * 265 // copies) for n in range(copies)), random.Random(1)))
        engine(database, world.present)
    return world.present.at + ONE_DAY


def falling_due(rows: list[log.Row], after: date, until: date) -> Iterator[Due]:
    """What has to be recorded in those days, by what the certificates say of themselves, read as plain JSON."""
    said: dict[UUID, dict[str, date]] = {}
    for row in rows:
        fact, known = json.loads(row[4]), said.setdefault(row[1], {})
        if "due" in fact:
            known["surveillance-due.v1"] = date.fromisoformat(fact["due"]["notice_on"])
            known["surveillance-overdue.v1"] = date.fromisoformat(fact["due"]["visit_on"]) + ONE_DAY
        if row[3] == "certificate-issued.v1":
            known["certificate-expired.v1"] = date.fromisoformat(fact["valid_until"]) + ONE_DAY
    for id, days in said.items():
        yield from (Due(id, topic, on) for topic, on in days.items() if after < on <= until)


def effective_on(row: log.Row) -> date:
    return date.fromisoformat(json.loads(row[4])["effective_on"])


@pytest.mark.parametrize(("due_dates", "kills"), [(200, 15), pytest.param(2_000, 148, marks=pytest.mark.figures)])
def test_in_a_year_each_due_date_is_recorded_once_none_early_none_missing(
    world: World, database: Database, due_dates: int, kills: int
) -> None:
    year = Year(database, world, due_dates)
    year.passes(kills)
    assert year.wrong() == []


@pytest.mark.parametrize("mutant", ["Forgetful", "Headstrong", "Credulous"])
def test_a_faulty_clock_is_found_out(databases: Databases, mutant: str) -> None:
    assert any(what_is_wrong_after_a_year(databases, mutant) for _ in range(4)), (
        "it is a matter of chance, but not much"
    )


def what_is_wrong_after_a_year(databases: Databases, mutant: str) -> list[str]:
    with databases.register("simulation") as database, closing(in_postgres(database)) as world:
        year = Year(database, world, 600, mutant)
        year.passes(0)
        return year.wrong()
