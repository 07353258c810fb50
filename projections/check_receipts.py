"""Receipts held to events: each is the answer to what its events record, and no request recorded anything without one.

A receipt is believed in nothing: its events carry the digest of the request's body, and what was answered is worked out
from them again.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import groupby
from typing import NamedTuple

import msgspec
from psycopg import Connection

from lifecycle import events as e
from lifecycle import log, upcast
from lifecycle.keys import REGISTER
from lifecycle.work import Work
from projections.check import SQL, Finding, Progress, count_events, rows_of

PAGE = 5_000


class ReceiptDiffers(Finding):
    code = "receipt_differs"
    en = "Position {position}: the receipt of {person} for {key} is not that of its events; its {column} was changed."
    zh = "位置 {position}：{person} 的凭据 {key} 与其事件不符；其 {column} 被改动。"


class ReceiptMissing(Finding):
    code = "receipt_missing"
    en = "Position {position}: the request {key} of {person} recorded this, and there is no receipt of it."
    zh = "位置 {position}：此事件由 {person} 的请求 {key} 记录，但没有其凭据。"


class ReceiptWithoutEvent(Finding):
    code = "receipt_without_event"
    en = "Position {position}: there is a receipt of {person} for {key}, and no such request recorded anything here."
    zh = "位置 {position}：有 {person} 的凭据 {key}，但此处没有该请求记录的事件。"


class Receipt(NamedTuple):
    """A receipt as it is kept."""

    position: int
    person: str
    key: str
    body_sha256: str
    response: bytes
    recorded_at: datetime


class Carried(NamedTuple):
    """What one request recorded, with the clock's events on the same stream just before it."""

    events: list[e.Recorded]
    clocks: list[e.Recorded]

    @property
    def last(self) -> e.Recorded:
        return self.events[-1]

    def response(self, told: int) -> bytes:
        """What was answered, if the answer told of so many events of the clock."""
        own = [*self.clocks[len(self.clocks) - told :], *self.events]
        return msgspec.json.encode(Work(own[0].originator_id, own[0].version - 1, own).answer())

    def is_answered_by(self, response: bytes) -> bool:
        return any(response == self.response(told) for told in range(len(self.clocks) + 1))

    def receipt(self, given: Receipt) -> Receipt:
        """The receipt that it should have; of what may have been answered, what the given one says."""
        last = self.last
        response = given.response if self.is_answered_by(given.response) else self.response(0)
        return Receipt(
            last.position or 0, last.fact.by.person, last.fact.cause.id, last.fact.cause.body_sha256 or "", response,
            last.recorded_at or datetime.min,
        )  # fmt: skip


class ReceiptsCheck:
    """Compares both in the order of their positions."""

    name = "receipts"

    def run(self, connection: Connection) -> Iterator[Progress]:
        """How far it has come. Raises Finding."""
        total = count_events(connection)
        with (
            rows_of(connection, SQL["select_events_in_order"], {"topics": None}) as events,
            rows_of(connection, SQL["select_receipts"]) as kept,
        ):
            receipts = map(Receipt._make, kept)
            awaited = next(receipts, None)
            for number, carried in enumerate(_carried(events)):
                awaited = _require(carried, awaited, receipts)
                if number % PAGE == 0:
                    yield Progress(self.name, min(carried.last.position or 0, total), total)
        if awaited is not None:
            raise _without_event(awaited)
        yield Progress(self.name, total, total)


def _require(carried: Carried, awaited: Receipt | None, receipts: Iterator[Receipt]) -> Receipt | None:
    """The next receipt after this one. Raises Finding."""
    first, last = carried.events[0], carried.last
    if awaited is not None and awaited.position < (last.position or 0):
        raise _without_event(awaited)
    if awaited is None or awaited.position > (last.position or 0):
        raise ReceiptMissing(position=first.position, key=first.fact.cause.id, person=first.fact.by.person)
    for column, given, due in zip(Receipt._fields, awaited, carried.receipt(awaited), strict=True):
        if given != due:
            raise ReceiptDiffers(position=awaited.position, key=awaited.key, person=awaited.person, column=column)
    return next(receipts, None)


def _without_event(receipt: Receipt) -> ReceiptWithoutEvent:
    return ReceiptWithoutEvent(position=receipt.position, key=receipt.key, person=receipt.person)


def _carried(rows: Iterable[log.Row]) -> Iterator[Carried]:
    """What requests recorded, one after the other."""
    clocks: list[e.Recorded] = []
    for request, group in groupby(filter(None, map(_read, rows)), key=_request):
        events = list(group)
        if request is None:
            clocks = events
            continue
        yield Carried(events, _just_before(clocks, events[0]))
        clocks = []


def _just_before(clocks: list[e.Recorded], first: e.Recorded) -> list[e.Recorded]:
    """The clock's last events, if they are of the stream that the request is about."""
    found: list[e.Recorded] = []
    for clock in reversed(clocks):
        if clock.originator_id != first.originator_id or clock.fact.cause.kind != "clock":
            break
        found.insert(0, clock)
    return found


def _request(recorded: e.Recorded) -> tuple[str, e.Cause] | None:
    """Whose request recorded it; None where none with a body did, which is the register's own stream,
    or a document sealed."""
    fact = recorded.fact
    bodiless = recorded.originator_id == REGISTER or isinstance(fact, e.DocumentSealed)
    if fact.cause.kind != "request" or (fact.cause.body_sha256 is None and bodiless):
        return None
    return fact.by.person, fact.cause


def _read(row: log.Row) -> e.Recorded | None:
    """What cannot be read is found elsewhere, and has no receipt here."""
    try:
        return upcast.recorded(*row)
    except upcast.Unreadable:
        return None
