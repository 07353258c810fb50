"""A store in memory that keeps the real one's promises, and can be made to lose answers and to let others in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any, Never, NoReturn
from uuid import UUID

from eventsourcing.persistence import ApplicationRecorder, InfrastructureFactory, Mapper, Notification, StoredEvent

from lifecycle.periods import legal_day
from lifecycle.store import (
    DayTurned,
    JsonMapper,
    NewReceipt,
    Present,
    Receipt,
    ReceiptExists,
    StoredFact,
    StoreUnavailable,
    VersionConflict,
)

Nothing = Callable[[], None]


class MemoryRecorder(ApplicationRecorder):
    """The log and the receipts. ``before`` and ``after`` are called around each append, and may raise."""

    def __init__(self) -> None:
        self.log: list[StoredFact] = []
        self.streams: dict[UUID, list[StoredFact]] = defaultdict(list)
        self.receipts: dict[tuple[str, str], Receipt] = {}
        self.before: Nothing = lambda: None
        self.after: Nothing = lambda: None

    def insert_events(
        self,
        stored_events: Sequence[StoredEvent],
        *,
        receipt: NewReceipt | None = None,
        decided_on: date | None = None,
        now: datetime | None = None,
        **_: Never,
    ) -> list[int]:
        self.before()
        stamp = self.present(now)
        self._require_appendable(stored_events, receipt, decided_on, stamp)
        facts = [
            StoredFact(e.originator_id, e.originator_version, e.topic, e.state, position, stamp)
            for position, e in enumerate(stored_events, len(self.log) + 1)
        ]
        self.log += facts
        for fact in facts:
            self.streams[fact.originator_id].append(fact)
        if receipt is not None:
            self.receipts[receipt.person, receipt.key] = Receipt(*receipt, facts[-1].position, stamp)
        self.after()
        return [fact.position for fact in facts]

    def _require_appendable(
        self, facts: Sequence[StoredEvent], receipt: NewReceipt | None, decided_on: date | None, stamp: datetime
    ) -> None:
        expected = {fact.originator_id: len(self.streams[fact.originator_id]) for fact in facts}
        for fact in facts:
            expected[fact.originator_id] += 1
            if fact.originator_version < expected[fact.originator_id]:
                raise VersionConflict(fact.originator_id, fact.originator_version)
            assert fact.originator_version == expected[fact.originator_id], "versions follow each other"
        if decided_on is not None and decided_on != legal_day(stamp):
            raise DayTurned(decided_on, legal_day(stamp))
        if receipt is not None and (receipt.person, receipt.key) in self.receipts:
            raise ReceiptExists(receipt.person, receipt.key)

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> list[StoredEvent]:
        facts = self.streams.get(originator_id, [])[gt or 0 : lte]
        return (facts[::-1] if desc else facts)[:limit]

    def present(self, now: datetime | None = None) -> datetime:
        assert now is not None, "a simulation's present comes from its process"
        return max(now, self.log[-1].recorded_at) if self.log else now

    def begin_command(self, person: str, key: str, stream: UUID, now: datetime | None = None) -> Present:
        return Present(self.present(now), self.find_receipt(person, key), self.select_events(stream))

    def find_receipt(self, person: str, key: str) -> Receipt | None:
        return self.receipts.get((person, key))

    def select_notifications(self, *_: Any, **__: Any) -> list[Notification]:
        raise NotImplementedError

    def max_notification_id(self) -> int | None:
        return len(self.log) or None

    def subscribe(self, *_: Any, **__: Any) -> NoReturn:
        raise NotImplementedError


class Factory(InfrastructureFactory[Any]):
    """What the library builds the register's store with."""

    def mapper(self, transcoder: Any = None, mapper_class: Any = None) -> Mapper[UUID]:
        return super().mapper(transcoder, JsonMapper)

    def application_recorder(self) -> MemoryRecorder:
        return MemoryRecorder()

    def aggregate_recorder(self, purpose: str = "events") -> NoReturn:
        raise NotImplementedError

    def tracking_recorder(self, tracking_recorder_class: Any = None) -> NoReturn:
        raise NotImplementedError

    def process_recorder(self) -> NoReturn:
        raise NotImplementedError


def lose(reason: str) -> NoReturn:
    """The connection is lost, and whether the append took place is not known."""
    raise StoreUnavailable(reason, in_doubt=True)
