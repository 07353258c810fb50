"""One certificate lived twice, by ``lifecycle`` and by the reference model, and compared after every step."""

from collections.abc import Callable
from datetime import date, timedelta
from fractions import Fraction
from random import Random
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from lifecycle import commands as c
from lifecycle import errors
from lifecycle import events as e
from lifecycle.certificate import Certificate
from lifecycle.decisions.clock import owed
from tests.lifecycle.reference import WEIGHTS, Refused
from tests.lifecycle.reference_acts import ReferenceCertificate
from tests.lifecycle.story import Story, decimal, reasons, shown

ELEMENTS = tuple(WEIGHTS)
DAY = timedelta(days=1)

TIMES = [1, 7, 20, 45, 90, 150, "notice_on", "visit_on", "overdue_on", "ends"]
LOSSES = ["0", "2", "4.999999", "5", "5.000001", "10", "15", "16", "25", "30"]
BACK = [0] * 20 + [1, 7, 30, 31]
BAD = [0, 0, 0, 0, 0, 1, 2]
DRAWS = [None, None, None, None, 5, 6, 12, 18]
SIGNERS = [("dora", "dan")] * 16 + [("dora", "dora"), ("dora", "ana"), ("ana", "dan")]
KINDS = [("visit",), ("visit", "renewal", "regrade"), ("renewal", "regrade"), ("appeal", "complaint")]
OF_A_CASE = ("accept", "reject", "withdraw_application", "review", "refuse", "renew", "maintain", "change_grade")
SINGLE = [
    *OF_A_CASE, "plan", "record", "close", "settle", "request_visit", "reissue", "complain", "appeal", "cancel",
    "open_withdrawal", "drop_withdrawal", "suspend", "extend", "reinstate", "reinstate on appeal", "withdraw",
]  # fmt: skip
SENSIBLE = {
    "active": ["suspend"] * 10 + ["maintain"] * 3 + ["reissue", "open_withdrawal", "drop_withdrawal", "withdraw"],
    "suspended": ["extend"] * 6 + ["reinstate"] * 9 + ["reinstate on appeal", "cancel", "renew", "maintain"],
    "withdrawn": ["reinstate on appeal"],
    "cancelled": ["reinstate on appeal"],
    "expired": SINGLE,
}
ONE_PERSON = {
    "submit": "holder", "accept": "reg", "reject": "reg", "withdraw_application": "holder", "plan": "reg",
    "record": "ana", "close": "ana", "review": "rev", "request_visit": "reg", "reissue": "reg",
    "open_withdrawal": "dora", "drop_withdrawal": "dora", "cancel": "holder", "appeal": "holder", "complain": "holder",
    "settle": "dina",
}  # fmt: skip


class TwoAccounts(RuleBasedStateMachine):
    """Rules ask both accounts for the same; ``ask`` holds that both do it or both refuse it."""

    @initialize(
        issued=st.dates(date(2024, 1, 1), date(2025, 12, 31)),
        lost=st.sampled_from(["0", "0", "2", *LOSSES]),
        scored=st.sampled_from([True, True, True, False]),
        accepts=st.booleans(),
    )
    def issue(self, issued: date, lost: str, scored: bool, accepts: bool) -> None:
        self.story, self.text, self.steps = Story().on(issued), 0, 0
        if scored and Fraction(lost) > 25:
            accepts = True
        findings = self.story.findings(lost, scored=scored)
        kind = "star" if scored else "conformity"
        self.story.issued(findings, certification_type=kind, accepts_conformity=accepts)
        marks = {f.element: WEIGHTS[f.element] - Fraction(f.marks) for f in findings} if scored else {}
        self.model = ReferenceCertificate(issued, marks, scored=scored, accepts=accepts)

    # ---- both are asked ----

    def ask(self, name: str, back: int = 0, case: int | None = None, signers=("dora", "dan"), **given: Any) -> bool:
        """Whether both did it. ``case`` counts the cases in the order in which they were opened."""
        if case is not None and len(self.story.certificate.cases) < len(self.model.cases):
            self.story.ticks()
        on = self.story.today - back * DAY
        command = self.command(name, on if back else None, case, given)
        did, refusal = self.by_lifecycle(name, command, signers)
        if name == "plan":
            given["draw"] = getattr(self.story.last, "draw", ()) if did else (given["draw"] or ELEMENTS)
        why = self.by_model(name, on, case, signers, given)
        assert did == (why is None), f"{name} on {on} {given}: lifecycle {refusal or 'did it'}; model {why or 'did it'}"
        return did

    def by_lifecycle(
        self, name: str, command: c.Command, signers: tuple[str, str]
    ) -> tuple[bool, errors.Refusal | None]:
        try:
            if name in ONE_PERSON:
                self.story.does(ONE_PERSON[name], command)
            else:
                number = self.story.proposes(signers[0], command, role="decision_maker")
                self.story.approves(signers[1], number, role="decision_maker")
        except errors.Refusal as refusal:
            return False, refusal
        return True, None

    def by_model(self, name: str, on: date, case: int | None, signers: tuple[str, str], given: dict) -> str | None:
        try:
            self.model.ask(name, on, case, signers, given)
        except Refused as refused:
            return str(refused)
        return None

    def command(self, name: str, on: date | None, case: int | None, given: dict[str, Any]) -> c.Command:
        number = {} if case is None else {"case": list(self.story.certificate.cases)[case]}
        return COMMANDS[name](self, given, {"effective_on": on, **number})

    # ---- what happens: time passes, a case is carried as far as it goes, or one command is asked for ----

    @rule(seed=st.integers(0, 2**32 - 1))
    def something_happens(self, seed: int) -> None:
        """Chosen by the seed, evenly: what hypothesis would choose step by step seldom gets far in a life."""
        self.steps += 1
        random = Random(f"{seed} {self.steps}")  # hypothesis likes to repeat itself
        random.choices([self.time_passes, self.a_case_is_carried, self.a_command_is_asked_for], [2, 4, 4])[0](random)

    def time_passes(self, random: Random) -> None:
        """Some days, or until just about a day on which something turns; the clock may tick then, or be late."""
        how = random.choice(TIMES)
        near = random.randint(-1, 1) * DAY
        day = self.story.today + how * DAY if isinstance(how, int) else self.turning_day(how) + near
        self.pass_to(day)
        if random.random() < 0.3:
            self.story.ticks()

    def pass_to(self, day: date) -> None:
        if day > self.story.today:
            self.story.on(day)
            self.model.pass_to(day)

    def turning_day(self, name: str) -> date:
        if name == "ends":
            return self.model.suspended_until(self.model.today) or min(
                self.model.valid_until, self.model.today + 99 * DAY
            )
        return getattr(self.model.due, name)

    def a_case_is_carried(self, random: Random) -> None:
        """From wherever it stands, some steps on, as long as nothing is refused."""
        what = random.choice(["visit", "visit", "renewal", "regrade"])
        case = self.opened(what, random)
        for _ in range(random.choice([9, 9, 9, 5, 4, 3, 2, 1]) if case is not None else 0):
            if self.model.cases[case].closed or not self.moved_on(case, random):
                return
            self.pass_to(self.story.today + random.choice([0, 0, 1, 1, 10, 30]) * DAY)

    def opened(self, what: str, random: Random) -> int | None:
        """The open case of the kind, opened if there is none."""
        found = [i for i, each in enumerate(self.model.cases) if each.kind == what and not each.closed]
        if found:
            return found[-1]
        back = random.choice(BACK)
        if what == "visit":
            did = self.ask("request_visit", back)
        else:
            scored = self.model.scored != (what == "regrade" and random.random() < 0.2)
            did = self.ask("submit", back, kind=what, scored=scored, accepts=random.random() < 0.5)
        return len(self.model.cases) - 1 if did else None

    def moved_on(self, case: int, random: Random) -> bool:
        subject, back, signers = self.model.cases[case], random.choice(BACK), random.choice(SIGNERS)
        visit = subject.kind == "visit"
        if not visit and random.random() < (0.2 if subject.stage == "graded" else 0.04):
            return self.ask("withdraw_application", back, case)
        if subject.stage == "accepted" or (visit and subject.stage == "opened"):
            return self.plan(case, random)
        if subject.stage == "opened":
            return self.ask("accept", back, case)
        if subject.stage == "planned":
            return self.record(case, random)
        if subject.stage == "assessed" and subject.open and random.random() < 0.8:
            return self.ask("close", back, case, element=min(subject.open))
        if subject.stage == "assessed" and not visit:
            return self.ask("review", back, case)
        if subject.kind != "renewal" and random.random() < (0.6 if self.model.level == "five_star" else 0.1):
            self.pass_to(self.story.today + 290 * DAY)  # a shorter interval and its grace end about then
        outcomes = {
            "visit": ["maintain", "maintain", "change_grade", "change_grade", "suspend"],
            "renewal": ["renew", "renew", "refuse"],
        }
        outcome = random.choice(outcomes.get(subject.kind, ["change_grade", "change_grade", "maintain", "refuse"]))
        return self.ask(outcome, back, case, signers, **({"ends_on": None} if outcome == "suspend" else {}))

    def plan(self, case: int, random: Random) -> bool:
        own = random.choice(DRAWS) if self.model.cases[case].kind == "visit" else None
        draw = tuple(random.sample(ELEMENTS, own)) if own else None
        return self.ask("plan", random.choice(BACK), case, on_site=self.story.today, draw=draw)

    def record(self, case: int, random: Random) -> bool:
        subject, back = self.model.cases[case], random.choice(BACK)
        elements = subject.draw if subject.kind == "visit" and subject.draw else ELEMENTS
        scored = self.model.scored if subject.kind == "visit" else subject.scored
        findings = self.story.findings(random.choice(LOSSES), elements=elements, scored=scored)
        marks = {f.element: None if f.marks is None else Fraction(f.marks) for f in findings}
        on_site = self.story.today - back * DAY - random.choice([0, 0, 0, 1]) * DAY
        bad = set(elements[: random.choice(BAD)])
        return self.ask("record", back, case, on_site=on_site, marks=marks, nonconforming=bad)

    def a_command_is_asked_for(self, random: Random) -> None:
        """Mostly one that makes sense now; else any, lawful or not, on the last case of some kind, open or not."""
        back, signers, kinds = random.choice(BACK), random.choice(SIGNERS), random.choice(KINDS)
        today, named = self.story.today, random.random() < 0.3
        name = random.choice(SENSIBLE[self.model.status_on(today)] if random.random() < 0.7 else SINGLE)
        case = ([i for i, each in enumerate(self.model.cases) if each.kind in kinds] or [0])[-1]
        ends = max(today, self.model.suspended_until(today) or today) + random.choice([0, 1, 30, 60, 184]) * DAY
        match name:
            case "plan":
                self.plan(case, random)
            case "record":
                self.record(case, random)
            case "close":
                self.ask(name, back, case, element=min(self.model.cases[case].open, default="6"))
            case "suspend":
                ends_on = random.choice([None, ends, ends])
                self.ask(name, back, case if named else None, signers, ends_on=ends_on)
            case "extend":
                self.ask(name, back, None, signers, ends_on=ends)
            case "reinstate":
                self.ask(name, min(back, 1), None, signers, appeal=None, closed=random.random() < 0.8)
            case "reinstate on appeal":
                self.reinstated_on_appeal(random)
            case "withdraw":
                self.ask(name, back, case if named else None, signers)
            case "settle":
                self.ask(name, back, case, upheld=named)
            case _ if name in OF_A_CASE:
                self.ask(name, back, case, signers)
            case _:
                self.ask(name, back)

    def reinstated_on_appeal(self, random: Random) -> None:
        appeals = [i for i, each in enumerate(self.model.cases) if each.kind == "appeal"]
        if not appeals or random.random() < 0.7:
            self.ask("appeal")
            appeals.append(len(self.model.cases) - 1)
            self.ask("settle", 0, appeals[-1], upheld=random.random() < 0.8)
        self.ask("reinstate", 0, None, random.choice(SIGNERS), appeal=appeals[-1], closed=False)

    # ---- both say the same ----

    @invariant()
    def both_say_the_same(self) -> None:
        certificate = self.story.certificate
        self.of_the_public_record(certificate)
        due, expected = certificate.due, self.model.due
        assert (due.visit_on, due.notice_on, due.overdue_on) == (
            expected.visit_on,
            expected.notice_on,
            expected.overdue_on,
        )
        assert (due.anchor_on, due.interval_months) == (expected.anchor_on, expected.months)
        facts = [*self.story.clock_facts, *(late := owed(certificate, self.story.today))]
        assert late or certificate.status == certificate.status_on(self.story.today), "as recorded, and from dates"
        assert [_of_the_clock(fact) for fact in facts] == self.model.clock + self.model.owed()

    def of_the_public_record(self, certificate: Certificate) -> None:
        model = self.model
        numbers = list(dict.fromkeys(r.fact.number for r in self.story.history if isinstance(r.fact, e.Certificate)))
        assert len(numbers) == model.printed
        days = {model.today + step * DAY for step in (-31, -1, 0, 1, 200)}
        for edge in (model.valid_until, model.periods[0][1], model.acts[-1][0], model.suspended_until(model.today)):
            days |= {edge - DAY, edge, edge + DAY} if edge else set()
        for day in sorted(days):
            assert certificate.status_on(day) == model.status_on(day), day
            expected = model.told_on(day)
            if expected["status"] != "unknown":
                told = shown(certificate, numbers[expected.pop("number")], day, self.story.editions)
                assert {name: getattr(told, name) for name in expected} == expected, day


def _of_the_clock(fact: e.Fact) -> tuple[str, date, date]:
    if isinstance(fact, e.CertificateExpired):
        return "expired", fact.effective_on, fact.valid_until
    return ("due" if isinstance(fact, e.SurveillanceDue) else "overdue"), fact.effective_on, fact.due_on


# ---- the same commands, as lifecycle wants them --------------------------------------------------------------------

Making = Callable[[TwoAccounts, dict[str, Any], dict[str, Any]], c.Command]


def _decide(outcome: str, *because: str) -> Making:
    return lambda _, given, stamp: c.Decide(outcome=outcome, reasons=reasons(*because), **stamp)


def _submit(machine: TwoAccounts, given: dict[str, Any], stamp: dict[str, Any]) -> c.Command:
    application = machine.story.history[0].fact
    return c.SubmitApplication(
        kind=given["kind"], organisation=application.organisation, scheme=application.scheme, holder="x", address="y",
        scope="z", certification_type="star" if given["scored"] else "conformity",
        accepts_conformity=given["accepts"], **stamp,
    )  # fmt: skip


def _plan(_: TwoAccounts, given: dict[str, Any], stamp: dict[str, Any]) -> c.Command:
    return c.Plan(
        team=("ana",), on_site_from=given["on_site"], on_site_to=given["on_site"], draw=given["draw"], **stamp
    )


def _record(_: TwoAccounts, given: dict[str, Any], stamp: dict[str, Any]) -> c.Command:
    findings = tuple(
        e.Finding(
            element,
            "nonconforming" if element in given["nonconforming"] else "conforming",
            None if marks is None else decimal(marks),
        )
        for element, marks in given["marks"].items()
    )
    return c.RecordAssessment(on_site_from=given["on_site"], on_site_to=given["on_site"], findings=findings, **stamp)


def _reissue(machine: TwoAccounts, _: dict[str, Any], stamp: dict[str, Any]) -> c.Command:
    machine.text += 1
    return c.Reissue(reasons=reasons("name_changed"), holder=f"Holder {machine.text}", **stamp)


def _reinstate(machine: TwoAccounts, given: dict[str, Any], stamp: dict[str, Any]) -> c.Command:
    closed = machine.story.certificate.suspension_reasons if given["closed"] else ()
    appeal = None if given["appeal"] is None else list(machine.story.certificate.cases)[given["appeal"]]
    return c.Reinstate(grounds="put right", closed=closed, appeal=appeal, **stamp)


COMMANDS: dict[str, Making] = {
    "submit": _submit,
    "accept": lambda _, __, stamp: c.ReviewApplication(outcome="accepted", **stamp),
    "reject": lambda _, __, stamp: c.ReviewApplication(outcome="rejected", reasons=reasons("outside_scheme"), **stamp),
    "withdraw_application": lambda _, __, stamp: c.WithdrawApplication(**stamp),
    "plan": _plan,
    "record": _record,
    "close": lambda _, given, stamp: c.CloseNonconformity(element=given["element"], **stamp),
    "review": lambda _, __, stamp: c.ReviewAssessment(recommendation="x", **stamp),
    "refuse": _decide("refuse", "evidence_insufficient"),
    "maintain": _decide("maintain"),
    "change_grade": _decide("change_grade"),
    "renew": _decide("renew"),
    "request_visit": lambda _, __, stamp: c.RequestVisit(grounds="x", **stamp),
    "reissue": _reissue,
    "suspend": lambda _, given, stamp: c.Suspend(reasons=reasons("mark_misused"), ends_on=given["ends_on"], **stamp),
    "extend": lambda _, given, stamp: c.ExtendSuspension(
        reasons=reasons("mark_misused"), ends_on=given["ends_on"], **stamp
    ),
    "reinstate": _reinstate,
    "open_withdrawal": lambda _, __, stamp: c.ProceedToWithdrawal(
        step="open", reasons=reasons("requirements_not_met"), **stamp
    ),
    "drop_withdrawal": lambda _, __, stamp: c.ProceedToWithdrawal(step="drop", grounds="x", **stamp),
    "withdraw": lambda _, __, stamp: c.Withdraw(reasons=reasons("requirements_not_met"), **stamp),
    "cancel": lambda _, __, stamp: c.Cancel(reasons=reasons("holder_request"), **stamp),
    "appeal": lambda machine, _, stamp: c.LodgeAppeal(against=1, grounds="x", **stamp),
    "complain": lambda _, __, stamp: c.LodgeComplaint(grounds="x", **stamp),
    "settle": lambda _, given, stamp: c.DecideDispute(upheld=given["upheld"], grounds="x", **stamp),
}
