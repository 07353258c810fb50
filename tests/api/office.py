"""A certification body at work: the real application over a fresh register, its persons, and a key for each of them.

Every answer that it gives is held to the OpenAPI document (fitting.py).
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID, uuid4

import msgspec
from httpx2 import Response
from starlette.testclient import TestClient

from api.house import Addresses, House, opened
from api.main import application
from api.settings import Settings
from lifecycle import commands as c
from lifecycle import events as e
from lifecycle.organisation import check_character
from lifecycle.periods import day_start
from lifecycle.service import Request
from tests.api.fitting import published_by
from tests.databases import Database

FIRST_DAY = datetime(2024, 1, 15, 2, tzinfo=UTC)
"""The present of every register to begin with: 10:00 in Shanghai."""

STAFF: dict[str, e.Role] = {
    "reg": "registrar",
    "ana": "assessor",
    "bob": "assessor",
    "rev": "decision_maker",
    "dora": "decision_maker",
    "dan": "decision_maker",
    "dina": "decision_maker",
    "sam": "scheme_manager",
    "aud": "auditor",
    "adm": "administrator",
    "clk": "clock",
}
"""Whom every office employs. ``ana`` assesses, ``rev`` reviews, ``dora`` proposes, ``dan`` approves."""

HOLDERS = {"holder": "91110108000000001", "stranger": "91110108000000002", "former": "91110108000000003"}
"""Three applicants, each of an organisation of its own, by the first seventeen characters of its unified code."""

FOUNDER = e.By("founder", "administrator", "founding")
INSIDE = (
    "Traceback",
    'File "',
    "psycopg",
    "msgspec",
    "Exception",
    "Error:",
    "recursion",
    "codec",
    "<class",
    "object at 0x",
)
"""Words that no answer has: they would tell what is inside."""
PROBLEM_MEMBERS = {"type", "title", "status", "detail", "code", "clause", "instance"}


@dataclass
class Office:
    """The application, asked over HTTP.

    ``secrets``, ``keys`` (their ids) and ``organisations`` go by the person's name; ``resting`` has, by their stage,
    the certificates that tests look at and leave as they are.
    """

    house: House
    client: TestClient
    secrets: dict[str, str] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    organisations: dict[str, UUID] = field(default_factory=dict)
    resting: dict[str, Any] = field(default_factory=dict)

    def employs_as(self, other: Office) -> None:
        """Everybody whom the other employs, with the same keys: its register is a copy of the other's."""
        self.secrets, self.keys = dict(other.secrets), dict(other.keys)
        self.organisations = dict(other.organisations)

    def employs_everybody(self) -> None:
        """The staff and the holders, each with a key."""
        for person, role in STAFF.items():
            self.employs(person, role)
        for person, code in HOLDERS.items():
            self.employs(person, "applicant", self.registers_organisation(person, code))

    # ---- asking ------------------------------------------------------------------------------------------------------

    def post(self, path: str, person: str | None, body: Any = None, *, key: str | None = None, **sent: Any) -> Response:
        """A command as a person sends it; ``body`` is an object, or bytes; the key is a new one if left out."""
        content = body if isinstance(body, bytes) else msgspec.json.encode({} if body is None else body)
        headers = {"Content-Type": "application/json", "Idempotency-Key": key or uuid4().hex}
        headers |= self.bearing(person) | sent.pop("headers", {})
        return self.client.post(path, content=content, headers=headers, **sent)

    def get(self, path: str, person: str | None = None, **query: Any) -> Response:
        """A question as a person asks it, or anybody."""
        asked = {name: value for name, value in query.items() if value is not None}
        return self.client.get(path, params=asked or None, headers=self.bearing(person))

    def bearing(self, person: str | None) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.secrets[person]}"} if person else {}

    def status(self, number: str, person: str | None = None, **query: Any) -> dict[str, Any]:
        """What is told of a certificate number once the register has seen everything recorded."""
        self.house.catch_up()
        return answered(self.get(f"/status/{number}", person, **query))

    # ---- persons -----------------------------------------------------------------------------------------------------

    def employs(self, person: str, role: e.Role, organisation: UUID | None = None, *, as_person: str = "") -> None:
        """The person is registered and holds a key; ``as_person`` gives an own key to somebody known already."""
        name = as_person or person
        if not self.house.register.person(name).version:
            command = c.RegisterPerson(person=name)
            self.house.register.register_person(asked_by_founder(), command)
        issued = c.IssueKey(person=name, role=role, organisation=organisation)
        self.keys[person], self.secrets[person] = self.house.register.issue_key(FOUNDER, issued)

    def revokes(self, person: str) -> None:
        """The person's key opens nothing any more."""
        self.house.register.revoke_key(FOUNDER, self.keys[person], c.RevokeKey(reason="left"))

    def registers_organisation(self, person: str, seventeen: str, *, by: str = "reg") -> UUID:
        code = seventeen + check_character(seventeen)
        body = {"unified_code": code, "name": f"Firm of {person}", "address": "1 Road"}
        registered = answered(self.post("/organisations", by, body), 201)
        self.organisations[person] = UUID(registered["organisation_id"])
        return self.organisations[person]

    # ---- time, and what is stored ------------------------------------------------------------------------------------

    @property
    def today(self) -> date:
        return self.house.today()

    def moves_to(self, day: date | str) -> None:
        """It is ten o'clock of that legal day, and nothing else has happened."""
        day = date.fromisoformat(day) if isinstance(day, str) else day
        self.house.present.move_to(day_start(day) + timedelta(hours=10))

    def ticks(self) -> None:
        """The clock does one round, everything recorded before it being known."""
        self.house.catch_up()
        self.house.tick_today()
        self.house.catch_up()

    @property
    def position(self) -> int:
        """The last event's position."""
        return self.house.register.recorder.max_notification_id() or 0

    def count(self) -> int:
        """How many events are recorded."""
        with self.house.register.recorder.connection() as connection:
            return connection.execute("SELECT count(*) FROM certlife.events").fetchone()[0]

    @contextmanager
    def recording_nothing(self) -> Iterator[None]:
        """What is asked inside records nothing."""
        before = self.position
        yield
        assert self.position == before, "an event was recorded"


@contextmanager
def office_of(
    database: Database, now: datetime | None = FIRST_DAY, keys: Path | None = None, **settings: Any
) -> Generator[Office]:
    """An office over a register, nobody employed yet; nothing runs by itself. It signs with copies of the ``keys``."""
    with TemporaryDirectory() as folder, ExitStack() as stack:
        if keys is not None:
            copytree(keys, folder, dirs_exist_ok=True)
        given = Settings(now=now, keys=Path(folder), **settings)
        house = stack.enter_context(opened(addresses_of(database), given))
        with TestClient(application(house), raise_server_exceptions=False) as client:
            client.event_hooks = {"response": [published_by(client).require_fit]}
            yield Office(house, client)


def addresses_of(database: Database) -> Addresses:
    return Addresses(database.service_url, database.engine_url, database.owner_url)


def asked_by_founder() -> Request:
    """A request of the administrator who founded the office, under an idempotency key of its own."""
    return Request(FOUNDER, uuid4().hex, "00" * 32)


def answered(response: Response, status: int = 200) -> dict[str, Any]:
    """The JSON of an answer that is as expected."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    return response.json()


def refused(response: Response, status: int, code: str) -> dict[str, Any]:
    """The problem of a refusal that is as expected, and well formed."""
    found = problem_of(response)
    assert (found["status"], found["code"]) == (status, code), response.text
    return found


def problem_of(response: Response) -> dict[str, Any]:
    """The problem in a refusal, with everything that RFC 9457 and the interface ask for."""
    assert response.headers["content-type"] == "application/problem+json", (response.status_code, response.text)
    found = response.json()
    assert found.keys() >= PROBLEM_MEMBERS
    assert not [word for word in INSIDE if word in response.text], response.text
    assert found["status"] == response.status_code
    assert found["type"] == f"urn:certlife:problem:{found['code']}"
    assert all(isinstance(found[name], str) and found[name] for name in PROBLEM_MEMBERS - {"status"}), found
    if response.status_code == 503:
        assert int(response.headers["retry-after"]) > 0
    return found
