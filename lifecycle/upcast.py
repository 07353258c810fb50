"""Old facts are lifted to today's form where they are read; the log itself is never rewritten.

This is the only place that knows older forms, for single events and for bulk reading alike.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from eventsourcing.domain import EventSourcingError

from lifecycle import events
from lifecycle.events import AnyFact, Fact, Recorded
from lifecycle.rehearsal import narrow

State = dict[str, Any]

UPCASTS: dict[str, Callable[[State], State]] = {}
"""For each topic of an older form: its state as decoded JSON, made into the state of a newer topic (its "type")."""

_TAG = b'{"type":"'


class Unreadable(EventSourcingError):
    """A stored event cannot be read; ``reason`` says why."""

    def __init__(self, topic: str, reason: str, place: str = ""):
        self.topic = topic
        self.reason = reason
        super().__init__(f"Cannot read {topic!r}{place}: {reason}")


class UnknownTopic(Unreadable):
    """No fact has this topic and no upcast lifts it: it was stored by a newer version, or by something else."""


def read(topic: str, state: bytes) -> Fact:
    """The fact that was stored under ``topic``, in today's form. Raises Unreadable, UnknownTopic."""
    if topic in events.FACTS:
        return _decoded(topic, state)
    if topic in UPCASTS:
        return _lifted(topic, state)
    raise UnknownTopic(topic, "events.py and upcast.py do not know it")


def read_lines(packed: bytes) -> list[Fact]:
    """The facts of a bulk read, one JSON object a line. Raises Unreadable for all of them if one cannot be read."""
    try:
        if not UPCASTS:
            return events.decode_lines(packed)
        return [read(_topic(line), line) for line in packed.split(b"\n") if line]
    except (msgspec.DecodeError, ValueError) as error:
        raise Unreadable("lines", str(error)) from error


def read_narrow(packed: bytes) -> list[Any] | None:
    """As ``read_lines``, of each fact only what questions read; None where the facts have to be read whole."""
    if UPCASTS:
        return None
    try:
        facts = narrow.decode_lines(packed)
    except msgspec.DecodeError as error:
        raise Unreadable("lines", str(error)) from error
    return facts if narrow.WHOLE.isdisjoint(map(type, facts)) else None


def read_stream(topics: str, packed: bytes) -> list[Fact]:
    """The facts of a stream, one a line, stored under these topics. Raises Unreadable if any is another."""
    names = topics.split(",") if topics else []
    if UPCASTS and len(names) == len(lines := packed.split(b"\n")):
        return [read(topic, line) for topic, line in zip(names, lines, strict=True)]
    facts = read_lines(packed)
    if [fact.__struct_config__.tag for fact in facts] != names:
        raise Unreadable(topics, "the states say something else")
    return facts


def recorded(
    position: int, originator_id: UUID, originator_version: int, topic: str, state: bytes, recorded_at: datetime
) -> Recorded:
    """A row of the log as what it tells. Raises Unreadable, UnknownTopic, naming the place."""
    try:
        return Recorded(originator_id, originator_version, read(topic, state), position, recorded_at)
    except Unreadable as error:
        place = f" at position {position} (stream {originator_id}, version {originator_version})"
        raise type(error)(topic, error.reason, place) from error


def _decoded(topic: str, state: bytes) -> Fact:
    try:
        fact = events.decode(state)
    except msgspec.DecodeError as error:
        raise Unreadable(topic, str(error)) from error
    if events.topic_of(fact) != topic:
        raise Unreadable(topic, f"its state says that it is {events.topic_of(fact)!r}")
    return fact


def _lifted(topic: str, state: bytes) -> Fact:
    try:
        lifted = msgspec.json.decode(state)
        while lifted["type"] in UPCASTS:
            lifted = UPCASTS[lifted["type"]](lifted)
        return msgspec.convert(lifted, AnyFact)
    except (msgspec.DecodeError, KeyError, TypeError, ValueError) as error:
        raise Unreadable(topic, f"{type(error).__name__}: {error}") from error


def _topic(line: bytes) -> str:
    """A fact begins with its tag: the encoder wrote it so."""
    return line[len(_TAG) : line.index(b'"', len(_TAG))].decode()
