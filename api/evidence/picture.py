"""Where everything of the timeline stands in its picture: whole pixels, from days alone, the same for everybody."""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import NamedTuple

from api.evidence import words
from api.evidence.disputes import Dispute, Kind
from lifecycle.events import topic_of
from lifecycle.evidence.spans import Span, side_by_side
from lifecycle.evidence.steps import Step
from lifecycle.periods import ONE_DAY, add_months
from lifecycle.rules import Edition

EDGE, GAP, PADDING = 12, 3, 12
WIDE_LETTER, LETTER = 13, 8
"""How wide a Chinese character and any other is at most."""
TICK_ROOM, LAST_ROOM = 64, 122
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
    """The same status from one day to another; as much of its name as there is room for."""

    left: int
    width: int
    span: Span
    text: str = ""


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
        return width_of(self.label) + PADDING

    @property
    def left(self) -> int:
        """In the middle of its ticks, inside the picture."""
        middle = (self.ticks[0] + self.ticks[-1]) // 2
        return max(0, min(middle - self.width // 2, self.bound - self.width))

    @property
    def middle(self) -> int:
        return self.left + self.width // 2


class Thread(NamedTuple):
    """A correction, appeal or complaint, joined to the day that it is about; ``text_at`` is where its text begins."""

    kind: Kind
    about: int | None
    raised: int
    decided: int | None
    text: str
    text_at: int


class Tick(NamedTuple):
    at: int
    label: str


class Picture(NamedTuple):
    """The timeline, ``width`` pixels wide."""

    width: int
    first: date
    last: date
    pills: tuple[Pill, ...]
    then: tuple[Band, ...]
    now: tuple[Band, ...]
    differing: tuple[Band, ...]
    ticks: tuple[Tick, ...]
    threads: tuple[Thread, ...]


class Told(NamedTuple):
    """What the picture shows; ``edition`` gives the levels their names."""

    steps: Sequence[Step]
    then: Sequence[Span]
    now: Sequence[Span]
    disputes: Sequence[Dispute]
    edition: Edition | None


def picture(told: Told, width: int) -> Picture:
    """The timeline over the days of the spans."""
    scale = Scale(told.then[0].from_on, told.then[-1].to_on, width)
    differing = [mine for mine, other in side_by_side(told.then, told.now) if mine != other]
    return Picture(
        width=width,
        first=scale.first,
        last=scale.last,
        pills=tuple(_pills(told.steps, scale)),
        then=tuple(_named(_bands(told.then, scale), told.edition)),
        now=tuple(_named(_bands(told.now, scale), told.edition)),
        differing=tuple(_bands(differing, scale)),
        ticks=tuple(_ticks(scale)),
        threads=tuple(_thread(each, scale) for each in told.disputes),
    )


def width_of(text: str) -> int:
    """How much room the text takes at most."""
    return sum(WIDE_LETTER if unicodedata.east_asian_width(each) in "WF" else LETTER for each in text)


def fitting(room: int, *texts: str) -> str:
    """The first text that has room; none if none has."""
    return next((text for text in texts if width_of(text) <= room), "")


def _bands(spans: Iterable[Span], scale: Scale) -> Iterator[Band]:
    for span in spans:
        left = scale.at(span.from_on)
        yield Band(left, max(scale.at(span.to_on + ONE_DAY) - left, 1), span)


def _named(bands: Iterable[Band], edition: Edition | None) -> Iterator[Band]:
    for band in bands:
        zh, en = words.entry(f"status.{band.span.status}")
        level = edition.levels.get(band.span.level or "") if edition else None
        graded = (f"{zh} {en} · {level.zh} {level.en}", f"{zh} · {level.zh}") if level else ()
        yield band._replace(text=fitting(band.width - PADDING, *graded[:1], f"{zh} {en}", *graded[1:], zh))


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


def _thread(dispute: Dispute, scale: Scale) -> Thread:
    about = scale.at(dispute.about_on) if dispute.about_on else None
    raised = scale.at(dispute.raised_on)
    zh, en = words.entry(f"event.{topic_of(dispute.fact).partition('.')[0]}")
    target = f" → {dispute.about}" if dispute.about else ""
    ends = [words.entry("text.upheld" if dispute.decision.upheld else "text.not_upheld")] if dispute.decision else []
    full = f"{dispute.version} {zh} {en}{target}" + "".join(f" · {zh} {en}" for zh, en in ends)
    short = f"{dispute.version} {zh}{target}" + "".join(f" · {zh}" for zh, _ in ends)
    text = fitting(scale.width - 2 * EDGE, full, short)
    left = min(at for at in (about, raised) if at is not None) + PADDING
    return Thread(
        dispute.kind, about, raised, scale.at(dispute.decided_on) if dispute.decided_on else None, text,
        max(EDGE, min(left, scale.width - EDGE - width_of(text))),
    )  # fmt: skip


def _ticks(scale: Scale) -> Iterator[Tick]:
    """The firsts of months, as close as their labels have room, and none under the last day's."""
    inside = scale.width - 2 * EDGE
    months = next((step for step in TICKS if inside * step * 30 // scale.days >= TICK_ROOM), TICKS[-1])
    day = date(scale.first.year, 1, 1)
    while day <= scale.last:
        if day >= scale.first and TICK_ROOM // 2 <= scale.at(day) <= scale.width - LAST_ROOM:
            yield Tick(scale.at(day), f"{day:%Y}" if months >= 12 else f"{day:%Y-%m}")
        day = add_months(day, months)
