"""Certificate documents: issued, renewed, re-issued, and regraded with a re-issue."""

from datetime import date
from typing import Any

import msgspec

from lifecycle import commands as c
from lifecycle import errors
from lifecycle import events as e
from lifecycle.certificate import Case, Certificate, conforming
from lifecycle.decisions.application import fraction_text, grade_of, refusal_of, require_grade
from lifecycle.decisions.moment import Moment
from lifecycle.decisions.permission import enter, enter_case, require_independent, require_reasons
from lifecycle.documents import next_document
from lifecycle.rehearsal.gist import Asked
from lifecycle.rules import Edition, Grade, MalformedFindings


def issue(certificate: Certificate, command: c.Issue, moment: Moment) -> list[e.Fact]:
    """Valid from the day it is issued, which is not before the decision."""
    initial = next(case for case in certificate.cases.values() if case.kind == "initial")
    case, on = enter_case(certificate, initial.version, command, e.CertificateIssued, moment)
    edition = moment.edition_of(certificate)
    level = case.grade.level
    return [
        e.CertificateIssued(
            **moment.stamp(on, case=case.version, edition=edition.id),
            **_document(certificate, edition, case, level),
            number=moment.number,
            valid_from=on,
            valid_until=edition.validity_end(on),
            first_certified_on=on,
            due=edition.due(on, level, dict.fromkeys(case.findings, on)),
        )
    ]


def renew(certificate: Certificate, command: c.Decide, moment: Moment) -> list[e.Fact]:
    """A new validity, counted from the day after the old one ends; another level takes another number."""
    case, on = enter_case(certificate, command.case, command, e.CertificateRenewed, moment)
    require_independent(certificate, case, command, moment)
    require_grade(certificate, case)
    edition = moment.edition_of(certificate)
    level, valid_from = case.grade.level, certificate.valid_until + e.ONE_DAY
    return [
        e.CertificateRenewed(
            **moment.stamp(on, case=case.version, edition=edition.id),
            **_document(certificate, edition, case, level),
            number=_number(certificate, level, moment),
            valid_from=valid_from,
            valid_until=edition.validity_end(valid_from),
            first_certified_on=certificate.first_certified_on,
            due=due_at_level(certificate, certificate.due, edition, level, on),
        )
    ]


def reissue(certificate: Certificate, command: c.Reissue, moment: Moment) -> list[e.Fact]:
    """Another document of the same certificate: the number, the level and the dates stay."""
    on = enter(certificate, command, e.CertificateReissued, moment)
    require_reasons(command.reasons, "reissue", moment.edition_of(certificate))
    named = {"holder": command.holder, "address": command.address, "scope": command.scope}
    now = texts_on(certificate, on)
    texts = now | {name: text for name, text in named.items() if text}
    if texts == now:
        raise errors.NothingReissued(certificate=certificate.label)
    return [
        e.CertificateReissued(
            **moment.stamp(on, case=certificate.version + 1, edition=certificate.edition),
            **_reprint(certificate, on),
            **texts,
            number=certificate.numbers.at(on),
            level=certificate.levels.at(on),
            certification_type=certificate.types.at(on),
            due=certificate.due,
            reasons=command.reasons,
        )
    ]


def change_grade(certificate: Certificate, command: c.Decide, moment: Moment) -> list[e.Fact]:
    """The new level and the document that prints it, in one transaction."""
    case, on = enter_case(certificate, command.case, command, e.GradeChanged, moment)
    require_independent(certificate, case, command, moment)
    grade = _grade_to_change_to(certificate, case, moment.edition_of(certificate))
    texts = _texts_after(certificate, case, on)
    return regraded(certificate, case, grade, texts, _type_applied_for(certificate, case), moment, on)


def regraded(
    certificate: Certificate,
    case: Case,
    grade: Grade,
    texts: dict[str, Any],
    applied_for: str | None,
    moment: Moment,
    on: date,
) -> list[e.Fact]:
    """The certificate's new level, on the ground of a case, and the document that prints it."""
    edition = moment.edition_of(certificate)
    due = due_at_level(certificate, certificate.due, edition, grade.level, on)
    stamp = moment.stamp(on, case=case.version, edition=edition.id)
    return [
        e.GradeChanged(**stamp, level=grade.level, score=fraction_text(grade), because=grade.because, due=due),
        e.CertificateReissued(
            **stamp,
            **_reprint(certificate, on),
            **texts,
            number=moment.number,
            level=grade.level,
            certification_type=_type_of_level(edition, grade.level, applied_for),
            due=due,
        ),
    ]


def due_under(certificate: Asked, due: e.Due, edition: Edition, level: str, on: date) -> e.Due:
    """What ``due`` becomes under another edition: as under another level, with that edition's window and coverage; a
    grace that was given before stands.
    """
    changed = due_at_level(certificate, due, edition, level, on)
    if changed is not due:
        return changed
    if due.grace_until is None:
        return edition.due(certificate.last_check_on, level, certificate.checks)
    asked = edition.due(certificate.last_check_on, level, certificate.checks, changed_on=due.visit_on)
    return msgspec.structs.replace(due, coverage_on=asked.coverage_on)


def due_at_level(certificate: Asked, due: e.Due, edition: Edition, level: str, on: date) -> e.Due:
    """What ``due`` becomes under another level: the anchor stays; where the interval got shorter, the change has its
    grace.

    With the same interval the due date stands, and so does a grace that was given before.
    """
    months = edition.levels[level].interval_months
    if (months, certificate.last_check_on) == (due.interval_months, due.anchor_on):
        return due
    shortened = months < due.interval_months
    return edition.due(certificate.last_check_on, level, certificate.checks, changed_on=on if shortened else None)


def grade_earned(certificate: Certificate, edition: Edition, case: Case) -> Grade:
    """What the case earns: a visit the composite, every other what was assessed in it.

    Raises MalformedFindings where an element has no mark.
    """
    return composite(certificate, edition) if case.kind == "visit" else grade_of(certificate, edition, case)


def composite(certificate: Certificate, edition: Edition) -> Grade:
    """The grade of each element's last mark: those drawn from the visits, the others from their last assessment.

    Raises MalformedFindings where an element has no mark.
    """
    findings = [conforming(finding) for finding in certificate.findings.values()]
    if not edition.certification_types[certificate.types.last].scored:
        findings = [e.Finding(finding.element, finding.outcome) for finding in findings]
    return edition.grade(findings, (), certificate.types.last, certificate.accepts_conformity)


def _grade_to_change_to(certificate: Certificate, case: Case, edition: Edition) -> Grade:
    if case.kind == "visit":
        return _lowered(certificate, case, edition)
    if case.stage == "decided" and not certificate.unsupported:
        raise errors.DecisionSupported(certificate=certificate.label, case=case.version)
    require_grade(certificate, case)
    grade = _grade_of_known(certificate, case, edition)
    if grade.level == certificate.levels.last:
        raise errors.LevelUnchanged(certificate=certificate.label, current=certificate.levels.last, level=grade.level)
    return grade


def _lowered(certificate: Certificate, case: Case, edition: Edition) -> Grade:
    if case.open_nonconformities:
        raise errors.NonconformityOpen(
            act="change_grade", certificate=certificate.label, elements=", ".join(case.open_nonconformities)
        )
    grade = _grade_of_known(certificate, case, edition)
    current, ranks = certificate.levels.last, list(edition.levels)
    if grade.level == "none":
        raise errors.NotGrantable(certificate=certificate.label, case=case.version, because=grade.because)
    if ranks.index(grade.level) <= ranks.index(current):
        raise errors.LevelNotLower(
            level=grade.level, because=grade.because, certificate=certificate.label, current=current
        )
    return grade


def _grade_of_known(certificate: Certificate, case: Case, edition: Edition) -> Grade:
    """Raises MarksNotKnown where marks on an element do not stand since its edition was adopted, FindingsRefused."""
    of_case = {finding.element for finding in case.graded_findings(certificate.carried)}
    known = certificate.findings if case.kind == "visit" else of_case
    if lacking := [code for code in edition.elements if code not in known]:
        raise errors.MarksNotKnown(
            certificate=certificate.label, edition=edition.id, case=case.version, elements=", ".join(lacking)
        )
    try:
        return grade_earned(certificate, edition, case)
    except MalformedFindings as refused:
        raise refusal_of(refused) from None


def _number(certificate: Certificate, level: str, moment: Moment) -> str:
    return certificate.numbers.last if level == certificate.levels.last else moment.number


def _type_of_level(edition: Edition, level: str, applied_for: str) -> str:
    """A level without a band is not scored, so its certificate is of the type that is not."""
    if edition.levels[level].at_least is not None:
        return applied_for
    return next((t.code for t in edition.certification_types.values() if not t.scored), applied_for)


def _document(certificate: Certificate, edition: Edition, case: Case, level: str) -> dict[str, Any]:
    application = case.application
    return {
        **_texts_applied_for(application),
        "document": next_document(certificate),
        "level": level,
        "certification_type": _type_of_level(edition, level, application.certification_type),
    }


def _reprint(certificate: Certificate, on: date) -> dict[str, Any]:
    start = max(day for day in certificate.periods.days if day <= on)
    return {
        "document": next_document(certificate),
        "replaces": certificate.document,
        "valid_from": start,
        "valid_until": certificate.periods.at(on),
        "first_certified_on": certificate.first_certified_on,
    }


def _texts_applied_for(application: e.ApplicationSubmitted) -> dict[str, Any]:
    return {"holder": application.holder, "address": application.address, "scope": application.scope}


def _type_applied_for(certificate: Certificate, case: Case) -> str:
    return case.application.certification_type if case.application else certificate.types.last


def _texts_after(certificate: Certificate, case: Case, on: date) -> dict[str, Any]:
    """What a regrade applied for; where a visit or an earlier decision is the ground, what stands."""
    if case.kind == "regrade" and case.is_open:
        return _texts_applied_for(case.application)
    return texts_on(certificate, on)


def texts_on(certificate: Certificate, on: date) -> dict[str, Any]:
    return {
        "holder": certificate.holders.at(on),
        "address": certificate.addresses.at(on),
        "scope": certificate.scopes.at(on),
    }
