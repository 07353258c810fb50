"""From an application to the decision on it: initial, renewal and regrade cases."""

from datetime import date

from lifecycle import commands as c
from lifecycle import errors
from lifecycle import events as e
from lifecycle.certificate import Case, Certificate
from lifecycle.decisions.moment import Moment
from lifecycle.decisions.permission import (
    enter,
    enter_case,
    require_independent,
    require_no_conflict,
    require_not_before,
    require_order,
    require_past,
    require_reasons,
    require_serving,
)
from lifecycle.rehearsal.gist import Asked, AskedCase
from lifecycle.rules import Edition, Grade, MalformedFindings, edition_in_force


def submit(certificate: Certificate, command: c.SubmitApplication, moment: Moment) -> list[e.Fact]:
    """An application opens a case. An initial one takes the edition in force; the others keep the certificate's."""
    on = enter(certificate, command, e.ApplicationSubmitted, moment)
    if command.kind == "initial" and certificate.cases:
        raise errors.Malformed(problem="an initial application makes a certificate of its own")
    edition = edition_applied_for(certificate, command, moment, on)
    if command.certification_type not in edition.certification_types:
        raise errors.CertificationTypeUnknown(
            edition=edition.id,
            certification_type=command.certification_type,
            known=", ".join(edition.certification_types),
        )
    if command.kind != "initial" and (open_case := certificate.open_case("renewal", "regrade")):
        raise errors.CaseAlreadyOpen(certificate=certificate.label, kind=open_case.kind, case=open_case.version)
    return [
        e.ApplicationSubmitted(
            **moment.stamp(on, case=certificate.version + 1, edition=edition.id),
            kind=command.kind,
            organisation=command.organisation,
            holder=command.holder,
            address=command.address,
            scheme=command.scheme,
            certification_type=command.certification_type,
            accepts_conformity=command.accepts_conformity,
            scope=command.scope,
            request_sha256=command.request_sha256,
        )
    ]


def review_application(certificate: Certificate, command: c.ReviewApplication, moment: Moment) -> list[e.Fact]:
    fact = e.ApplicationAccepted if command.outcome == "accepted" else e.ApplicationRejected
    _, on = enter_case(certificate, command.case, command, fact, moment)
    stamp = moment.stamp(on, case=command.case)
    if command.outcome == "accepted":
        return [e.ApplicationAccepted(**stamp)]
    edition = moment.edition_of(certificate)
    _require_any(command.reasons, "rejection")
    require_reasons(command.reasons, "rejection", edition)
    return [e.ApplicationRejected(**stamp, reasons=command.reasons)]


def withdraw_application(certificate: Certificate, command: c.WithdrawApplication, moment: Moment) -> list[e.Fact]:
    _, on = enter_case(certificate, command.case, command, e.ApplicationWithdrawn, moment)
    return [e.ApplicationWithdrawn(**moment.stamp(on, case=command.case), request_sha256=command.request_sha256)]


def plan_assessment(certificate: Certificate, command: c.Plan, moment: Moment) -> list[e.Fact]:
    if command.draw is not None:
        raise errors.Malformed(problem="draw belongs to a visit; an assessment takes every element")
    _, on = enter_case(certificate, command.case, command, e.AssessmentPlanned, moment)
    require_order("on_site_from", command.on_site_from, "on_site_to", command.on_site_to)
    require_serving(certificate, command.team, moment)
    return [
        e.AssessmentPlanned(
            **moment.stamp(on, case=command.case),
            team=command.team,
            on_site_from=command.on_site_from,
            on_site_to=command.on_site_to,
        )
    ]


def record_assessment(certificate: Certificate, command: c.RecordAssessment, moment: Moment) -> list[e.Fact]:
    """Every element once. Beside a certificate in force it is a visit too, and moves the due date."""
    case, on = enter_case(certificate, command.case, command, e.AssessmentRecorded, moment)
    edition = moment.edition_of(certificate)
    team = team_recording(certificate, case, command, moment, on)
    try:
        edition.check_assessment(command.findings, command.deductions, case.application.certification_type)
    except MalformedFindings as refused:
        raise refusal_of(refused) from None
    return [
        e.AssessmentRecorded(
            **moment.stamp(on, case=command.case, edition=edition.id),
            team=team,
            on_site_from=command.on_site_from,
            on_site_to=command.on_site_to,
            findings=command.findings,
            deductions=command.deductions,
            evidence=command.evidence,
            due=_due_after_full_assessment(certificate, command, edition),
        )
    ]


def close_nonconformity(certificate: Certificate, command: c.CloseNonconformity, moment: Moment) -> list[e.Fact]:
    case, on = enter_case(certificate, command.case, command, e.NonconformityClosed, moment)
    require_on_team(case, moment, "close_nonconformity")
    if command.element not in case.open_nonconformities:
        raise errors.NonconformityUnknown(
            case=case.version, element=command.element, open=", ".join(case.open_nonconformities) or "none"
        )
    return [
        e.NonconformityClosed(**moment.stamp(on, case=command.case), element=command.element, evidence=command.evidence)
    ]


def review_assessment(certificate: Certificate, command: c.ReviewAssessment, moment: Moment) -> list[e.Fact]:
    """The review and the grade that follows from the record, in one transaction; the reviewer was not on the team."""
    case, on = enter_case(certificate, command.case, command, e.AssessmentReviewed, moment)
    require_reviewers_free(certificate, case, moment)
    edition = moment.edition_of(certificate)
    try:
        grade = grade_of(certificate, edition, case)
    except MalformedFindings as refused:  # assessed before another edition was adopted
        raise refusal_of(refused) from None
    return [
        e.AssessmentReviewed(**moment.stamp(on, case=command.case), recommendation=command.recommendation),
        e.GradeDetermined(
            **moment.stamp(on, case=command.case, edition=edition.id),
            assessment=case.assessment,
            score=fraction_text(grade),
            level=grade.level,
            because=grade.because,
        ),
    ]


def grant(certificate: Certificate, command: c.Decide, moment: Moment) -> list[e.Fact]:
    case, on = enter_case(certificate, command.case, command, e.CertificationGranted, moment)
    require_independent(certificate, case, command, moment)
    require_grade(certificate, case)
    return [
        e.CertificationGranted(
            **moment.stamp(on, case=command.case, edition=certificate.edition), level=case.grade.level
        )
    ]


def refuse(certificate: Certificate, command: c.Decide, moment: Moment) -> list[e.Fact]:
    case, on = enter_case(certificate, command.case, command, e.CertificationRefused, moment)
    require_independent(certificate, case, command, moment)
    _require_any(command.reasons, "refusal")
    require_reasons(command.reasons, "refusal", moment.edition_of(certificate))
    return [e.CertificationRefused(**moment.stamp(on, case=command.case), reasons=command.reasons)]


# ---- shared with visits and issuance ---------------------------------------------------------------------------------


def edition_applied_for(certificate: Certificate, command: c.SubmitApplication, moment: Moment, on: date) -> Edition:
    """The certificate's own edition; for an initial application the one in force that day. Raises SchemeUnknown."""
    if command.kind != "initial":
        if command.scheme != certificate.scheme:
            raise errors.SchemeUnknown(scheme=command.scheme, on=on, known=certificate.scheme)
        return moment.edition_of(certificate)
    edition = edition_in_force(moment.editions, command.scheme, on)
    if edition is None:
        known = sorted({other.scheme for other in moment.editions.values() if other.effective_from <= on})
        raise errors.SchemeUnknown(scheme=command.scheme, on=on, known=", ".join(known) or "none")
    return edition


def team_recording(
    certificate: Certificate, case: Case, command: c.RecordAssessment, moment: Moment, on: date
) -> tuple[str, ...]:
    """The team that was on site: as given, else as planned. The recorder is of the planned team, and nothing recorded
    lies in the future or after its day of effect."""
    require_order("on_site_from", command.on_site_from, "on_site_to", command.on_site_to)
    require_past("on_site_to", command.on_site_to, moment)
    require_not_before(command, on, "on_site_to", command.on_site_to)
    if case.kind == "initial":
        require_order("the application's day", case.opened_on, "on_site_from", command.on_site_from)
    elif certificate.last_check_on and command.on_site_to <= certificate.last_check_on:
        raise errors.VisitNotAfterLast(
            certificate=certificate.label, on_site_to=command.on_site_to, last_on=certificate.last_check_on
        )
    require_on_team(case, moment, "record_assessment")
    team = command.team or case.planned_team
    require_no_conflict(certificate, team, moment)
    return team


def require_reviewers_free(certificate: Certificate, case: Case, moment: Moment) -> None:
    """Raises StoodOnTeam or ConflictOfInterest unless every reviewer is free of the case."""
    for person in moment.signers:
        if person in case.team:
            raise errors.StoodOnTeam(person=person, act="review_assessment", case=case.version)
    require_no_conflict(certificate, moment.signers, moment)


def require_on_team(case: Case, moment: Moment, act: str) -> None:
    if moment.signers[0] not in case.planned_team:
        raise errors.NotOnTeam(
            person=moment.signers[0], act=act, case=case.version, team=", ".join(case.planned_team) or "none"
        )


def require_grade(certificate: Certificate, case: Case) -> None:
    """Raises NotGrantable where the record was graded none."""
    if case.grade.level == "none":
        raise errors.NotGrantable(certificate=certificate.label, case=case.version, because=case.grade.because)


def refusal_of(refused: MalformedFindings) -> errors.FindingsRefused:
    return errors.FindingsRefused(element=refused.element, problem=refused.problem, accepted=refused.accepted)


def grade_of(certificate: Asked, edition: Edition, case: AskedCase) -> Grade:
    """What the edition says of the case's record as it stands, closures applied.

    Raises MalformedFindings where the record lacks what the edition asks.
    """
    return edition.grade(
        case.graded_findings(certificate.carried),
        case.deductions,
        case.application.certification_type,
        case.application.accepts_conformity,
    )


def fraction_text(grade: Grade) -> str | None:
    """The exact score as "num/den", or None where nothing was scored."""
    return None if grade.score is None else f"{grade.score.numerator}/{grade.score.denominator}"


def _due_after_full_assessment(certificate: Certificate, command: c.RecordAssessment, edition: Edition) -> e.Due | None:
    if certificate.due is None:
        return None
    checks = certificate.checks | {finding.element: command.on_site_to for finding in command.findings}
    return edition.due(command.on_site_to, certificate.levels.last, checks)


def _require_any(reasons: tuple[e.Reason, ...], act: str) -> None:
    if not reasons:
        raise errors.Malformed(problem=f"a {act} gives at least one reason")
