"""What the trail tells of one event: who, what, when, on which grounds, what caused it, and what it changed."""

from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from lifecycle import events as e
from lifecycle import log
from lifecycle.events import Recorded
from lifecycle.evidence.references import Reference, references
from projections.changes import Changes, Walk, as_json
from projections.folds import CERTIFICATE_FACTS

CERTIFICATE_TOPICS = frozenset(map(e.topic_of, CERTIFICATE_FACTS))
GROUNDS = (
    "reasons", "closed", "grounds", "reason", "recommendation", "because", "notice", "upheld", "level", "score", "act",
    "body", "changes", "void", "recomputed", "unsupported",
)  # fmt: skip
"""Members of facts that say why, and of a correction what reads otherwise: each value as it was, and as it is now."""


class Told(msgspec.Struct, frozen=True):
    """One event; ``stream`` and ``version`` are its id. ``problem`` says what of it could not be read."""

    position: int
    recorded_at: datetime
    type: str
    stream: UUID
    version: int
    effective_on: date | None = None
    certificate_id: UUID | None = None
    organisation: UUID | None = None
    by: e.By | None = None
    signed_by: tuple[str, ...] = ()
    cause: e.Cause | None = None
    case: int | None = None
    proposal: int | None = None
    edition: str | None = None
    grounds: dict[str, Any] = {}
    refers: tuple[Reference, ...] = ()
    changed: Changes | None = None
    problem: str | None = None


class Row(NamedTuple):
    """A row of the trail: what it is found by, and ``told`` as finished bytes."""

    position: int
    stream: UUID
    version: int
    topic: str
    recorded_at: datetime
    effective_on: date | None
    person: str | None
    cause: str | None
    proposal: int | None
    certificate: UUID | None
    organisation: UUID | None
    edition: str | None
    codes: str | None
    refers: bytes
    told: bytes


def cause_text(cause: e.Cause) -> str:
    """A cause in one word, as it is asked for: "request:4f1c", "clock:2024-05-01"."""
    return f"{cause.kind}:{cause.id}"


def row_of(told: Told) -> Row:
    """The event as the trail keeps it."""
    reasons = (*told.grounds.get("reasons", ()), *told.grounds.get("closed", ()))
    return Row(
        told.position, told.stream, told.version, storable(told.type), told.recorded_at, told.effective_on,
        storable(told.by.person) if told.by else None,
        storable(cause_text(told.cause)) if told.cause else None,
        _small(told.proposal), told.certificate_id, told.organisation,
        storable(told.edition) if told.edition else None,
        storable(",".join(dict.fromkeys(reason.code for reason in reasons))) or None,
        as_json(told.refers), as_json(told),
    )  # fmt: skip


def of_certificate(recorded: Recorded, walk: Walk) -> Told:
    """A certificate's event, with what it changed; the walk is one step further on."""
    changed = walk.step(recorded)
    return _told(
        recorded,
        certificate_id=recorded.originator_id,
        organisation=walk.organisation,
        edition=recorded.fact.edition or walk.state.edition or None,
        proposal=recorded.version if isinstance(recorded.fact, e.ActProposed) else recorded.fact.proposal,
        changed=changed,
        problem=walk.problem or None,
    )


def of_other(recorded: Recorded) -> Told:
    """An event of a stream that is no certificate's."""
    fact = recorded.fact
    entered = isinstance(fact, e.OrganisationRegistered | e.ApplicationEntered | e.BarImposed | e.BarLifted)
    return _told(
        recorded,
        certificate_id=getattr(fact, "certificate", None),
        organisation=recorded.originator_id if entered else getattr(fact, "organisation", None),
        edition=fact.edition,
        proposal=fact.proposal,
    )


def of_unreadable(row: log.Row, problem: str, walk: Walk | None) -> Told:
    """An event of which nothing but its columns can be read; ``walk`` is the certificate before it, if it is known."""
    position, stream, version, topic, _, recorded_at = row
    certificate = stream if topic in CERTIFICATE_TOPICS else None
    organisation = walk.organisation if walk else None
    return Told(
        position, recorded_at, topic, stream, version,
        certificate_id=certificate, organisation=organisation, problem=problem,
    )  # fmt: skip


def storable(text: str) -> str:
    """The text without what PostgreSQL cannot hold in one."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")


def _told(recorded: Recorded, **more: Any) -> Told:
    fact = recorded.fact
    return Told(
        position=recorded.position or 0,
        recorded_at=recorded.recorded_at or datetime.min,
        type=e.topic_of(fact),
        stream=recorded.originator_id,
        version=recorded.version,
        effective_on=fact.effective_on,
        by=fact.by,
        signed_by=fact.signed_by,
        cause=fact.cause,
        case=fact.case,
        grounds={name: value for name in _said(fact) if (value := getattr(fact, name, None)) not in (None, "", ())},
        refers=tuple(references(fact)),
        **more,
    )


def _said(fact: e.Fact) -> tuple[str, ...]:
    """What is told of it; of later facts about persons also of whom: the rows of earlier ones never change."""
    return (*GROUNDS, "person") if isinstance(fact, e.PersonalDetailsSealed | e.PersonErased) else GROUNDS


def _small(number: int | None) -> int | None:
    """The number, if it can be one of a proposal."""
    return number if number is not None and 0 <= number < 2**31 else None
