"""The corpus of kept histories: the program still answers what it answered, and a nudged rule is found."""

from __future__ import annotations

import msgspec
import pytest

from api.rehearsal.corpus import EXPECTED, read_corpus
from lifecycle import events as e
from lifecycle.certificate import Certificate
from lifecycle.decisions import clock
from lifecycle.rehearsal.same import Changed, Kept, changed
from lifecycle.rules import Edition
from tests.lifecycle.expected import FACTS_OF_A_CERTIFICATE
from tests.lifecycle.nudged import NUDGES, Nudge


@pytest.fixture(scope="module")
def corpus() -> tuple[dict[str, Edition], list[Kept]]:
    editions, histories = read_corpus(EXPECTED)
    return editions, list(histories)


def found(corpus: tuple[dict[str, Edition], list[Kept]], share: int = 1) -> list[Changed]:
    editions, histories = corpus
    return [each for one in histories[::share] for each in changed(one, editions)]


def test_no_outcome_of_any_kept_history_has_changed(corpus) -> None:
    assert found(corpus) == []


def test_the_corpus_is_small_and_has_every_fact_of_a_certificate(corpus) -> None:
    topics = {msgspec.json.decode(raw)["type"] for one in corpus[1] for raw in one.facts}
    assert topics == {e.topic_of(getattr(e, name)) for name in FACTS_OF_A_CERTIFICATE}
    assert len(corpus[1]) > 300
    assert EXPECTED.stat().st_size < 2_000_000


@pytest.mark.parametrize("nudge", NUDGES, ids=lambda nudge: nudge.__name__)
def test_a_rule_nudged_by_one_mark_or_one_day_is_found(corpus, nudge: Nudge, monkeypatch: pytest.MonkeyPatch) -> None:
    nudge(monkeypatch)
    differing = found(corpus)
    assert differing
    assert all(each.certificate and each.topic and each.rule and each.recorded != each.now for each in differing)


def test_a_clock_that_announces_late_is_found(corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    def late(certificate: Certificate, due: e.Due) -> e.Fact:
        return e.SurveillanceOverdue(**clock._stamp(due.overdue_on + e.ONE_DAY), due_on=due.visit_on)

    monkeypatch.setattr(clock, "_surveillance_overdue", late)
    assert {each.topic for each in found(corpus)} == {"surveillance-overdue.v1"}
