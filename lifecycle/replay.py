"""Asks a history's recorded questions again.

Each outcome that a fact carries (score, level, validity, due date, quota) is asked for again with the recorded inputs;
the walk goes on with the new answers. A correction asks under the fact's own edition, and what differs is what it
recomputes. It invents no behaviour: what persons decided stands, and where the record no longer supports it, it is
named.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from lifecycle import events as e
from lifecycle.amendment import amend, patch
from lifecycle.certificate import Case, Certificate, evolve
from lifecycle.decisions.application import fraction_text, grade_of
from lifecycle.decisions.issuance import composite, due_at_level
from lifecycle.events import Recorded
from lifecycle.rules import Edition


@dataclass(slots=True)
class Replay:
    """What came out: the state, the outcomes that differ from the record, and the decisions without support."""

    certificate: Certificate
    differences: list[e.Recomputed] = field(default_factory=list)
    unsupported: list[int] = field(default_factory=list)
    due_version: int | None = None
    """The version of the last fact that set the due date."""


def replay(id: UUID, history: Sequence[Recorded], editions: Mapping[str, Edition]) -> Replay:
    """The history, corrections applied, with every question asked again under the edition that was asked then."""
    result = Replay(Certificate(id))
    for recorded in amend(history):
        fact = recorded.fact
        edition = editions.get(fact.edition or result.certificate.edition)
        asked = _ASK[type(fact)](result.certificate, fact, edition) if type(fact) in _ASK else {}
        if not _supported(result.certificate, fact, edition):
            result.unsupported.append(recorded.version)
        result.differences += _differences(recorded, asked)
        if "/due" in asked:
            result.due_version = recorded.version
        evolve(result.certificate, recorded.version, patch(fact, asked) if asked else fact)
    return result


def _differences(recorded: Recorded, asked: dict[str, Any]) -> list[e.Recomputed]:
    found = []
    for path, value in asked.items():
        stands = getattr(recorded.fact, path[1:])
        if stands != value:
            found.append(e.Recomputed(recorded.version, path, e.plain(stands), e.plain(value)))
    return found


def _grade(certificate: Certificate, fact: e.GradeDetermined, edition: Edition) -> dict[str, Any]:
    case = certificate.cases[fact.case]
    if case.assessment is None:
        return {}
    grade = grade_of(edition, case)
    return {"/score": fraction_text(grade), "/level": grade.level, "/because": grade.because}


def _assessment(certificate: Certificate, fact: e.AssessmentRecorded, edition: Edition) -> dict[str, Any]:
    if fact.due is None:
        return {}
    return {"/due": _due_after(certificate, fact, edition)}


def _visit(certificate: Certificate, fact: e.SurveillanceRecorded, edition: Edition) -> dict[str, Any]:
    return {
        "/due": _due_after(certificate, fact, edition),
        "/quota": edition.quota(certificate.last_check_on, fact.on_site_to),
    }


def _issue(certificate: Certificate, fact: e.CertificateIssued, edition: Edition) -> dict[str, Any]:
    on = fact.effective_on
    checks = dict.fromkeys(certificate.cases[fact.case].findings, on)
    return {
        "/valid_from": on,
        "/valid_until": edition.validity_end(on),
        "/first_certified_on": on,
        "/due": edition.due(on, fact.level, checks),
    }


def _renewal(certificate: Certificate, fact: e.CertificateRenewed, edition: Edition) -> dict[str, Any]:
    valid_from = certificate.valid_until + e.ONE_DAY
    return {
        "/valid_from": valid_from,
        "/valid_until": edition.validity_end(valid_from),
        "/first_certified_on": certificate.first_certified_on,
        "/due": due_at_level(certificate, edition, fact.level, fact.effective_on),
    }


def _regrade(certificate: Certificate, fact: e.GradeChanged, edition: Edition) -> dict[str, Any]:
    return {"/due": due_at_level(certificate, edition, fact.level, fact.effective_on)}


def _reissue(certificate: Certificate, fact: e.CertificateReissued, edition: Edition) -> dict[str, Any]:
    begun = [day for day in certificate.periods.days if day <= fact.effective_on]
    if not begun:  # days were corrected so that nothing is in force yet: that is refused, not asked
        return {}
    return {
        "/valid_from": begun[-1],
        "/valid_until": certificate.periods.at(fact.effective_on),
        "/first_certified_on": certificate.first_certified_on,
        "/due": certificate.due,
    }


_ASK: dict[type[e.Fact], Callable[[Certificate, Any, Edition], dict[str, Any]]] = {
    e.GradeDetermined: _grade,
    e.AssessmentRecorded: _assessment,
    e.SurveillanceRecorded: _visit,
    e.CertificateIssued: _issue,
    e.CertificateRenewed: _renewal,
    e.GradeChanged: _regrade,
    e.CertificateReissued: _reissue,
}


def _due_after(
    certificate: Certificate, fact: e.AssessmentRecorded | e.SurveillanceRecorded, edition: Edition
) -> e.Due:
    checks = certificate.checks | {finding.element: fact.on_site_to for finding in fact.findings}
    return edition.due(fact.on_site_to, certificate.levels.last, checks)


def _supported(certificate: Certificate, fact: e.Fact, edition: Edition | None) -> bool:
    """Does the record, as it now reads, still carry this decision?"""
    case = certificate.cases.get(fact.case or 0)
    match fact:
        case e.CertificationGranted() | e.CertificateRenewed():
            return case is not None and case.grade is not None and case.grade.level == fact.level
        case e.GradeChanged():
            return _level_follows(certificate, case, edition) == fact.level
        case e.CertificationMaintained():
            return case.assessment is not None and not case.open_nonconformities and _same_level(certificate, case)
        case e.CertificateSuspended() | e.CertificateWithdrawn():
            return case is None or case.assessment is not None
        case _:
            return True


def _same_level(certificate: Certificate, case: Case) -> bool:
    return case.kind != "regrade" or case.grade.level == certificate.levels.last


def _level_follows(certificate: Certificate, case: Case, edition: Edition) -> str:
    if case.assessment is None:
        return "none"
    return composite(certificate, edition).level if case.kind == "visit" else case.grade.level
