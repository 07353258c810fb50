"""Where everything of the timeline stands in its picture: whole pixels, from days alone, the same for everybody."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import NamedTuple

from api.evidence_disputes import Dispute
from lifecycle.periods import ONE_DAY, add_months
from lifecycle.spans import Span, side_by_side
from lifecycle.steps import Step

EDGE = 12
DIGIT, PADDING, GAP = 8, 12, 3
TICK_ROOM = 64
TICKS = (1, 3, 6, 12, 24, 60, 120, 240)
"""Months from one mark of the axis to the next."""


class Scale(NamedTuple):
    """Days to pixels."""

    first: date
    last: date
    width: int

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    def at(self, day: date) -> int:
        """Where the day begins; what lies before the first day or after the last stands at that end."""
        days = min(max((day - self.first).days, 0), self.days)
        return EDGE + days * (self.width - 2 * EDGE) // self.days


class Band(NamedTuple):
    """The same status from one day to another."""

    left: int
    width: int
    span: Span


class Pill(NamedTuple):
    """One event, or several that have no room beside each other; ``ticks`` are where they stand."""

    first: int
    last: int
    ticks: tuple[int, ...]
    bound: int

    @property
    def label(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}–{self.last}"

    @property
    def width(self) -> int:
        return DIGIT * len(self.label) + PADDING

    @property
    def left(self) -> int:
        """In the middle of its ticks, inside the picture."""
        middle = (self.ticks[0] + self.ticks[-1]) // 2
        return max(0, min(middle - self.width // 2, self.bound - self.width))

    @property
    def middle(self) -> int:
        return self.left + self.width // 2


class Thread(NamedTuple):
    """A correction, an appeal or a complaint, from the day it is about to the one on which it was raised, or decided.

    ``turned`` is where its text would not fit to the right, so that it ends where the thread ends.
    """

    dispute: Dispute
    about: int | None
    raised: int
    decided: int | None

    @property
    def left(self) -> int:
        return min(at for at in (self.about, self.raised) if at is not None)

    @property
    def turned(self) -> bool:
        return self.left > EDGE + 4 * TICK_ROOM


class Tick(NamedTuple):
    at: int
    label: str


class Picture(NamedTuple):
    """The timeline, ``width`` pixels wide."""

    width: int
    pills: tuple[Pill, ...]
    then: tuple[Band, ...]
    now: tuple[Band, ...]
    differing: tuple[Band, ...]
    ticks: tuple[Tick, ...]
    threads: tuple[Thread, ...]


def picture(
    steps: Sequence[Step], then: Sequence[Span], now: Sequence[Span], disputes: Sequence[Dispute], width: int
) -> Picture:
    """The timeline over the days of the spans."""
    scale = Scale(then[0].from_on, then[-1].to_on, width)
    differing = [told for told, known in side_by_side(then, now) if told != known]
    return Picture(
        width=width,
        pills=tuple(_pills(steps, scale)),
        then=tuple(_bands(then, scale)),
        now=tuple(_bands(now, scale)),
        differing=tuple(_bands(differing, scale)),
        ticks=tuple(_ticks(scale)),
        threads=tuple(
            Thread(
                each,
                scale.at(each.about_on) if each.about_on else None,
                scale.at(each.raised_on),
                scale.at(each.decided_on) if each.decided_on else None,
            )
            for each in disputes
        ),
    )


def _bands(spans: Iterable[Span], scale: Scale) -> Iterator[Band]:
    for span in spans:
        left = scale.at(span.from_on)
        yield Band(left, max(scale.at(span.to_on + ONE_DAY) - left, 1), span)


def _pills(steps: Sequence[Step], scale: Scale) -> list[Pill]:
    """Events that overlap are told as one, as long as any do."""
    pills: list[Pill] = []
    for step in steps:
        pill = Pill(step.version, step.version, (scale.at(step.on),), scale.width)
        while pills and pills[-1].left + pills[-1].width + GAP > pill.left:
            before = pills.pop()
            pill = pill._replace(first=before.first, ticks=tuple(sorted({*before.ticks, *pill.ticks})))
        pills.append(pill)
    return pills


def _ticks(scale: Scale) -> Iterator[Tick]:
    """The firsts of months, as close as their labels have room."""
    inside = scale.width - 2 * EDGE
    months = next((step for step in TICKS if inside * step * 30 // scale.days >= TICK_ROOM), TICKS[-1])
    day = date(scale.first.year, 1, 1)
    while day <= scale.last:
        if day >= scale.first and scale.at(day) <= scale.width - TICK_ROOM:
            yield Tick(scale.at(day), f"{day:%Y}" if months >= 12 else f"{day:%Y-%m}")
        day = add_months(day, months)
