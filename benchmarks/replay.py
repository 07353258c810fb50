"""All recorded questions of 100,000 certificates asked again, beside a COPY of the same rows and the library's way.

A made-up edition: 95 becomes 93, and four stars are visited every 18 months. One Python process, end to end.
"""

import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from multiprocessing import get_context
from time import perf_counter
from typing import Any, ClassVar
from uuid import UUID

import msgspec
import psycopg
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event

from api.demonstration.made_up import made_up
from api.house import House
from benchmarks import lives
from benchmarks.ground import BEGIN, figure, ground, library_environment, middle
from benchmarks.register import SQL
from lifecycle import log
from lifecycle.bulk import FACTS_SORTED, spans
from lifecycle.events import AnyFact, Recorded
from lifecycle.history import history_of
from lifecycle.rehearsal.comparison import Comparing, Line
from lifecycle.rehearsal.rehearsing import lines, rehearsed
from lifecycle.rehearsal.report import Scope
from lifecycle.rules import Edition, shipped_editions

ROUNDS = 5
EVENTS = 2_000_000
CERTIFICATES = 100_000
LONG = 200
"""How many facts a life has whose memory is measured, beside one with a tenth of them."""
PART = 300
"""How many certificates are read the library's way."""
ON = date(2026, 11, 23)


def run(events: int | None) -> tuple[int, list[dict[str, Any]]]:
    """The number of rounds and the figures; ``events`` is how many facts there are."""
    wanted = events or EVENTS
    certificates = max(PART, wanted * CERTIFICATES // EVENTS)
    floor, one, two, pair = [], [], [], []
    with ground() as house:
        facts = lives.filled(house, certificates, wanted // certificates)
        library = _library(house)
        for _ in range(ROUNDS):
            floor.append(facts / _copied(house))
            one.append(facts / _asked(house.addresses.service, _comparing()))
            two.append(facts / _asked(house.addresses.service, _comparing(against=made_up("94", 24))))
            pair.append(facts / _by_two(house.addresses.service))
    few = max(PART, wanted // LONG)
    least, most = (_memory(few, facts) for facts in (LONG // 10, LONG))
    return ROUNDS, [
        figure("one_edition_vs_copy_floor", middle(one), middle(floor), "facts/s"),
        figure("two_editions_vs_copy_floor", middle(two), middle(floor), "facts/s"),
        figure("vs_library", middle(one), library, "facts/s"),
        figure("memory_growth", most / 1024, least / 1024, "MiB"),
        figure("two_processes_vs_one", middle(pair), middle(one), "facts/s"),
    ]


def _comparing(against: Edition | None = None) -> Comparing:
    return Comparing(made_up(), shipped_editions(), ON, against=against)


def _copied(house: House) -> float:
    """How many seconds it takes to receive every row and drop it."""
    with psycopg.connect(house.addresses.owner) as owner, owner.cursor() as cursor:
        began = perf_counter()
        with cursor.copy(SQL["copy_all"]) as copy:
            for _ in copy:
                pass
        return perf_counter() - began


def _asked(url: str, comparing: Comparing) -> float:
    """How many seconds it takes to ask everything again, to the finished report."""
    began = perf_counter()
    with psycopg.connect(url, autocommit=True) as connection:
        report = rehearsed(connection, comparing, Scope(comparing.edition.scheme), _position(connection))
    assert report.affected
    return perf_counter() - began


def _position(connection: psycopg.Connection[Any]) -> int:
    return log.settled(connection, BEGIN).position


def _by_two(url: str) -> float:
    """The same by two processes, each with every other part; without putting their reports together."""
    with ProcessPoolExecutor(2, get_context("fork")) as pool:
        list(pool.map(abs, (1, 2)))  # both are there before the time counts
        began = perf_counter()
        list(pool.map(_half, (url, url), (0, 1)))
        return perf_counter() - began


def _half(url: str, first: int) -> int:
    comparing = _comparing()
    with psycopg.connect(url, autocommit=True) as connection:
        upto = _position(connection)
        return sum(
            isinstance(line, Line) and line.is_affected
            for line in lines(connection, comparing, [*spans(4 * FACTS_SORTED, FACTS_SORTED)][first::2], upto)
        )


def _memory(certificates: int, facts: int) -> int:
    """The most memory, in KiB, that a process of its own needs to ask everything again of so many lives."""
    with ground() as house:
        lives.filled(house, certificates, facts)
        return _memory_of(house)


def _memory_of(house: House) -> int:
    program = ("import sys; from benchmarks.replay import _asked, _comparing, most_memory;"
               "_asked(sys.argv[1], _comparing()); print(most_memory())")  # fmt: skip
    asked = [sys.executable, "-c", program, house.addresses.service]
    return int(subprocess.run(asked, capture_output=True, check=True, text=True).stdout)


def most_memory() -> int:
    """Of this process, so far, in KiB; what getrusage tells is inherited from whoever started it."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))


# ---- the library's own way -------------------------------------------------------------------------------------------


class StockCertificate(Aggregate):
    """A certificate as an aggregate of the library: its facts, one event each."""

    @event("Happened")
    def happen(self, fact: dict[str, Any]) -> None:
        self.facts = [*getattr(self, "facts", ()), fact]


class StockReplay(Application[UUID]):
    """The library's own store, mapper and repository."""

    env: ClassVar[dict[str, str]] = {}


def _library(house: House) -> float:
    """Facts a second through the library's repository, on a part: the same questions on the same facts."""
    application = StockReplay(library_environment(house))
    with house.register.recorder.connection() as connection:
        histories = [log.stream(connection, id) for id in lives.ids(PART)]
    stored = []
    for history in histories:
        certificate = StockCertificate()
        for recorded in history:
            certificate.happen(msgspec.to_builtins(recorded.fact))
        application.save(certificate)
        stored.append(certificate.id)
    began, comparing = perf_counter(), _comparing()
    for id in stored:
        facts = application.repository.get(id).facts
        history = [Recorded(id, version, msgspec.convert(fact, AnyFact)) for version, fact in enumerate(facts, 1)]
        comparing.line(history_of(id, history))
    took = perf_counter() - began
    application.close()
    return sum(map(len, histories)) / took
