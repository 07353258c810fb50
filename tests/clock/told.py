"""One certificate's life told through the register's door: acts that succeed, each a request of its own."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from lifecycle import commands as c
from lifecycle import events as e
from lifecycle.certificate import Certificate
from lifecycle.service import Answer, Register
from tests.clock.acts import Act
from tests.clock.world import Present, World, asked, carry_out

_KEYS = count(1)


class Told:
    """One certificate. Every act must succeed, else its refusal is raised."""

    def __init__(self, world: World) -> None:
        self.register: Register = world.register
        self.present: Present = world.present
        self.organisation: UUID = world.organisations[0]
        self.id = uuid4()

    # ---- acts ----

    def does(self, person: str, command: Any, proposal: int | None = None) -> Answer:
        """One person's act."""
        request = asked(person, command, f"told-{next(_KEYS)}")
        return carry_out(self.register, request, self.id, Act(person, command, proposal))

    def proposes(self, command: c.Command, person: str = "dora") -> Act:
        """The proposal, as what somebody else does to approve it."""
        answer = self.does(person, command)
        return Act("dan", c.Approve(digest=answer.digest), answer.proposal)

    def both(self, command: c.Command) -> Answer:
        """Proposed by one person and approved by another."""
        return self.does(*self.proposes(command))

    # ---- reading back ----

    @property
    def certificate(self) -> Certificate:
        return self.register.certificate(self.id)

    @property
    def facts(self) -> list[e.Fact]:
        return [recorded.fact for recorded in self.certificate.history]

    def case(self, kind: str) -> int:
        return max(case.version for case in self.certificate.cases.values() if case.kind == kind)

    # ---- chapters ----

    def applied(self, kind: str = "initial") -> int:
        command = c.SubmitApplication(
            kind=kind,
            organisation=self.organisation,
            scheme="CSP-S01-001",
            certification_type="star",
            holder="Example Alarm Ltd",
            address="1 Example Road",
            scope="alarm operation",
            certificate_id=None if kind == "initial" else self.id,
        )
        self.does("holder", command)
        return self.case(kind)

    def graded(self, kind: str = "initial", lost: int = 0) -> int:
        """A case carried to its grade today; ``lost`` marks of 100."""
        case, today = self.applied(kind), self.present.today
        self.does("reg", c.ReviewApplication(case=case, outcome="accepted"))
        self.does("reg", c.Plan(case=case, team=("ana",), on_site_from=today, on_site_to=today))
        self.does("ana", self.findings(case, self.register.editions["CSP-S01-001:2021"].elements, lost))
        self.does("rev", c.ReviewAssessment(case=case, recommendation="as found"))
        return case

    def granted(self) -> Told:
        """Everything but the issue."""
        self.both(c.Decide(case=self.graded(), outcome="grant"))
        return self

    def issued(self, lost: int = 0) -> Told:
        self.both(c.Decide(case=self.graded("initial", lost), outcome="grant"))
        self.does("reg", c.Issue())
        return self

    def visit_assessed(self) -> int:
        """A visit made today, and not yet decided on."""
        if not self.certificate.open_case("visit"):
            self.does("reg", c.RequestVisit(grounds="a visit is wished"))
        case, today = self.certificate.open_case("visit").version, self.present.today
        self.does("reg", c.Plan(case=case, team=("ana",), on_site_from=today, on_site_to=today))
        self.does("ana", self.findings(case, self.certificate.cases[case].draw, 0))
        return case

    def visited(self) -> Told:
        self.both(c.Decide(case=self.visit_assessed(), outcome="maintain"))
        return self

    def suspended(self) -> Told:
        self.both(c.Suspend(reasons=(e.Reason("mark_misused"),)))
        return self

    def findings(self, case: int, elements: Iterable[str], lost: int) -> c.RecordAssessment:
        """Full marks, less ``lost``, taken from the elements in order; all on site today."""
        known, found = self.register.editions["CSP-S01-001:2021"].elements, []
        for element in elements:
            weight = int(known[element].weight)
            found.append(e.Finding(element, "conforming", str(Decimal(weight - min(lost, weight)))))
            lost -= min(lost, weight)
        today = self.present.today
        return c.RecordAssessment(case=case, on_site_from=today, on_site_to=today, findings=tuple(found))
