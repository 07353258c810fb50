"""Every judgement of a certificate's history: what was asked, of which edition, with which inputs, and what it said.

Each is asked again here, on the state as it was known when it was recorded: the answer recorded and the answer found
stand side by side, with what later corrections made of both. ``steps`` tells the state after each event.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from lifecycle import events as e
from lifecycle.events import Recorded
from lifecycle.evidence.asking import Answer, Asked, Asking, Bars
from lifecycle.evidence.criteria import Criterion, Question, criteria
from lifecycle.evidence.inputs import Weighed, given, level_of, weighed
from lifecycle.evidence.known import AsKnownNow, AsKnownThen
from lifecycle.evidence.steps import steps
from lifecycle.rules import Edition

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


class _AskedOf(NamedTuple):
    """Whom every event is asked of."""

    editions: Editions
    bars: Bars


_Key = tuple[int, Question]


def judgements(id: UUID, history: Sequence[Recorded], editions: Editions, bars: Bars | None = None) -> list[Judgement]:
    """Every judgement, in the order of the history; ``bars`` as far as the organisation's stream is known."""
    asked = _AskedOf(editions, bars or {})
    then = [*_judged(AsKnownThen(id, history), asked)]
    if not any(isinstance(recorded.fact, e.RecordCorrected) for recorded in history):
        return then
    now = _now_by_question(id, history, asked)
    corrected_by = _corrected_by(id, history, asked, then)
    return [
        msgspec.structs.replace(each, now=_now(each, now.get(_key(each)), corrected_by.get(_key(each), ())))
        for each in then
    ]


def _corrected_by(
    id: UUID, history: Sequence[Recorded], asked: _AskedOf, then: Iterable[Judgement]
) -> dict[_Key, list[int]]:
    """The corrections with which each question came to be answered otherwise, or was not put any more."""
    known = {_key(each): each for each in then if each.question != "correction"}
    found = defaultdict[_Key, list[int]](list)
    for recorded in history:
        if isinstance(recorded.fact, e.RecordCorrected):
            version = recorded.version
            now = _now_by_question(id, history[:version], asked)
            for key, before in known.items():
                if key[0] < version and not _same(before, now.get(key)):
                    found[key].append(version)
            known = {key: now.get(key, each) for key, each in known.items() if key in now or key[0] > version}
    return found


def _judged(known: AsKnownNow, asked: _AskedOf, *, but: type[e.Fact] | None = None) -> Iterator[Judgement]:
    for recorded in known.events:
        if type(recorded.fact) is not but:
            asking = Asking(known.state, recorded, *asked)
            yield from (_judgement(asking, each) for each in asking.asked())
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


def _now(then: Judgement, now: Judgement | None, corrected_by: Sequence[int]) -> Now | None:
    """None where the record still reads the same, and the same is answered on it. A correction is not corrected."""
    if not corrected_by or _same(then, now):
        return None
    if now is None:
        return Now(None, None, (), tuple(corrected_by))
    return Now(now.recorded, now.derived, now.findings, tuple(corrected_by))


def _same(one: Judgement, other: Judgement | None) -> bool:
    return other is not None and all(
        getattr(one, name) == getattr(other, name) for name in ("recorded", "derived", "findings")
    )


def _now_by_question(id: UUID, history: Sequence[Recorded], asked: _AskedOf) -> dict[_Key, Judgement]:
    """What every event but the corrections themselves is answered now."""
    return {_key(each): each for each in _judged(AsKnownNow(id, history), asked, but=e.RecordCorrected)}


def _key(judgement: Judgement) -> _Key:
    return judgement.version, judgement.question
