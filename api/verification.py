"""What `certlife verify` looks at: the register as it stands, believed in nothing; it writes nothing.

Signatures are held to the keys that the register names, unless keys are given: whoever can change everything in the
database can name a key of their own there.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from psycopg import Connection

from api.checkpoints import raw
from api.published_folder import PublishedFolder
from lifecycle import events as e
from lifecycle import upcast
from lifecycle.keys import REGISTER
from projections.check import Check
from projections.check_ledger import LedgerCheck
from projections.checkpoints import last_note
from projections.ledger import SQL
from projections.note import NoteRefused, VerifierKey, read, verifier_key

POINT = re.compile(r"[A-Za-z0-9_-]{43}")


def checks(
    connection: Connection, folder: PublishedFolder | None, keys: Sequence[str], files: Sequence[Path]
) -> list[Check]:
    """Every check there is; the ledger's against the folder and the ``files`` too.

    Raises note.NoVerifierKey, OSError.
    """
    notes = sorted(((file.read_bytes().decode("utf-8", "replace"), str(file)) for file in files), key=_size)
    published = folder.notes() if folder else iter(())
    trusted = [verifier_key(key) for key in keys] or list(_named(connection, folder, notes))
    return [LedgerCheck(trusted, [published, notes])]


def _named(
    connection: Connection, folder: PublishedFolder | None, notes: Sequence[tuple[str, str]]
) -> Iterator[VerifierKey]:
    """The keys that the register names, under every name that the log bears anywhere."""
    last = last_note(connection)
    published = folder.last_note() if folder else None
    texts = [last.text if last else "", published[0] if published else "", *(text for text, _ in notes)]
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
