"""Every recorded question of 100,000 certificates asked again, beside a COPY of the same rows and the library's own way.

A made-up edition: 95 becomes 93, and four stars are visited every 18 months. One Python process, end to end.
"""

import gc
import resource
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from multiprocessing import get_context
from time import perf_counter
from typing import Any
from uuid import UUID

import psycopg

from api.house import House
from benchmarks import lives
from benchmarks.ground import figure, ground, library_environment, middle
from benchmarks.register import SQL
from lifecycle.comparison import Comparing
from lifecycle.rehearsing import rehearsed
from lifecycle.report import Scope
from lifecycle.rules import Edition, load_edition, shipped_editions

ROUNDS = 3
EVENTS = 2_000_000
CERTIFICATES = 100_000
PART = 300
"""How many certificates are read the library's way."""
ON = date(2026, 11, 23)


def run(events: int | None) -> tuple[int, list[dict[str, Any]]]:
    """The number of rounds and the figures; ``events`` is how many facts there are."""
    wanted = events or EVENTS
    with ground() as house:
        certificates = max(PART, wanted * CERTIFICATES // EVENTS)
        facts = lives.filled(house, certificates, wanted // certificates)
        floor, one, two, both = [], [], [], []
        for _ in range(ROUNDS):
            floor.append(facts / _copied(house))
            one.append(facts / _timed(house, _comparing()))
            two.append(facts / _timed(house, _comparing(against=made_up("94", 24))))
        print(floor, one, two, file=sys.stderr)
    return ROUNDS, [
        figure("one_edition_vs_copy_floor", middle(one), middle(floor), "facts/s"),
        figure("two_editions_vs_copy_floor", middle(two), middle(floor), "facts/s"),
    ]


def made_up(five_stars: str, months: int) -> Edition:
    """The shipped edition with another mark for five stars, and another interval for four."""
    text = shipped_editions()[lives.EDITION].text.replace('id = "CSP-S01-001:2021"', f'id = "CSP-S01-001:{five_stars}"')
    text = text.replace('"95", unit', f'"{five_stars}", unit')
    head, four = text.split('code = "four_star"')
    return load_edition(f'{head}code = "four_star"{four.replace("value = 12", f"value = {months}", 1)}', file="made-up")


def _comparing(against: Edition | None = None) -> Comparing:
    return Comparing(made_up("93", 18), shipped_editions(), ON, against=against)


def _copied(house: House) -> float:
    """How many seconds it takes to receive every row and drop it."""
    with psycopg.connect(house.addresses.owner) as owner, owner.cursor() as cursor:
        began = perf_counter()
        with cursor.copy(SQL["copy_all"]) as copy:
            for _ in copy:
                pass
        return perf_counter() - began


def _timed(house: House, comparing: Comparing) -> float:
    with house.reading() as connection:
        ((position,),) = connection.execute("SELECT max(position) FROM certlife.events").fetchall()
        began = perf_counter()
        report = rehearsed(connection, comparing, Scope("CSP-S01-001"), position)
        took = perf_counter() - began
    print(report.certificates, report.affected, report.any_grade_rises.rising, took, file=sys.stderr)
    return took
