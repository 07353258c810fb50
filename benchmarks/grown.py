"""A register that stands up to verification: lives told through the service, and copied whole with all that belongs.

Every transaction is followed by its copies, each under ids, numbers, codes and keys of its own: events, receipts,
organisations, number series, digests of proposals. Then come the ledger, a checkpoint, and the read models.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from itertools import groupby
from random import Random
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from api.demonstration.generate import generate
from api.house import House
from benchmarks.ground import BEGIN
from lifecycle import commands as c
from lifecycle import events as e
from lifecycle import log
from lifecycle.numbers import claim_id
from lifecycle.organisation import check_character, id_of
from lifecycle.rules import normalise_number
from lifecycle.sql import load
from projections.follower import connect
from projections.ledger import LedgerFollower
from projections.rebuild import rebuild

SQL = load("grown", "benchmarks")
LIVES = 120
YEARS = 5
SHARED = frozenset(map(e.topic_of, (
    e.PersonRegistered, e.ConflictDeclared, e.KeyIssued, e.KeyRevoked, e.SigningKeyAdded, e.EditionPublished,
)))  # fmt: skip
"""What is told once, whatever is copied."""
TOKEN = re.compile(
    rb"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[A-Z][A-Z0-9-]+-\d{4}-\d{5}|generated-\d+-\d+|91110108M[0-9A-Z]{9}"
    rb'|(?<="digest":")[0-9a-f]{64}'
)
NUMBER = re.compile(r"(.+)-(\d{4})-\d{5}")
CODE = re.compile(r"91110108M(\d{8}).")

TYPES = {
    "copy_events": ["int8", "uuid", "int4", "text", "bytea", "timestamptz"],
    "copy_receipts": ["text", "text", "bytea", "bytea", "int8", "timestamptz"],
}

Receipt = tuple[str, str, bytes, bytes, int, datetime]
Text = tuple[list[bytes], list[bytes]]
"""What stays, and the tokens between, which are another in each copy."""


def grown(house: House, events: int) -> int:
    """The register holds about so many events; answers how many."""
    for _ in generate(house, LIVES, 1, BEGIN + timedelta(days=365 * YEARS + 10), years=YEARS):
        pass
    with psycopg.connect(house.addresses.owner or "", autocommit=True) as owner:
        told = [(list(group)) for _, group in groupby(owner.execute(SQL["select_told"]).fetchall(), lambda row: row[0])]
        receipts: dict[int, Receipt] = {row[4]: row for row in owner.execute(SQL["select_receipts"]).fetchall()}
        _serials.clear()
        copying = _Copying(told, receipts, max(1, events // sum(map(len, told))))
        owner.execute(SQL["forget"])
        _copy(owner, "copy_events", copying.events())
        _copy(owner, "copy_receipts", copying.receipts_made)
        for statement in ("forward", "vacuum", "vacuum_receipts", "stand_at_the_end"):
            owner.execute(SQL[statement])
    _derived(house)
    return copying.count


def _derived(house: House) -> None:
    """Ledger, checkpoint and read models are those of the events."""
    with connect(house.addresses.engine) as connection:
        follower = LedgerFollower()
        while follower.advance(connection):
            pass
    house.checkpoints.pause = timedelta(0)
    assert house.checkpoints.round(), house.checkpoints.problem
    for projection in house.engine.projections:
        for _ in rebuild(house.addresses.engine, projection, 1):  # pyright: ignore[reportArgumentType]
            pass
    house.catch_up()


def _copy(owner: psycopg.Connection, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
    with owner.cursor().copy(SQL[statement]) as copy:
        copy.set_types(TYPES[statement])
        for row in rows:
            copy.write_row(row)


@dataclass
class _Copying:
    """Transactions in their order, each ``copies`` times."""

    told: list[list[tuple[Any, ...]]]
    receipts: dict[int, Receipt]
    copies: int
    count: int = 0
    receipts_made: list[Receipt] = field(default_factory=list)

    def events(self) -> Iterator[log.Row]:
        """The rows of the log. The receipts are known once all have been asked for."""
        own = [_Copy(number) for number in range(self.copies)]
        for transaction in self.told:
            rows = [(row[1:], _split(row[5])) for row in transaction]
            receipt = self.receipts.get(transaction[-1][1])
            said = _split(receipt[3]) if receipt else None
            shared = transaction[0][4] in SHARED
            for copy in [_Once(-1)] if shared else own:
                for row, text in rows:
                    self.count += 1
                    yield self.count, *copy.event(row, text)
                if receipt and said:
                    person, key, body, _, _, instant = receipt
                    made = copy.token(key.encode()).decode(), body, copy.joined(said)
                    self.receipts_made.append((person, *made, self.count, instant))


@dataclass
class _Copy:
    """One copy of all lives. Serials are taken as they are asked for; ``serial`` was the last one."""

    number: int
    named: dict[bytes, bytes] = field(default_factory=dict)
    serial: int = 0

    def event(self, row: tuple[Any, ...], text: Text) -> tuple[Any, ...]:
        _, stream, version, topic, _, instant = row
        state = self.joined(text)
        match topic:
            case "serial-taken.v1":
                fact = msgspec.structs.replace(e.decode(state), serial=self.serial)
                return stream, self.serial, topic, e.encode(fact), instant
            case "number-claimed.v1":
                return claim_id(normalise_number(e.decode(state).number)), 1, topic, state, instant
        own = UUID(self.token(str(stream).encode()).decode())
        return own, version, topic, self._proposed(state, own) if topic == "act-proposed.v1" else state, instant

    def joined(self, text: Text) -> bytes:
        still, tokens = text
        parts = [part for pair in zip(still, map(self.token, tokens), strict=False) for part in pair]
        return b"".join([*parts, still[-1]])

    def token(self, token: bytes) -> bytes:
        """What stands in its place."""
        if (found := self.named.get(token)) is None:
            found = self.named[token] = self._new(token)
        return found

    def _new(self, token: bytes) -> bytes:
        text = token.decode()
        if number := NUMBER.fullmatch(text):
            return self._numbered(*number.groups())
        if code := CODE.fullmatch(text):
            return _code(self.number, int(code[1])).encode()
        if text.startswith("generated-"):
            return f"{text}-{self.number}".encode()
        if (organisation := _organisations().get(text)) is not None:
            return str(id_of(_code(self.number, organisation))).encode()
        if len(text) == 36:
            return str(UUID(bytes=Random(f"{text}/{self.number}").randbytes(16), version=4)).encode()
        return token

    def _numbered(self, scheme: str, year: str) -> bytes:
        self.serial = _serials[scheme, year] = _serials.get((scheme, year), 0) + 1
        return f"{scheme}-{year}-{self.serial:05d}".encode()

    def _proposed(self, state: bytes, certificate: UUID) -> bytes:
        fact: Any = e.decode(state)
        digest = c.digest_of(certificate, c.read(c.COMMANDS[fact.act], fact.body)).encode()
        self.named[fact.digest.encode()] = digest
        return state.replace(fact.digest.encode(), digest)


class _Once(_Copy):
    """What stays as it is."""

    def event(self, row: tuple[Any, ...], text: Text) -> tuple[Any, ...]:
        return row[1:]

    def token(self, token: bytes) -> bytes:
        return token


_serials: dict[tuple[str, str], int] = {}


def _split(text: bytes) -> Text:
    return TOKEN.split(text), TOKEN.findall(text)


@cache
def _organisations() -> dict[str, int]:
    """Those that were generated, by their ids."""
    codes = (f"91110108M{index:08d}" for index in range(LIVES))
    return {str(id_of(code + check_character(code))): index for index, code in enumerate(codes)}


def _code(copy: int, index: int) -> str:
    body = f"9{copy:07d}M{index:08d}"
    return body + check_character(body)
