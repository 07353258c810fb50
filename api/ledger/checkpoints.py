"""The rounds in which checkpoints are signed: only of a tree that agrees with what was given out before."""

import base64
from collections.abc import Iterator
from datetime import UTC, timedelta
from uuid import UUID

import psycopg
import structlog
from apscheduler.schedulers.background import BackgroundScheduler
from eventsourcing.persistence import PersistenceError
from psycopg import Connection

from api.key_folder import KeyFolderRefused
from api.ledger.published_folder import PublishedFolder
from api.signing import Signer, SigningKeyMissing
from lifecycle import scheduler
from lifecycle.errors import Refusal
from lifecycle.service import Register
from projections.checkpoints import DATABASE, Note, last_note, require_agreement, require_tail
from projections.ledger import SQL, LedgerDoubted, Tree
from projections.note import Checkpoint, NoteRefused, VerifierKey, read

SECONDS = 5
PAUSE = timedelta(seconds=20)
"""Between two checkpoints at least; so there is a new one within a minute of anything new."""
EXPECTED = (PersistenceError, psycopg.Error, Refusal, KeyFolderRefused, OSError)

_log = structlog.get_logger()


class PublishedUnreadable(LedgerDoubted):
    code = "published_unreadable"
    en = "What was published in {folder} cannot be read ({problem}), so nothing proves that the ledger agrees with it."
    zh = "无法读取 {folder} 中已发布的内容（{problem}），因而无从证明台账与其一致。"


class Checkpoints:
    """Signs the ledger. ``problem`` says why it does not: until it is gone, /readyz is red."""

    def __init__(
        self, register: Register, signer: Signer, public_url: str | None, folder: PublishedFolder | None
    ) -> None:
        self.register = register
        self.signer = signer
        self.public_url = public_url
        self.folder = folder
        self.pause = PAUSE
        self.problem: Refusal | None = None
        self._begun = False
        self._agrees = False
        self._complaint = ""
        self._rounds: BackgroundScheduler | None = None

    def start(self) -> None:
        """Whether the ledger can be relied on is known when this returns, if there is a database."""
        self.round()
        self._rounds = scheduler.start(self.round, SECONDS)

    def stop(self) -> None:
        if self._rounds is not None:
            self._rounds.shutdown(wait=True)

    def round(self) -> bool:
        """Whether a checkpoint was made; a problem is told once, as long as it stays the same."""
        try:
            made = self._make()
            self._agrees, self.problem, self._complaint = True, None, ""
            return made
        except (LedgerDoubted, NoteRefused) as problem:
            self._agrees, self.problem = False, problem
            self._tell(problem)
        except EXPECTED as problem:
            self._tell(problem)
        return False

    def verifier_keys(self, connection: Connection) -> list[VerifierKey]:
        """Every key that ever signed the ledger, under its name."""
        origin = self.origin(connection)
        return [VerifierKey(origin, raw(key.public_key)) for key in self.signer.public_halves()]

    def origin(self, connection: Connection) -> str:
        """The log's name: the one its first checkpoint bore; before that, from where the public reaches the service."""
        last = last_note(connection)
        if last is not None:
            return read(last.text, DATABASE).origin
        if self.public_url is not None:
            return self.public_url.partition("://")[2].replace("+", "%2B") + "/ledger"
        (register,) = connection.execute(SQL["select_register"]).fetchone() or (UUID(int=0),)
        return f"certlife-{register}/ledger"

    def _make(self) -> bool:
        self._refresh_keys()
        with self.register.recorder.connection() as connection:
            end, last = Tree(connection).end(), last_note(connection)
            nothing_new = end.size == (last.size if last else 0)
            if nothing_new and self._agrees:
                return False
            self._require_agreement(connection, last)
            return not nothing_new and self._sign(connection)

    def _refresh_keys(self) -> None:
        if self._begun:
            self.signer.refresh()
        else:
            self.signer.begin()
            self._begun = True

    def _require_agreement(self, connection: Connection, last: Note | None) -> None:
        """The tree agrees with what was signed last, wherever it stands. Raises LedgerDoubted, NoteRefused."""
        keys = self.verifier_keys(connection)
        for text, where in self._given_out(last):
            require_agreement(connection, text, keys, where)
        require_tail(connection)

    def _given_out(self, last: Note | None) -> Iterator[tuple[str, str]]:
        if last is not None:
            yield last.text, DATABASE
        try:
            published = self.folder.last_note() if self.folder else None
        except OSError as problem:
            if self._agrees:
                raise
            raise PublishedUnreadable(folder=str(self.folder and self.folder.path), problem=str(problem)) from problem
        if published is not None:
            yield published

    def _sign(self, connection: Connection) -> bool:
        tree = Tree(connection)
        size, position = tree.end()
        instant = self.register.recorder.present(self.register.clock.instant()).astimezone(UTC)
        told = instant.isoformat().removesuffix("+00:00") + "Z"
        checkpoint = Checkpoint(self.origin(connection), size, tree.root(size), position, told)
        key = next((key for key in self.signer.public_halves() if key.kid == self.signer.kid), None)
        if key is None:
            raise SigningKeyMissing
        note = checkpoint.signed(VerifierKey(checkpoint.origin, raw(key.public_key)), self.signer.sign_bytes)
        values = {"size": size, "position": position, "note": note, "pause": self.pause}
        (made,) = connection.execute(SQL["add_checkpoint"], values).fetchone() or (False,)
        return made

    def _tell(self, problem: Exception) -> None:
        if str(problem) != self._complaint:
            _log.error("no checkpoint is signed", problem=str(problem))
        self._complaint = str(problem)


def raw(public_key: str) -> bytes:
    """The 32 bytes of a public key that facts hold in base64url."""
    return base64.urlsafe_b64decode(public_key + "=")
