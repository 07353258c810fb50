"""A register lived in by chance: persons, organisations, certificates, days that pass, and acts that are thought of.

One seed makes one world: the same acts in the same order on the same days, whatever the register is kept in.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from random import Random
from uuid import UUID

import msgspec

from lifecycle import commands as c
from lifecycle import errors
from lifecycle import events as e
from lifecycle import organisation as organisations
from lifecycle.certificate import Certificate
from lifecycle.periods import legal_day
from lifecycle.rules import edition_in_force
from lifecycle.service import Answer, Register, Request
from lifecycle.transitions import LIVE
from tests.clock.acts import ROLES, Act, Acts

START = datetime(2023, 1, 2, 1, tzinfo=UTC)
SCHEMES = ("CSP-S01-001", "CSP-S01-001", "CSP-S01-001", "GBT-27922", "GAT-594")


class Present:
    """A present that stands still until it is moved."""

    def __init__(self, instant: datetime = START) -> None:
        self.at = instant

    def instant(self) -> datetime:
        return self.at

    @property
    def today(self) -> date:
        return legal_day(self.at)

    def move(self, **by: float) -> None:
        self.at += timedelta(**by)


Carry = Callable[[Callable[[], Answer]], object]
"""How a request is carried to the register: once, or in whatever way a test makes it go wrong."""


def once(send: Callable[[], Answer]) -> Answer | None:
    """The request is sent once; a refusal is an answer too."""
    try:
        return send()
    except errors.Refusal:
        return None


class World:
    """A register and what chance does to it."""

    def __init__(self, register: Register, present: Present, seed: int, *, carry: Carry = once) -> None:
        self.register = register
        self.present = present
        self.chance = Random(seed)
        self.carry = carry
        self.certificates: list[UUID] = []
        self.organisations: list[UUID] = []
        self.sent = 0

    def found(self, organisations: int = 3) -> World:
        """The persons and so many organisations are registered, and the editions published."""
        self.register.open()
        for person in ROLES:
            command = c.RegisterPerson(person=person)
            self._send("adm", command, lambda r, command=command: self.register.register_person(r, command))
        for number in range(organisations):
            self._register_organisation(number)
        return self

    def lives(self, days: int, *, busy: float = 1.0) -> World:
        """So many days pass; on about ``busy`` of a day somebody acts, on a certificate new or old."""
        end = self.present.at + timedelta(days=days)
        while self.present.at < end:
            self.step()
            self.present.move(days=self.chance.expovariate(busy))
        return self

    def step(self) -> UUID:
        """A few acts on one certificate, within some days; answers which."""
        if not self.certificates or self.chance.random() < 0.04:
            return self.apply()
        id = self._chosen()
        for _ in range(self.chance.randint(1, 12)):
            self.act(id)
            self.present.move(hours=self.chance.choice((0, 1, 9, 30)))
        return id

    def _chosen(self) -> UUID:
        """Seldom one with which nothing more can happen."""
        for id in self.chance.choices(self.certificates, k=4):
            certificate = self.register.certificate(id)
            at_work = any(case.is_open for case in certificate.cases.values())
            if certificate.status in LIVE or (certificate.status == "none" and at_work):
                break
        return id

    def apply(self) -> UUID:
        """A new certificate's application is submitted, perhaps in vain."""
        id = self.uuid()
        scheme = self.chance.choice(SCHEMES)
        edition = edition_in_force(self.register.editions, scheme, self.present.today)
        command = c.SubmitApplication(
            kind="initial",
            organisation=self.chance.choice(self.organisations),
            scheme=scheme,
            certification_type=self.chance.choice(list(edition.certification_types)),
            holder=f"Holder {len(self.certificates)}",
            address="1 Example Road",
            scope="alarm operation",
            accepts_conformity=self.chance.random() < 0.7,
        )
        if self.do(id, Act("holder", command)):
            self.certificates.append(id)
        return id

    def act(self, id: UUID) -> object:
        """One act is thought of and asked for, or none."""
        thought = self.think(id)
        return self.do(id, thought) if thought else None

    def think(self, id: UUID) -> Act | None:
        certificate = self.register.certificate(id)
        edition = self.register.editions[certificate.edition]
        return Acts(certificate, edition, self.present.today, self.chance).next()

    def do(self, id: UUID, act: Act) -> object:
        return self._send(act.person, act.command, lambda request: carry_out(self.register, request, id, act))

    def tick(self, *, on: date | None = None) -> list[e.Fact]:
        """The clock looks at every certificate."""
        return [fact for id in self.certificates for fact in self.register.tick(id, on)]

    def histories(self) -> Iterable[Certificate]:
        """Every certificate, with its whole history."""
        return map(self.register.certificate, self.certificates)

    def uuid(self) -> UUID:
        return UUID(int=self.chance.getrandbits(128), version=4)

    def _send(self, person: str, command: msgspec.Struct, run: Callable[[Request], Answer]) -> object:
        self.sent += 1
        request = asked(person, command, f"request-{self.sent}")
        return self.carry(lambda: run(request))

    def _register_organisation(self, number: int) -> None:
        code = unified_code(number)
        command = c.RegisterOrganisation(unified_code=code, name=f"Organisation {number}", address="1 Example Road")
        self._send("reg", command, lambda request: self.register.register_organisation(request, command))
        self.organisations.append(organisations.id_of(code))


def carry_out(register: Register, request: Request, id: UUID, act: Act) -> Answer:
    """The act through the register's door."""
    match act.command:
        case c.Approve():
            return register.approve(request, id, act.proposal, act.command)
        case c.Reject():
            return register.reject(request, id, act.proposal, act.command)
        case _:
            return register.execute(request, act.command, id)


def asked(person: str, command: msgspec.Struct, key: str) -> Request:
    """The request of a person, under a key."""
    body = hashlib.sha256(msgspec.json.encode(command, order="sorted")).hexdigest()
    return Request(e.By(person, ROLES[person], f"key-{person}"), key, body)


def unified_code(number: int) -> str:
    """A valid unified code, another for each number."""
    body = f"9111010500000{number:04d}"
    return body + organisations.check_character(body)
