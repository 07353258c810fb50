"""Surveillance: a visit wished, planned with its sample, recorded, and decided on."""

from collections.abc import Iterable
from datetime import date

from lifecycle import commands as c
from lifecycle import errors
from lifecycle import events as e
from lifecycle.certificate import Case, Certificate
from lifecycle.decisions.application import refusal_of, require_grade, team_recording
from lifecycle.decisions.moment import Moment
from lifecycle.decisions.permission import (
    enter,
    enter_case,
    require_independent,
    require_order,
    require_serving,
)
from lifecycle.rules import Edition, MalformedFindings


def request(certificate: Certificate, command: c.RequestVisit, moment: Moment) -> list[e.Fact]:
    """A visit before it is due; one visit case is open at a time."""
    on = enter(certificate, command, e.SurveillanceRequested, moment)
    if open_case := certificate.open_case("visit"):
        raise errors.CaseAlreadyOpen(certificate=certificate.label, kind="visit", case=open_case.version)
    return [e.SurveillanceRequested(**moment.stamp(on, case=certificate.version + 1), grounds=command.grounds)]


def plan(certificate: Certificate, command: c.Plan, moment: Moment) -> list[e.Fact]:
    """The team, the days and the sample; without a draw the reproducible one is taken."""
    _, on = enter_case(certificate, command.case, command, e.SurveillancePlanned, moment)
    require_order("on_site_from", command.on_site_from, "on_site_to", command.on_site_to)
    require_serving(certificate, command.team, moment)
    edition = moment.edition_of(certificate)
    quota = edition.quota(certificate.last_check_on, command.on_site_to)
    proposed = drawn_by_lot(certificate, command.on_site_to, edition)
    draw = proposed if command.draw is None else tuple(dict.fromkeys(command.draw))
    for element in draw:
        if element not in edition.elements:
            raise errors.ElementUnknown(edition=edition.id, element=element)
    if len(draw) < quota:
        raise errors.QuotaNotMet(drawn=len(draw), quota=quota, proposed=", ".join(proposed))
    _require_coverage(certificate, draw, command.on_site_to, moment)
    return [
        e.SurveillancePlanned(
            **moment.stamp(on, case=command.case, edition=edition.id),
            team=command.team,
            on_site_from=command.on_site_from,
            on_site_to=command.on_site_to,
            draw=draw,
            quota=quota,
        )
    ]


def record(certificate: Certificate, command: c.RecordAssessment, moment: Moment) -> list[e.Fact]:
    """What was found; the next due date counts from the last on-site day, never from the plan."""
    case, on = enter_case(certificate, command.case, command, e.SurveillanceRecorded, moment)
    if command.deductions:
        raise errors.Malformed(problem="deductions belong to a full assessment, not to a visit")
    edition = moment.edition_of(certificate)
    team = team_recording(certificate, case, command, moment, on)
    try:
        edition.check_sample(command.findings, case.draw, certificate.types.last)
    except MalformedFindings as refused:
        raise refusal_of(refused) from None
    found = tuple(finding.element for finding in command.findings)
    quota = edition.quota(certificate.last_check_on, command.on_site_to)
    if len(found) < quota:
        raise errors.QuotaNotMet(drawn=len(found), quota=quota, proposed=", ".join(case.draw))
    _require_coverage(certificate, found, command.on_site_to, moment)
    checks = certificate.checks | dict.fromkeys(found, command.on_site_to)
    return [
        e.SurveillanceRecorded(
            **moment.stamp(on, case=command.case, edition=edition.id),
            team=team,
            on_site_from=command.on_site_from,
            on_site_to=command.on_site_to,
            findings=command.findings,
            drawn=case.draw,
            quota=quota,
            due=edition.due(command.on_site_to, certificate.levels.last, checks),
            evidence=command.evidence,
        )
    ]


def maintain(certificate: Certificate, command: c.Decide, moment: Moment) -> list[e.Fact]:
    """The certificate stays as it is; the due date that the visit set stays too."""
    case, on = enter_case(certificate, command.case, command, e.CertificationMaintained, moment)
    require_independent(certificate, case, command, moment)
    if case.open_nonconformities:
        raise errors.NonconformityOpen(
            act="maintain", certificate=certificate.label, elements=", ".join(case.open_nonconformities)
        )
    if case.kind == "regrade":
        _require_same_level(certificate, case)
    return [e.CertificationMaintained(**moment.stamp(on, case=command.case))]


def _require_same_level(certificate: Certificate, case: Case) -> None:
    require_grade(certificate, case)
    if case.grade.level != certificate.levels.last:
        raise errors.LevelDiffers(
            certificate=certificate.label, current=certificate.levels.last, level=case.grade.level
        )


def gaps_after(
    certificate: Certificate, elements: Iterable[str], on_site_to: date, edition: Edition
) -> tuple[date, tuple[str, ...]]:
    """The next due date after a visit that takes these elements, and those whose coverage would run out before it."""
    checks = certificate.checks | dict.fromkeys(elements, on_site_to)
    next_due_on = edition.due(on_site_to, certificate.levels.last, checks).visit_on
    return next_due_on, edition.coverage_gaps(checks, next_due_on)


def drawn_by_lot(certificate: Certificate, on_site_to: date, edition: Edition) -> tuple[str, ...]:
    """The sample that nobody has chosen, of a visit that ends on that day."""
    return edition.draw(
        certificate.id,
        certificate.visits + 1,
        certificate.last_check_on,
        on_site_to,
        certificate.levels.last,
        certificate.checks,
    )


def _require_coverage(certificate: Certificate, elements: tuple[str, ...], on_site_to: date, moment: Moment) -> None:
    """Raises CoverageNotMet where an element would go unchecked past its coverage before the next due date."""
    edition = moment.edition_of(certificate)
    next_due_on, gaps = gaps_after(certificate, elements, on_site_to, edition)
    if gaps:
        raise errors.CoverageNotMet(months=edition.coverage_months, next_due_on=next_due_on, elements=", ".join(gaps))
