"""What the questions take in of one certificate's record: of the whole state those few values, folded by themselves.

A register is asked again by millions of facts; to fold them whole would take most of the time. A test holds that these
values are those of the whole fold.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from lifecycle import events as e
from lifecycle.certificate import Case, Certificate, conforming
from lifecycle.narrow import for_both
from lifecycle.timeline import Timeline
from lifecycle.transitions import Status


class Stood(NamedTuple):
    """A status that took effect on a day."""

    on: date
    status: Status


@dataclass(slots=True)
class Record:
    """What was recorded of one case; a case that nothing opened is a visit's."""

    kind: e.CaseKind = "visit"
    application: e.ApplicationSubmitted | None = None
    assessment: int | None = None
    found: tuple[e.Finding, ...] = ()
    deductions: tuple[e.Deduction, ...] = ()
    closures: frozenset[str] = frozenset()

    @property
    def findings(self) -> dict[str, e.Finding]:
        return {finding.element: finding for finding in self.found}

    def graded_findings(self) -> Sequence[e.Finding]:
        """As Case.graded_findings."""
        if not self.closures:
            return self.found
        return [conforming(f) if f.element in self.closures else f for f in self.found]


@dataclass(slots=True)
class Inputs:
    """As the attributes of Certificate with the same names; ``checked`` is what was found at each check."""

    id: UUID
    accepts_conformity: bool = False
    edition: str = ""
    standings: list[Stood] = field(default_factory=list)
    suspended_from: date | None = None
    first_certified_on: date | None = None
    document: int = 0
    periods: Timeline[date] = field(default_factory=Timeline)
    numbers: Timeline[str] = field(default_factory=Timeline)
    holders: Timeline[str] = field(default_factory=Timeline)
    types: Timeline[str] = field(default_factory=Timeline)
    checks: dict[str, date] = field(default_factory=dict)
    last_check_on: date | None = None
    checked: list[tuple[e.Finding, ...]] = field(default_factory=list)
    cases: dict[int | None, Record] = field(default_factory=lambda: defaultdict(Record))
    _after: tuple[e.Fact | None, dict[str, date]] = (None, {})

    @property
    def valid_until(self) -> date | None:
        return self.periods.last

    @property
    def findings(self) -> dict[str, e.Finding]:
        return {finding.element: finding for found in self.checked for finding in found}

    def checks_after(self, fact: e.AssessmentRecorded | e.SurveillanceRecorded) -> dict[str, date]:
        """As Certificate.checks_after; remembered, since several ask the same."""
        if self._after[0] is not fact:
            self._after = fact, self.checks | dict.fromkeys([f.element for f in fact.findings], fact.on_site_to)
        return self._after[1]


Asked = Certificate | Inputs
"""Of whom questions are asked: the whole state, or what they take in of it."""

AskedCase = Case | Record


def take_in(inputs: Inputs, version: int, fact: e.Fact) -> None:
    """The inputs one fact further on. Assigns only."""
    if (assign := _ASSIGN.get(type(fact))) is not None:
        assign(inputs, version, fact)


def _submitted(inputs: Inputs, version: int, fact: e.ApplicationSubmitted) -> None:
    inputs.cases[fact.case] = Record(fact.kind, fact)
    inputs.accepts_conformity = fact.accepts_conformity
    if fact.kind == "initial":
        inputs.edition = fact.edition or ""


def _assessed(inputs: Inputs, version: int, fact: e.AssessmentRecorded) -> None:
    _recorded(inputs, version, fact).deductions = fact.deductions
    if fact.due is not None:
        _checked(inputs, fact)


def _visited(inputs: Inputs, version: int, fact: e.SurveillanceRecorded) -> None:
    _recorded(inputs, version, fact)
    _checked(inputs, fact)


def _recorded(inputs: Inputs, version: int, fact: e.AssessmentRecorded | e.SurveillanceRecorded) -> Record:
    case = inputs.cases[fact.case]
    case.assessment, case.found, case.closures = version, fact.findings, frozenset()
    return case


def _checked(inputs: Inputs, fact: e.AssessmentRecorded | e.SurveillanceRecorded) -> None:
    inputs.checks = inputs.checks_after(fact)
    inputs.checked.append(fact.findings)
    _last_checked(inputs, fact.on_site_to)


def _last_checked(inputs: Inputs, on: date) -> None:
    if inputs.last_check_on is None or on > inputs.last_check_on:
        inputs.last_check_on = on


def _closed(inputs: Inputs, version: int, fact: e.NonconformityClosed) -> None:
    inputs.cases[fact.case].closures |= {fact.element}


def _printed(inputs: Inputs, fact: e.Certificate, on: date) -> None:
    inputs.document, inputs.first_certified_on = fact.document, fact.first_certified_on
    for line, printed in (
        (inputs.numbers, fact.number),
        (inputs.holders, fact.holder),
        (inputs.types, fact.certification_type),
    ):
        if line.at(on) != printed:
            line.put(on, printed)


def _issued(inputs: Inputs, version: int, fact: e.CertificateIssued) -> None:
    _printed(inputs, fact, fact.valid_from)
    inputs.standings.append(Stood(fact.valid_from, "active"))
    inputs.periods.put(fact.valid_from, fact.valid_until)
    found = inputs.cases[fact.case].found
    inputs.checks = inputs.checks | dict.fromkeys([finding.element for finding in found], fact.valid_from)
    inputs.checked.append(found)
    _last_checked(inputs, fact.valid_from)


def _renewed(inputs: Inputs, version: int, fact: e.CertificateRenewed) -> None:
    _printed(inputs, fact, fact.valid_from)
    inputs.periods.put(fact.valid_from, fact.valid_until)


def _reissued(inputs: Inputs, version: int, fact: e.CertificateReissued) -> None:
    _printed(inputs, fact, fact.effective_on)
    if fact.case in inputs.cases:  # it prints a change of grade, which stands for good
        inputs.types.put(fact.effective_on, fact.certification_type)


def _regraded(inputs: Inputs, version: int, fact: e.GradeChanged) -> None:
    _ = inputs.cases[fact.case]  # also where the visit was voided


def _suspended(inputs: Inputs, version: int, fact: e.CertificateSuspended) -> None:
    inputs.standings.append(Stood(fact.effective_on, "suspended"))
    inputs.suspended_from = fact.effective_on


def _extended(inputs: Inputs, version: int, fact: e.SuspensionExtended) -> None:
    inputs.standings.append(Stood(fact.effective_on, "suspended"))


def _reinstated(inputs: Inputs, version: int, fact: e.CertificateReinstated) -> None:
    inputs.standings.append(Stood(fact.effective_on, "active"))
    inputs.suspended_from = None


def _withdrawn(inputs: Inputs, version: int, fact: e.CertificateWithdrawn) -> None:
    inputs.standings.append(Stood(fact.effective_on, "withdrawn"))


def _cancelled(inputs: Inputs, version: int, fact: e.CertificateCancelled) -> None:
    inputs.standings.append(Stood(fact.effective_on, "cancelled"))


def _adopted(inputs: Inputs, version: int, fact: e.EditionAdopted) -> None:
    inputs.edition = fact.new


_ASSIGN: dict[type[e.Fact], Callable[[Inputs, int, Any], None]] = for_both(
    {
        e.ApplicationSubmitted: _submitted,
        e.AssessmentRecorded: _assessed,
        e.SurveillanceRecorded: _visited,
        e.NonconformityClosed: _closed,
        e.CertificateIssued: _issued,
        e.CertificateRenewed: _renewed,
        e.CertificateReissued: _reissued,
        e.GradeChanged: _regraded,
        e.CertificateSuspended: _suspended,
        e.SuspensionExtended: _extended,
        e.CertificateReinstated: _reinstated,
        e.CertificateWithdrawn: _withdrawn,
        e.CertificateCancelled: _cancelled,
        e.EditionAdopted: _adopted,
    }
)
