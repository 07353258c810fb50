"""The register made anew from the whole log: beside a COPY of the same facts, beside the library's ProjectionRunner.

And how many public questions a second are answered while it is made anew, of those answered otherwise.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from time import perf_counter
from typing import Any

import psycopg

from api.house import House
from benchmarks import engine
from benchmarks.callers import Questions, call
from benchmarks.ground import figure, ground, middle
from benchmarks.register import SQL, filled
from benchmarks.serving import CERTLIFE, service, settings_of
from projections.rebuild import rebuild
from projections.register import RegisterProjection

ROUNDS = 5
EVENTS = 2_000_000
RUNNER_PART = 2_000
"""How many facts the runner projects."""
SECONDS = 8.0
NUMBERS = 100_000


def run(events: int | None) -> tuple[int, list[dict[str, Any]]]:
    """The number of rounds and the figures; ``events`` is how many facts of certificates the register is made from."""
    with ground() as house:
        filled(house, events or EVENTS)
        ours, floor, runner = [], [], []
        engine.STARTED["projection"] = projection = RegisterProjection(house.status.stars)
        part = engine.stock_events(house, min(RUNNER_PART, events or EVENTS))
        for _ in range(ROUNDS):
            floor.append(_copied(house))
            ours.append(_rebuilt(house, projection))
            runner.append(engine.runner(house, part))
        _rebuilt(house, projection)
        with service(house) as port:
            asked = _questions(house, port)
            before, during = [], []
            for _ in range(ROUNDS):
                before.append(call(asked))
                with _being_rebuilt(house):
                    during.append(call(asked))
    failed = sum(outcome.failed for outcome in [*before, *during])
    return ROUNDS, [
        figure("vs_copy_floor", middle(ours), middle(floor), "facts/s"),
        figure("vs_projection_runner", middle(ours), middle(runner), "facts/s"),
        figure("lookup_rate_during", middle([o.rate for o in during]), middle([o.rate for o in before]), "answers/s"),
        figure("lookups_failed", failed, 0, "answers", ratio=float(failed)),
    ]


def _copied(house: House) -> float:
    """Facts a second, every byte received and dropped."""
    with psycopg.connect(house.addresses.owner) as owner, owner.cursor() as cursor:
        began = perf_counter()
        with cursor.copy(SQL["copy_all"]) as copy:
            for _ in copy:
                pass
        return cursor.rowcount / (perf_counter() - began)


def _rebuilt(house: House, projection: RegisterProjection) -> float:
    """Facts a second, from nothing to tables that serve."""
    with psycopg.connect(house.addresses.owner, autocommit=True) as owner:
        ((count,),) = owner.execute(SQL["count_all"]).fetchall()
        owner.execute(SQL["stand_at_the_end"])
    began = perf_counter()
    for _ in rebuild(house.addresses.engine, projection, os.cpu_count() or 1):
        pass
    return count / (perf_counter() - began)


def _questions(house: House, port: int) -> Questions:
    with house.register.recorder.connection() as connection:
        numbers = [number for (number,) in connection.execute(SQL["select_numbers"], {"limit": NUMBERS}).fetchall()]
    return Questions(port, [f"/status/{number}" for number in numbers], numbers, SECONDS)


@contextmanager
def _being_rebuilt(house: House) -> Generator[None]:
    """Again and again."""
    again = ["sh", "-c", 'while "$0" -c "$1" rebuild register; do :; done', sys.executable, CERTLIFE]
    silent: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(again, env=os.environ | settings_of(house), start_new_session=True, **silent) as loop:
        try:
            yield
            assert loop.poll() is None, "the rebuild failed"
        finally:
            os.killpg(loop.pid, signal.SIGINT)
