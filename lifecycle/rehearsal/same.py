"""Does the code still say what it said? Kept histories asked again, each with what was recorded and told of it.

Whatever differs is named with certificate, fact and rule. Outcomes are asked again as far as no correction stands
before them; after one, as a correction itself asks.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

import msgspec

from lifecycle import events as e
from lifecycle.certificate import Certificate, evolve, fold
from lifecycle.decisions.clock import owed
from lifecycle.events import Recorded
from lifecycle.questions import BAR, OUTCOMES_OF
from lifecycle.rehearsal.answers import UnderEdition, recorded_outcomes
from lifecycle.replay import replay
from lifecycle.rules import Edition
from lifecycle.status import Stars, segments
from lifecycle.upcast import read

Editions = Mapping[str, Edition]


class Kept(msgspec.Struct, frozen=True):
    """One history as it was stored, the bars its withdrawals imposed, and a digest of what the public was told."""

    id: UUID
    facts: tuple[msgspec.Raw, ...]
    bars: dict[int, date | None]
    told: str


class Changed(NamedTuple):
    """The rule answers otherwise now; version 0 is about the whole history."""

    certificate: UUID
    version: int
    topic: str
    rule: str
    recorded: str
    now: str


def kept(id: UUID, history: Sequence[Recorded], bars: Mapping[int, date | None], editions: Editions) -> Kept:
    """The history as it is kept."""
    facts = tuple(msgspec.Raw(e.encode(recorded.fact)) for recorded in history)
    return Kept(id, facts, dict(bars), _told(fold(id, history), editions))


def changed(one: Kept, editions: Editions) -> Iterator[Changed]:
    """Everything that is answered otherwise than it is kept."""
    history = [Recorded(one.id, version, _fact(raw)) for version, raw in enumerate(one.facts, 1)]
    yield from _outcomes(one, history, editions)
    yield from _bars(one, history, editions)
    yield from _corrected(one, history, editions)
    yield from _clock(one, history)
    if (now := _told(fold(one.id, history), editions)) != one.told:
        yield Changed(one.id, 0, "history", "status", one.told[:16], now[:16])


def _outcomes(one: Kept, history: Sequence[Recorded], editions: Editions) -> Iterator[Changed]:
    certificate, asked = Certificate(one.id), UnderEdition(None, editions)
    for recorded in history:
        fact = recorded.fact
        if isinstance(fact, e.RecordCorrected):
            return
        if type(fact) in OUTCOMES_OF:
            said = recorded_outcomes(certificate, fact, editions)
            now = asked.answer(certificate, recorded.version, fact)
            yield from (_change(one, recorded, path, said[path], now.get(path)) for path in said
                        if path != BAR and said[path] != now.get(path))  # fmt: skip
        evolve(certificate, recorded.version, fact)


def _bars(one: Kept, history: Sequence[Recorded], editions: Editions) -> Iterator[Changed]:
    for version, until_on in one.bars.items():
        certificate, fact = fold(one.id, history[: version - 1]), history[version - 1].fact
        now = editions[fact.edition or certificate.edition].bar_until(fact.effective_on)
        if now != until_on:
            yield _change(one, history[version - 1], BAR, until_on, now)


def _corrected(one: Kept, history: Sequence[Recorded], editions: Editions) -> Iterator[Changed]:
    """A correction wrote down what it recomputed; nothing else differs from what stands."""
    corrections = [recorded.fact for recorded in history if isinstance(recorded.fact, e.RecordCorrected)]
    known = {(outcome.version, outcome.path) for fact in corrections for outcome in fact.recomputed}
    for found in replay(one.id, history, editions).differences if corrections else ():
        if (found.version, found.path) not in known:
            yield _change(one, history[found.version - 1], found.path, found.old, found.value)


def _clock(one: Kept, history: Sequence[Recorded]) -> Iterator[Changed]:
    for recorded in history:
        fact = recorded.fact
        if fact.by.role == "clock":
            now = owed(fold(one.id, history[: recorded.version - 1]), fact.effective_on)
            if fact not in now:
                yield _change(one, recorded, "clock", fact, [each for each in now if type(each) is type(fact)])


def _told(certificate: Certificate, editions: Editions) -> str:
    stars: Stars = {id: {c: level.stars for c, level in each.levels.items()} for id, each in editions.items()}
    told = [(number, segments(certificate, number, stars)) for number in certificate.numbers.values]
    due, status = certificate.due, certificate.status
    return hashlib.sha256(msgspec.json.encode((told, due, status, sorted(certificate.unsupported)))).hexdigest()


def _fact(raw: msgspec.Raw) -> e.Fact:
    state = bytes(raw)
    return read(msgspec.json.decode(state)["type"], state)


def _change(one: Kept, recorded: Recorded, rule: str, said: object, now: object) -> Changed:
    return Changed(one.id, recorded.version, e.topic_of(recorded.fact), rule, _text(said), _text(now))


def _text(value: object) -> str:
    return msgspec.json.encode(value).decode()
