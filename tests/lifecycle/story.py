"""given / when / then for one certificate: whole chapters of a life, told in one line each."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from fractions import Fraction
from typing import Any, Self

from lifecycle import commands as c
from lifecycle import events as e
from tests.lifecycle.telling import (
    CERTIFICATE,
    CSP,
    EDITION,
    ORGANISATION,
    ROLES,
    SHA,
    Telling,
    around,
    day,
    decimal,
    reasons,
    shown,
)

__all__ = [
    "CERTIFICATE",
    "CSP",
    "EDITION",
    "ORGANISATION",
    "ROLES",
    "SHA",
    "Story",
    "around",
    "day",
    "decimal",
    "reasons",
    "shown",
]


class Story(Telling):
    """One certificate's life in chapters: each is carried by the persons whose part it is, all on one day."""

    def findings(
        self,
        lost: str = "0",
        nonconforming: Iterable[str] = (),
        elements: Iterable[str] = (),
        scored: bool = True,
    ) -> tuple[e.Finding, ...]:
        """Findings of full marks, less ``lost``, which is taken from the elements in order."""
        remaining, found = Fraction(lost), []
        for code in elements or self.edition.elements:
            weight = self.edition.elements[code].weight
            taken = min(remaining, weight)
            remaining -= taken
            outcome = "nonconforming" if code in nonconforming else "conforming"
            found.append(e.Finding(code, outcome, decimal(weight - taken) if scored else None))
        return tuple(found)

    def applies(self, kind: str = "initial", **given: Any) -> int:
        application = {
            "organisation": ORGANISATION,
            "scheme": self.editions[self.edition_applied_for].scheme,
            "certification_type": "star",
            "holder": "Example Alarm Ltd",
            "address": "1 Example Road",
            "scope": "alarm operation",
            "certificate_id": None if kind == "initial" else CERTIFICATE,
        }
        self.does("holder", c.SubmitApplication(kind=kind, **(application | given)))
        return self.case(kind)

    def accepted(self, case: int) -> None:
        self.does("reg", c.ReviewApplication(case=case, outcome="accepted"))

    def planned(
        self, case: int, team: tuple[str, ...] = ("ana",), on: date | None = None, draw: tuple[str, ...] | None = None
    ) -> None:
        on = on or self.today
        self.does("reg", c.Plan(case=case, team=team, on_site_from=on, on_site_to=on, draw=draw))

    def assessed(
        self, case: int, findings: tuple[e.Finding, ...] | None = None, on: date | None = None, **given: Any
    ) -> None:
        on, by = on or self.today, given.pop("by", "ana")
        found = self.findings() if findings is None else findings
        self.does(by, c.RecordAssessment(case=case, on_site_from=on, on_site_to=on, findings=found, **given))

    def reviewed(self, case: int, by: str = "rev") -> None:
        self.does(by, c.ReviewAssessment(case=case, recommendation="grant"))

    def graded(self, kind: str = "initial", findings: tuple[e.Finding, ...] | None = None, **given: Any) -> int:
        """An application carried to its grade, all on one day."""
        deductions = given.pop("deductions", ())
        case = self.applies(kind, **given)
        self.accepted(case)
        self.planned(case)
        self.assessed(case, findings, deductions=deductions)
        self.reviewed(case)
        return case

    def decided(self, case: int, outcome: str, *because: str) -> list[e.Fact]:
        return self.both(c.Decide(case=case, outcome=outcome, reasons=reasons(*because)))

    def issued(self, findings: tuple[e.Finding, ...] | None = None, **given: Any) -> Self:
        """A certificate issued today."""
        self.decided(self.graded("initial", findings, **given), "grant")
        self.does("reg", c.Issue())
        return self

    def renewed(self, findings: tuple[e.Finding, ...] | None = None, **given: Any) -> Self:
        self.decided(self.graded("renewal", findings, **given), "renew")
        return self

    def regraded(self, findings: tuple[e.Finding, ...] | None = None, **given: Any) -> Self:
        self.decided(self.graded("regrade", findings, **given), "change_grade")
        return self

    def visit_opened(self) -> int:
        """The open visit case: of the visit due, or one wished."""
        self.ticks()
        if not self.certificate.open_case("visit"):
            self.does("reg", c.RequestVisit(grounds="early visit"))
        return self.certificate.open_case("visit").version

    def visit_recorded(self, findings: tuple[e.Finding, ...] | None = None, **given: Any) -> int:
        """A visit wished (unless one is open), planned and recorded today."""
        case = self.visit_opened()
        self.planned(case)
        draw = self.certificate.cases[case].draw
        scored = self.edition.certification_types[self.certificate.types.last].scored
        self.assessed(case, findings or self.findings(elements=draw, scored=scored), **given)
        return case

    def visited(self) -> Self:
        """A visit made today, after which the certificate is maintained."""
        self.decided(self.visit_recorded(), "maintain")
        return self

    def suspended(self, **given: Any) -> list[e.Fact]:
        return self.both(c.Suspend(reasons=given.pop("reasons", reasons("mark_misused")), **given))

    def reinstated(self, **given: Any) -> list[e.Fact]:
        closed = given.pop("closed", self.certificate.suspension_reasons)
        return self.both(c.Reinstate(grounds="put right", closed=closed, **given))

    def withdrawn(self, **given: Any) -> list[e.Fact]:
        return self.both(c.Withdraw(reasons=reasons("requirements_not_met"), **given))

    def cancelled(self, **given: Any) -> list[e.Fact]:
        return self.does("holder", c.Cancel(reasons=reasons("holder_request"), **given))

    def appealed(self, against: int, by: str = "dina", *, upheld: bool = True) -> int:
        """An appeal lodged and decided today; the number of its case."""
        self.does("holder", c.LodgeAppeal(against=against, grounds="we differ"))
        case = self.case("appeal")
        self.does(by, c.DecideDispute(case=case, upheld=upheld, grounds="looked into"))
        return case

    def corrected(self, target: int, *changes: e.Change, **given: Any) -> e.RecordCorrected:
        """A correction by two persons who stood on no team."""
        self.both(c.Correct(target=target, reason="a slip", changes=changes, **given))
        return self.last
