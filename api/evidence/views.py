"""What of an event a bundle shows: to staff its bytes; to the holder too, unless they hold internal reasons.

The log covers the bytes of an event as a whole, so nothing can be left out of them. Of an event with words that a
holder is not shown it gets the leaf's hash, which is proven, and beside it what it may be told, which is not.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from msgspec.structs import replace

from api.identity import Identity
from api.trail.views import SHOWN_TO_HOLDER
from api.views import PRIVATE, event_view, without_texts
from lifecycle import events as e
from lifecycle import upcast
from projections.ledger import Event
from projections.proven import Proven

PERSONS = frozenset({"by", "signed_by", "team", "proposal", "cause"})
"""Members in which persons appear by role and pseudonym: no words."""
WORDS = PRIVATE - PERSONS
"""Members that are internal words, or hold some."""
OWN_WORDS = (e.AppealLodged, e.ComplaintLodged)
"""Facts whose grounds are the holder's."""
PUBLIC = (e.EditionPublished, e.NumberClaimed, e.SigningKeyAdded)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def event_line(shown: Proven, identity: Identity, certificate: UUID) -> dict[str, Any]:
    """The event and its proof, as the bundle has it."""
    position, stream, version, topic, recorded_at, state = shown.event
    proof = {"leaf_index": shown.leaf_index, "path": shown.path}
    place = {"position": position, "stream": stream, "version": version}
    if identity.role != "applicant" or _is_for_holder(fact := upcast.read(topic, state)):
        return place | {"topic": topic, "recorded_at": recorded_at, "state": state.decode()} | proof
    return place | {"leaf_hash": shown.leaf_hash, "told": _told(shown.event, fact)} | proof


def for_holder(history: Iterable[e.Recorded]) -> Sequence[e.Recorded]:
    """The history as a holder may be told it: without internal words, but with the facts that are hidden from it, since
    others name their versions; whoever tells it leaves those out."""
    return [
        recorded if hidden_from_holder(recorded) else replace(recorded, fact=_without_words(recorded.fact))
        for recorded in history
    ]


def hidden_from_holder(recorded: e.Recorded) -> bool:
    """Whether a holder is not told of the event at all."""
    return e.topic_of(recorded.fact) not in SHOWN_TO_HOLDER


def _without_words(fact: e.Fact) -> e.Fact:
    if isinstance(fact, OWN_WORDS):
        return fact
    told = {name: "" if name in WORDS else without_texts(name, value) for name, value in e.plain(fact).items()}
    return msgspec.convert(told, type(fact))


def _is_for_holder(fact: e.Fact) -> bool:
    """Whether its bytes hold nothing that a holder is not shown."""
    if isinstance(fact, PUBLIC):
        return True
    return e.topic_of(fact) in SHOWN_TO_HOLDER and (isinstance(fact, OWN_WORDS) or not _has_words(fact))


def _has_words(fact: e.Fact) -> bool:
    """Whether it has internal words: grounds, recommendations, texts of reasons; a correction always has."""
    if isinstance(fact, e.RecordCorrected):
        return True
    told = msgspec.to_builtins(fact)
    reasons = [*(told.get("reasons") or ()), *(told.get("closed") or ())]
    return any(told.get(name) for name in WORDS) or any(reason.get("text") for reason in reasons)


def _told(event: Event, fact: e.Fact) -> dict[str, Any] | None:
    """What the holder may be told of it; None where it is not to know what it is."""
    if e.topic_of(fact) not in SHOWN_TO_HOLDER:
        return None
    position, stream, version, _, recorded_at, _ = event
    at = EPOCH + timedelta(microseconds=recorded_at)
    view = event_view(e.Recorded(stream, version, fact, position, at), full=False)
    return {name: value for name, value in view.items() if name not in ("version", "position", "event_id")}
