"""given / when / then for one certificate: a story is told in acts of persons on days, and read back as facts.

Every act goes through the real decisions; what they return is appended to the history, after it has been through its
stored form. ``refusing`` holds that a refusal records nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

import pytest

from lifecycle import commands as c
from lifecycle import decide, errors
from lifecycle import events as e
from lifecycle.certificate import Certificate, fold
from lifecycle.decisions.clock import owed
from lifecycle.decisions.moment import Moment
from lifecycle.events import Recorded
from lifecycle.periods import day_start, legal_day
from lifecycle.rules import Edition, shipped_editions
from lifecycle.status import Answer, answer_on

CERTIFICATE = UUID("11111111-1111-4111-8111-111111111111")
ORGANISATION = UUID("22222222-2222-4222-8222-222222222222")
CSP = "CSP-S01-001"
EDITION = "CSP-S01-001:2021"
SHA = "0" * 64

ROLES: dict[str, e.Role] = {
    "reg": "registrar",
    "ana": "assessor",
    "bob": "assessor",
    "rev": "decision_maker",
    "dora": "decision_maker",
    "dan": "decision_maker",
    "dina": "decision_maker",
    "holder": "applicant",
}
"""The persons of every story, with the role each acts in unless another is given."""


def day(text: str) -> date:
    return date.fromisoformat(text)


def around(text: str) -> tuple[date, date, date]:
    """The day before, the day, the day after."""
    the_day = day(text)
    return the_day - e.ONE_DAY, the_day, the_day + e.ONE_DAY


def reasons(*codes: str) -> tuple[e.Reason, ...]:
    return tuple(e.Reason(code) for code in codes)


def decimal(value: Fraction) -> str:
    """An exact decimal string of a fraction that has one."""
    return str(Decimal(value.numerator) / Decimal(value.denominator))


class Story:
    """One certificate's stream in the making. ``today`` is the day; every act records what the decisions return.

    ``edition`` is the one in force for what will be applied for; ``editions`` are all there are.
    """

    def __init__(
        self, today: str = "2024-01-15", editions: dict[str, Edition] | None = None, edition: str = EDITION
    ) -> None:
        self.today = day(today)
        self.history: list[Recorded] = []
        self.editions = editions or shipped_editions()
        self.edition_applied_for = edition
        self.conflicts: dict[str, frozenset[UUID]] = {person: frozenset() for person in ROLES}
        self.serial = 0

    # ---- acts ----

    def on(self, today: str | date) -> Story:
        self.today = day(today) if isinstance(today, str) else today
        return self

    def moment(self, person: str, *, role: e.Role | None = None, key: str | None = None) -> Moment:
        self.serial += 1
        return Moment(
            today=self.today,
            by=e.By(person, role or ROLES[person], key or f"key-{person}"),
            cause=e.Cause("request", f"r{self.serial}"),
            editions=self.editions,
            number=f"CSP-S01-{self.today.year}-{self.serial:05d}",
            conflicts=self.conflicts,
        )

    def does(self, person: str, command: c.Command, **key: Any) -> list[e.Fact]:
        """One person acts alone."""
        return self._append(decide.decide(self.certificate, command, self.moment(person, **key)))

    def proposes(self, person: str, command: c.Command, **key: Any) -> int:
        """The number of the proposal."""
        self._append(decide.propose(self.certificate, command, self.moment(person, **key)))
        return self.history[-1].version

    def approves(self, person: str, proposal: int, digest: str | None = None, **key: Any) -> list[e.Fact]:
        digest = digest or self.certificate.proposals[proposal].proposed.digest
        return self._append(decide.approve(self.certificate, proposal, digest, self.moment(person, **key)))

    def rejects(self, person: str, proposal: int, **key: Any) -> list[e.Fact]:
        return self._append(decide.reject(self.certificate, proposal, "not so", self.moment(person, **key)))

    def both(self, command: c.Command, persons: tuple[str, str] = ("dora", "dan")) -> list[e.Fact]:
        """Two persons act: the first proposes, the second approves."""
        return self.approves(persons[1], self.proposes(persons[0], command))

    def ticks(self) -> list[e.Fact]:
        return self._append(owed(self.certificate, self.today))

    def given(self, *facts: e.Fact) -> Story:
        """Facts put into the stream as they are."""
        self._append(facts)
        return self

    @contextmanager
    def refusing(self, refusal: type[errors.Refusal], **facts: Any) -> Iterator[None]:
        """What is asked inside is refused so, for these facts, and nothing is recorded."""
        before = list(self.history)
        with pytest.raises(refusal) as caught:
            yield
        assert self.history == before, "a refusal records nothing"
        assert {name: caught.value.facts[name] for name in facts} == facts
        assert all(caught.value.message(language) for language in ("en", "zh"))

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
    def certificate(self) -> Certificate:
        return fold(CERTIFICATE, tuple(self.history))

    def known_on(self, known: date) -> Certificate:
        """The certificate as it was known at the end of that legal day."""
        return fold(CERTIFICATE, tuple(r for r in self.history if legal_day(r.recorded_at) <= known))

    @property
    def last(self) -> e.Fact:
        return self.history[-1].fact

    @property
    def names(self) -> list[str]:
        return [type(recorded.fact).__name__ for recorded in self.history]

    @property
    def clock_facts(self) -> list[e.Fact]:
        return [recorded.fact for recorded in self.history if recorded.fact.cause.kind == "clock"]

    @property
    def edition(self) -> Edition:
        return self.editions[self.certificate.edition or self.edition_applied_for]

    @property
    def number(self) -> str:
        """The number printed last."""
        return [r.fact.number for r in self.history if isinstance(r.fact, e.Certificate)][-1]

    def case(self, kind: str) -> int:
        return max(case.version for case in self.certificate.cases.values() if case.kind == kind)

    def version_of(self, fact: type[e.Fact]) -> int:
        """The version of the last such fact."""
        return max(recorded.version for recorded in self.history if isinstance(recorded.fact, fact))

    def status_on(self, on: date) -> str:
        return self.certificate.status_on(on)

    def shown(self, number: str | None = None, on: date | None = None) -> Answer:
        """What the public is told today of a number (the last printed), for a day (today)."""
        return shown(self.certificate, number or self.number, on or self.today, self.editions)

    # ---- chapters ----

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

    def issued(self, findings: tuple[e.Finding, ...] | None = None, **given: Any) -> Story:
        """A certificate issued today."""
        self.decided(self.graded("initial", findings, **given), "grant")
        self.does("reg", c.Issue())
        return self

    def renewed(self, findings: tuple[e.Finding, ...] | None = None, **given: Any) -> Story:
        self.decided(self.graded("renewal", findings, **given), "renew")
        return self

    def regraded(self, findings: tuple[e.Finding, ...] | None = None, **given: Any) -> Story:
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

    def visited(self) -> Story:
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


def shown(certificate: Certificate, number: str, on: date, editions: dict[str, Edition]) -> Answer:
    """The public answer, from whatever is known of the certificate."""
    stars = {id: {code: level.stars for code, level in each.levels.items()} for id, each in editions.items()}
    return answer_on(certificate, number, on, stars)
