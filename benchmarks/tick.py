"""A tick with 500 due, in a register of 1,000 certificates and in one of 100,000, in turn.

The 500 have real streams and come due in each round; the others have the first facts of a stream and a later deadline.
"""

from contextlib import ExitStack
from datetime import date, timedelta
from time import perf_counter
from typing import Any
from uuid import UUID

import psycopg

from api.house import House
from benchmarks.ground import copies, figure, ground, issued, middle
from lifecycle.periods import day_start
from lifecycle.sql import load

SQL = load("tick", "benchmarks")
ROUNDS = 5
DUE = 500
SMALL, LARGE = 1_000, 100_000
FACTS_OF_OTHERS = 3


def run(events: int | None) -> tuple[int, list[dict[str, Any]]]:
    """The number of rounds and the figure; ``events`` is how many certificates the large register has."""
    large = max(SMALL, events or LARGE)
    with ExitStack() as stack:
        registers = {size: _register(stack.enter_context(ground()), size) for size in (SMALL, large)}
        seconds: dict[int, list[float]] = {size: [] for size in registers}
        for number in range(ROUNDS):
            for size in registers if number % 2 else reversed(registers):
                seconds[size].append(_tick(*registers[size]))
    before, after = middle(seconds[SMALL]) * 1000, middle(seconds[large]) * 1000
    return ROUNDS, [figure("growth_1k_to_100k", after, before, "ms a tick")]


def _register(house: House, size: int) -> tuple[House, UUID, date]:
    """A register of so many certificates, the one that is copied, and the day on which its copies come due."""
    acts = issued(house)
    due_on = acts.certificate().due.notice_on
    others = copies(house, acts.id, size - DUE, FACTS_OF_OTHERS)
    house.present.move_to(day_start(due_on) + timedelta(hours=9))
    house.catch_up()
    house.tick_today()
    with psycopg.connect(house.addresses.owner, autocommit=True) as owner:
        owner.execute(SQL["insert_later"], {"ids": others, "after": due_on})
        owner.execute(SQL["analyze_deadlines"])
    return house, acts.id, due_on


def _tick(house: House, certificate: UUID, due_on: date) -> float:
    copies(house, certificate, DUE, _facts_at_issue(house, certificate))
    house.catch_up()
    began = perf_counter()
    done = house.tick(due_on)
    seconds = perf_counter() - began
    if len(done.recorded) != DUE or done.failed:
        raise AssertionError(f"{len(done.recorded)} recorded, {len(done.failed)} failed, {DUE} were due")
    house.catch_up()
    return seconds


def _facts_at_issue(house: House, certificate: UUID) -> int:
    history = house.register.certificate(certificate).history
    return next(recorded.version for recorded in history if type(recorded.fact).__name__ == "CertificateIssued")
