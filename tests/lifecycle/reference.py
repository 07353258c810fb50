"""A second, small account of one issued certificate, written from domain.md; it shares no code with ``lifecycle``.

Its clock ticks at each midnight, and before each act. It knows commands by the names that HTTP gives them, cases by the
order in which they were opened, certificate numbers by the order in which they were printed, and it keeps no facts:
after each act it says what holds. Corrections and editions are left out: they have tests of their own.
"""

from calendar import monthrange
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction

DAY = timedelta(days=1)
WEIGHTS = {
    **{f"4.2.{n}": 4 for n in range(1, 7)},
    **{f"5.1.{n}": 3 for n in range(1, 4)},
    **{f"5.2.{n}": 6 for n in range(1, 5)},
    **{f"5.3.{n}": 5 for n in range(1, 5)},
    **{f"5.4.{n}": 3 for n in range(1, 6)},
    "5.5": 4,
    "6": 4,
}
RANKS = ["five_star", "four_star", "three_star", "conformity"]
INTERVAL = {"five_star": 24, "four_star": 12, "three_star": 12, "conformity": 12}
LIVE = {"active", "suspended"}
ENDED = {"withdrawn", "cancelled", "expired"}

STATUSES = {
    "submit": LIVE, "accept": LIVE, "reject": LIVE, "withdraw_application": LIVE, "plan": LIVE, "record": LIVE,
    "close": LIVE, "review": LIVE, "refuse": LIVE, "maintain": LIVE, "change_grade": LIVE, "renew": {"active"},
    "request_visit": LIVE, "reissue": LIVE, "suspend": {"active"}, "extend": {"suspended"},
    "reinstate": {"suspended", "withdrawn", "cancelled"}, "open_withdrawal": LIVE, "drop_withdrawal": LIVE,
    "withdraw": LIVE, "cancel": LIVE, "appeal": LIVE | ENDED, "complain": LIVE | ENDED, "settle": LIVE | ENDED,
}  # fmt: skip
APPLICATIONS = ("initial", "renewal", "regrade")
STAGES: dict[str, dict[str, set[str]]] = {
    "accept": {"opened": {"renewal", "regrade"}},
    "reject": {"opened": {"renewal", "regrade"}},
    "withdraw_application": {
        "opened": {"renewal", "regrade"}, "accepted": {"renewal", "regrade"}, "planned": {"renewal", "regrade"},
        "assessed": {"renewal", "regrade"}, "graded": {"renewal", "regrade"},
    },
    "plan": {"opened": {"visit"}, "accepted": {"renewal", "regrade"}, "planned": {"visit", "renewal", "regrade"}},
    "record": {"planned": {"visit", "renewal", "regrade"}},
    "close": {"assessed": {"visit", "renewal", "regrade"}},
    "review": {"assessed": {"renewal", "regrade"}},
    "refuse": {"graded": {"renewal", "regrade"}},
    "maintain": {"assessed": {"visit"}, "graded": {"regrade"}},
    "change_grade": {"assessed": {"visit"}, "graded": {"regrade"}},
    "renew": {"graded": {"renewal"}},
    "suspend": {"assessed": {"visit"}},
    "withdraw": {"assessed": {"visit"}},
    "settle": {"opened": {"appeal", "complaint"}},
}  # fmt: skip
TWO_SIGN = {"refuse", "maintain", "change_grade", "renew", "suspend", "extend", "reinstate", "withdraw"}


class Refused(Exception):
    """The model would not do it."""


def require(condition: object, why: str) -> None:
    if not condition:
        raise Refused(why)


def months_after(anchor: date, months: int) -> date:
    """The same day of a later month, or that month's last."""
    year, month = divmod(anchor.year * 12 + anchor.month - 1 + months, 12)
    return date(year, month + 1, min(anchor.day, monthrange(year, month + 1)[1]))


def band(score: Fraction | int) -> str | None:
    return next((level for level, least in zip(RANKS, (95, 85, 75), strict=False) if score >= least), None)


def value_on(line: list[tuple[date, object]], on: date) -> object | None:
    """The last value that began by then."""
    begun = [value for start, value in line if start <= on]
    return begun[-1] if begun else None


def from_then_on(line: list, on: date, value: object) -> list:
    """The line with the value for good, whatever was to begin later."""
    return [(start, each) for start, each in line if start < on] + [(on, value)]


@dataclass
class Due:
    visit_on: date
    notice_on: date
    overdue_on: date
    anchor_on: date
    months: int


@dataclass
class Case:
    kind: str
    stage: str
    last_on: date
    scored: bool = True
    accepts: bool = False
    team: set[str] = field(default_factory=set)
    draw: tuple[str, ...] = ()
    open: set[str] = field(default_factory=set)
    marks: dict[str, Fraction | None] = field(default_factory=dict)
    level: str = ""
    upheld: bool = False
    lodged: int = 0
    recorded: int = 0

    @property
    def closed(self) -> bool:
        return self.stage in ("decided", "closed")


class Reference:
    """One certificate, issued on a day with full marks but ``lost``."""

    def __init__(self, today: date, lost: dict[str, Fraction], *, scored: bool, accepts: bool) -> None:
        self.today, self.act, self.scored, self.accepts = today, 0, scored, accepts
        marks = {element: weight - lost.get(element, 0) if scored else None for element, weight in WEIGHTS.items()}
        level = self.graded(marks, scored, accepts)
        self.scored = level != "conformity"
        self.cases = [Case("initial", "decided", today, scored, accepts, {"ana"}, marks=marks, recorded=1)]
        self.marks, self.checked, self.last_check = dict(marks), dict.fromkeys(WEIGHTS, today), today
        self.found_open: set[str] = set()
        self.acts: list[tuple[date, str, date | None]] = [(today, "active", None)]
        self.last_act = today
        self.suspended_from: date | None = None
        self.turned_at = 0
        self.withdrawal_open = False
        self.periods: list = [(today, months_after(today, 36) - DAY)]
        self.levels: list = [(today, level)]
        self.numbers: list = [(today, 0)]
        self.printed = 1
        self.due = self.due_from(today, level, None)
        self.announced: set[tuple[str, date]] = set()
        self.clock: list[tuple[str, date, date]] = []

    # ---- questions ----

    @property
    def valid_until(self) -> date:
        return self.periods[-1][1]

    @property
    def level(self) -> str:
        return self.levels[-1][1]

    def status_on(self, on: date) -> str:
        begun = [status for start, status, _ in self.acts if start <= on]
        if not begun:
            return "none"
        until = value_on(self.periods, on)
        return "expired" if begun[-1] in LIVE and until and on > until else begun[-1]

    def suspended_until(self, on: date) -> date | None:
        ends = [until for start, _, until in self.acts if start <= on]
        return ends[-1] if self.status_on(on) == "suspended" else None

    def graded(self, marks: dict[str, Fraction | None], scored: bool, accepts: bool) -> str:
        """The level that the marks earn where everything conforms."""
        if not scored:
            return "conformity"
        return band(sum(marks.values())) or ("conformity" if accepts else "none")

    def quota(self, on: date) -> int:
        years = 1
        while months_after(self.last_check, 12 * years) < on:
            years += 1
        return min(24, -(-24 * 25 * years // 100))

    def covered(self, taken: tuple[str, ...], on: date) -> bool:
        """Would every element be checked again within 48 months, if the next visit were made on its last day?"""
        next_due = months_after(on, INTERVAL[self.level])
        left = [checked for element, checked in self.checked.items() if element not in taken]
        return all(months_after(checked, 48) >= next_due for checked in (*left, on))

    def due_from(self, anchor: date, level: str, changed_on: date | None) -> Due:
        regular = months_after(anchor, INTERVAL[level])
        if changed_on is None:
            return Due(regular, regular - 90 * DAY, regular + DAY, anchor, INTERVAL[level])
        visit_on = max(regular, changed_on)
        overdue_on = max(regular, changed_on + 90 * DAY) + DAY
        return Due(visit_on, max(visit_on - 90 * DAY, changed_on), overdue_on, anchor, INTERVAL[level])

    def due_at(self, level: str, on: date) -> Due:
        """At another level: the anchor stays, and only a shorter interval gives grace."""
        if INTERVAL[level] == self.due.months:
            return self.due
        return self.due_from(self.last_check, level, on if INTERVAL[level] < self.due.months else None)

    # ---- time ----

    def pass_to(self, day: date) -> None:
        while self.today < day:
            self.today += DAY
            self.tick()

    def tick(self) -> None:
        for name, on, due_on in self.owed():
            self.clock.append((name, on, due_on))
            self.announced.add((name, due_on))
            if name == "due":
                self.falls_due(on)
            if name == "expired":
                self.acts.append((on, "expired", None))
                self.last_act = on

    def owed(self) -> list[tuple[str, date, date]]:
        if self.acts[-1][1] not in LIVE:
            return []
        horizon, due = min(self.today, self.valid_until), self.due
        found = []
        if ("due", due.visit_on) not in self.announced and due.notice_on <= horizon:
            found.append(("due", due.notice_on, due.visit_on))
        if ("overdue", due.visit_on) not in self.announced and due.overdue_on <= horizon:
            found.append(("overdue", due.overdue_on, due.visit_on))
        if self.today > self.valid_until:
            found.append(("expired", self.valid_until + DAY, self.valid_until))
        return found

    def falls_due(self, on: date) -> None:
        waiting = [case for case in self.cases if case.kind == "visit" and not case.closed]
        if waiting and waiting[-1].stage in ("opened", "planned"):
            waiting[-1].last_on = max(waiting[-1].last_on, on)
        else:
            self.cases.append(Case("visit", "opened", on))
