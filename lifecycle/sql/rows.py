"""What the tables answer, row by row."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from eventsourcing.persistence import StoredEvent


@dataclass(frozen=True)
class StoredFact(StoredEvent):
    """A row of the log as the library passes it on."""

    originator_id: UUID
    position: int
    recorded_at: datetime


class NewReceipt(NamedTuple):
    """What a command will answer when it is sent again; ``response`` has no position, which is not known yet."""

    person: str
    key: str
    body_sha256: bytes
    response: bytes


class Receipt(NamedTuple):
    """What a command answered; ``position`` is its last event's."""

    person: str
    key: str
    body_sha256: bytes
    response: bytes
    position: int
    recorded_at: datetime


class Present(NamedTuple):
    """The instant at which an append now would be recorded, the receipt of a command carried out before, and what the
    stream that it is about holds."""

    instant: datetime
    receipt: Receipt | None
    stored: list[StoredFact]


class Key(NamedTuple):
    """Who holds a key, as what; it is in force while ``revoked_at`` is None."""

    key: str
    person: str
    role: str
    organisation: UUID | None
    issued_at: datetime
    revoked_at: datetime | None
