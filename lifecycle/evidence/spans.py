"""The status from day to day, told twice: as the record told of each day on that very day, and as it tells today."""

from collections.abc import Sequence
from datetime import date
from itertools import zip_longest
from uuid import UUID

import msgspec

from lifecycle import events as e
from lifecycle.certificate import Certificate, fold
from lifecycle.events import Recorded
from lifecycle.evidence.known import AsKnownThen
from lifecycle.periods import legal_day
from lifecycle.status import turns
from lifecycle.transitions import LIVE, Status


class Span(msgspec.Struct, frozen=True):
    """The same on each legal day from ``from_on`` to ``to_on``, both included."""

    from_on: date
    to_on: date
    status: Status
    level: str | None


def known_then(id: UUID, history: Sequence[Recorded], until: date) -> list[Span]:
    """What the record said of each day on that very day."""
    known, spans = AsKnownThen(id, history), list[Span]()
    for recorded, following in zip_longest(history, history[1:]):
        known.take(recorded)
        last = day_of(following) - e.ONE_DAY if following else until
        _extend(spans, known.state, day_of(recorded), last)
    return spans


def known_now(id: UUID, history: Sequence[Recorded], until: date) -> list[Span]:
    """What the record says today of each day."""
    spans = list[Span]()
    if history:
        _extend(spans, fold(id, history), day_of(history[0]), until)
    return spans


def side_by_side(then: Sequence[Span], now: Sequence[Span]) -> list[tuple[Span, Span]]:
    """Both tellings of the same days, cut wherever either turns."""
    cuts = sorted({span.from_on for span in (*then, *now)})
    lasts = [*(day - e.ONE_DAY for day in cuts[1:]), *(span.to_on for span in then[-1:])]
    return [(_cut(then, first, last), _cut(now, first, last)) for first, last in zip(cuts, lasts, strict=True)]


def _cut(spans: Sequence[Span], first: date, last: date) -> Span:
    whole = next(span for span in spans if span.from_on <= first <= span.to_on)
    return msgspec.structs.replace(whole, from_on=first, to_on=last)


def day_of(recorded: Recorded) -> date:
    """The legal day of recording."""
    return legal_day(recorded.recorded_at) if recorded.recorded_at else recorded.fact.effective_on


def standing_on(state: Certificate, day: date) -> tuple[Status, str | None]:
    """The status on a legal day, and the level where it is in force."""
    status = state.status_on(day)
    return status, state.levels.at(day) if status in LIVE else None


def _extend(spans: list[Span], state: Certificate, first: date, last: date) -> None:
    """The days from the first to the last as the state has them, joined to what was the same before."""
    cuts = sorted({first, *(day for day in turns(state) if first < day <= last)}) if first <= last else []
    for day, following in zip_longest(cuts, cuts[1:]):
        span = Span(day, following - e.ONE_DAY if following else last, *standing_on(state, day))
        if spans and (spans[-1].status, spans[-1].level) == (span.status, span.level):
            span = msgspec.structs.replace(span, from_on=spans.pop().from_on)
        spans.append(span)
