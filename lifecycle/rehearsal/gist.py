"""The gist of one certificate's record: of the whole state what questions take in, folded by itself.

A register is asked again by millions of facts; to fold them whole would take most of the time. It is made of narrow
facts (``narrow``), so no correction, change of grade or adoption is among them. A test holds that its values are those
of the whole fold.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from lifecycle import events as e
from lifecycle.certificate import Carrying, Case, Certificate, conforming
from lifecycle.rehearsal.narrow import for_both
from lifecycle.timeline import Timeline
from lifecycle.transitions import Status


class Stood(NamedTuple):
    """A status that took effect on a day."""

    on: date
    status: Status


@dataclass(slots=True)
class Record:
    """What was recorded of one case that an application opened."""

    application: e.ApplicationSubmitted
    assessment: int | None = None
    found: tuple[e.Finding, ...] = ()
    deductions: tuple[e.Deduction, ...] = ()
    closures: frozenset[str] = frozenset()

    @property
    def findings(self) -> dict[str, e.Finding]:
        return {finding.element: finding for finding in self.found}

    def graded_findings(self, carried: Sequence[Carrying] = ()) -> Sequence[e.Finding]:
        """As Case.graded_findings, nothing having been taken over."""
        if not self.closures:
            return self.found
        return [conforming(f) if f.element in self.closures else f for f in self.found]


@dataclass(slots=True)
class Gist:
    """As the attributes of Certificate with the same names."""

    id: UUID
    edition: str = ""
    standings: list[Stood] = field(default_factory=list)
    suspended_from: date | None = None
    first_certified_on: date | None = None
    document: int = 0
    periods: Timeline[date] = field(default_factory=Timeline)
    numbers: Timeline[str] = field(default_factory=Timeline)
    holders: Timeline[str] = field(default_factory=Timeline)
    checks: dict[str, date] = field(default_factory=dict)
    last_check_on: date | None = None
    carried: tuple[Carrying, ...] = ()
    cases: dict[int | None, Record] = field(default_factory=dict)
    _after: tuple[e.Fact | None, dict[str, date]] = (None, {})

    @property
    def valid_until(self) -> date | None:
        return self.periods.last

    def checks_after(self, fact: e.AssessmentRecorded | e.SurveillanceRecorded) -> dict[str, date]:
        """As Certificate.checks_after; remembered, since several ask the same."""
        if self._after[0] is not fact:
            self._after = fact, self.checks | dict.fromkeys([f.element for f in fact.findings], fact.on_site_to)
        return self._after[1]


Asked = Certificate | Gist
"""Of whom questions are asked: the whole state, or the gist of it."""

AskedCase = Case | Record


def take_in(gist: Gist, version: int, fact: e.Fact) -> None:
    """The gist one fact further on. Assigns only."""
    if (assign := _ASSIGN.get(type(fact))) is not None:
        assign(gist, version, fact)


def _submitted(gist: Gist, version: int, fact: e.ApplicationSubmitted) -> None:
    gist.cases[fact.case] = Record(fact)
    if fact.kind == "initial":
        gist.edition = fact.edition or ""


def _assessed(gist: Gist, version: int, fact: e.AssessmentRecorded) -> None:
    case = gist.cases[fact.case]
    case.assessment, case.found, case.deductions = version, fact.findings, fact.deductions
    case.closures = frozenset()
    if fact.due is not None:
        _visited(gist, version, fact)


def _visited(gist: Gist, version: int, fact: e.AssessmentRecorded | e.SurveillanceRecorded) -> None:
    gist.checks = gist.checks_after(fact)
    _last_checked(gist, fact.on_site_to)


def _last_checked(gist: Gist, on: date) -> None:
    if gist.last_check_on is None or on > gist.last_check_on:
        gist.last_check_on = on


def _closed(gist: Gist, version: int, fact: e.NonconformityClosed) -> None:
    if (case := gist.cases.get(fact.case)) is not None:  # a visit's findings are not graded here
        case.closures |= {fact.element}


def _printed(gist: Gist, fact: e.Certificate, on: date) -> None:
    gist.document, gist.first_certified_on = fact.document, fact.first_certified_on
    for line, printed in ((gist.numbers, fact.number), (gist.holders, fact.holder)):
        if line.at(on) != printed:
            line.put(on, printed)


def _issued(gist: Gist, version: int, fact: e.CertificateIssued) -> None:
    _printed(gist, fact, fact.valid_from)
    gist.standings.append(Stood(fact.valid_from, "active"))
    gist.periods.put(fact.valid_from, fact.valid_until)
    gist.checks = gist.checks | dict.fromkeys(gist.cases[fact.case].findings, fact.valid_from)
    _last_checked(gist, fact.valid_from)


def _renewed(gist: Gist, version: int, fact: e.CertificateRenewed) -> None:
    _printed(gist, fact, fact.valid_from)
    gist.periods.put(fact.valid_from, fact.valid_until)


def _reissued(gist: Gist, version: int, fact: e.CertificateReissued) -> None:
    _printed(gist, fact, fact.effective_on)


def _suspended(gist: Gist, version: int, fact: e.CertificateSuspended) -> None:
    gist.standings.append(Stood(fact.effective_on, "suspended"))
    gist.suspended_from = fact.effective_on


def _extended(gist: Gist, version: int, fact: e.SuspensionExtended) -> None:
    gist.standings.append(Stood(fact.effective_on, "suspended"))


def _reinstated(gist: Gist, version: int, fact: e.CertificateReinstated) -> None:
    gist.standings.append(Stood(fact.effective_on, "active"))
    gist.suspended_from = None


def _withdrawn(gist: Gist, version: int, fact: e.CertificateWithdrawn) -> None:
    gist.standings.append(Stood(fact.effective_on, "withdrawn"))


def _cancelled(gist: Gist, version: int, fact: e.CertificateCancelled) -> None:
    gist.standings.append(Stood(fact.effective_on, "cancelled"))


_ASSIGN: dict[type[e.Fact], Callable[[Gist, int, Any], None]] = for_both({
        e.ApplicationSubmitted: _submitted,
        e.AssessmentRecorded: _assessed,
        e.SurveillanceRecorded: _visited,
        e.NonconformityClosed: _closed,
        e.CertificateIssued: _issued,
        e.CertificateRenewed: _renewed,
        e.CertificateReissued: _reissued,
            e.CertificateSuspended: _suspended,
        e.SuspensionExtended: _extended,
        e.CertificateReinstated: _reinstated,
        e.CertificateWithdrawn: _withdrawn,
        e.CertificateCancelled: _cancelled,
    })  # fmt: skip
