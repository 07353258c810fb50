"""A register of many certificates: lives told once, copied under other ids and numbers, in the order of time."""

import random
import re
from collections.abc import Iterator
from datetime import timedelta
from struct import Struct
from uuid import UUID

import psycopg

from api.demonstration.generate import generate
from api.house import House
from benchmarks.ground import BEGIN
from lifecycle import log
from lifecycle.events import NumberClaimed, decode, topic_of
from lifecycle.numbers import claim_id
from lifecycle.sql import load
from lifecycle.transitions import STATUS

SQL = load("register", "benchmarks")
YEARS = 5
LIVES = 120
FACTS = 20
"""How many facts a certificate has on average."""

CERTIFICATE_TOPICS = frozenset(topic_of(fact) for _, fact in STATUS)
CLAIM = topic_of(NumberClaimed)
NUMBER = re.compile(rb"((?:CSP-S01|GBT27922|GAT594)-)(\d{4})(-\d{5})")
COPY_HEAD, COPY_END = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"
_fields: Struct = Struct("!hi16siii")
_length: Struct = Struct("!i")
_instant: Struct = Struct("!iq")


def filled(house: House, events: int) -> int:
    """The log holds about so many facts of certificates; answers of how many certificates.

    All copies of a fact follow each other, so that the facts of one certificate lie as far apart as in a register that
    grew for years.
    """
    for _ in generate(house, LIVES, 1, BEGIN + timedelta(days=365 * YEARS + 10), years=YEARS):
        pass
    lives = _lives(house)
    facts = sum(topic != CLAIM for _, _, topic, _ in lives)
    copies = max(1, events // facts)
    with psycopg.connect(house.addresses.owner, autocommit=True) as owner:
        ((instant,),) = owner.execute(SQL["select_last_instant"]).fetchall()
        with owner.cursor().copy(SQL["copy_events"]) as copy:
            copy.write(COPY_HEAD)
            for row in lives:
                copy.write(b"".join(_copied(row, copies, _instant.pack(8, instant))))
            copy.write(COPY_END)
        owner.execute(SQL["vacuum"])
        owner.execute(SQL["stand_at_the_end"])
    return copies * len({id for id, _, topic, _ in lives if topic != CLAIM})


Event = tuple[UUID, int, str, bytes]


def _lives(house: House) -> list[Event]:
    """What was told of certificates until each had so many facts on average, and the claims of their numbers."""
    told: list[Event] = []
    ids, facts = set(), 0
    with house.register.recorder.connection() as connection:
        for _, id, version, topic, state, _ in log.tail_rows(connection, 0, 10**6):
            if topic in CERTIFICATE_TOPICS:
                ids.add(id)
                facts += 1
            if topic in CERTIFICATE_TOPICS or topic == CLAIM:
                told.append((id, version, topic, state))
            if len(ids) > LIVES * 0.8 and facts >= len(ids) * FACTS:
                break
    return told


def _copied(event: Event, copies: int, instant: bytes) -> Iterator[bytes]:
    """One fact again and again, packed as rows, each under its copy's ids and number."""
    id, version, topic, state = event
    pieces = NUMBER.split(state)
    claim = decode(state) if topic == CLAIM else None
    name = topic.encode()
    for copy in range(copies):
        own, said = _id(id, copy), state
        if len(pieces) > 1:
            renumbered = pieces.copy()
            renumbered[2::4] = [b"%04d" % (int(year) + 6 * (copy + 1)) for year in pieces[2::4]]
            said = b"".join(renumbered)
        if isinstance(claim, NumberClaimed):
            said = said.replace(str(claim.certificate).encode(), str(UUID(bytes=_id(claim.certificate, copy))).encode())
            own = claim_id(decode(said).number).bytes
        yield b"".join((
            _fields.pack(5, 16, own, 4, version, len(name)), name, _length.pack(len(said)), said, instant,
        ))  # fmt: skip


def _id(id: UUID, copy: int) -> bytes:
    """Random, and the same each time."""
    return random.Random(id.int + copy).randbytes(16)
