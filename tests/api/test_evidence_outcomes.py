"""What ``verify.py`` computes again, by its own few lines, is what the register decided: over every kept history."""

from __future__ import annotations

import gzip
import json
import tomllib
from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from api.evidence.verify import Refused, outcomes

KEPT = Path(__file__).parents[1] / "corpus/histories.jsonl.gz"
BETTER = {"score": "100/1", "level": "five_star", "because": "band:five_star"}

Event = dict[str, Any]


@cache
def kept() -> tuple[dict[str, Any], list[list[Event]]]:
    """The editions, and every history that changes of code must answer alike, as a bundle would have it."""
    first, *lines = gzip.decompress(KEPT.read_bytes()).decode().strip().split("\n")
    editions = {id: tomllib.loads(text) for id, text in json.loads(first).items()}
    histories = [json.loads(line)["facts"] for line in lines]
    return editions, [[{"version": n, "fact": fact} for n, fact in enumerate(each, 1)] for each in histories]


def graded(history: list[Event]) -> Iterator[Event]:
    yield from (each["fact"] for each in history if each["fact"]["type"] == "grade-determined.v1")


def test_every_grade_date_and_status_of_the_kept_histories_follows_from_the_events() -> None:
    editions, histories = kept()
    computed: Counter[tuple[str, bool]] = Counter()
    for history in histories:
        grades, corrected, turns = outcomes(history, editions)
        computed["corrected", True] += len(corrected)
        computed.update((fact["type"], again) for _, fact, again in grades)
        computed["turns", True] += len(turns)
    assert computed["grade-determined.v1", True] > 800
    assert computed["grade-determined.v1", False] == 0
    assert computed["turns", True] > 2000
    assert computed["corrected", True] > 10


def test_a_grade_that_a_correction_changed_is_told_as_recorded_and_as_it_reads_since() -> None:
    editions, histories = kept()
    told = [(dict(grades_of), dict(now)) for grades_of, now in (as_told(each, editions) for each in histories) if now]
    assert told
    for recorded, now in told:
        assert all(recorded[version] != grade for version, grade in now.items())


def as_told(history: list[Event], editions: dict[str, Any]) -> tuple[list[Any], list[Any]]:
    """(version, grade) as recorded, and of those that read otherwise now."""
    grades, corrected, _ = outcomes(history, editions)
    return [(version, fact) for version, fact, _ in grades], corrected


@pytest.mark.parametrize("name", BETTER)
def test_a_grade_that_was_changed_by_itself_is_found_in_every_history(name: str) -> None:
    editions, histories = kept()
    for history in [each for each in histories if any(graded(each))][::7]:
        changed = deepcopy(history)
        fact = next(graded(changed))
        fact[name] = BETTER[name] if fact.get(name) != BETTER[name] else "none"
        with pytest.raises(Refused, match=r"does not follow.*与记录不符"):
            outcomes(changed, editions)


def test_a_finding_that_was_changed_is_found_where_it_bears_on_the_grade() -> None:
    editions, histories = kept()
    changed = deepcopy(next(each for each in histories if next(graded(each), {}).get("score")))
    assessment = next(each["fact"] for each in changed if each["fact"]["type"] == "assessment-recorded.v1")
    assessment["findings"][0]["marks"] = "0"
    with pytest.raises(Refused):
        outcomes(changed, editions)


@pytest.mark.parametrize(
    ("topic", "name", "value"),
    [
        ("certificate-issued.v1", "valid_until", "2099-12-31"),
        ("certificate-renewed.v1", "valid_until", "2099-12-31"),
        ("certificate-expired.v1", "effective_on", "2000-01-01"),
        ("certificate-suspended.v1", "type", "certificate-expired.v1"),
        ("certificate-reinstated.v1", "type", "suspension-extended.v1"),
    ],
)
def test_a_date_or_step_that_was_changed_is_found(topic: str, name: str, value: str) -> None:
    editions, histories = kept()
    changed = deepcopy(next(each for each in histories if any(event["fact"]["type"] == topic for event in each)))
    next(event["fact"] for event in changed if event["fact"]["type"] == topic)[name] = value
    with pytest.raises((Refused, LookupError)):
        outcomes(changed, editions)
