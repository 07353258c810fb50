"""Small facts to store."""

from datetime import date
from hashlib import sha256
from uuid import UUID, uuid4

from eventsourcing.persistence import StoredEvent

from lifecycle import events as e
from lifecycle.store import NewReceipt


def fact(cause: str = "request-1") -> e.Fact:
    return e.SurveillanceRequested(
        effective_on=date(2026, 3, 1),
        by=e.By("person-1", "registrar", "key-1"),
        cause=e.Cause("request", cause),
        grounds="the holder moved",
    )


def stored(stream: UUID | None = None, version: int = 1, cause: str = "request-1") -> StoredEvent:
    """A fact as the library hands it to the recorder."""
    wanted = fact(cause)
    return StoredEvent(stream or uuid4(), version, e.topic_of(wanted), e.encode(wanted))


def receipt(key: str = "key-1", person: str = "person-1") -> NewReceipt:
    return NewReceipt(person, key, sha256(repr(key).encode()).digest(), b'{"version":1}')


def new_key(key: str = "key-9") -> tuple[str, dict[str, object]]:
    """A key to be issued beside an append."""
    secret = sha256(key.encode()).digest()
    return "issue_key", {"sha256": secret, "key": key, "person": "p", "role": "auditor", "organisation": None}
