"""What holds on a legal day, as known at an instant: two questions, and every pair has its answer."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from random import Random
from typing import Any, NamedTuple
from uuid import UUID

import pytest

from lifecycle import events as e
from lifecycle import log
from lifecycle.certificate import fold
from lifecycle.status import answer_on
from projections import register as register_projection
from tests.projections.conftest import Lived
from tests.projections.naive import answer
from tests.projections.tables import STARS

DAYS = ("effective_on", "valid_from", "valid_until", "ends_on")
AROUND = (timedelta(microseconds=-1), timedelta(0), timedelta(hours=1))


class Pair(NamedTuple):
    """A certificate number, asked for a day as it was known at an instant."""

    certificate: UUID
    number: str
    on: date
    known_at: datetime


def pairs(lived: Lived, rows: dict[UUID, list[log.Row]], chance: Random) -> Iterator[Pair]:
    """Chosen where something may turn: days around those of the facts, instants around those of the records."""
    numbered = {c.id: sorted(printed(c.history)) for c in lived.world.histories() if c.numbers.values}
    while True:
        id = chance.choice(list(numbered))
        about = json.loads(chance.choice(rows[id])[4])
        day = date.fromisoformat(chance.choice([about[name] for name in DAYS if name in about]))
        instant = chance.choice(rows[id])[5] + chance.choice(AROUND)
        yield Pair(id, chance.choice(numbered[id]), day + timedelta(days=chance.randint(-2, 2)), instant)


def printed(history: Sequence[e.Recorded]) -> set[str]:
    return {recorded.fact.number for recorded in history if isinstance(recorded.fact, e.Certificate)}


@pytest.mark.parametrize("questions", [100, pytest.param(1_000, marks=pytest.mark.figures)])
def test_an_answer_about_a_day_as_known_then_equals_a_naive_reading(lived: Lived, questions: int) -> None:
    rows = streams(lived)
    statuses = set()
    for pair in islice(pairs(lived, rows, Random(questions)), questions):
        history = log.stream(lived.connection, pair.certificate, known_at=pair.known_at)
        found = without_nothing(e.plain(answer_on(fold(pair.certificate, history), pair.number, pair.on, STARS)))
        expected = answer(rows[pair.certificate], pair.number, pair.on, pair.known_at, STARS)
        assert found == without_nothing(expected), pair
        statuses.add(found["status"])
    assert statuses >= {"valid", "suspended", "superseded", "unknown"}, "not much was asked"


@pytest.mark.parametrize("questions", [200, pytest.param(2_000, marks=pytest.mark.figures)])
def test_the_registers_answer_equals_a_naive_reading_of_all_that_is_known(lived: Lived, questions: int) -> None:
    rows, late = streams(lived), datetime.max.replace(tzinfo=UTC)
    for pair in islice(pairs(lived, rows, Random(questions)), questions):
        (found,) = register_projection.find(lived.connection, [pair.number])
        expected = answer(rows[pair.certificate], pair.number, pair.on, late, STARS)
        segment, turns_on = found.around(pair.on)
        if segment is None:
            assert expected["status"] == "unknown", pair
        else:
            assert without_nothing(json.loads(bytes(segment.answer))) == without_nothing(expected), pair
        if turns_on is not None:
            before = answer(rows[pair.certificate], pair.number, turns_on - e.ONE_DAY, late, STARS)
            assert without_nothing(before) == without_nothing(expected), "nothing turns before the day it says"


def streams(lived: Lived) -> dict[UUID, list[log.Row]]:
    found: dict[UUID, list[log.Row]] = {}
    for row in log.tail_rows(lived.connection, 0, 10**6):
        found.setdefault(row[1], []).append(row)
    return found


def without_nothing(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if value is not None}
