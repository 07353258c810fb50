"""What an edition would have done: counts, and a line for each certificate that it touches. A value, without a clock.

The same lines make the same report to the byte, in whatever order they came.
"""

from collections import Counter
from datetime import date
from typing import Any
from uuid import UUID

import msgspec

from lifecycle.rehearsal.comparison import Line, Question
from lifecycle.rules import Edition

NOT_JUDGED = "not_judged"


class Named(msgspec.Struct, frozen=True):
    """An edition by id and the digest of its text."""

    id: str
    digest: str


class Scope(msgspec.Struct, frozen=True):
    """Which part of history was asked; None sets no bound. ``holder`` is part of a holder's name."""

    scheme: str
    level: str | None = None
    first_on: date | None = None
    last_on: date | None = None
    holder: str | None = None

    def covers(self, line: Line) -> bool:
        if self.level is not None and line.before.level != self.level:
            return False
        return self.holder is None or self.holder in (line.holder or "")


class Cell(msgspec.Struct, frozen=True):
    """How many certificates went from ``before`` to ``after``."""

    before: str
    after: str
    certificates: int


class Visits(msgspec.Struct, frozen=True):
    """How many visits fall due in a month, "overdue" for those of days past."""

    month: str
    before: int
    after: int


class Rises(msgspec.Struct, frozen=True):
    """Does any grade rise? ``example`` is a certificate whose grade does; ``over`` how many were judged."""

    answer: bool
    over: int
    rising: int
    example: Line | None


class SetAside(msgspec.Struct, frozen=True):
    """A certificate whose stream does not add up: it is under repair, and not asked."""

    certificate: UUID
    problem: str


class Report(msgspec.Struct, frozen=True):
    """``before`` is None where the record is compared. ``position`` is the place in the log up to which it was read."""

    edition: Named
    against: Named | None
    scope: Scope
    on: date
    position: int
    certificates: int
    affected: int
    gains: int
    loses: int
    mixed: int
    any_grade_rises: Rises
    grades: tuple[Cell, ...]
    statuses: tuple[Cell, ...]
    visits: tuple[Visits, ...]
    questions: dict[str, int]
    lines: tuple[Line, ...]
    not_judged: tuple[Line, ...]
    set_aside: tuple[SetAside, ...]


class Tally:
    """A report in the making."""

    def __init__(self, edition: Edition, against: Edition | None, scope: Scope, on: date) -> None:
        self.edition, self.against, self.scope, self.on = edition, against, scope, on
        self.ranks = {level: place for place, level in enumerate([*edition.levels, "none", NOT_JUDGED])}
        self.certificates = self.judged = self.rising = 0
        self.grades: Counter[tuple[str, str]] = Counter()
        self.statuses: Counter[tuple[str, str]] = Counter()
        self.due: tuple[Counter[date | None], Counter[date | None]] = (Counter(), Counter())
        self.questions: Counter[Question] = Counter()
        self.affected: list[Line] = []
        self.not_judged: list[Line] = []
        self.set_aside: list[SetAside] = []
        self.example: Line | None = None

    def add(self, line: Line | SetAside) -> None:
        """One more certificate, if it is within the scope."""
        if isinstance(line, SetAside):
            self.set_aside.append(line)
            return
        if not self.scope.covers(line):
            return
        self.certificates += 1
        self.grades[line.before.level or NOT_JUDGED, line.after.level or NOT_JUDGED] += 1
        self.statuses[line.before.status, line.after.status] += 1
        self.due[0][line.before.visit_on] += 1
        self.due[1][line.after.visit_on] += 1
        if line.is_affected:
            self.affected.append(line)
            self.questions.update(flip.question for flip in line.flips)
        if line.not_judged:
            self.not_judged.append(line)
        self._watch(line)

    def report(self, position: int) -> Report:
        effects = Counter(line.effect for line in self.affected)
        return Report(
            edition=_named(self.edition),
            against=_named(self.against) if self.against else None,
            scope=self.scope,
            on=self.on,
            position=position,
            certificates=self.certificates,
            affected=len(self.affected),
            gains=effects["gains"],
            loses=effects["loses"],
            mixed=effects["mixed"],
            any_grade_rises=Rises(self.rising > 0, self.judged, self.rising, self.example),
            grades=self._cells(self.grades),
            statuses=self._cells(self.statuses),
            visits=self._visits(),
            questions=dict(sorted(self.questions.items())),
            lines=tuple(sorted(self.affected, key=_place)),
            not_judged=tuple(sorted(self.not_judged, key=_place)),
            set_aside=tuple(sorted(self.set_aside, key=lambda each: each.certificate)),
        )

    def _watch(self, line: Line) -> None:
        """Does its grade rise?"""
        before, after = line.before.level, line.after.level
        if before is None or after is None:
            return
        self.judged += 1
        if before in self.ranks and self.ranks[after] < self.ranks[before]:
            self.rising += 1
            self.example = min(self.example or line, line, key=_place)

    def _by_month(self, counted: Counter[date | None]) -> Counter[str]:
        months: Counter[str] = Counter()
        for day, visits in counted.items():
            if day is not None:
                months["overdue" if day < self.on else f"{day:%Y-%m}"] += visits
        return months

    def _cells(self, counted: Counter[tuple[str, str]]) -> tuple[Cell, ...]:
        def place(cell: tuple[str, str]) -> Any:
            return [(self.ranks.get(name, len(self.ranks)), name) for name in cell]

        return tuple(Cell(*cell, counted[cell]) for cell in sorted(counted, key=place))

    def _visits(self) -> tuple[Visits, ...]:
        before, after = map(self._by_month, self.due)
        months = sorted({*before, *after} - {"overdue"})
        return tuple(Visits(month, before[month], after[month]) for month in ("overdue", *months))


def _named(edition: Edition) -> Named:
    return Named(edition.id, edition.digest)


def _place(line: Line) -> tuple[str, str]:
    return line.number or "", str(line.certificate)
