"""The questions that a history puts to an edition: what each fact's outcomes are, given its recorded inputs.

One function a fact, asked by everybody who asks again: a correction under the fact's own edition, a rehearsal under
another. What is carried from one question to the next is the level and the due date with its interval, no more.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Protocol, TypeGuard

from lifecycle import events as e
from lifecycle.decisions.application import fraction_text, grade_of
from lifecycle.decisions.issuance import due_at_level, due_under, grade_earned
from lifecycle.rehearsal.gist import Asked
from lifecycle.rehearsal.narrow import for_both
from lifecycle.rules import Edition
from lifecycle.rules.scheme_terms import NO_LEVEL
from lifecycle.rules.translation import asked_of

LevelGiven = e.CertificateIssued | e.CertificateRenewed | e.GradeChanged

Outcomes = dict[str, Any]
"""What is answered, by its path in the fact."""

_DOCUMENT = ("/level", "/valid_from", "/valid_until", "/first_certified_on", "/due")
OUTCOMES_OF: dict[type[e.Fact], tuple[str, ...]] = for_both({
    e.GradeDetermined: ("/level", "/score", "/because"),
    e.AssessmentRecorded: ("/due",),
    e.SurveillanceRecorded: ("/due", "/quota"),
    e.CertificateIssued: _DOCUMENT,
    e.CertificateRenewed: _DOCUMENT,
    e.GradeChanged: ("/level", "/score", "/because", "/due"),
    e.CertificateSuspended: ("/ends_on",),
    e.SuspensionExtended: ("/ends_on",),
    e.CertificateWithdrawn: (),
    e.EditionAdopted: ("/due", "/carried"),
})  # fmt: skip
"""The facts whose questions go to an edition, with the outcomes that stand in them; a re-issue repeats what stands, and
an adoption is asked of the edition adopted alone."""


class SoFar(Protocol):
    """What has been answered up to here. A level is None where it could not be judged, "none" where none is earned."""

    @property
    def level(self) -> str | None:
        """The level that stands."""
        ...

    @property
    def due(self) -> e.Due | None: ...

    def earned(self, case: int) -> str | None:
        """What the case was graded."""
        ...

    def decided(self, fact: LevelGiven, earned: str | None) -> str | None:
        """The level that stands from this decision on."""
        ...


def ask(certificate: Asked, so_far: SoFar, fact: e.Fact, edition: Edition) -> Outcomes:
    """What the edition answers to the questions of the fact; ``certificate`` is its state before.

    Raises MalformedFindings or Unjudged where the record is not enough to be graded.
    """
    return _ASK[type(fact)](certificate, so_far, fact, edition) if type(fact) in _ASK else {}


def as_asked(edition: Edition, fact: e.Fact, editions: Mapping[str, Edition]) -> Edition:
    """The fact's edition as it was asked: an adoption asks it with what was found under the one before."""
    return asked_of(edition, editions[fact.old], editions) if isinstance(fact, e.EditionAdopted) else edition


def checks_after(certificate: Asked, fact: e.Fact) -> dict[str, date]:
    """The day of each element's last check once the fact is recorded; ``certificate`` is its state before."""
    match fact:
        case e.CertificateIssued():
            return checks_at_issue(certificate, fact)
        case e.EditionAdopted() if fact.carried:
            return {each.element: each.checked_on for each in fact.carried if each.checked_on}
        case e.AssessmentRecorded() | e.SurveillanceRecorded():
            return certificate.checks_after(fact)
        case _:
            return certificate.checks


def checks_at_issue(certificate: Asked, fact: e.CertificateIssued) -> dict[str, date]:
    """All that was assessed counts as checked on the first day."""
    return dict.fromkeys(certificate.cases[fact.case].findings, fact.effective_on)


def is_earned(level: str | None) -> TypeGuard[str]:
    """Is it a level, known and granted?"""
    return level is not None and level != NO_LEVEL


def due_of_level(certificate: Asked, so_far: SoFar, level: str | None, on: date, edition: Edition) -> e.Due | None:
    """When the next visit falls due where that level stands from a day on; None where none is earned or known."""
    if not is_earned(level):
        return None
    if so_far.due is None:  # no level was earned before
        return edition.due(certificate.last_check_on, level, certificate.checks)
    return due_at_level(certificate, so_far.due, edition, level, on)


def _grade(certificate: Asked, so_far: SoFar, fact: e.GradeDetermined, edition: Edition) -> Outcomes:
    case = certificate.cases[fact.case]
    if case.assessment is None:
        return {}
    grade = grade_of(certificate, edition, case)
    return {"/level": grade.level, "/score": fraction_text(grade), "/because": grade.because}


def _assessment(certificate: Asked, so_far: SoFar, fact: e.AssessmentRecorded, edition: Edition) -> Outcomes:
    return {} if fact.due is None else {"/due": _due_after(certificate, so_far, fact, edition)}


def _visit(certificate: Asked, so_far: SoFar, fact: e.SurveillanceRecorded, edition: Edition) -> Outcomes:
    return {
        "/due": _due_after(certificate, so_far, fact, edition),
        "/quota": edition.quota(certificate.last_check_on, fact.on_site_to),
    }


def _issue(certificate: Asked, so_far: SoFar, fact: e.CertificateIssued, edition: Edition) -> Outcomes:
    on, earned = fact.effective_on, so_far.earned(fact.case)
    level, checks = so_far.decided(fact, earned), checks_at_issue(certificate, fact)
    return {
        "/level": earned,
        "/valid_from": on,
        "/valid_until": edition.validity_end(on),
        "/first_certified_on": on,
        "/due": edition.due(on, level, checks) if is_earned(level) else None,
    }


def _renewal(certificate: Asked, so_far: SoFar, fact: e.CertificateRenewed, edition: Edition) -> Outcomes:
    valid_from, earned = certificate.valid_until + e.ONE_DAY, so_far.earned(fact.case)
    return {
        "/level": earned,
        "/valid_from": valid_from,
        "/valid_until": edition.validity_end(valid_from),
        "/first_certified_on": certificate.first_certified_on,
        "/due": due_of_level(certificate, so_far, so_far.decided(fact, earned), fact.effective_on, edition),
    }


def _regrade(certificate: Asked, so_far: SoFar, fact: e.GradeChanged, edition: Edition) -> Outcomes:
    case = certificate.cases[fact.case]
    if case.assessment is None:  # the visit was voided
        level = so_far.decided(fact, NO_LEVEL)
        return {"/level": NO_LEVEL, "/due": due_of_level(certificate, so_far, level, fact.effective_on, edition)}
    grade = grade_earned(certificate, edition, case)
    level = so_far.decided(fact, grade.level)
    return {
        "/level": grade.level,
        "/score": fraction_text(grade),
        "/because": grade.because,
        "/due": due_of_level(certificate, so_far, level, fact.effective_on, edition),
    }


def _reissue(certificate: Asked, so_far: SoFar, fact: e.CertificateReissued, edition: Edition) -> Outcomes:
    begun = [day for day in certificate.periods.days if day <= fact.effective_on]
    if not begun:  # days were corrected so that nothing is in force yet: that is refused, not asked
        return {}
    return {
        "/valid_from": begun[-1],
        "/valid_until": certificate.periods.at(fact.effective_on),
        "/first_certified_on": certificate.first_certified_on,
        "/due": so_far.due,
    }


def _suspension(
    certificate: Asked, so_far: SoFar, fact: e.CertificateSuspended | e.SuspensionExtended, edition: Edition
) -> Outcomes:
    """An end that persons chose stands, but for one later than the edition allows."""
    started_on = certificate.suspended_from or fact.effective_on
    return {"/ends_on": min(fact.ends_on, edition.suspension_limit(started_on, certificate.valid_until))}


def _withdrawal(certificate: Asked, so_far: SoFar, fact: e.CertificateWithdrawn, edition: Edition) -> Outcomes:
    """The bar stands in the organisation's stream."""
    return {BAR: edition.bar_until(fact.effective_on)}


def _adoption(certificate: Asked, so_far: SoFar, fact: e.EditionAdopted, edition: Edition) -> Outcomes:
    """``edition`` is asked with what was found under the old one."""
    if fact.due is None or so_far.due is None or not is_earned(so_far.level):
        return {}
    return {
        "/due": due_under(certificate, so_far.due, edition, so_far.level, fact.effective_on),
        "/carried": edition.carried(certificate.checks),
    }


def _due_after(
    certificate: Asked, so_far: SoFar, fact: e.AssessmentRecorded | e.SurveillanceRecorded, edition: Edition
) -> e.Due | None:
    if not is_earned(so_far.level):
        return None
    return edition.due(fact.on_site_to, so_far.level, certificate.checks_after(fact))


BAR = "bar_until"
"""Where the answer is no part of the fact itself."""

_ASK: dict[type[e.Fact], Callable[[Asked, SoFar, Any, Edition], Outcomes]] = for_both({
    e.GradeDetermined: _grade,
    e.AssessmentRecorded: _assessment,
    e.SurveillanceRecorded: _visit,
    e.CertificateIssued: _issue,
    e.CertificateRenewed: _renewal,
    e.GradeChanged: _regrade,
    e.CertificateReissued: _reissue,
    e.CertificateSuspended: _suspension,
    e.SuspensionExtended: _suspension,
    e.CertificateWithdrawn: _withdrawal,
    e.EditionAdopted: _adoption,
})  # fmt: skip
