"""The trail of one certificate with 100 events, and a page of 200 out of all, beside a plain SELECT of the same rows.

Ours is the finished answer, the record of the read included; the other the rows, fetched by the same driver on a
connection of the same role and dropped.
"""

from collections.abc import Callable, Iterable
from random import Random
from time import perf_counter
from typing import Any
from uuid import UUID

from api.cursor import Cursor
from api.house import House
from api.identity import OPERATOR
from api.trail.questions import Trail
from benchmarks.ground import copies, figure, ground, middle
from benchmarks.register import filled
from lifecycle import commands as c
from lifecycle import events as e
from lifecycle.service import Request
from lifecycle.sql import load
from projections.rebuild import rebuild
from projections.trail import TrailProjection
from projections.trail_questions import Asked

SQL = load("trail", "benchmarks")
ROUNDS = 5
EVENTS = 1_000_000
FACTS = 100
CERTIFICATES = 50
QUESTIONS = 200
"""How many a round asks."""
PAGE = 200

Question = Callable[[Any], object]


def run(events: int | None) -> tuple[int, list[dict[str, Any]]]:
    """The number of rounds and the figures; ``events`` is how many facts the trail tells."""
    with ground() as house:
        filled(house, events or EVENTS)
        certificates = copies(house, long_life(house), CERTIFICATES)
        for _ in rebuild(house.addresses.engine, TrailProjection(), 2):
            pass
        of_one = _measured(_of_one(house), _plain(house, "select_of_certificate", "certificate"), _each(certificates))
        places = _places(house)
        of_all = _measured(_page(house), _plain(house, "select_page", "after"), places)
    return ROUNDS, [
        figure("vs_plain_select", *of_one, "answers/s"),
        figure("vs_plain_select_page", *of_all, "answers/s"),
    ]


def long_life(house: House) -> UUID:
    """A certificate that complaints have brought to so many events."""
    with house.register.recorder.connection() as connection:
        ((id,),) = connection.execute(SQL["select_certificate"]).fetchall()
    complaint = c.LodgeComplaint(grounds="nobody answers", request_sha256="0" * 64)
    by = e.By("registrar", "registrar", "benchmark")
    for number in range(FACTS):
        if house.register.certificate(id).version < FACTS:
            house.register.execute(Request(by, f"complaint-{number}", "00" * 32), complaint, id)
    return id


def _measured(ours: Question, other: Question, asked: list[Any]) -> tuple[float, float]:
    """Questions a second, ours and the other, in turn."""
    rates: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        for question, rate in zip((ours, other), rates, strict=True):
            rate.append(_rate(question, asked))
    return middle(rates[0]), middle(rates[1])


def _rate(question: Question, asked: Iterable[Any]) -> float:
    began, count = perf_counter(), 0
    for each in asked:
        question(each)
        count += 1
    return count / (perf_counter() - began)


def _of_one(house: House) -> Question:
    trail = Trail(house.questions)
    return lambda certificate: trail.page(OPERATOR, Asked(certificate=certificate), None, PAGE)


def _page(house: House) -> Question:
    trail = Trail(house.questions)
    return lambda after: trail.page(OPERATOR, Asked(), Cursor.write((after,)), PAGE)


def _plain(house: House, statement: str, name: str) -> Question:
    def ask(value: Any) -> object:
        with house.register.recorder.connection() as connection:
            return connection.execute(SQL[statement], {name: value}, prepare=True, binary=True).fetchall()

    return ask


def _each(certificates: list[UUID]) -> list[UUID]:
    return [certificates[number % len(certificates)] for number in range(QUESTIONS)]


def _places(house: House) -> list[int]:
    with house.register.recorder.connection() as connection:
        ((last,),) = connection.execute(SQL["select_last"]).fetchall()
    chance = Random(1)
    return [chance.randrange(max(1, last - PAGE)) for _ in range(QUESTIONS)]
