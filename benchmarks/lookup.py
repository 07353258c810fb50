"""The current-status look-up beside constant bytes, a usual route with a pool, and itself in other sizes and forms.

Ours is ``certlife serve`` with everything on, one worker; the engine follows the log in the same process. 32 callers in
another process ask for numbers at random. Only the rows of the numbers are made in bulk: each holds, under its own
number, the finished answers of a certificate that was issued.
"""

import json
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import md5
from random import Random
from typing import Any
from urllib.request import urlopen

import psycopg

from benchmarks.callers import Outcome, Questions, call
from benchmarks.ground import figure, ground, issued, middle
from benchmarks.serving import free_port, running, service
from lifecycle.sql import load

SQL = load("lookup", "benchmarks")
ROUNDS = 5
SECONDS = 3.0
NUMBERS, SMALL, LARGE = 100_000, 10_000, 1_000_000
ASKED = 100_000
"""At most so many different numbers are asked for, picked at random from all."""


@dataclass(frozen=True)
class Served:
    """A server at work on a port, and the numbers it is asked for."""

    port: int
    numbers: Sequence[str]
    database: str = ""

    def ask(self, **other: Any) -> Outcome:
        """How it answers its numbers; unless said otherwise, each is expected in the body."""
        paths = [f"/status/{number}" for number in self.numbers]
        return call(Questions(**{"port": self.port, "paths": paths, "words": self.numbers, "seconds": SECONDS} | other))


def run(events: int | None) -> tuple[int, list[dict[str, Any]]]:
    """The number of rounds and the figures; ``events`` is how many numbers the register of the main figures holds."""
    with ExitStack() as stack:
        ours, small, large = (stack.enter_context(register(size)) for size in (events or NUMBERS, SMALL, LARGE))
        length = len(_body(ours))
        raw = stack.enter_context(peer("raw", length, Served(0, ["x"])))
        pool = stack.enter_context(peer("pool", length, ours))
        acts: dict[str, Callable[[], Outcome]] = {
            "raw": lambda: raw.ask(words=[]),
            "ours": ours.ask,
            "pool": pool.ask,
            "small": small.ask,
            "large": large.ask,
            "signed": lambda: ours.ask(words=[], accept="application/jwt"),
            "kept": lambda: ours.ask(words=[], status=304, tags=[_tag(number) for number in ours.numbers]),
        }
        for act in acts.values():
            act()
        rounds = [_round(acts, number) for number in range(ROUNDS)]
        half = [ours.ask(rate=middle([told["ours"].rate for told in rounds]) / 2) for _ in range(ROUNDS)]
    failed = sum(outcome.failed for told in [*rounds, dict(enumerate(half))] for outcome in told.values())
    if failed:
        raise RuntimeError(f"{failed} questions were not answered as expected")
    p50, p99 = (middle([getattr(outcome, name) * 1e6 for outcome in half]) for name in ("p50", "p99"))
    return ROUNDS, [
        _paired("vs_raw_asgi", rounds, "ours", "raw"),
        _paired("vs_fastapi_pool", rounds, "ours", "pool"),
        _paired("growth_10k_to_1m", rounds, "large", "small"),
        figure("p99_over_p50_at_half_load", p99, p50, "microseconds"),
        _paired("signed_vs_unsigned", rounds, "signed", "ours"),
        _paired("not_modified_vs_raw_asgi", rounds, "kept", "raw"),
    ]


def _round(acts: dict[str, Callable[[], Outcome]], number: int) -> dict[str, Outcome]:
    """Each in turn, every other round the other way about."""
    return {name: acts[name]() for name in (acts if number % 2 else reversed(acts))}


def _paired(what: str, rounds: Sequence[dict[str, Outcome]], ours: str, other: str) -> dict[str, Any]:
    rates = [middle([told[name].rate for told in rounds]) for name in (ours, other)]
    ratio = middle([told[ours].rate / told[other].rate for told in rounds])
    return figure(what, *rates, "answers/s", ratio=ratio)


# ---- servers ---------------------------------------------------------------------------------------------------------


@contextmanager
def register(size: int) -> Generator[Served]:
    """``certlife serve`` over a register with so many numbers."""
    with ground() as house:
        acts = issued(house)
        house.present.move_to(datetime.now(UTC))
        house.catch_up()
        with psycopg.connect(house.addresses.owner, autocommit=True) as owner:
            owner.execute(SQL["fill_register"], {"number": acts.certificate().numbers.last, "count": size})
            owner.execute(SQL["analyze_register"])
        with service(house) as port:
            yield Served(port, _some_numbers(size), house.addresses.owner)


@contextmanager
def peer(kind: str, length: int, of: Served) -> Generator[Served]:
    """The peer, answering as many bytes to the same numbers."""
    if of.database:
        with psycopg.connect(of.database, autocommit=True) as owner:
            for statement in ("create_answers", "fill_answers", "analyze_answers"):
                owner.execute(SQL[statement], {"length": length})
    port = free_port()
    with running(["-m", "benchmarks.peers", kind, str(port), str(length), of.database], port, {}):
        yield Served(port, of.numbers)


# ---- numbers ---------------------------------------------------------------------------------------------------------


def _some_numbers(size: int) -> list[str]:
    places = Random(size).sample(range(1, size + 1), min(size, ASKED))
    return [f"CSP-S01-2099-{place:07}" for place in places]


def _body(served: Served) -> bytes:
    with urlopen(f"http://127.0.0.1:{served.port}/status/{served.numbers[0]}") as answer:
        body = answer.read()
    if json.loads(body)["status"] != "valid":
        raise RuntimeError(f"not the answer that is to be measured: {body!r}")
    return body


def _tag(number: str) -> str:
    """As ``fill_register`` makes it."""
    return f'W/"{md5(number.encode(), usedforsecurity=False).hexdigest()}"'
