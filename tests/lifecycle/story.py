"""given / when / then for one certificate: a story is told in acts of persons on days, and read back as facts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from lifecycle import commands as c
from lifecycle import decide
from lifecycle import events as e
from lifecycle.certificate import Certificate, fold
from lifecycle.decisions.clock import owed
from lifecycle.decisions.moment import Moment
from lifecycle.events import Recorded
from lifecycle.periods import day_start
from lifecycle.rules import Edition, shipped_editions

CERTIFICATE = UUID("11111111-1111-4111-8111-111111111111")
ORGANISATION = UUID("22222222-2222-4222-8222-222222222222")
CSP = "CSP-S01-001"

ROLES: dict[str, e.Role] = {
    "reg": "registrar",
    "ana": "assessor",
    "bob": "assessor",
    "rev": "decision_maker",
    "dora": "decision_maker",
    "dan": "decision_maker",
    "holder": "applicant",
}
"""The persons of every story, with the role each acts in."""


def day(text: str) -> date:
    return date.fromisoformat(text)


def reasons(*codes: str) -> tuple[e.Reason, ...]:
    return tuple(e.Reason(code) for code in codes)


class Story:
    """One certificate's stream in the making. ``at`` is today; every act records what the real decisions return."""

    def __init__(self, today: str = "2024-01-15", editions: dict[str, Edition] | None = None) -> None:
        self.today = day(today)
        self.history: list[Recorded] = []
        self.editions = editions or shipped_editions()
        self.conflicts: dict[str, frozenset[UUID]] = {person: frozenset() for person in ROLES}
        self.serial = 0

    # ---- acts ----

    def on(self, text: str) -> Story:
        self.today = day(text)
        return self

    def moment(self, person: str, **given: Any) -> Moment:
        self.serial += 1
        return Moment(
            today=self.today,
            by=e.By(person, given.pop("role", ROLES[person]), f"key-{person}"),
            cause=e.Cause("request", f"r{self.serial}"),
            editions=self.editions,
            number=f"CSP-S01-{self.today.year}-{self.serial:05d}",
            conflicts=self.conflicts,
            **given,
        )

    @property
    def certificate(self) -> Certificate:
        return fold(CERTIFICATE, tuple(self.history))

    def does(self, person: str, command: c.Command) -> list[e.Fact]:
        """One person acts alone."""
        return self._append(decide.decide(self.certificate, command, self.moment(person)))

    def proposes(self, person: str, command: c.Command) -> int:
        """The number of the proposal."""
        self._append(decide.propose(self.certificate, command, self.moment(person)))
        return self.history[-1].version

    def approves(self, person: str, proposal: int, digest: str | None = None) -> list[e.Fact]:
        digest = digest or self.certificate.proposals[proposal].proposed.digest
        return self._append(decide.approve(self.certificate, proposal, digest, self.moment(person)))

    def both(self, command: c.Command, persons: tuple[str, str] = ("dora", "dan")) -> list[e.Fact]:
        """Two persons act: the first proposes, the second approves."""
        return self.approves(persons[1], self.proposes(persons[0], command))

    def ticks(self) -> list[e.Fact]:
        return self._append(owed(self.certificate, self.today))

    def given(self, *facts: e.Fact) -> Story:
        """Facts put into the stream as they are."""
        self._append(facts)
        return self

    def _append(self, facts: Iterable[e.Fact]) -> list[e.Fact]:
        facts = list(facts)
        instant = day_start(self.today) + timedelta(hours=9, seconds=len(self.history))
        for fact in facts:
            version = len(self.history) + 1
            assert e.decode(e.encode(fact)) == fact, "every fact survives its storage"
            self.history.append(Recorded(CERTIFICATE, version, fact, version, instant))
        return facts

    # ---- reading back ----

    @property
    def last(self) -> e.Fact:
        return self.history[-1].fact

    @property
    def names(self) -> list[str]:
        return [type(recorded.fact).__name__ for recorded in self.history]

    def case(self, kind: str) -> int:
        return max(case.version for case in self.certificate.cases.values() if case.kind == kind)

    def version_of(self, fact: type[e.Fact]) -> int:
        """The version of the last such fact."""
        return max(recorded.version for recorded in self.history if isinstance(recorded.fact, fact))

    # ---- chapters ----

    @property
    def edition(self) -> Edition:
        return self.editions[self.certificate.edition or "CSP-S01-001:2021"]

    def findings(self, lost: str = "0", nonconforming: Iterable[str] = (), elements: Iterable[str] = (), scored: bool = True) -> tuple[e.Finding, ...]:
        """Findings of full marks, less ``lost``, which is taken from the elements in order."""
        from fractions import Fraction

        remaining, found = Fraction(lost), []
        for code in elements or self.edition.elements:
            weight = self.edition.elements[code].weight
            taken = min(remaining, weight)
            remaining -= taken
            outcome = "nonconforming" if code in nonconforming else "conforming"
            found.append(e.Finding(code, outcome, decimal(weight - taken) if scored else None))
        return tuple(found)

    def applies(self, kind: str = "initial", certification_type: str = "star", accepts_conformity: bool = False, **given: Any) -> int:
        self.does(
            "holder",
            c.SubmitApplication(
                kind=kind,
                organisation=ORGANISATION,
                scheme=given.pop("scheme", CSP),
                certification_type=certification_type,
                holder="Example Alarm Ltd",
                address="1 Example Road",
                scope="alarm operation",
                accepts_conformity=accepts_conformity,
                certificate_id=None if kind == "initial" else CERTIFICATE,
                **given,
            ),
        )
        return self.case(kind)

    def accepted(self, case: int) -> None:
        self.does("reg", c.ReviewApplication(case=case, outcome="accepted"))

    def planned(self, case: int, team: tuple[str, ...] = ("ana",), on: date | None = None) -> None:
        self.does("reg", c.Plan(case=case, team=team, on_site_from=on or self.today, on_site_to=on or self.today))

    def assessed(self, case: int, findings: tuple[e.Finding, ...] | None = None, on: date | None = None, **given: Any) -> None:
        on = on or self.today
        self.does(
            given.pop("by", "ana"),
            c.RecordAssessment(
                case=case,
                on_site_from=on,
                on_site_to=on,
                findings=self.findings() if findings is None else findings,
                **given,
            ),
        )

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

    def issued(self, findings: tuple[e.Finding, ...] | None = None, **given: Any) -> Story:
        """A certificate issued today."""
        case = self.graded("initial", findings, **given)
        self.both(c.Decide(case=case, outcome="grant"))
        self.does("reg", c.Issue())
        return self

    def visit_recorded(self, findings: tuple[e.Finding, ...] | None = None, **given: Any) -> int:
        """A visit wished (unless one is open), planned and recorded today."""
        if not self.certificate.open_case("visit"):
            self.ticks()
        if not self.certificate.open_case("visit"):
            self.does("reg", c.RequestVisit(grounds="early visit"))
        case = self.case("visit")
        self.planned(case)
        draw = self.certificate.cases[case].draw
        scored = self.edition.certification_types[self.certificate.types.last].scored
        self.assessed(case, findings or self.findings(elements=draw, scored=scored), **given)
        return case

    def suspended(self, **given: Any) -> list[e.Fact]:
        return self.both(c.Suspend(reasons=given.pop("reasons", reasons(next(iter(self.edition.reasons("suspension"))))), **given))


def decimal(value: Any) -> str:
    """An exact decimal string of a fraction that has one."""
    from decimal import Decimal

    return str(Decimal(value.numerator) / Decimal(value.denominator))
