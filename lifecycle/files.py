"""Files of evidence: which of them facts cite, and which are kept, to the byte, under their SHA-256.

A fact may cite a file that is not kept: the paper then lies with whoever has it, and its digest proves which it was.
"""

import hashlib
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from time import monotonic
from typing import NamedTuple

from psycopg import Connection

from lifecycle import events as e
from lifecycle.events import Recorded
from lifecycle.sql import load
from lifecycle.sql.connection import BoundedConnection
from lifecycle.store import Recorder

SQL = load("files")
LARGEST = 20 * 1024 * 1024
"""How many bytes a file has at most; the table says so too."""
SECONDS_TO_MOVE = 30
"""How long a file may take to or from the database."""
MEMBERS = ("request_sha256", "proof_sha256", "notice_sha256", "evidence")
"""Members of facts that cite files; ``evidence`` are the working papers of who assessed."""


class Citation(NamedTuple):
    """The fact with that version and type cites the file, as that member of it; it was ``by`` who chose the file."""

    sha256: str
    version: int
    type: str
    member: str
    by: e.By

    @property
    def internal(self) -> bool:
        """Not for the holder: a working paper, or cited by what is only proposed."""
        return self.member == "evidence" or self.type == e.topic_of(e.ActProposed)

    def opens(self, found: "Kept") -> bool:
        """Whether the holder may have the file because of this citation.

        Whoever cites by its digest what somebody else brought does not come by it so: an applicant's own citation
        opens what that person brought alone.
        """
        own = self.by.role != "applicant" or self.by.person == found.kept_by
        return own and not self.internal


class Kept(NamedTuple):
    """A file that is kept, and what is known of it; ``kept_by`` is the person who brought it first."""

    sha256: str
    size: int
    media_type: str
    kept_by: str
    kept_at: datetime


def citations(history: Iterable[Recorded]) -> Iterator[Citation]:
    """Every citation of a file by the facts of one stream, in order. What was proposed, its proposer chose."""
    proposers: dict[int | None, e.By] = {}
    for recorded in history:
        fact = recorded.fact
        if isinstance(fact, e.ActProposed):
            proposers[recorded.version] = fact.by
        for member, digest in _cited(fact):
            by = proposers.get(fact.proposal, fact.by)
            yield Citation(digest, recorded.version, e.topic_of(fact), member, by)


def cited(facts: Iterable[e.Fact]) -> tuple[str, ...]:
    """The digests of the files that these facts cite, each once, in order."""
    return tuple(dict.fromkeys(digest for fact in facts for _, digest in _cited(fact)))


def kept(connection: Connection, digests: Iterable[str]) -> dict[str, Kept]:
    """Those of the files that are kept, by digest."""
    asked = {"digests": [bytes.fromhex(digest) for digest in digests]}
    rows = connection.execute(SQL["select_files"], asked).fetchall()
    return {sha256.hex(): Kept(sha256.hex(), *known) for sha256, *known in rows}


def contents(connection: Connection, digests: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """The bytes of those that are kept, one file at a time, in the order of the digests."""
    for digest in digests:
        asked = {"sha256": bytes.fromhex(digest)}
        with _taking_time(connection):
            found = connection.execute(SQL["select_content"], asked, binary=True).fetchall()
        yield from ((digest, content) for (content,) in found)


def keep(recorder: Recorder, content: bytes, media_type: str, by: str, now: datetime | None) -> Kept:
    """The bytes are kept; answers what is known of them. The same bytes again change nothing."""
    digest = hashlib.sha256(content).hexdigest()
    row = {"content": content, "media_type": media_type, "kept_by": by, "now": now}
    with recorder.connection() as connection, _taking_time(connection):
        if not (found := kept(connection, [digest])):
            connection.execute(SQL["keep_file"], row)
            found = kept(connection, [digest])
    return found[digest]


@contextmanager
def _taking_time(connection: Connection) -> Generator[None]:
    """What is asked inside may take as long as a file of the largest size does, on either side.

    On a connection of the service, which is in no transaction yet.
    """
    if not isinstance(connection, BoundedConnection):
        yield
        return
    connection.deadline = monotonic() + SECONDS_TO_MOVE
    with connection.all_or_nothing():
        connection.execute(SQL["take_time"], {"timeout": f"{SECONDS_TO_MOVE}s"})
        yield


def _cited(fact: e.Fact) -> Iterator[tuple[str, str]]:
    """Each member of the fact that cites a file, and the digest; of a proposal those of the act proposed."""
    said = fact.body if isinstance(fact, e.ActProposed) else {name: getattr(fact, name, None) for name in MEMBERS}
    for member in MEMBERS:
        found = said.get(member) or ()
        yield from ((member, digest) for digest in ((found,) if isinstance(found, str) else found))
