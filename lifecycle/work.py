"""One command on its way: who asks, the transaction in the making, the answer, and the receipt that keeps it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from lifecycle import errors
from lifecycle import events as e
from lifecycle.events import Recorded
from lifecycle.periods import day_start
from lifecycle.store import Beside, NewReceipt, Receipt


@dataclass(frozen=True, slots=True)
class Request:
    """Who asks, and under which idempotency key; ``organisation`` confines an applicant to its own."""

    by: e.By
    idempotency_key: str
    body_sha256: str
    organisation: UUID | None = None
    if_match: int | None = None
    dry_run: bool = False


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a command answers, and the receipt keeps; ``proposal`` and what follows where another person must sign.

    ``person`` is the id under which one was registered.
    """

    id: UUID
    version: int
    events: tuple[dict[str, Any], ...]
    created: bool = False
    certificate_number: str | None = None
    proposal: int | None = None
    digest: str | None = None
    expires_at: datetime | None = None
    position: int | None = None
    person: str | None = None


@dataclass(slots=True)
class Work:
    """One transaction in the making: facts for several streams, each with the version its stream had when read, and
    what is written beside them."""

    subject: UUID
    version: int
    records: list[Recorded] = field(default_factory=list)
    also: Sequence[Beside] = ()

    def add(self, id: UUID, version: int, facts: Iterable[e.Fact]) -> None:
        start = version + sum(1 for r in self.records if r.originator_id == id)
        self.records += [Recorded(id, start + step, fact) for step, fact in enumerate(facts, 1)]

    def answer(self) -> Answer:
        own = [r for r in self.records if r.originator_id == self.subject]
        proposed = next((r for r in own if isinstance(r.fact, e.ActProposed | e.EditionProposed)), None)
        printed = [r.fact.number for r in own if isinstance(r.fact, e.Certificate)]
        return Answer(
            id=self.subject,
            version=own[-1].version,
            events=tuple({"type": e.topic_of(r.fact), "version": r.version} for r in own),
            created=self.version == 0,
            certificate_number=printed[-1] if printed else None,
            proposal=proposed.version if proposed else None,
            digest=proposed.fact.digest if proposed else None,
            expires_at=day_start(proposed.fact.expires_on + e.ONE_DAY) if proposed else None,
            person=next((r.fact.person for r in own if isinstance(r.fact, e.PersonRegistered)), None),
        )


def receipt_of(request: Request, answer: Answer) -> NewReceipt:
    """What is kept of the answer, in the same transaction as the facts."""
    return NewReceipt(
        person=request.by.person,
        key=request.idempotency_key,
        body_sha256=bytes.fromhex(request.body_sha256),
        response=msgspec.json.encode(answer),
    )


def repeated(request: Request, receipt: Receipt) -> Answer:
    """The answer given the first time. Raises IdempotencyKeyReused where the body was another."""
    if receipt.body_sha256.hex() != request.body_sha256:
        raise errors.IdempotencyKeyReused(key=request.idempotency_key)
    answer = msgspec.json.decode(receipt.response, type=Answer)
    return msgspec.structs.replace(answer, position=receipt.position)
