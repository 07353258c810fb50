"""What an edition answers over one certificate's history, and what the record says; both are asked the same way.

Only the level and the due date are carried from one question to the next; every other input is as recorded. Where a
grade cannot be judged, what follows from it is not judged either, and is not guessed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from operator import attrgetter
from typing import Any, NamedTuple, Protocol

from lifecycle import events as e
from lifecycle.questions import BAR, OUTCOMES_OF, LevelGiven, Outcomes, as_asked, ask
from lifecycle.rehearsal.gist import Asked
from lifecycle.rehearsal.narrow import for_both
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
    periods: Timeline[date] = field(default_factory=Timeline)
    not_judged: list[NotJudged] = field(default_factory=list)

    def answer(self, certificate: Asked, version: int, fact: e.Fact) -> Outcomes:
        outcomes = recorded_outcomes(certificate, fact, self.editions)
        _CARRY[type(fact)](self, certificate, outcomes)
        return outcomes


@dataclass(slots=True)
class UnderEdition:
    """What ``edition`` answers, its own answers before carried on; None asks the edition that each fact asked then."""

    edition: Edition | None
    editions: Editions
    period: Period = ALWAYS
    level: str | None = None
    due: e.Due | None = None
    periods: Timeline[date] = field(default_factory=Timeline)
    not_judged: list[NotJudged] = field(default_factory=list)
    grades: dict[int | None, str | None] = field(default_factory=dict)

    def answer(self, certificate: Asked, version: int, fact: e.Fact) -> Outcomes:
        kind = type(fact)
        if self.edition is not None and kind in _ADOPTION:
            return {}
        if self.period is ALWAYS or self.period.covers(fact.effective_on):
            outcomes = self._ask(certificate, version, fact)
        else:
            outcomes = recorded_outcomes(certificate, fact, self.editions)
        if kind in _GRADE:
            self.grades[fact.case] = outcomes.get("/level")
        _CARRY[kind](self, certificate, outcomes)
        return outcomes

    def earned(self, case: int) -> str | None:
        return self.grades.get(case)

    def decided(self, fact: LevelGiven, earned: str | None) -> str | None:
        """Without a level nothing is renewed, and what stood goes on."""
        return self.level if type(fact) in _RENEWAL and earned == NO_LEVEL else earned

    def _ask(self, certificate: Asked, version: int, fact: e.Fact) -> Outcomes:
        try:
            return ask(certificate, self, fact, self._edition_asked(certificate, fact))
        except Unjudged as unjudged:
            self.not_judged.append(NotJudged(version, e.topic_of(fact), unjudged.elements, "no_finding"))
        except MalformedFindings as refused:
            elements = (refused.element,) if refused.element else ()
            self.not_judged.append(NotJudged(version, e.topic_of(fact), elements, refused.problem))
        return dict.fromkeys(OUTCOMES_OF[type(fact)])

    def _edition_asked(self, certificate: Asked, fact: e.Fact) -> Edition:
        old = self.editions[fact.edition or certificate.edition]
        if self.edition is None:
            return as_asked(old, fact, self.editions)
        return asked_of(self.edition, old, self.editions)


def recorded_outcomes(certificate: Asked, fact: e.Fact, editions: Editions) -> Outcomes:
    """What the fact says to the questions that were asked for it."""
    return _SAID[type(fact)](certificate, fact, editions)


def status_on(certificate: Asked, answering: Answering, day: date) -> Status:
    """The status on a legal day: what persons did stands, when validity ends is answered."""
    until = answering.periods.at(day)
    if until is None:
        return "none"
    standing: Status = next(
        stood.status for stood in reversed(certificate.standings) if stood.on <= day and stood.status != "expired"
    )
    return "expired" if day > until and standing in LIVE else standing


# ---- what is carried on ----------------------------------------------------------------------------------------------


def _due(answering: Answering, certificate: Asked, outcomes: Outcomes) -> None:
    if "/due" in outcomes:
        answering.due = outcomes["/due"]


def _grade(answering: Answering, certificate: Asked, outcomes: Outcomes) -> None:
    """Before anything is issued, the level is the last grade."""
    if not certificate.document:
        answering.level = outcomes.get("/level")


def _level(answering: Answering, certificate: Asked, outcomes: Outcomes) -> None:
    _due(answering, certificate, outcomes)
    answering.level = outcomes.get("/level")


def _document(answering: Answering, certificate: Asked, outcomes: Outcomes) -> None:
    """Nothing was granted where no level is earned."""
    answering.due = outcomes["/due"]
    if outcomes["/level"] == NO_LEVEL:
        answering.level = answering.level or NO_LEVEL
        return
    answering.level = outcomes["/level"]
    answering.periods.put(outcomes["/valid_from"], outcomes["/valid_until"])


_CARRY: Mapping[type[e.Fact], Callable[[Any, Asked, Outcomes], None]] = for_both({
    **dict.fromkeys(OUTCOMES_OF, _due),
    e.GradeDetermined: _grade,
    e.GradeChanged: _level,
    e.CertificateIssued: _document,
    e.CertificateRenewed: _document,
})  # fmt: skip


# ---- what stands in the facts ----------------------------------------------------------------------------------------


def _plain(paths: tuple[str, ...]) -> Callable[[Asked, Any, Editions], Outcomes]:
    read = attrgetter(*(path[1:] for path in paths), "effective_on")  # its day, so that it is always several

    def said(certificate: Asked, fact: e.Fact, editions: Editions) -> Outcomes:
        return dict(zip(paths, read(fact), strict=False))

    return said


def _assessed(certificate: Asked, fact: e.AssessmentRecorded, editions: Editions) -> Outcomes:
    return {} if fact.due is None else {"/due": fact.due}


def _adopted(certificate: Asked, fact: e.EditionAdopted, editions: Editions) -> Outcomes:
    return {} if fact.due is None else {"/due": fact.due, "/carried": fact.carried}


def _bar(certificate: Asked, fact: e.CertificateWithdrawn, editions: Editions) -> Outcomes:
    return {BAR: editions[fact.edition or certificate.edition].bar_until(fact.effective_on)}


_SAID: Mapping[type[e.Fact], Callable[[Asked, Any, Editions], Outcomes]] = for_both({
    **{fact: _plain(paths) for fact, paths in OUTCOMES_OF.items()},
    e.AssessmentRecorded: _assessed,
    e.EditionAdopted: _adopted,
    e.CertificateWithdrawn: _bar,
})  # fmt: skip
_ADOPTION, _GRADE, _RENEWAL = (
    frozenset(for_both({fact: None})) for fact in (e.EditionAdopted, e.GradeDetermined, e.CertificateRenewed)
)
