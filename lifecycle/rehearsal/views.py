"""Three views of one certificate, question by question.

As decided then, no later correction known; the same evidence under the other edition; and what would have been said
then had later corrections been known.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

from lifecycle import events as e
from lifecycle.certificate import Certificate, evolve
from lifecycle.events import Recorded
from lifecycle.history import history_of
from lifecycle.questions import OUTCOMES_OF, Outcomes
from lifecycle.rehearsal.answers import AsRecorded, UnderEdition
from lifecycle.rehearsal.comparison import Comparing


class Asked(NamedTuple):
    """One question of a fact, and its three answers; None where it could not be judged, or the fact was voided."""

    version: int
    topic: str
    on: date
    path: str
    then: str | None
    under: str | None
    corrected: str | None


def three_views(id: UUID, history: Sequence[Recorded], comparing: Comparing) -> Iterator[Asked]:
    """Every question of the history, in its order."""
    editions = comparing.editions
    then = _answers(id, [(r.version, r.fact) for r in history], AsRecorded(editions))
    as_it_was = UnderEdition(comparing.edition, editions, comparing.period)
    under = _answers(id, [(r.version, r.fact) for r in history], as_it_was)
    corrected = _answers(id, history_of(id, history).facts, UnderEdition(None, editions))
    for recorded in history:
        for path, value in then.get(recorded.version, {}).items():
            fact, version = recorded.fact, recorded.version
            others = (answers.get(version, {}).get(path) for answers in (under, corrected))
            yield Asked(version, e.topic_of(fact), fact.effective_on, path, _text(value), *map(_text, others))


def _answers(
    id: UUID, facts: Sequence[tuple[int, e.Fact]], answering: AsRecorded | UnderEdition
) -> dict[int, Outcomes]:
    certificate, answered = Certificate(id), {}
    for version, fact in facts:
        if type(fact) in OUTCOMES_OF:
            answered[version] = answering.answer(certificate, version, fact)
        evolve(certificate, version, fact)
    return answered


def _text(value: object) -> str | None:
    if isinstance(value, e.Due):
        return f"{value.visit_on} ({value.interval_months} months)"
    if isinstance(value, tuple):  # elements carried over
        return ", ".join(f"{each.element} {each.checked_on or '-'}" for each in value) or None
    return None if value is None else str(value)
