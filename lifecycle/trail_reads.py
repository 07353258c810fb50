"""Who read the trail: recorded at once, in a table that only grows, and sealed day by day with a fact of the register.

The seal of a day is made once the day is over, by whatever clock comes first; a day on which nobody read has none.
"""

from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import NamedTuple

import msgspec

from lifecycle import events as e
from lifecycle import upcast
from lifecycle.decisions.clock import CLOCK
from lifecycle.keys import REGISTER
from lifecycle.periods import day_start, legal_day
from lifecycle.sql import load
from lifecycle.store import Recorder

SQL = load("trail_reads")
PAGE = 5_000
BEFORE_ALL = date(1970, 1, 1)


class Read(NamedTuple):
    """Somebody asked the trail; ``rows`` is None where an export began."""

    number: int
    read_at: datetime
    person: str
    role: str
    key: str
    question: str
    rows: int | None


class TrailReads:
    """The record of who read the trail."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder

    def record(self, by: e.By, question: str, rows: int | None, now: datetime | None) -> None:
        """It is recorded that the person asked, and how many events were answered."""
        asked = {"person": by.person, "role": by.role, "key": by.key, "question": question, "rows": rows, "now": now}
        with self.recorder.connection() as connection:
            connection.execute(SQL["record_read"], asked, prepare=True)

    def of_day(self, day: date) -> Iterator[Read]:
        """Everybody who read it on that legal day, in order."""
        bounds = {"first": day_start(day), "before": day_start(day + e.ONE_DAY), "limit": PAGE, "after": 0}
        while True:
            with self.recorder.connection() as connection:
                page = [Read(*row) for row in connection.execute(SQL["select_reads"], bounds).fetchall()]
            yield from page
            if len(page) < PAGE:
                return
            bounds["after"] = page[-1].number

    def never_sealed(self, seals: Collection[e.TrailReadsSealed]) -> list[date]:
        """The legal days before the last seal's on which it was read, as is recorded, and which no seal tells of."""
        if not seals:
            return []
        bounds = {"first": day_start(BEFORE_ALL), "before": day_start(max(seal.day for seal in seals))}
        with self.recorder.connection() as connection:
            days = {day for (day,) in connection.execute(SQL["select_days"], bounds)}
        return sorted(days - {seal.day for seal in seals})

    def owed(self, now: datetime | None) -> list[e.Fact]:
        """The seals of all days that are over and were not sealed yet, as a punctual clock would have made them."""
        with self.recorder.connection() as connection:
            ((settled,),) = connection.execute(SQL["select_settled"], {"now": now}).fetchall()
            last = {"register": REGISTER, "topic": e.topic_of(e.TrailReadsSealed)}
            found = connection.execute(SQL["select_last_seal"], last).fetchone()
            sealed = upcast.read(*found) if found else None
            first = sealed.day + e.ONE_DAY if isinstance(sealed, e.TrailReadsSealed) else BEFORE_ALL
            bounds = {"first": day_start(first), "before": day_start(legal_day(settled))}
            days = connection.execute(SQL["select_days"], bounds).fetchall()
        return [seal_of(day, self.of_day(day)) for (day,) in days]


def differs(reads: Iterable[Read], seal: e.TrailReadsSealed) -> bool:
    """Whether the record of a day is not what was sealed."""
    found = seal_of(seal.day, reads)
    return (found.reads, found.sha256) != (seal.reads, seal.sha256)


def seal_of(day: date, reads: Iterable[Read]) -> e.TrailReadsSealed:
    """The seal of what was read on a day."""
    made, count = sha256(), 0
    for read in reads:
        count += 1
        made.update(msgspec.json.encode(read._replace(read_at=read.read_at.astimezone(UTC))) + b"\n")
    on = day + e.ONE_DAY
    cause = e.Cause("clock", on.isoformat())
    return e.TrailReadsSealed(effective_on=on, by=CLOCK, cause=cause, day=day, reads=count, sha256=made.hexdigest())
