"""What an edition answers over one certificate's history, and what the record says; both are asked the same way.

Only the level and the due date are carried from one question to the next; every other input is as recorded. Where a
grade cannot be judged, what follows from it is not judged either, and is not guessed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from operator import attrgetter
from typing import NamedTuple, Protocol

from lifecycle import events as e
from lifecycle.narrow import KIND
from lifecycle.questions import BAR, Asked, OUTCOMES_OF, LevelGiven, Outcomes, ask
from lifecycle.rules import Edition, MalformedFindings
from lifecycle.rules.scheme_terms import NO_LEVEL
from lifecycle.rules.translation import Unjudged, asked_of
from lifecycle.timeline import Timeline
from lifecycle.transitions import LIVE, Status

Editions = Mapping[str, Edition]


class Period(NamedTuple):
    """The days whose questions are asked again; None sets no bound. What lies outside stands as recorded."""

    first_on: date | None = None
    last_on: date | None = None

    def covers(self, day: date) -> bool:
        return (self.first_on is None or self.first_on <= day) and (self.last_on is None or day <= self.last_on)


ALWAYS = Period()

_READ = {fact: attrgetter(*(path[1:] for path in paths), "effective_on") for fact, paths in OUTCOMES_OF.items()}
"""What stands at the paths of a fact's outcomes; and its day, so that it is always several."""

_MAY_MOVE_NOTHING = frozenset({e.AssessmentRecorded, e.EditionAdopted})
"""An assessment before issue and an adoption may leave the due date as it is."""


class NotJudged(NamedTuple):
    """A question that the record does not suffice for: the fact that asked it, and what is missing."""

    version: int
    topic: str
    elements: tuple[str, ...]
    problem: str


class Answering(Protocol):
    """The record, or an edition."""

    level: str | None
    due: e.Due | None
    periods: Timeline[date]
    not_judged: list[NotJudged]

    def answer(self, certificate: Asked, version: int, fact: e.Fact) -> Outcomes:
        """What it answers to the fact's questions; ``certificate`` is the recorded state before."""
        ...


@dataclass(slots=True)
class AsRecorded:
    """What stands in the facts themselves; a bar, which does not, is asked of the certificate's own edition."""

    editions: Editions
    level: str | None = None
    due: e.Due | None = None
    periods: Timeline[date] = field(default_factory=Timeline[date])
    not_judged: list[NotJudged] = field(default_factory=list)

    def answer(self, certificate: Asked, version: int, fact: e.Fact) -> Outcomes:
        outcomes = recorded_outcomes(certificate, fact, self.editions)
        _take(self, certificate, KIND[type(fact)], outcomes)
        return outcomes


@dataclass(slots=True)
class UnderEdition:
    """What ``edition`` answers, its own answers before carried on; None asks the edition that each fact asked then."""

    edition: Edition | None
    editions: Editions
    period: Period = ALWAYS
    level: str | None = None
    due: e.Due | None = None
    periods: Timeline[date] = field(default_factory=Timeline[date])
    not_judged: list[NotJudged] = field(default_factory=list)
    grades: dict[int | None, str | None] = field(default_factory=dict)

    def answer(self, certificate: Asked, version: int, fact: e.Fact) -> Outcomes:
        kind = KIND[type(fact)]
        if kind is e.EditionAdopted and self.edition is not None:
            return {}
        if self.period is ALWAYS or self.period.covers(fact.effective_on):
            outcomes = self._ask(certificate, version, fact)
        else:
            outcomes = recorded_outcomes(certificate, fact, self.editions)
        if kind is e.GradeDetermined:
            self.grades[fact.case] = outcomes.get("/level")
        _take(self, certificate, kind, outcomes)
        return outcomes

    def earned(self, case: int) -> str | None:
        return self.grades.get(case)

    def decided(self, fact: LevelGiven, earned: str | None) -> str | None:
        """Without a level nothing is renewed, and what stood goes on."""
        return self.level if KIND[type(fact)] is e.CertificateRenewed and earned == NO_LEVEL else earned

    def _ask(self, certificate: Asked, version: int, fact: e.Fact) -> Outcomes:
        old = self.editions[fact.edition or certificate.edition]
        try:
            return ask(certificate, self, fact, _asked_of(self.edition, old) if self.edition else old)
        except Unjudged as unjudged:
            self.not_judged.append(NotJudged(version, e.topic_of(fact), unjudged.elements, "no_finding"))
        except MalformedFindings as refused:
            elements = (refused.element,) if refused.element else ()
            self.not_judged.append(NotJudged(version, e.topic_of(fact), elements, refused.problem))
        return dict.fromkeys(OUTCOMES_OF[type(fact)])


def recorded_outcomes(certificate: Asked, fact: e.Fact, editions: Editions) -> Outcomes:
    """What the fact says to the questions that were asked for it."""
    kind = KIND[type(fact)]
    if kind is e.CertificateWithdrawn:
        return {BAR: editions[fact.edition or certificate.edition].bar_until(fact.effective_on)}
    if kind in _MAY_MOVE_NOTHING and fact.due is None:
        return {}
    return dict(zip(OUTCOMES_OF[kind], _READ[kind](fact), strict=False))


def status_on(certificate: Asked, answering: Answering, day: date) -> Status:
    """The status on a legal day: what persons did stands, when validity ends is answered."""
    until = answering.periods.at(day)
    if until is None:
        return "none"
    standing = next(stood.status for stood in reversed(certificate.standings) if stood.on <= day)
    return "expired" if day > until and standing in LIVE else standing


def _take(answering: Answering, certificate: Asked, kind: type[e.Fact], outcomes: Outcomes) -> None:
    """What is carried on; before anything is issued, the level is the last grade."""
    if "/due" in outcomes:
        answering.due = outcomes["/due"]
    if kind is e.CertificateIssued or kind is e.CertificateRenewed:
        _take_document(answering, outcomes)
    elif kind is e.GradeChanged or (kind is e.GradeDetermined and not certificate.document):
        answering.level = outcomes.get("/level")


def _take_document(answering: Answering, outcomes: Outcomes) -> None:
    """Nothing was granted where no level is earned."""
    if outcomes["/level"] == NO_LEVEL:
        answering.level = answering.level or NO_LEVEL
        return
    answering.level = outcomes["/level"]
    answering.periods.put(outcomes["/valid_from"], outcomes["/valid_until"])


@lru_cache(maxsize=64)
def _asked_of(edition: Edition, old: Edition) -> Edition:
    return asked_of(edition, old)
