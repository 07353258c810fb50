"""What the reference model does when asked: one method a command, each refusing before it changes anything."""

from datetime import date
from fractions import Fraction

from tests.lifecycle.reference import (
    DAY,
    RANKS,
    STAGES,
    STATUSES,
    TWO_SIGN,
    Case,
    Reference,
    from_then_on,
    months_after,
    require,
    value_on,
)


class ReferenceCertificate(Reference):
    """``ask`` is the one door: it ticks, checks what every act shares, and hands over to the method of that name."""

    def ask(self, name: str, on: date, case: int | None, signers: tuple[str, str] | None, given: dict) -> None:
        self.tick()
        self.act += 1
        for day in (self.today, on):
            require(self.status_on(day) in STATUSES[name], f"{name} on {day}: {self.status_on(day)}")
        require(self.last_act <= on <= self.today, "before the last status act")
        require(name in TWO_SIGN or (self.today - on).days <= 30, "back-dated too far for one person")
        subject = None if case is None else self.cases[case]
        if subject is not None:
            require(subject.kind in STAGES[name].get(subject.stage, ()), f"{name} in {subject.kind} {subject.stage}")
            require(on >= subject.last_on, "before the last act of the case")
        if name in TWO_SIGN:
            self.require_free(signers, subject)
        getattr(self, name)(on, *([] if subject is None else [subject]), **given)
        if subject is not None:
            subject.last_on = max(subject.last_on, on)

    def require_free(self, signers: tuple[str, str] | None, case: Case | None) -> None:
        require(signers and signers[0] != signers[1], "two persons")
        assessed = max(self.cases, key=lambda each: each.recorded)
        concerned = [case] if case else [each for each in self.cases if not each.closed or each is assessed]
        require(not any(person in each.team for person in signers for each in concerned), "stood on the team")

    # ---- applications ----

    def submit(self, on: date, kind: str, scored: bool, accepts: bool) -> None:
        require(not any(c.kind in ("renewal", "regrade") and not c.closed for c in self.cases), "one is open")
        self.cases.append(Case(kind, "opened", on, scored, accepts))
        self.accepts = accepts

    def accept(self, on: date, case: Case) -> None:
        case.stage = "accepted"

    def reject(self, on: date, case: Case) -> None:
        case.stage = "closed"

    withdraw_application = refuse = reject

    def plan(self, on: date, case: Case, on_site: date, draw: tuple[str, ...]) -> None:
        """``draw`` is the sample of a visit: the one proposed, or one's own."""
        if case.kind == "visit":
            require(len(draw) >= self.quota(on_site), "quota")
            require(self.covered(draw, on_site), "coverage")
            case.draw = draw
        case.team.add("ana")
        case.stage = "planned"

    def record(
        self, on: date, case: Case, on_site: date, marks: dict[str, Fraction | None], nonconforming: set[str]
    ) -> None:
        require(self.last_check < on_site <= on, "on site after the last check, and recorded after it")
        if case.kind == "visit":
            require(set(case.draw) <= set(marks), "the draw")
            require(len(marks) >= self.quota(on_site), "quota")
            require(self.covered(tuple(marks), on_site), "coverage")
        case.marks, case.open, case.recorded, case.stage = marks, set(nonconforming), self.act, "assessed"
        self.marks |= marks
        self.checked |= dict.fromkeys(marks, on_site)
        self.last_check, self.due = on_site, self.due_from(on_site, self.level, None)
        self.found_open -= set(marks)
        if case.kind == "visit":
            self.found_open |= nonconforming

    def close(self, on: date, case: Case, element: str) -> None:
        require(element in case.open, "not open")
        case.open.remove(element)
        if case is max(self.cases, key=lambda each: each.recorded if element in each.marks else 0):
            self.found_open.discard(element)

    def review(self, on: date, case: Case) -> None:
        level = "none" if case.open else self.graded(case.marks, case.scored, case.accepts)
        case.level, case.stage = level, "graded"

    def maintain(self, on: date, case: Case) -> None:
        require(not case.open, "nonconformity")
        require(case.kind == "visit" or case.level == self.level, "another level")
        case.stage = "decided"

    def change_grade(self, on: date, case: Case) -> None:
        level = self.composite(case) if case.kind == "visit" else case.level
        require(level not in ("none", self.level), "no other level")
        if case.kind == "visit":
            require(RANKS.index(level) > RANKS.index(self.level), "only lowered")
            self.scored = self.scored and level != "conformity"
        else:
            self.scored = case.scored and level != "conformity"
        self.due = self.due_at(level, on)
        self.levels = from_then_on(self.levels, on, level)
        self.number(on)
        case.stage = "decided"

    def composite(self, case: Case) -> str:
        require(not case.open, "nonconformity")
        require(not self.scored or None not in self.marks.values(), "no marks")
        return self.graded(self.marks, self.scored, self.accepts)

    def renew(self, on: date, case: Case) -> None:
        require(case.level != "none", "not grantable")
        begins = self.valid_until + DAY
        self.due = self.due_at(case.level, on)
        if case.level != self.level:
            self.number(begins)
        self.scored = case.scored and case.level != "conformity"
        self.levels = from_then_on(self.levels, begins, case.level)
        self.periods.append((begins, months_after(begins, 36) - DAY))
        self.last_act = on
        case.stage = "decided"

    def number(self, on: date) -> None:
        self.numbers = from_then_on(self.numbers, on, self.printed)
        self.printed += 1

    # ---- the certificate ----

    def request_visit(self, on: date) -> None:
        require(not any(case.kind == "visit" and not case.closed for case in self.cases), "a visit is open")
        self.cases.append(Case("visit", "opened", on))

    def reissue(self, on: date) -> None:
        self.cases.append(Case("reissue", "decided", on))

    def turn(self, on: date, status: str, until: date | None = None) -> None:
        self.acts.append((on, status, until))
        self.last_act = on

    def suspend(self, on: date, case: Case | None = None, *, ends_on: date | None = None) -> None:
        limit = min(months_after(on, 6), self.valid_until)
        ends_on = ends_on or limit
        require(on <= ends_on <= limit, "too long")
        self.turn(on, "suspended", ends_on)
        self.suspended_from, self.turned_at = on, self.act
        if case:
            case.stage = "decided"

    def extend(self, on: date, ends_on: date) -> None:
        require(max(self.acts[-1][2] + DAY, self.today) <= ends_on, "not later")
        require(ends_on <= min(months_after(self.suspended_from, 6), self.valid_until), "too long")
        self.turn(on, "suspended", ends_on)

    def reinstate(self, on: date, appeal: int | None, closed: bool) -> None:
        require(on == self.today, "on the day of decision")
        require(on <= self.valid_until, "expired")
        require(on < self.due.overdue_on, "overdue")
        if appeal is None:
            require(self.status_on(on) == "suspended", "an upheld appeal")
            require(closed and not self.found_open, "reasons open")
        else:
            require(appeal < len(self.cases), "no such case")
            cited = self.cases[appeal]
            require(cited.kind == "appeal" and cited.upheld and cited.lodged > self.turned_at, "no upheld appeal")
        self.turn(on, "active")
        self.suspended_from = None

    def open_withdrawal(self, on: date) -> None:
        require(not self.withdrawal_open, "open already")
        self.withdrawal_open = True

    def drop_withdrawal(self, on: date) -> None:
        require(self.withdrawal_open, "none open")
        self.withdrawal_open = False

    def withdraw(self, on: date, case: Case | None = None) -> None:
        self.turn(on, "withdrawn")
        self.withdrawal_open, self.turned_at = False, self.act
        if case:
            case.stage = "decided"

    def cancel(self, on: date) -> None:
        require(not self.withdrawal_open, "a withdrawal is open")
        self.turn(on, "cancelled")
        self.turned_at = self.act

    def appeal(self, on: date) -> None:
        self.cases.append(Case("appeal", "opened", on, lodged=self.act))

    def complain(self, on: date) -> None:
        self.cases.append(Case("complaint", "opened", on))

    def settle(self, on: date, case: Case, upheld: bool) -> None:
        case.stage, case.upheld = "decided", upheld

    # ---- what holds ----

    def told_on(self, on: date) -> dict[str, object]:
        """What the public is told for a day of the number current then; a number by the order of printing."""
        status = self.status_on(on)
        if status == "none":
            return {"status": "unknown"}
        return {
            "status": "valid" if status == "active" else status,
            "level": value_on(self.levels, on),
            "number": value_on(self.numbers, on),
            "valid_until": value_on(self.periods, on),
            "suspended_until": self.suspended_until(on),
        }
