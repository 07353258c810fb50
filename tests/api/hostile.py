"""A grammar of hostile requests: each begins as a lawful one and is bent somewhere, by a seeded chance."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx2

from tests.api.life import Json, Life
from tests.api.office import STAFF, Office
from tests.api.requests import LAWFUL, Lawful, life_for

TEXTS = (
    "", " ", "x", "0", "null", "true", "NaN", "\x00", "a\x00b", "\x1b[2J", "\u202e", "\ufffe", "\U00020bb7", "é",
    "e\u0301", "👨‍👩‍👧", "'; DROP TABLE certlife.events; --", "%s%n{0}{act}", "../../etc/passwd", "<script>", "${jndi:ldap://x}",
    "a" * 300, "a" * 301, "a" * 2001, "9" * 5000, "2024-01-15", "2024-02-30", "0001-01-01", "9999-12-31",
    "2024-01-15T00:00:00Z", "00000000-0000-0000-0000-000000000000", "0" * 64, "f" * 63, "star", "CSP-S01-001",
    "five_star", "ana", "dora", "mark_misused", "/findings/5.2.1/marks", "/effective_on", "1e999", "1/0", "-0", "１２",
    "\n", "a\n", "\ud7ff", "\ue000",
)  # fmt: skip
NUMBERS = (
    0, 1, 2, 3, 7, -1, 10, 255, 2**31 - 1, 2**31, 2**53, 2**63, -(2**63) - 1, 10**30, 0.0, 0.5, -0.0, 1e308, 5e-324,
)  # fmt: skip
QUERIES = (
    "dry_run", "on", "known_at", "by", "kind", "due_by", "cursor", "limit", "min_position", "status", "level", "holder",
    "number", "lang", "actor", "type", "from", "to", "effective_from", "effective_to", "certificate", "cause",
    "proposal",
)  # fmt: skip
HEADERS = (
    "Idempotency-Key", "If-Match", "Authorization", "Content-Type", "Accept", "Accept-Language", "X-Forwarded-For",
    "Transfer-Encoding", "Expect", "Range", "If-None-Match",
)  # fmt: skip
QUESTIONS = (
    "/status/{n}", "/status", "/certificates", "/certificates/{id}", "/certificates/{id}/events", "/deadlines",
    "/deadlines.ics", "/events", "/events/{p}", "/events.csv", "/events.jsonl", "/certificates/{id}/changes", "/readyz",
    "/metrics", "/healthz", "/nowhere", "/verify", "/verify/{n}", "/certificates/{id}/files",
    "/certificates/{id}/notices", "/certificates/{id}/notices/{p}", "/files/" + "0" * 64,
)  # fmt: skip


@dataclass
class Hostile:
    """Requests to one office, the same for the same seed (but for ids and keys, which the service draws itself)."""

    office: Office
    seed: int
    chance: Random = field(init=False)

    def __post_init__(self) -> None:
        self.chance = Random(self.seed)

    def request(self) -> httpx2.Response:
        """The answer to the next one."""
        return self._question() if self.chance.random() < 0.25 else self._command()

    # ---- commands ----------------------------------------------------------------------------------------------------

    def _command(self) -> httpx2.Response:
        lawful = self.chance.choice(LAWFUL)
        life = self._life(lawful)
        person = life.holder if lawful.by == "holder" else lawful.by
        if self.chance.random() < 0.1:
            person = self.chance.choice([*STAFF, "holder", "stranger"])
        headers = {"Idempotency-Key": uuid4().hex, "Content-Type": "application/json"} | self.office.bearing(person)
        query = self._query() if self.chance.random() < 0.2 else ""
        path = self._bent_path(lawful.path(life))
        return self._send("POST", path + query, self._bent_headers(headers), self._bent_body(lawful.body(life)))

    def _life(self, lawful: Lawful) -> Life:
        """A certificate at the stage, or at some stage or other by now."""
        if lawful.name not in self.office.resting or self.chance.random() < 0.02:
            self.office.resting[lawful.name] = life_for(self.office, lawful)
        return self.office.resting[lawful.name]

    def _bent_path(self, path: str) -> str:
        if self.chance.random() > 0.08:
            return path
        parts = path.split("/")
        parts[self.chance.randrange(1, len(parts))] = quote(self._text(), safe="")
        return "/".join(parts)

    def _bent_body(self, body: Json) -> bytes:
        for _ in range(self.chance.choice([0, 1, 1, 1, 2, 3])):
            body = self._bent(body)
        raw = json.dumps(body, ensure_ascii=self.chance.random() < 0.5).encode("utf-8", "surrogatepass")
        return self._bent_bytes(raw) if self.chance.random() < 0.15 else raw

    def _bent_bytes(self, raw: bytes) -> bytes:
        at = self.chance.randrange(len(raw) + 1)
        insert = self.chance.choice([
            b"", b"\xff", b"\x00", b"\xed\xa0\x80", b"NaN", b"[" * 900, b"{", b'"', b"\\ud800", b"//", b",", b"1e999",
            b" " * 70_000,
        ])  # fmt: skip
        return raw[:at] + insert + raw[at + self.chance.randrange(3) :]

    def _bent(self, node: Any) -> Any:
        """The same JSON with one thing bent somewhere inside."""
        if isinstance(node, dict) and node and self.chance.random() < 0.8:
            name = self.chance.choice(list(node))
            return self._bent_member(dict(node), name)
        if isinstance(node, list) and node and self.chance.random() < 0.8:
            items, at = list(node), self.chance.randrange(len(node))
            bend: Callable = self.chance.choice(
                [self._bent_item, lambda i, a: [*i, i[a]], lambda i, a: i[:a] + i[a + 1 :]]
            )
            return bend(items, at)
        return self._value()

    def _bent_member(self, members: Json, name: str) -> Json:
        match self.chance.randrange(6):
            case 0:
                del members[name]
            case 1:
                members[self._text()] = self._value()
            case 2:
                members["effective_on"] = self._text()
            case _:
                members[name] = self._bent(members[name])
        return members

    def _bent_item(self, items: list, at: int) -> list:
        items[at] = self._bent(items[at])
        return items

    def _value(self, depth: int = 0) -> Any:
        match self.chance.randrange(8):
            case 0:
                return self.chance.choice(NUMBERS)
            case 1:
                return self.chance.choice([None, True, False])
            case 2 if depth < 12:
                return [self._value(depth + 1) for _ in range(self.chance.randrange(3))]
            case 3 if depth < 12:
                return {self._text(): self._value(depth + 1) for _ in range(self.chance.randrange(3))}
            case _:
                return self._text()

    def _text(self) -> str:
        text = self.chance.choice(TEXTS)
        return text + self.chance.choice(TEXTS) if self.chance.random() < 0.1 else text

    # ---- questions, headers, sending ---------------------------------------------------------------------------------

    def _question(self) -> httpx2.Response:
        life = self.chance.choice([*self.office.resting.values()] or [Life(self.office)])
        number = life.number or self.chance.choice(["CSP-S01-2024-00001", quote(self._text(), safe="")])
        path = self.chance.choice(QUESTIONS).format(n=number, id=life.id or uuid4(), p=self.chance.randrange(99))
        person = self.chance.choice([None, "aud", "holder", "stranger", "adm"])
        query = self._query() if self.chance.random() < 0.8 else ""
        return self._send("GET", self._bent_path(path) + query, self._bent_headers(self.office.bearing(person)), b"")

    def _query(self) -> str:
        asked = []
        for _ in range(self.chance.randrange(1, 4)):
            name = self.chance.choice(QUERIES)
            value = self.chance.choice([self._text(), str(self.chance.choice(NUMBERS)), "2024-01-15", "50", "true"])
            if name == "min_position" and value.strip("0").isdigit():
                value = "1"  # a later one is waited for
            asked.append(f"{name}={quote(value[:3000], safe='')}")
        return "?" + "&".join(asked)

    def _bent_headers(self, headers: dict[str, str]) -> dict[str, str]:
        if self.chance.random() < 0.1:
            value = self._text().replace("\n", " ").replace("\x00", "").encode("latin-1", "replace").decode("latin-1")
            headers[self.chance.choice(HEADERS)] = value[:5000]
        return headers

    def _send(self, method: str, path: str, headers: dict[str, str], content: bytes) -> httpx2.Response:
        raw = [(name.encode("ascii"), value.encode("latin-1")) for name, value in headers.items()]
        return self.office.client.request(method, path, headers=raw, content=content)
