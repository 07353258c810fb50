"""What somebody may think of doing next with a certificate: mostly what its state asks for, sometimes nonsense.

A question of chance alone, asked of a seeded ``Random``: the same state and the same seed give the same act.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import NamedTuple

from lifecycle import commands as c
from lifecycle import events as e
from lifecycle.amendment import amend, value_at
from lifecycle.certificate import Case, Certificate, Proposal
from lifecycle.decisions.correction import CORRECTABLE
from lifecycle.rules import Edition
from lifecycle.transitions import ENDED

ASSESSORS = ("ana", "bob")
DECIDERS = ("dora", "dan", "rev")
JUDGE = "jo"
ROLES: dict[str, e.Role] = {
    "adm": "administrator",
    "reg": "registrar",
    **dict.fromkeys(ASSESSORS, "assessor"),
    **dict.fromkeys((*DECIDERS, JUDGE), "decision_maker"),
    "holder": "applicant",
}
DISPUTES = ("appeal", "complaint")
LISTS = {"/findings", "/deductions", "/drawn", "/draw", "/reasons"}
SHA = "0" * 64


class Act(NamedTuple):
    """Somebody does something; ``proposal`` is the one that an approval or rejection is about."""

    person: str
    command: c.Command | c.Approve | c.Reject
    proposal: int | None = None


class Acts:
    """Acts thought of for one certificate on one day."""

    def __init__(self, certificate: Certificate, edition: Edition, today: date, chance: Random) -> None:
        self.certificate = certificate
        self.edition = edition
        self.today = today
        self.chance = chance

    def next(self) -> Act | None:
        """Usually what moves the certificate on, often nothing, now and then anything at all."""
        chance = self.chance.random()
        if chance < 0.85 and (waiting := [*self._proposals()] or [*self._cases()]):
            return self.chance.choice(waiting)
        if chance < 0.2 and (fitting := [*self._of_status()]):
            return self.chance.choice(fitting)
        if chance < 0.92:
            return None
        return self.chance.choice([*self._of_status(), *self._beside(), *self._nonsense()])

    # ---- what waits ----

    def _proposals(self) -> Iterator[Act]:
        for proposal in self.certificate.proposals.values():
            if proposal.state == "open" and self.today <= proposal.proposed.expires_on:
                yield self._answered(proposal)

    def _answered(self, proposal: Proposal) -> Act:
        others = [person for person in DECIDERS if person != proposal.proposed.by.person]
        if self.chance.random() < 0.1:
            return Act(self.chance.choice(others), c.Reject(reason="not so"), proposal.number)
        return Act(self.chance.choice(others), c.Approve(digest=proposal.proposed.digest), proposal.number)

    def _cases(self) -> Iterator[Act]:
        live = self.certificate.status_on(self.today) not in ENDED
        for case in self.certificate.cases.values():
            if case.is_open and (live or case.kind in DISPUTES):
                yield from self._stage(case)

    def _stage(self, case: Case) -> Iterator[Act]:
        match case.kind, case.stage:
            case ("appeal" | "complaint"), _:
                judge, upheld = self.chance.choice((JUDGE, *DECIDERS)), self.chance.random() < 0.5
                yield Act(judge, c.DecideDispute(case=case.version, upheld=upheld, grounds="looked into"))
            case "visit", "opened" | "planned":
                yield self._plan(case)
                if case.stage == "planned":
                    yield self._record(case, case.draw)
            case "visit", "assessed":
                yield from self._closures(case)
                yield self._decide(case, self.chance.choice(("maintain", "maintain", "change_grade")))
            case _, "opened":
                yield Act("reg", c.ReviewApplication(case=case.version, outcome="accepted"))
            case _, "accepted" | "planned":
                yield self._plan(case)
                if case.stage == "planned":
                    yield self._record(case, tuple(self.edition.elements))
            case _, "assessed":
                yield from self._closures(case)
                yield self._decider(c.ReviewAssessment(case=case.version, recommendation="as found"))
            case _, "graded":
                outcome = {"initial": "grant", "renewal": "renew", "regrade": "change_grade"}[case.kind]
                yield self._decide(case, self.chance.choice((outcome, outcome, outcome, "maintain", "refuse")))
            case _, "granted":
                yield Act("reg", c.Issue())

    def _closures(self, case: Case) -> Iterator[Act]:
        for element in case.open_nonconformities:
            yield Act(self.chance.choice(sorted(case.team)), c.CloseNonconformity(case=case.version, element=element))

    # ---- what the status allows ----

    def _of_status(self) -> Iterator[Act]:
        match self.certificate.status_on(self.today):
            case "none":
                yield from self._withdrawn_applications()
            case "active":
                yield self._decider(c.Suspend(reasons=(e.Reason("mark_misused"),)))
                yield from self._in_time()
                yield from self._of_live()
            case "suspended":
                for _ in range(3):
                    closed = self.certificate.suspension_reasons
                    yield self._decider(c.Reinstate(grounds="put right", closed=closed))
                yield self._decider(
                    c.ExtendSuspension(reasons=(e.Reason("mark_misused"),), ends_on=self._day(0, 120))
                )
                yield from self._of_live()

    def _in_time(self) -> Iterator[Act]:
        """What is due before long, and seldom what is not."""
        until, due = self.certificate.valid_until, self.certificate.due
        if self.chance.random() < 0.05 or (until and until - self.today < timedelta(days=200)):
            yield from (self._application("renewal"), self._application("renewal"))
        if self.chance.random() < 0.1 or (due and due.notice_on < self.today):
            yield Act("reg", c.RequestVisit(grounds="a visit is wished"))

    def _of_live(self) -> Iterator[Act]:
        if self.chance.random() < 0.2:
            yield self._application("regrade")
        yield Act("reg", c.Reissue(reasons=(e.Reason("name_changed"),), holder=f"Holder {self.chance.randrange(9)}"))
        if self.chance.random() < 0.15:
            yield self._ending()

    def _ending(self) -> Act:
        return self.chance.choice((
            self._decider(c.Withdraw(reasons=(e.Reason("requirements_not_met"),))),
            self._decider(c.ProceedToWithdrawal(step="open", reasons=(e.Reason("requirements_not_met"),))),
            self._decider(c.ProceedToWithdrawal(step="drop", grounds="put right")),
            Act("holder", c.Cancel(reasons=(e.Reason("holder_request"),))),
        ))  # fmt: skip

    def _withdrawn_applications(self) -> Iterator[Act]:
        for case in self.certificate.cases.values():
            if case.is_open and self.chance.random() < 0.02:
                yield Act("holder", c.WithdrawApplication(case=case.version))

    # ---- what is possible at any time ----

    def _beside(self) -> Iterator[Act]:
        version = self.chance.randint(1, max(1, self.certificate.version))
        yield Act("holder", c.LodgeAppeal(against=version, grounds="we differ"))
        yield Act("holder", c.LodgeComplaint(grounds="nobody answers"))
        yield Act("reg", c.Notify(of=version, served_on=self._day(-10, 1), proof_sha256=SHA))
        upheld = [case.version for case in self.certificate.cases.values() if case.kind == "appeal" and case.upheld]
        if upheld:
            yield self._decider(c.Reinstate(grounds="appeal upheld", appeal=upheld[-1]))
        if not any(getattr(recorded.fact, "score", "") is None for recorded in self.certificate.history):  # FIXME
            yield from (self._correction() for _ in range(3))

    def _correction(self) -> Act:
        recorded = self.chance.choice(amend(self.certificate.history))
        paths = self._correctable(recorded.fact)
        if not paths:
            return self._decider(c.Correct(target=recorded.version, reason="a slip", void=True))
        path = self.chance.choice(paths)
        old = value_at(recorded.fact, path)
        change = e.Change(path, old, self._other(old))
        return self._decider(c.Correct(target=recorded.version, reason="a slip", changes=(change,)))

    def _correctable(self, fact: e.Fact) -> list[str]:
        paths = sorted(CORRECTABLE.get(type(fact), frozenset()) - LISTS)
        return paths + [f"/findings/{f.element}/marks" for f in getattr(fact, "findings", ()) if f.marks is not None]

    def _other(self, old: object) -> object:
        text = str(old)
        if len(text) == 10 and text[4] == text[7] == "-":
            return (date.fromisoformat(text) + timedelta(days=self.chance.randint(-3, 3))).isoformat()
        if text.replace(".", "").isdigit():
            return self.chance.choice(("0", "1", "2.5"))
        return f"{text}, corrected"

    def _nonsense(self) -> Iterator[Act]:
        case = self.chance.randint(0, self.certificate.version + 1)
        yield Act("reg", c.Issue())
        yield Act("reg", c.Issue(effective_on=self._day(-400, 400)))
        yield self._decider(c.Decide(case=case, outcome="grant"))
        yield self._decider(c.Decide(case=case, outcome="renew"))
        yield self._decider(c.Suspend(reasons=(e.Reason("mark_misused"),), effective_on=self._day(-60, 60)))
        yield self._decider(c.Withdraw(reasons=(e.Reason("no such reason"),)))
        yield Act("ana", c.CloseNonconformity(case=case, element="no such element"))
        yield Act("dora", c.Approve(digest=SHA), case)
        yield Act("ana", c.Suspend(reasons=(e.Reason("mark_misused"),)))

    # ---- parts ----

    def _decider(self, command: c.Command) -> Act:
        return Act(self.chance.choice(DECIDERS), command)

    def _decide(self, case: Case, outcome: str) -> Act:
        reasons = (e.Reason("evidence_insufficient"),) if outcome == "refuse" else ()
        return self._decider(c.Decide(case=case.version, outcome=outcome, reasons=reasons))

    def _application(self, kind: str) -> Act:
        first = next(case.application for case in self.certificate.cases.values() if case.application)
        command = c.SubmitApplication(
            kind=kind,
            organisation=first.organisation,
            scheme=first.scheme,
            certification_type=self.chance.choice(("star", "star", "conformity")),
            holder=first.holder,
            address=first.address,
            scope=self.chance.choice((first.scope, "alarm operation and patrols")),
            accepts_conformity=self.chance.random() < 0.7,
            certificate_id=self.certificate.id,
        )
        return Act("holder", command)

    def _plan(self, case: Case) -> Act:
        on = self._day(0, 20)
        team = (self.chance.choice(ASSESSORS),)
        return Act("reg", c.Plan(case=case.version, team=team, on_site_from=on, on_site_to=on))

    def _record(self, case: Case, elements: tuple[str, ...]) -> Act:
        on = max(self._day(-5, 0), case.last_on - timedelta(days=self.chance.randint(0, 3)))
        findings = tuple(self._finding(case, element) for element in elements)
        command = c.RecordAssessment(case=case.version, on_site_from=on, on_site_to=on, findings=findings)
        return Act(case.planned_team[0], command)

    def _finding(self, case: Case, element: str) -> e.Finding:
        kind = case.application.certification_type if case.application else self.certificate.types.last
        scored = self.edition.certification_types[kind or "star"].scored
        weight = self.edition.elements[element].weight
        lost = self.chance.choice((0, 0, 0, 0, 0, 0, 0, 1, 1, 2)) * weight / 4
        marks = str(Decimal((weight - lost).numerator) / Decimal((weight - lost).denominator)) if scored else None
        return e.Finding(element, "nonconforming" if self.chance.random() < 0.02 else "conforming", marks)

    def _day(self, earliest: int, latest: int) -> date:
        return self.today + timedelta(days=self.chance.randint(earliest, latest))
