"""Every judgement of a certificate's history: what was asked, of which edition, with which inputs, and what it said.

Each is asked again here, on the state as it was known when it was recorded: the answer recorded and the answer found
stand side by side, with what later corrections made of both. ``steps`` tells the state after each event.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import msgspec

from lifecycle import events as e
from lifecycle.asking import Answer, Asked, Asking, Bars
from lifecycle.criteria import Criterion, Question, criteria
from lifecycle.events import Recorded
from lifecycle.inputs import Weighed, given, level_of, weighed
from lifecycle.known import AsKnownNow, AsKnownThen
from lifecycle.rules import Edition
from lifecycle.steps import steps

__all__ = ["Judgement", "Now", "judgements", "steps"]

Editions = Mapping[str, Edition]


class Now(msgspec.Struct, frozen=True):
    """What the record reads today, and what is answered on it; both None where the event was voided.

    They differ where persons decided otherwise than the record now supports, or where a correction gave time.
    """

    recorded: Answer | None
    derived: Answer | None
    findings: tuple[Weighed, ...]
    corrected_by: tuple[int, ...]


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """One question of one event. ``recorded`` is what the event says; None where that stands in another stream.

    ``derived`` is what was found by asking again; None where the record does not suffice, and ``problem`` says why.
    ``now`` is None where no later correction changed anything.
    """

    version: int
    event: str
    on: date
    question: Question
    edition: str
    edition_sha256: str
    findings: tuple[Weighed, ...]
    given: dict[str, Any]
    criteria: tuple[Criterion, ...]
    recorded: Answer | None
    derived: Answer | None
    equal: bool | None
    problem: str | None
    now: Now | None


def judgements(id: UUID, history: Sequence[Recorded], editions: Editions, bars: Bars | None = None) -> list[Judgement]:
    """Every judgement, in the order of the history; ``bars`` as far as the organisation's stream is known."""
    then = _judged(AsKnownThen(id, history), editions, bars or {})
    now = {(each.version, each.question): each for each in _judged(AsKnownNow(id, history), editions, bars or {})}
    corrections = [(each.version, each.fact) for each in history if isinstance(each.fact, e.RecordCorrected)]
    return [
        msgspec.structs.replace(each, now=_now(each, now.get((each.version, each.question)), corrections))
        for each in then
    ]


def _judged(known: AsKnownNow, editions: Editions, bars: Bars) -> Iterator[Judgement]:
    for recorded in known.events:
        asking = Asking(known.state, recorded, editions, bars)
        for each in asking.asked():
            yield _judgement(asking, each)
        known.take(recorded)


def _judgement(asking: Asking, asked: Asked) -> Judgement:
    state, fact, edition = asking.state, asking.fact, asking.edition
    outcome = asked.derived or asked.recorded or {}
    return Judgement(
        version=asking.recorded.version,
        event=e.topic_of(fact),
        on=fact.effective_on,
        question=asked.question,
        edition=edition.id,
        edition_sha256=edition.digest,
        findings=weighed(state, fact, asked.question, edition),
        given=e.plain(given(state, fact, asked.question, edition)),
        criteria=tuple(criteria(edition, asked.question, outcome, level_of(state, fact))),
        recorded=asked.recorded,
        derived=asked.derived,
        equal=None if asked.recorded is None else asked.recorded == asked.derived,
        problem=asked.problem,
        now=None,
    )


def _now(then: Judgement, now: Judgement | None, corrections: Sequence[tuple[int, e.RecordCorrected]]) -> Now | None:
    """None where the record still reads the same, and the same is answered on it. A correction is not corrected."""
    if then.question == "correction":
        return None
    if now is not None and (now.recorded, now.derived, now.findings) == (then.recorded, then.derived, then.findings):
        return None
    by = [version for version, fact in corrections if version > then.version and _touches(fact, then.version)]
    by = by or [version for version, _ in corrections if version > then.version]
    if now is None:
        return Now(None, None, (), tuple(by))
    return Now(now.recorded, now.derived, now.findings, tuple(by))


def _touches(correction: e.RecordCorrected, version: int) -> bool:
    return version in (correction.target, *(each.version for each in correction.recomputed))
