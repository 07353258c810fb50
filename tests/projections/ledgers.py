"""A ledger with events, checkpoints, and copies of these in other hands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from psycopg import Connection

from lifecycle.sql import load
from projections.check import Finding, Progress
from projections.check_ledger import LedgerCheck
from projections.follower import connect
from projections.ledger import SQL as LEDGER_SQL
from projections.ledger import LedgerFollower, Tree
from projections.note import Checkpoint, VerifierKey
from tests.databases import Database

SQL = load("ledgers", "tests.projections")
NAME = "register.example/ledger"


@dataclass
class Signing:
    """A key of a ledger."""

    private: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    @property
    def public(self) -> VerifierKey:
        return VerifierKey(NAME, self.private.public_key().public_bytes_raw())

    def sign(self, connection: Connection, size: int) -> str:
        """The note for the tree as it was with that size."""
        tree = Tree(connection)
        (leaf,) = tree.leaves(size - 1, 1)
        checkpoint = Checkpoint(NAME, size, tree.root(size), leaf.position, "2026-03-01T00:00:00Z")
        return checkpoint.signed(self.public, self.private.sign)


@dataclass
class Ledger:
    """A register's ledger; ``published`` are the notes that others hold."""

    database: Database
    key: Signing = field(default_factory=Signing)
    published: list[tuple[str, str]] = field(default_factory=list)

    def append(self, count: int) -> None:
        """So many events more, with holes between their positions."""
        with psycopg.connect(self.database.owner_url, autocommit=True) as owner:
            owner.execute(SQL["append"], {"count": count})
            owner.execute(SQL["forward_sequence"])

    def grow(self, batch: int = 500) -> int:
        """The tree covers all events; answers how many it has."""
        with connect(self.database.engine_url) as connection:
            follower = LedgerFollower()
            while follower.advance(connection, batch):
                pass
            return Tree(connection).end().size

    def sign(self) -> str:
        """A checkpoint over the tree as it stands; others have it too."""
        with psycopg.connect(self.database.service_url, autocommit=True) as service:
            size, position = Tree(service).end()
            note = self.key.sign(service, size)
            values = {"size": size, "position": position, "note": note, "pause": "0"}
            assert service.execute(LEDGER_SQL["add_checkpoint"], values).fetchone() == (True,)
        self.published.append((note, f"somebody's copy of {size}"))
        return note

    def check(self) -> LedgerCheck:
        """By somebody who has the log's key and the checkpoints from elsewhere."""
        return LedgerCheck([self.key.public], [self.published])


def found(connection: Connection, check: LedgerCheck) -> Finding | None:
    """What the check finds in what the connection sees; None if nothing."""
    result = looked(connection, check)
    return result if isinstance(result, Finding) else None


def looked(connection: Connection, check: LedgerCheck) -> Finding | Progress:
    """What the check finds, or with what it ends."""
    try:
        with connection.transaction():
            return list(check.run(connection))[-1]
    except Finding as finding:
        return finding


def checked(ledger: Ledger, check: LedgerCheck | None = None) -> Finding | None:
    """What a check finds in the register as it stands; with everything that others hold if no check is named."""
    with connect(ledger.database.engine_url) as connection:
        return found(connection, check or ledger.check())


def lines(connection: Connection, *names: str) -> list[object]:
    """The whole of what the statements answer."""
    return [connection.execute(SQL[name]).fetchall() for name in names]


def numbered(notes: Iterable[str]) -> list[tuple[str, str]]:
    return [(note, f"note {number}") for number, note in enumerate(notes)]
