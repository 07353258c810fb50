"""A register with everything that verification looks at, and somebody with full rights who lays hands on it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import psycopg
from psycopg import Connection

from api.ledger.verification import checks
from lifecycle import log, upcast
from lifecycle.events import Recorded
from projections.check import Check, Finding, said
from projections.ledger import LedgerFollower
from tests.api.life import Life
from tests.api.office import Office, answered
from tests.api.rehearsing import Rehearsing
from tests.databases import Database
from tests.projections.ledgers import SQL as LEDGERS


def lived(office: Office) -> Office:
    """Some certificates with what can befall them, documents, reads of the trail that are sealed, keys revoked, an
    edition published by two, rehearsed and adopted; the projections and the ledger stand at the end."""
    kept = [Life(office).issued() for _ in range(2)]
    kept[0].suspended().reinstated()
    served(kept[0], kept[0].version_of("certificate-suspended"))
    office.moves_to("2024-01-17")
    kept[1].visit_opened().visited()
    kept[1].complained()
    Life(office, "former").issued().withdrawn()
    corrected = Life(office).applies()
    change = {"path": "/holder", "old": "Example Alarm Ltd", "new": "Example Alarm Co"}
    corrected.both("corrections", {"target": 1, "reason": "misspelt", "changes": [change]})
    for life in kept:
        assert office.get(f"/certificates/{life.id}/documents/1", "aud").status_code == 200
    office.employs("leaving", "auditor")
    office.revokes("leaving")
    answered(office.get("/events", "aud"))
    signed(office)
    rehearsing = Rehearsing.at(office).publishes().in_force()
    office.ticks()
    rehearsing.rehearses().approved().adopts()
    office.ticks()
    kept[0].expired()
    office.ticks()
    Life(office, "stranger").issued()
    signed(office)
    return office


def served(life: Life, of: int) -> None:
    """The holder is told in a letter that is kept, and proof of it is kept too."""
    digests = []
    for content in (b"a letter of our own", b"the receipt of the post office"):
        headers = life.office.bearing("reg") | {"Content-Type": "text/plain"}
        digests.append(answered(life.office.client.post("/files", content=content, headers=headers))["sha256"])
    letter, proof = digests
    on = life.office.today.isoformat()
    life.does("notices", "reg", {"of": of, "served_on": on, "proof_sha256": proof, "notice_sha256": letter})


def signed(office: Office) -> None:
    """A checkpoint covers everything."""
    office.house.catch_up()
    office.house.checkpoints.pause = timedelta(0)
    assert office.house.checkpoints.round(), office.house.checkpoints.problem


@dataclass
class Outside:
    """What somebody keeps elsewhere: the key of the ledger, and copies of its checkpoints."""

    keys: list[str]
    notes: list[Path]
    ends: list[int]

    @classmethod
    def of(cls, office: Office, database: Database, folder: Path) -> Outside:
        with psycopg.connect(database.owner_url) as owner:
            found = owner.execute("SELECT tree_size, position, note FROM ledger.checkpoints ORDER BY tree_size")
            kept, ends = [], []
            for size, position, note in found.fetchall():
                kept.append(folder / f"{size}.txt")
                kept[-1].write_text(note)
                ends.append(position)
        return cls(office.get("/ledger/keys").text.split(), kept, ends)

    def checks(self, connection: Connection) -> list[Check]:
        return checks(connection, None, self.keys, self.notes)


def findings(connection: Connection, asked: Iterable[Check]) -> dict[str, Finding]:
    """What each check found, in what the connection sees."""
    return {
        check.name: each
        for check in asked
        for each in said(connection, check)
        if isinstance(each, Finding)
    }  # fmt: skip


@dataclass
class Tamperer:
    """A superuser in a transaction that is taken back afterwards; no constraint is in the way."""

    owner: Connection
    chance: Random
    events: Sequence[Recorded]

    def do(self, statement: str, *values: Any) -> list[Any]:
        cursor = self.owner.execute(statement, values)  # pyright: ignore[reportArgumentType, reportCallIssue]
        return cursor.fetchall() if cursor.description else []

    def one(self) -> Recorded:
        return self.chance.choice(self.events)

    def two(self) -> tuple[Recorded, Recorded]:
        one, other = sorted(self.chance.sample(self.events, 2), key=lambda each: each.position or 0)
        return one, other

    def of(self, kind: type) -> Recorded:
        return self.chance.choice([each for each in self.events if isinstance(each.fact, kind)])

    def end(self) -> int:
        return self.events[-1].position or 0

    def last_of(self, stream: Any) -> int:
        """The position of a stream's last event, or the end of the log."""
        return max((each.position or 0 for each in self.events if each.originator_id == stream), default=self.end())

    def rechain(self) -> None:
        """The tree is built anew over what is there now, and no checkpoint in the database speaks against it."""
        for name in ("forget_tree", "forget_checkpoints", "become_engine_again"):
            self.owner.execute(LEDGERS[name])
        follower = LedgerFollower()
        while follower.advance(self.owner):
            pass
        self.owner.execute("RESET ROLE")


@contextmanager
def tampering(database: Database) -> Generator[Callable[[int], Tamperer]]:
    """A tamperer by a seed; what the one before did is taken back."""
    with psycopg.connect(database.owner_url) as owner:
        events = [upcast.recorded(*row) for row in log.tail_rows(owner, 0, 10**6)]

        def another(seed: int) -> Tamperer:
            owner.rollback()
            owner.execute(LEDGERS["lay_hands_on"])
            owner.execute(NO_CONSTRAINTS)
            return Tamperer(owner, Random(seed), events)

        yield another
        owner.rollback()


NO_CONSTRAINTS = """
    ALTER TABLE certlife.documents DROP CONSTRAINT documents_digest_check;
    ALTER TABLE projections.register DROP CONSTRAINT register_pkey;
    ALTER TABLE projections.certificate DROP CONSTRAINT certificate_pkey;
    ALTER TABLE projections.deadline DROP CONSTRAINT deadline_pkey;
    ALTER TABLE projections.trail DROP CONSTRAINT trail_pkey;
    DROP INDEX projections.register_place;
    ALTER TABLE certlife.key_hashes DROP CONSTRAINT key_hashes_sha256_key, DROP CONSTRAINT key_hashes_key_key;
    ALTER TABLE certlife.files DROP CONSTRAINT files_digest_check;
    ALTER TABLE certlife.rehearsal_lines DROP CONSTRAINT rehearsal_lines_check;
"""
