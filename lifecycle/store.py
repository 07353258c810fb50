"""Where facts are kept: the eventsourcing library's recorder, mapper and factory on our own table in PostgreSQL.

Events, receipt and what stands beside them are recorded in one transaction, in one order, by one function of the
database (``sql/migrations/0003_append.sql``). Nothing is retried here but questions: an append of which the answer was
lost is in doubt, and whoever asked for it looks for its receipt.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime
from typing import Any, NoReturn
from uuid import UUID

from eventsourcing.persistence import (
    AggregateRecorder,
    ApplicationRecorder,
    InfrastructureFactory,
    Mapper,
    Notification,
    NotSupportedError,
    ProcessRecorder,
    StoredEvent,
    Tracking,
    TrackingRecorder,
    Transcoder,
)

from lifecycle import events, upcast
from lifecycle.events import Recorded
from lifecycle.sql import load
from lifecycle.sql.append import append
from lifecycle.sql.connection import BoundedConnection, Connections
from lifecycle.sql.errors import (
    ClockRefused,
    DayTurned,
    HolderErased,
    KeyNotInForce,
    KindDiffers,
    MasterKeyReplaced,
    MigrationEdited,
    MigrationOutOfOrder,
    MigrationRefused,
    MigrationUnknown,
    NotAppended,
    NothingToAppend,
    ReceiptExists,
    StoreUnavailable,
    Unstorable,
    VersionConflict,
)
from lifecycle.sql.migrate import Kind, migrate
from lifecycle.sql.rows import Key, NewReceipt, Present, Receipt, StoredFact

__all__ = [
    "ClockRefused",
    "DayTurned",
    "Factory",
    "HolderErased",
    "JsonMapper",
    "Key",
    "KeyNotInForce",
    "Kind",
    "KindDiffers",
    "MasterKeyReplaced",
    "MigrationEdited",
    "MigrationOutOfOrder",
    "MigrationRefused",
    "MigrationUnknown",
    "NewReceipt",
    "NotAppended",
    "NothingToAppend",
    "Present",
    "Receipt",
    "ReceiptExists",
    "Recorder",
    "StoreUnavailable",
    "StoredFact",
    "Unstorable",
    "VersionConflict",
    "migrate",
]

SQL = load("store")
DATABASE_URL = "CERTLIFE_DATABASE_URL"

Beside = tuple[str, Mapping[str, Any]]
"""What is written beside the events in their transaction: a statement of store.sql by name, and its parameters."""


class JsonMapper(Mapper[UUID]):
    """Between a recorded fact and its row: one tagged JSON object, neither compressed nor encrypted."""

    def __init__(self, transcoder: Transcoder, compressor: object = None, cipher: object = None):
        if compressor or cipher:
            raise NotSupportedError("Facts are stored as plain JSON: unset COMPRESSOR_TOPIC, CIPHER_TOPIC, CIPHER_KEY.")
        super().__init__(transcoder)

    def to_stored_event(self, domain_event: Recorded) -> StoredEvent:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The fact as it is stored."""
        fact = domain_event.fact
        return StoredEvent(
            domain_event.originator_id, domain_event.originator_version, events.topic_of(fact), events.encode(fact)
        )

    def to_domain_event(self, stored_event: StoredFact) -> Recorded:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The fact that was stored, with its place. Raises upcast.Unreadable."""
        return upcast.recorded(
            stored_event.position,
            stored_event.originator_id,
            stored_event.originator_version,
            stored_event.topic,
            stored_event.state,
            stored_event.recorded_at,
        )


class Recorder(ApplicationRecorder):
    """The log and the tables beside it, as the service may use them."""

    def __init__(self, url: str):
        self._connections = Connections(url)

    # ---- writing -----------------------------------------------------------------------------------------------------

    def insert_events(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        stored_events: Sequence[StoredEvent],
        *,
        receipt: NewReceipt | None = None,
        decided_on: date | None = None,
        now: datetime | None = None,
        also: Sequence[Beside] = (),
        tracking: Tracking | None = None,
    ) -> list[int]:
        """Events, receipt and what stands beside them are recorded in one transaction; answers the events' positions.

        ``decided_on`` is the legal day on which it was decided: the append refuses another. ``now`` is a simulation's
        present. Raises VersionConflict, ReceiptExists, DayTurned, ClockRefused, NothingToAppend, Unstorable, and what
        ``also`` raises: nothing is recorded then. After StoreUnavailable it may be, where that is ``in_doubt``.
        """
        if not stored_events:
            raise NothingToAppend
        if tracking is not None:
            raise NotSupportedError("Positions are kept by the projections' engine.")

        def act(connection: BoundedConnection) -> int:
            if not also:
                return append(connection, stored_events, receipt, decided_on, now)
            with connection.all_or_nothing():
                position = append(connection, stored_events, receipt, decided_on, now)
                for name, parameters in also:
                    connection.execute(SQL[name], parameters)
                return position

        last = self._connections.write(act)
        return list(range(last - len(stored_events) + 1, last + 1))

    # ---- questions ---------------------------------------------------------------------------------------------------

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> list[StoredEvent]:
        """The stream's events, with their places in the log."""
        statement = SQL["select_stream_backwards" if desc else "select_stream"]
        bounds = {"id": originator_id, "gt": gt, "lte": lte, "limit": limit}
        return [StoredFact(*row) for row in self._connections.read(statement, bounds)]

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> list[Notification]:
        """Events in commit order, in the library's form. Positions have holes."""
        first = start if start is None or inclusive_of_start else start + 1
        bounds = {"start": first, "stop": stop, "topics": list(topics) or None, "limit": limit}
        rows = self._connections.read(SQL["select_notifications"], bounds)
        return [Notification(*row, id=position) for position, *row in rows]

    def max_notification_id(self) -> int | None:
        """The last event's position."""
        last = self.last_event()
        return last and last[0]

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> NoReturn:
        """Refused: the library's subscription can miss its wake-up, and ends with its connection."""
        raise NotImplementedError("Follow the log with lifecycle.log: a Listener, and tail.")

    def last_event(self) -> tuple[int, datetime] | None:
        """The last event's position and instant; None in an empty register."""
        rows = self._connections.read(SQL["select_last_event"])
        return rows[0] if rows else None  # pyright: ignore[reportReturnType]

    def present(self, now: datetime | None = None) -> datetime:
        """The instant at which an append now would be recorded. ``now`` is the present of a simulation."""
        ((instant,),) = self._connections.read(SQL["select_instant"], {"now": now})
        return instant

    def begin_command(self, person: str, key: str, stream: UUID, now: datetime | None = None) -> Present:
        """The present, the receipt of the person's key if it was used before, and the stream; in one round trip."""
        bounds = {"person": person, "key": key, "stream": stream, "now": now}
        rows = self._connections.read(SQL["begin_command"], bounds)
        instant, *receipt = rows[0][:7]
        stored = [StoredFact(*row[7:]) for row in rows if row[7] is not None]
        return Present(instant, Receipt(*receipt) if receipt[0] is not None else None, stored)

    def find_receipt(self, person: str, key: str) -> Receipt | None:
        """What was answered to the person's key, if it was used."""
        rows = self._connections.read(SQL["select_receipt"], {"person": person, "key": key})
        return Receipt(*rows[0]) if rows else None

    def key_by_hash(self, sha256: bytes) -> Key | None:
        """The key whose secret has that digest, revoked or not."""
        rows = self._connections.read(SQL["select_key"], {"sha256": sha256})
        return Key(*rows[0]) if rows else None

    def document(self, sha256: bytes) -> bytes:
        """The bytes of the sealed document with that digest."""
        ((content,),) = self._connections.read(SQL["select_document"], {"sha256": sha256})
        return content

    def master_key(self) -> str | None:
        """The kid of the master key by which the keys of persons are wrapped; None until one is needed."""
        ((kid,),) = self._connections.read(SQL["select_master_key"])
        return kid

    def keys(self) -> list[Key]:
        """All keys, in the order in which they were issued."""
        return [Key(*row) for row in self._connections.read(SQL["select_keys"])]

    def register_kind(self) -> Kind:
        """What the register was founded as."""
        ((kind,),) = self._connections.read(SQL["select_kind"])
        return kind

    def connection(self) -> AbstractContextManager[BoundedConnection]:
        """The thread's connection, for questions to the read models; what is asked on it ends within seconds."""
        return self._connections.lent()

    def close(self) -> None:
        """No connection is open any more."""
        self._connections.close()


class Factory(InfrastructureFactory[TrackingRecorder]):
    """What the library builds an application's store with, from CERTLIFE_DATABASE_URL."""

    def __init__(self, env: Any):
        super().__init__(env)
        url = self.env.get(DATABASE_URL)
        if not url:
            raise OSError(f"{DATABASE_URL} names no database: give a PostgreSQL's address, for the service's role.")
        self._recorder = Recorder(url)

    def mapper(self, transcoder: Transcoder | None = None, mapper_class: Any = None) -> Mapper[Any]:
        """The mapper that MAPPER_TOPIC names; without it ours."""
        named = mapper_class or self.env.get(self.MAPPER_TOPIC)
        return super().mapper(transcoder, mapper_class if named else JsonMapper)

    def application_recorder(self) -> Recorder:
        """The one recorder."""
        return self._recorder

    def aggregate_recorder(self, purpose: str = "events") -> AggregateRecorder:
        """Refused: there are no snapshots."""
        raise NotSupportedError(f"The register keeps no {purpose} beside its log: streams are short.")

    def tracking_recorder(self, tracking_recorder_class: Any = None) -> NoReturn:
        """Refused: the engine keeps its own positions."""
        raise NotSupportedError("Positions are kept by the projections' engine.")

    def process_recorder(self) -> ProcessRecorder:
        """Refused: nothing in the register reacts to events by recording events."""
        raise NotSupportedError("The register has no process applications.")

    def close(self) -> None:
        """No connection is open any more."""
        self._recorder.close()
