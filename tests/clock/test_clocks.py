"""However late, however many, whenever they tick: clocks record what one punctual clock would have recorded."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import cache
from random import Random
from threading import Barrier, Thread
from typing import NamedTuple
from uuid import UUID

import pytest

from lifecycle import events as e
from lifecycle.certificate import fold
from lifecycle.decisions.clock import owed
from lifecycle.periods import day_start, legal_day
from lifecycle.service import Register
from projections.deadlines import deadlines
from tests.clock.acts import Act
from tests.clock.mutants import Forgetful, Headstrong
from tests.clock.told import Told
from tests.clock.world import START, Present, World, asked, carry_out, in_memory, once
from tests.databases import Database

ONE_DAY = timedelta(days=1)
DAYS = 1_300
CLOCK_TOPICS = {"surveillance-due.v1", "surveillance-overdue.v1", "certificate-expired.v1"}
OWED = [
    ("surveillance-due.v1", date(2024, 10, 4)),
    ("surveillance-overdue.v1", date(2025, 1, 3)),
    ("certificate-expired.v1", date(2026, 1, 2)),
]
"""What is owed three years and some after a certificate of five stars was issued at the start, and never visited."""


class Entry(NamedTuple):
    """What somebody asked for, and when."""

    at: datetime
    certificate: UUID
    act: Act


class Punctual(World):
    """A world with a clock that ticks at each 00:00; everything that is asked for is written into a diary."""

    def __init__(self, seed: int) -> None:
        present = Present()
        super().__init__(Register({"PERSISTENCE_MODULE": "tests.clock.memory"}, present), present, seed)
        self.diary: list[Entry] = []
        self.ticked_on = present.today
        self.found()

    def do(self, id: UUID, act: Act) -> object:
        self.ticks_until_now()
        self.diary.append(Entry(self.present.at, id, act))
        return super().do(id, act)

    def ticks_until_now(self) -> None:
        now = self.present.at
        while self.ticked_on < legal_day(now):
            self.ticked_on += ONE_DAY
            self.present.at = day_start(self.ticked_on)
            self.tick()
        self.present.at = now

    def tick(self, *, on: date | None = None) -> list[e.Fact]:
        due = [c.id for c in self.histories() if any(d.clock and d.due_on <= self.present.today for d in deadlines(c))]
        return [fact for id in due for fact in self.register.tick(id, on)]


@cache
def lived(seed: int) -> Punctual:
    """Three years and a half under a punctual clock."""
    punctual = Punctual(seed)
    punctual.lives(DAYS, busy=0.12)
    punctual.ticks_until_now()
    return punctual


def carelessly(diary: list[Entry], seed: int, until: datetime) -> tuple[Register, set[datetime]]:
    """The same things asked for at the same instants, with ticks by chance; and when anything was done at all."""
    present, chance, done = Present(), Random(seed), set()
    world = in_memory(present, seed)
    ids: list[UUID] = []
    habit = chance.choice((0, 0.02, 0.5))
    for number, entry in enumerate(diary, world.sent + 1):
        for at in sorted(_between(present.at, entry.at, chance, habit)):
            present.at = at
            done.add(at)
            _ticks(world.register, ids, chance, present)
        present.at = entry.at
        done.add(entry.at)
        ids += [entry.certificate] if entry.certificate not in ids else []
        request = asked(entry.act.person, entry.act.command, f"request-{number}")
        once(lambda r=request, x=entry: carry_out(world.register, r, x.certificate, x.act))
    present.at = until
    for id in ids:
        _tick(world.register, id, None)
    return world.register, done | {until}


def _between(start: datetime, end: datetime, chance: Random, habit: float) -> Iterator[datetime]:
    while chance.random() < habit:
        yield start + (end - start) * chance.random()


def _ticks(register: Register, ids: list[UUID], chance: Random, present: Present) -> None:
    """Some certificates, some twice, some for a day that was a while ago."""
    for id in chance.choices(ids, k=len(ids)):
        _tick(register, id, chance.choice((None, present.today - timedelta(days=chance.randrange(100)))))


def _tick(register: Register, id: UUID, on: date | None) -> None:
    if register.recorder.streams[id]:
        register.tick(id, on)


def told(register: Register) -> dict[UUID, list[tuple[int, bytes]]]:
    """Everything that was recorded, whenever that was."""
    streams = register.recorder.streams.items()
    return {id: [(fact.originator_version, fact.state) for fact in stream] for id, stream in streams if stream}


@pytest.mark.parametrize("seed", [*range(3), *(pytest.param(s, marks=pytest.mark.figures) for s in range(3, 30))])
def test_whenever_clocks_tick_the_record_is_that_of_a_punctual_one(seed: int) -> None:
    punctual = lived(seed)
    for careless in range(3):
        register, done = carelessly(punctual.diary, seed * 100 + careless, punctual.present.at)
        assert told(register) == told(punctual.register), f"seed {seed}, {careless}"
        for fact in clock_facts(register):
            assert fact.recorded_at in done, "the instant is the one at which it was recorded"
            assert fact.effective_on <= legal_day(fact.recorded_at), "nothing is early"


def test_the_histories_that_are_compared_have_all_that_a_clock_records() -> None:
    facts: list[ClockFact] = []
    for seed in range(3):
        facts += clock_facts(lived(seed).register)
    assert {fact.topic for fact in facts} == CLOCK_TOPICS
    assert all(fact.recorded_at - day_start(fact.effective_on) <= ONE_DAY for fact in facts)
    assert any(fact.recorded_at == day_start(fact.effective_on) for fact in facts)


class ClockFact(NamedTuple):
    """A fact of the clock, and when it was recorded."""

    topic: str
    effective_on: date
    recorded_at: datetime


def clock_facts(register: Register) -> Iterator[ClockFact]:
    for stored in register.recorder.log:
        if stored.topic in CLOCK_TOPICS:
            yield ClockFact(stored.topic, e.decode(stored.state).effective_on, stored.recorded_at)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_deadlines_of_the_clock_are_what_it_owes(seed: int) -> None:
    days = Random(seed)
    for known in lived(seed).histories():
        for version in range(1, known.version + 1):
            certificate = fold(known.id, known.history[:version])
            today = START.date() + timedelta(days=days.randrange(2 * DAYS))
            due = {(d.kind, d.due_on) for d in deadlines(certificate) if d.clock and d.due_on <= today}
            facts = owed(certificate, today)
            assert due == {(e.topic_of(f)[:-3].replace("-", "_"), f.effective_on) for f in facts}


# ---- two clocks at once ----------------------------------------------------------------------------------------------


class Two:
    """Two clocks that look at the same certificates at the same time, each with its own connection."""

    def __init__(self, database: Database, present: Present, kind: type[Register] = Register) -> None:
        self.registers = [kind({"CERTLIFE_DATABASE_URL": database.service_url}, present) for _ in range(2)]
        self.barrier = Barrier(2)

    def tick(self, ids: list[UUID]) -> None:
        threads = [Thread(target=self._tick, args=(register, ids)) for register in self.registers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _tick(self, register: Register, ids: list[UUID]) -> None:
        for id in ids:
            self.barrier.wait()
            register.tick(id)
        register.close()


def announced(world: World, ids: list[UUID]) -> list[tuple[UUID, str, date]]:
    """What the clock recorded, sorted."""
    facts = [(id, r.fact) for id in ids for r in world.register.certificate(id).history if r.fact.cause.kind == "clock"]
    return sorted((id, e.topic_of(fact), fact.effective_on) for id, fact in facts)


@pytest.fixture
def due(world: World, present: Present) -> list[UUID]:
    """Certificates of each of which three facts are owed."""
    ids = [Told(world).issued().id for _ in range(8)]
    present.move(days=1_200)
    return ids


def test_two_clocks_at_once_record_each_fact_once(
    world: World, database: Database, present: Present, due: list[UUID]
) -> None:
    Two(database, present).tick(due)
    assert announced(world, due) == sorted((id, topic, on) for id in due for topic, on in OWED)


def test_a_retry_that_appends_without_deciding_again_is_found_out(
    world: World, database: Database, present: Present, due: list[UUID]
) -> None:
    Two(database, present, Headstrong).tick(due)
    assert len(announced(world, due)) > len(due) * len(OWED)


def test_a_clock_that_forgets_what_it_announced_is_found_out(
    world: World, database: Database, present: Present, due: list[UUID]
) -> None:
    present.move(days=-500)
    for _ in range(2):
        Two(database, present, Forgetful).tick(due)
    assert len(set(announced(world, due))) < len(announced(world, due))
