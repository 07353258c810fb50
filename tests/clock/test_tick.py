"""One round of the clock: what is owed is recorded once, nothing early, and nothing keeps the rest from it."""

from __future__ import annotations

import os
import time
from calendar import monthrange
from collections.abc import Generator, Iterator
from datetime import date, timedelta
from random import Random
from threading import Event
from uuid import UUID, uuid4

import psycopg
import pytest

from lifecycle import errors
from lifecycle import events as e
from lifecycle.periods import day_start
from lifecycle.scheduler import start, tick, why
from lifecycle.service import Register
from lifecycle.store import StoreUnavailable
from projections import deadlines
from projections.engine import connect
from tests.clock.told import Told
from tests.clock.world import Present, World
from tests.clock.world import in_memory as in_memory_at
from tests.databases import Database
from tests.projections.tables import SQL, engine

ONE_DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


# ---- days ------------------------------------------------------------------------------------------------------------


@pytest.fixture(params=["UTC", "Asia/Shanghai", "America/New_York", "Pacific/Kiritimati", "Pacific/Pago_Pago"])
def zone(request: pytest.FixtureRequest) -> Generator[str]:
    """The machine stands in that time zone."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = request.param
    time.tzset()
    yield request.param
    os.environ.pop("TZ") if before is None else os.environ.update(TZ=before)
    time.tzset()


def by_hand(day: date, months: int) -> date:
    """So many months later, on the last day of the month where it has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


MONTH_ENDS = [date(year, month, monthrange(year, month)[1]) for year in range(2024, 2033) for month in range(1, 13)]


@pytest.mark.parametrize("months", [12, pytest.param(108, marks=pytest.mark.figures)])
def test_every_month_end_has_its_legal_days_wherever_the_machine_stands(zone: str, months: int) -> None:
    for day in Random(zone).sample(MONTH_ENDS, months):
        for lost, interval in ((0, 24), (10, 12)):
            assert_legal_days(day, lost, interval)


def assert_legal_days(issued_on: date, lost: int, interval: int) -> None:
    """Each fact of the clock is recorded at 16:00 UTC, when its legal day begins, and not a second before."""
    present = Present(day_start(issued_on) + timedelta(hours=9))
    told = Told(in_memory_at(present)).issued(lost)
    due_on = by_hand(issued_on, interval)
    ends_on = by_hand(issued_on, 36) - ONE_DAY
    for on, fact in [
        (due_on - timedelta(days=90), e.SurveillanceDue),
        (due_on + ONE_DAY, e.SurveillanceOverdue),
        (ends_on + ONE_DAY, e.CertificateExpired),
    ]:
        present.at = day_start(on) - SECOND
        assert told.register.tick(told.id) == [], on
        present.at = day_start(on)
        assert [(type(f), f.effective_on) for f in told.register.tick(told.id)] == [(fact, on)]
    assert told.certificate.due.visit_on == due_on


def test_a_tick_for_a_day_that_has_not_come_is_refused(in_memory: World, present: Present) -> None:
    told = Told(in_memory).issued()
    before = told.facts
    present.move(days=1200)
    with pytest.raises(errors.DayInFuture):
        tick(told.register, lambda by: [[told.id]], present.today + ONE_DAY)
    assert told.facts == before


# ---- what stands in the way ------------------------------------------------------------------------------------------


def due_dates(database: Database, page: int) -> deadlines.DueDates:
    def asked(by: date) -> Iterator[list[UUID]]:
        with connect(database.engine_url) as connection:
            yield from list(deadlines.clock_due(connection, by, page))

    return asked


@pytest.mark.parametrize("page", [1, 2, 500])
def test_bad_rows_do_not_starve_the_rest(world: World, database: Database, page: int) -> None:
    good = [Told(world).issued() for _ in range(3)]
    broken = Told(world).issued()
    with psycopg.connect(database.owner_url, autocommit=True) as owner, connect(database.engine_url) as connection:
        made = engine(database, world.present)
        made.catch_up(connection)
        owner.execute(SQL["insert_event"], {"id": broken.id, "topic": "holder-notified.v1", "state": b"{"})
        bad = {broken.id, *(uuid4() for _ in range(4))}
        for id in bad - {broken.id}:
            owner.execute(SQL["insert_deadline"], {"id": id, "due_on": date(2020, 1, 1)})
        world.present.move(days=800)
        done = tick(world.register, due_dates(database, page), world.present.today)
    assert {id for id, _ in done.failed} == bad
    assert {id for id, _ in done.recorded} == {told.id for told in good}
    assert all(problem for _, problem in done.failed)


def test_without_a_database_the_round_ends_at_once(present: Present) -> None:
    register = Register({"CERTLIFE_DATABASE_URL": "host=/nowhere dbname=none"}, present)
    asked: list[UUID] = []

    def pages(by: date) -> Iterator[list[UUID]]:
        for _ in range(3):
            asked.append(uuid4())
            yield asked[-1:]

    with pytest.raises(StoreUnavailable):
        tick(register, pages, present.today)
    assert len(asked) == 1


def test_a_certificate_on_many_pages_is_looked_at_once(in_memory: World, present: Present) -> None:
    told = Told(in_memory).issued()
    present.move(days=1200)
    done = tick(told.register, lambda by: [[told.id], [told.id, told.id]], present.today)
    assert [type(fact) for _, fact in done.recorded] == [
        e.SurveillanceDue, e.SurveillanceOverdue, e.CertificateExpired
    ]  # fmt: skip


# ---- dry runs --------------------------------------------------------------------------------------------------------


def test_a_dry_run_records_nothing_and_says_why(in_memory: World, present: Present) -> None:
    told = Told(in_memory).issued()
    present.move(days=250)
    told.visited()
    present.move(days=1000)
    before = told.facts
    done = tick(told.register, lambda by: [[told.id]], present.today, dry_run=True)
    assert [why(fact) for _, fact in done.recorded] == [
        "due on 2025-09-09: last check 2023-09-09 + 24 months, edition CSP-S01-001:2021; the notice window opens on "
        "2025-06-11",
        "was due on 2025-09-09, edition CSP-S01-001:2021; overdue from 2025-09-10",
        "last valid day 2026-01-01",
    ]
    assert told.facts == before
    assert tick(told.register, lambda by: [[told.id]], present.today).recorded == done.recorded
    assert why(told.facts[0]) == ""


# ---- the job ---------------------------------------------------------------------------------------------------------


def test_the_job_runs_at_once() -> None:
    ran = Event()
    scheduler = start(ran.set, every_seconds=3600)
    try:
        assert ran.wait(30)
    finally:
        scheduler.shutdown()


def test_the_job_runs_again_after_a_failure() -> None:
    runs: list[int] = []
    again = Event()

    def run() -> None:
        runs.append(1)
        if len(runs) == 1:
            raise RuntimeError("the first time it fails")
        again.set()

    scheduler = start(run, every_seconds=1)
    try:
        assert again.wait(30)
    finally:
        scheduler.shutdown()


def test_a_missed_call_is_made_up_by_one_and_none_runs_beside_another() -> None:
    scheduler = start(lambda: None, every_seconds=3600)
    (job,) = scheduler.get_jobs()
    scheduler.shutdown()
    assert (job.coalesce, job.misfire_grace_time, job.max_instances) == (True, None, 1)
