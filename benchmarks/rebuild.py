"""The register made anew from the whole log: beside a COPY of the same facts, beside the library's ProjectionRunner.

And how many public questions a second are answered while it is made anew, of those answered otherwise.
"""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

import psycopg

from api.house import House
from benchmarks import engine
from benchmarks.callers import Questions, call
from benchmarks.ground import figure, ground, middle
from benchmarks.register import SQL, filled
from projections.rebuild import rebuild
from projections.register import RegisterProjection

ROUNDS = 5
EVENTS = 2_000_000
RUNNER_PART = 2_000
"""How many facts the runner projects."""
SECONDS = 8.0
NUMBERS = 100_000
CERTLIFE = str(Path(sys.executable).with_name("certlife"))


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
        with _served(house) as port:
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
def _served(house: House) -> Generator[int]:
    """The service with its engine, in a process of its own; answers its port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    given = environment(house) | {"CERTLIFE_PORT": str(port), "CERTLIFE_STATUS_PER_MINUTE": "1000000000"}
    with _running(given, "serve", "--no-clock") as service:
        while service.poll() is None and not _answers(port):
            sleep(0.1)
        yield port


@contextmanager
def _being_rebuilt(house: House) -> Generator[None]:
    """Again and again."""
    again = ["sh", "-c", 'while "$0" rebuild register; do :; done', CERTLIFE]
    silent: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(again, env=environment(house), start_new_session=True, **silent) as loop:
        try:
            yield
            assert loop.poll() is None, "the rebuild failed"
        finally:
            os.killpg(loop.pid, signal.SIGINT)


@contextmanager
def _running(environment: dict[str, str], *arguments: str) -> Generator[subprocess.Popen[bytes]]:
    with subprocess.Popen([CERTLIFE, *arguments], env=environment, stdout=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.terminate()


def _answers(port: int) -> bool:
    with socket.socket() as there:
        return there.connect_ex(("127.0.0.1", port)) == 0


def environment(house: House) -> dict[str, str]:
    """What a process of the command line is told."""
    return os.environ | {
        "CERTLIFE_DATABASE_URL": house.addresses.service,
        "CERTLIFE_ENGINE_DATABASE_URL": house.addresses.engine,
        "CERTLIFE_KEYS": str(house.settings.keys_folder),
    }
