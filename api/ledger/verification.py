"""What `certlife verify` looks at: the register as it stands, believed in nothing; it changes nothing.

Signatures are held to the keys that the register names, unless keys are given: whoever can change everything in the
database can name a key of their own there.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from psycopg import Connection

from api.ledger.checkpoints import raw
from api.ledger.published_folder import PublishedFolder
from api.status.stars import StarsByEdition
from lifecycle import events as e
from lifecycle import upcast
from lifecycle.errors import Refusal
from lifecycle.keys import REGISTER
from projections.check import Check, end_of
from projections.check_ledger import LedgerCheck
from projections.check_orphans import OrphansCheck
from projections.check_read_models import ReadModelCheck
from projections.check_receipts import ReceiptsCheck
from projections.check_streams import StreamsCheck, known_by
from projections.checkpoints import last_note
from projections.deadlines import DeadlinesProjection
from projections.ledger import SQL
from projections.note import NoteRefused, VerifierKey, read, verifier_key
from projections.register import RegisterProjection
from projections.trail import TrailProjection

POINT = re.compile(r"[A-Za-z0-9_-]{43}")


NAMES = ("trail", "ledger", "streams", "register", "deadlines", "receipts", "orphans")
"""Of every check there is; those that take longest first."""


class CheckUnknown(Refusal):
    code = "check_unknown"
    kind = "invalid"
    en = "There is no check {name}. There are: {names}."
    zh = "没有检查 {name}。现有检查：{names}。"


def checks(
    connection: Connection, folder: PublishedFolder | None, keys: Sequence[str], files: Sequence[Path]
) -> list[Check]:
    """Every check there is; the ledger's against the folder and the ``files`` too.

    Raises note.NoVerifierKey, OSError.
    """
    notes = sorted(((file.read_bytes().decode("utf-8", "replace"), str(file)) for file in files), key=_size)
    trusted = [verifier_key(key) for key in keys] or list(_named(connection, folder, notes))
    stars = StarsByEdition(known_by(connection, end_of(connection)).editions)
    projections = (RegisterProjection(stars), DeadlinesProjection(), TrailProjection())
    made = [
        LedgerCheck(trusted, [folder or (), notes]), StreamsCheck(), ReceiptsCheck(), OrphansCheck(),
        *map(ReadModelCheck, projections),  # pyright: ignore[reportArgumentType]
    ]  # fmt: skip
    return sorted(made, key=lambda check: NAMES.index(check.name))


def named(only: Sequence[str]) -> frozenset[str]:
    """The checks asked for; all if none is named. Raises CheckUnknown."""
    for name in only:
        if name not in NAMES:
            raise CheckUnknown(name=name, names=", ".join(NAMES))
    return frozenset(only or NAMES)


def _named(
    connection: Connection, folder: PublishedFolder | None, notes: Sequence[tuple[str, str]]
) -> Iterator[VerifierKey]:
    """The keys that the register names, under every name that the log bears anywhere."""
    last = last_note(connection)
    kept = folder.last_note() if folder else None
    texts = [last.text if last else "", kept[0] if kept else "", *(text for text, _ in notes)]
    values = {"register": REGISTER, "topic": e.topic_of(e.SigningKeyAdded)}
    for topic, state in connection.execute(SQL["select_signing_keys"], values).fetchall():
        for origin in {_origin(text) for text in texts}:
            yield from (VerifierKey(origin, key) for key in _public_key(topic, state))


def _public_key(topic: str, state: bytes) -> Iterator[bytes]:
    """The ledger's key in a fact; none in one of another purpose, or that nobody can read."""
    try:
        fact = upcast.read(topic, state)
    except upcast.Unreadable:
        return
    if isinstance(fact, e.SigningKeyAdded) and fact.purpose == "ledger" and POINT.fullmatch(fact.public_key):
        yield raw(fact.public_key)


def _origin(text: str) -> str:
    try:
        return read(text).origin
    except NoteRefused:
        return ""


def _size(note: tuple[str, str]) -> int:
    try:
        return read(note[0]).size
    except NoteRefused:
        return 0
