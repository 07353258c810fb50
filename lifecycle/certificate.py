"""One certificate: what its stream adds up to.

``fold`` reads any prefix of a stream: corrections are applied first (``amendment.amend``), then each fact is evolved
into the state. Evolving only assigns: it refuses nothing, asks no rule and reads no clock, so old history stays
readable when rules tighten. What may happen next is decided in ``decisions``; what the public is told, in ``status``.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from lifecycle import events as e
from lifecycle.amendment import amend
from lifecycle.events import Recorded
from lifecycle.timeline import Timeline
from lifecycle.transitions import FINISHED, LIVE, OPENS, STAGE, STATUS, Stage, Status


class Standing(NamedTuple):
    """A status as recorded: it took effect on ``on``; its current spell began on ``since``."""

    on: date
    status: Status
    since: date
    suspended_until: date | None = None


class Carrying(NamedTuple):
    """Another edition's elements taken over by the fact with that version."""

    version: int
    elements: tuple[e.ElementCarried, ...]


@dataclass(slots=True)
class Case:
    """One application, visit, re-issue, appeal or complaint. ``team`` and ``reviewers`` are all who ever were that."""

    kind: e.CaseKind
    version: int
    opened_on: date
    stage: Stage = "opened"
    last_on: date = date.min
    team: frozenset[str] = frozenset()
    planned_team: tuple[str, ...] = ()
    reviewers: frozenset[str] = frozenset()
    application: e.ApplicationSubmitted | None = None
    draw: tuple[str, ...] = ()
    quota: int = 0
    assessment: int | None = None
    on_site_to: date | None = None
    findings: dict[str, e.Finding] = field(default_factory=dict)
    deductions: tuple[e.Deduction, ...] = ()
    closures: frozenset[str] = frozenset()
    grade: e.GradeDetermined | None = None
    against: int | None = None
    upheld: bool | None = None
    decide_by: date | None = None

    @property
    def open_nonconformities(self) -> list[str]:
        """Elements found nonconforming and not closed since."""
        return [
            finding.element
            for finding in self.findings.values()
            if finding.outcome == "nonconforming" and finding.element not in self.closures
        ]

    @property
    def is_open(self) -> bool:
        return self.stage not in FINISHED

    def graded_findings(self, carried: Sequence[Carrying] = ()) -> list[e.Finding]:
        """The findings as they count for the grade: a closed nonconformity conforms, its marks unchanged; of those
        made before other elements were taken over, the ones that stand."""
        found = self.findings
        if self.closures:
            found = {code: conforming(f) if code in self.closures else f for code, f in found.items()}
        for carrying in carried:
            if carrying.version > (self.assessment or 0):
                found = taken_over(found, carrying.elements)
        return [*found.values()]


@dataclass(slots=True)
class Proposal:
    """An act that one person proposed; ``state`` is open, approved or rejected."""

    number: int
    proposed: e.ActProposed
    state: str = "open"


@dataclass(slots=True)
class Certificate:
    """The state of one certificate after ``version`` facts."""

    id: UUID
    version: int = 0
    history: Sequence[Recorded] = ()
    organisation: UUID | None = None
    accepts_conformity: bool = False
    scheme: str = ""
    edition: str = ""

    status: Status = "none"
    last_act_on: date | None = None
    standings: list[Standing] = field(default_factory=list)
    suspended_from: date | None = None
    suspension_reasons: tuple[e.Reason, ...] = ()
    withdrawal_since: date | None = None

    first_certified_on: date | None = None
    document: int = 0
    periods: Timeline[date] = field(default_factory=Timeline)
    levels: Timeline[str] = field(default_factory=Timeline)
    numbers: Timeline[str] = field(default_factory=Timeline)
    holders: Timeline[str] = field(default_factory=Timeline)
    addresses: Timeline[str] = field(default_factory=Timeline)
    scopes: Timeline[str] = field(default_factory=Timeline)
    types: Timeline[str] = field(default_factory=Timeline)
    editions: Timeline[str] = field(default_factory=Timeline)

    due: e.Due | None = None
    due_announced: set[date] = field(default_factory=set)
    overdue_announced: set[date] = field(default_factory=set)
    checks: dict[str, date] = field(default_factory=dict)
    last_check_on: date | None = None
    findings: dict[str, e.Finding] = field(default_factory=dict)
    carried: tuple[Carrying, ...] = ()
    visits: int = 0

    cases: dict[int, Case] = field(default_factory=dict)
    proposals: dict[int, Proposal] = field(default_factory=dict)
    unsupported: dict[int, date] = field(default_factory=dict)
    gradings: set[int] = field(default_factory=set)

    @property
    def valid_until(self) -> date | None:
        """The last valid day of the last period granted."""
        return self.periods.last

    @property
    def label(self) -> str:
        """What people call it: its number, or its id before it has one."""
        return self.numbers.last or str(self.id)

    def standing_on(self, day: date) -> Standing | None:
        """The status on a legal day, from dates alone, whether or not a clock has run; None before issue."""
        standing = next((s for s in reversed(self.standings) if s.on <= day), None)
        until = self.periods.at(day)
        if standing is None or standing.status not in LIVE or until is None or day <= until:
            return standing
        return Standing(until + e.ONE_DAY, "expired", until + e.ONE_DAY)

    def status_on(self, day: date) -> Status:
        """The status on a legal day; "none" before issue."""
        standing = self.standing_on(day)
        return standing.status if standing else "none"

    def open_case(self, *kinds: e.CaseKind) -> Case | None:
        """The last open case of these kinds."""
        return next((c for c in reversed(self.cases.values()) if c.kind in kinds and c.is_open), None)

    @property
    def assessed_cases(self) -> list[Case]:
        """The cases with a record of an assessment or a visit, the one recorded last at the end."""
        return sorted((c for c in self.cases.values() if c.assessment), key=lambda c: c.assessment or 0)

    def checks_after(self, fact: e.AssessmentRecorded | e.SurveillanceRecorded) -> dict[str, date]:
        """The day of each element's last check once the fact has been taken in."""
        return self.checks | {finding.element: fact.on_site_to for finding in fact.findings}

    def fact(self, version: int) -> e.Fact:
        """The fact as recorded, before any correction. Versions count from 1."""
        return self.history[version - 1].fact


def fold(id: UUID, history: Sequence[Recorded]) -> Certificate:
    """The certificate as it stands after ``history``, a prefix of its stream from version 1."""
    certificate = Certificate(id)
    for recorded in (amended := amend(history)):
        evolve(certificate, recorded.version, recorded.fact)
    if amended is not history:
        _remember_teams(certificate, history)
        _remember_approvals(certificate, history)
    certificate.history = history
    certificate.version = history[-1].version if history else 0
    return certificate


def evolve(certificate: Certificate, version: int, fact: e.Fact) -> None:
    """The certificate one fact further on. Assigns only."""
    kind = type(fact)
    certificate.version = version
    certificate.status = STATUS.get((certificate.status, kind), certificate.status)
    case = _case(certificate, version, fact)
    if fact.proposal is not None and fact.proposal in certificate.proposals:
        certificate.proposals[fact.proposal].state = "approved"
    if (assign := _ASSIGN.get(kind)) is not None:
        assign(certificate, case, version, fact)
    if kind in _GRADING:
        certificate.gradings.add(version)
    if kind in DECISIONS:
        _settle(certificate, case, kind)


def _remember_teams(certificate: Certificate, history: Sequence[Recorded]) -> None:
    """Who stood on the team of a visit stood there, also if the visit was voided since."""
    for recorded in history:
        if isinstance(fact := recorded.fact, e.SurveillanceRecorded) and fact.case in certificate.cases:
            certificate.cases[fact.case].team |= {*fact.team, fact.by.person}


def _remember_approvals(certificate: Certificate, history: Sequence[Recorded]) -> None:
    """A proposal that was approved is spent, also if the act that came of it was voided since."""
    for recorded in history:
        if recorded.fact.proposal in certificate.proposals and not isinstance(recorded.fact, e.ProposalRejected):
            certificate.proposals[recorded.fact.proposal].state = "approved"


def conforming(finding: e.Finding) -> e.Finding:
    """The finding as it reads once its nonconformity is closed, its marks unchanged."""
    if finding.outcome != "nonconforming":
        return finding
    return e.Finding(finding.element, "conforming", finding.marks)


def taken_over(found: Mapping[str, e.Finding], carried: Iterable[e.ElementCarried]) -> dict[str, e.Finding]:
    """The findings that stand for elements taken over, by these."""
    return {
        each.element: e.Finding(each.element, found[each.of[0]].outcome, found[each.of[0]].marks)
        for each in carried
        if each.stands and each.of[0] in found
    }


def _case(certificate: Certificate, version: int, fact: e.Fact) -> Case | None:
    """The case that the fact belongs to, opened if the fact opens one, and moved on to its next stage."""
    if fact.case is None:
        return None
    case = certificate.cases.get(fact.case)
    if case is None:
        case = certificate.cases[fact.case] = Case(_kind(fact), version, fact.effective_on)
    case.stage = STAGE.get((case.kind, case.stage, type(fact)), case.stage)
    case.last_on = max(case.last_on, fact.effective_on)
    return case


def _kind(fact: e.Fact) -> e.CaseKind:
    if isinstance(fact, e.ApplicationSubmitted):
        return fact.kind
    if isinstance(fact, e.CertificateReissued):
        return "reissue"
    return OPENS.get(type(fact), "visit")


# ---- what each fact assigns ------------------------------------------------------------------------------------------


def _stand(certificate: Certificate, on: date, status: Status, until: date | None = None) -> None:
    previous = certificate.standings[-1] if certificate.standings else None
    since = previous.since if previous and previous.status == status else on
    certificate.standings.append(Standing(on, status, since, until))
    certificate.last_act_on = on


def _submitted(certificate: Certificate, case: Case, version: int, fact: e.ApplicationSubmitted) -> None:
    case.application = fact
    certificate.accepts_conformity = fact.accepts_conformity
    if fact.kind == "initial":
        certificate.organisation, certificate.scheme = fact.organisation, fact.scheme
        certificate.edition = fact.edition or ""


def _planned(certificate: Certificate, case: Case, version: int, fact: e.AssessmentPlanned) -> None:
    case.planned_team = fact.team
    case.team |= frozenset(fact.team)


def _visit_planned(certificate: Certificate, case: Case, version: int, fact: e.SurveillancePlanned) -> None:
    case.planned_team, case.draw, case.quota = fact.team, fact.draw, fact.quota
    case.team |= frozenset(fact.team)


def _recorded(case: Case, version: int, fact: e.AssessmentRecorded | e.SurveillanceRecorded) -> None:
    case.assessment, case.on_site_to = version, fact.on_site_to
    case.findings = {finding.element: finding for finding in fact.findings}
    case.closures = frozenset()
    case.team |= {*fact.team, fact.by.person}


def _check(certificate: Certificate, on: date, findings: dict[str, e.Finding]) -> None:
    certificate.checks.update(dict.fromkeys(findings, on))
    certificate.findings.update(findings)
    certificate.last_check_on = max(on, certificate.last_check_on or on)


def _assessed(certificate: Certificate, case: Case, version: int, fact: e.AssessmentRecorded) -> None:
    _recorded(case, version, fact)
    case.deductions = fact.deductions
    if fact.due is not None:
        _check(certificate, fact.on_site_to, case.findings)
        certificate.visits += 1
        certificate.due = fact.due


def _visited(certificate: Certificate, case: Case, version: int, fact: e.SurveillanceRecorded) -> None:
    _recorded(case, version, fact)
    _check(certificate, fact.on_site_to, case.findings)
    certificate.visits += 1
    certificate.due = fact.due


def _closed(certificate: Certificate, case: Case, version: int, fact: e.NonconformityClosed) -> None:
    case.closures |= {fact.element}


def _reviewed(certificate: Certificate, case: Case, version: int, fact: e.AssessmentReviewed) -> None:
    case.reviewers |= {fact.by.person, *fact.signed_by}


def _graded(certificate: Certificate, case: Case, version: int, fact: e.GradeDetermined) -> None:
    case.grade = fact


def _printed(certificate: Certificate, fact: e.Certificate, on: date) -> None:
    """What the document changes stands from then on; what it repeats leaves a renewal decided early as it is."""
    certificate.document = fact.document
    certificate.first_certified_on = fact.first_certified_on
    if certificate.numbers.at(on) != fact.number:
        certificate.numbers.supersede(on, fact.number)
    for line, printed in (
        (certificate.holders, fact.holder),
        (certificate.addresses, fact.address),
        (certificate.scopes, fact.scope),
        (certificate.types, fact.certification_type),
    ):
        if line.at(on) != printed:
            line.put(on, printed)
    certificate.due = fact.due


def _issued(certificate: Certificate, case: Case, version: int, fact: e.CertificateIssued) -> None:
    _printed(certificate, fact, fact.valid_from)
    _stand(certificate, fact.valid_from, "active")
    certificate.periods.put(fact.valid_from, fact.valid_until)
    certificate.levels.put(fact.valid_from, fact.level)
    certificate.editions.put(fact.valid_from, certificate.edition)
    _check(certificate, fact.valid_from, case.findings)


def _renewed(certificate: Certificate, case: Case, version: int, fact: e.CertificateRenewed) -> None:
    _printed(certificate, fact, fact.valid_from)
    certificate.periods.put(fact.valid_from, fact.valid_until)
    certificate.levels.put(fact.valid_from, fact.level)
    certificate.last_act_on = fact.effective_on


def _reissued(certificate: Certificate, case: Case, version: int, fact: e.CertificateReissued) -> None:
    _printed(certificate, fact, fact.effective_on)
    if case.kind != "reissue":  # it prints a change of grade, which stands for good
        certificate.types.put(fact.effective_on, fact.certification_type)


def _regraded(certificate: Certificate, case: Case, version: int, fact: e.GradeChanged) -> None:
    certificate.levels.put(fact.effective_on, fact.level)
    certificate.due = fact.due


def _suspended(certificate: Certificate, case: Case | None, version: int, fact: e.CertificateSuspended) -> None:
    _stand(certificate, fact.effective_on, "suspended", fact.ends_on)
    certificate.suspended_from, certificate.suspension_reasons = fact.effective_on, fact.reasons


def _extended(certificate: Certificate, case: Case | None, version: int, fact: e.SuspensionExtended) -> None:
    _stand(certificate, fact.effective_on, "suspended", fact.ends_on)


def _reinstated(certificate: Certificate, case: Case | None, version: int, fact: e.CertificateReinstated) -> None:
    _stand(certificate, fact.effective_on, "active")
    certificate.suspended_from, certificate.suspension_reasons = None, ()


def _withdrawal_opened(certificate: Certificate, case: Case | None, version: int, fact: e.WithdrawalOpened) -> None:
    certificate.withdrawal_since = fact.effective_on


def _withdrawal_dropped(certificate: Certificate, case: Case | None, version: int, fact: e.WithdrawalDropped) -> None:
    certificate.withdrawal_since = None


def _withdrawn(certificate: Certificate, case: Case | None, version: int, fact: e.CertificateWithdrawn) -> None:
    _stand(certificate, fact.effective_on, "withdrawn")
    certificate.withdrawal_since = None


def _cancelled(certificate: Certificate, case: Case | None, version: int, fact: e.CertificateCancelled) -> None:
    _stand(certificate, fact.effective_on, "cancelled")


def _expired(certificate: Certificate, case: Case | None, version: int, fact: e.CertificateExpired) -> None:
    _stand(certificate, fact.effective_on, "expired")


def _due(certificate: Certificate, case: Case, version: int, fact: e.SurveillanceDue) -> None:
    certificate.due_announced.add(fact.due_on)


def _overdue(certificate: Certificate, case: Case | None, version: int, fact: e.SurveillanceOverdue) -> None:
    certificate.overdue_announced.add(fact.due_on)


def _appealed(certificate: Certificate, case: Case, version: int, fact: e.AppealLodged) -> None:
    case.against, case.decide_by = fact.against, fact.decide_by


def _complained(certificate: Certificate, case: Case, version: int, fact: e.ComplaintLodged) -> None:
    case.decide_by = fact.decide_by


def _dispute_decided(
    certificate: Certificate, case: Case, version: int, fact: e.AppealDecided | e.ComplaintDecided
) -> None:
    case.upheld = fact.upheld


def _corrected(certificate: Certificate, case: Case | None, version: int, fact: e.RecordCorrected) -> None:
    certificate.unsupported |= dict.fromkeys(fact.unsupported, fact.effective_on)


def _adopted(certificate: Certificate, case: Case | None, version: int, fact: e.EditionAdopted) -> None:
    certificate.edition = fact.new
    certificate.editions.put(fact.effective_on, fact.new)
    certificate.due = fact.due or certificate.due
    if fact.carried:
        certificate.checks = {each.element: each.checked_on for each in fact.carried if each.checked_on}
        certificate.findings = taken_over(certificate.findings, fact.carried)
        certificate.carried += (Carrying(version, fact.carried),)


def _proposed(certificate: Certificate, case: Case | None, version: int, fact: e.ActProposed) -> None:
    certificate.proposals[version] = Proposal(version, fact)


def _rejected(certificate: Certificate, case: Case | None, version: int, fact: e.ProposalRejected) -> None:
    if fact.proposal is not None and fact.proposal in certificate.proposals:
        certificate.proposals[fact.proposal].state = "rejected"


def _settle(certificate: Certificate, case: Case | None, kind: type[e.Fact]) -> None:
    """What waited to be decided again is decided; a level is not, by a certificate kept after a visit or suspended."""
    settled_level = kind not in (e.CertificationMaintained, e.CertificateSuspended) or (case and case.kind == "regrade")
    for version in list(certificate.unsupported):
        if settled_level or version not in certificate.gradings:
            del certificate.unsupported[version]


_GRADING = frozenset({e.CertificationGranted, e.CertificateRenewed, e.GradeChanged})
"""Decisions that give a level."""

DECISIONS = frozenset({
    e.CertificationMaintained, e.GradeChanged, e.CertificateRenewed, e.CertificateSuspended, e.CertificateWithdrawn,
    e.CertificateCancelled, e.CertificateExpired,
})  # fmt: skip
"""Facts that settle what an earlier correction left to be decided again."""

_ASSIGN: dict[type[e.Fact], Callable[[Certificate, Any, int, Any], None]] = {
    e.ApplicationSubmitted: _submitted,
    e.AssessmentPlanned: _planned,
    e.SurveillancePlanned: _visit_planned,
    e.AssessmentRecorded: _assessed,
    e.SurveillanceRecorded: _visited,
    e.NonconformityClosed: _closed,
    e.AssessmentReviewed: _reviewed,
    e.GradeDetermined: _graded,
    e.CertificateIssued: _issued,
    e.CertificateRenewed: _renewed,
    e.CertificateReissued: _reissued,
    e.GradeChanged: _regraded,
    e.CertificateSuspended: _suspended,
    e.SuspensionExtended: _extended,
    e.CertificateReinstated: _reinstated,
    e.WithdrawalOpened: _withdrawal_opened,
    e.WithdrawalDropped: _withdrawal_dropped,
    e.CertificateWithdrawn: _withdrawn,
    e.CertificateCancelled: _cancelled,
    e.CertificateExpired: _expired,
    e.SurveillanceDue: _due,
    e.SurveillanceOverdue: _overdue,
    e.AppealLodged: _appealed,
    e.AppealDecided: _dispute_decided,
    e.ComplaintLodged: _complained,
    e.ComplaintDecided: _dispute_decided,
    e.RecordCorrected: _corrected,
    e.EditionAdopted: _adopted,
    e.ActProposed: _proposed,
    e.ProposalRejected: _rejected,
}
