"""The rounds in which signed checkpoints are given out: to a folder, and to addresses elsewhere.

They run beside everything else: an address that does not answer holds up nothing, and is tried again ever more rarely.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic

import psycopg
import structlog
from apscheduler.schedulers.background import BackgroundScheduler
from eventsourcing.persistence import PersistenceError

from api.ledger.checkpoints import Checkpoints
from api.ledger.https_post import NotDelivered, Sender
from api.ledger.published_folder import PublishedDiffers, PublishedFolder
from lifecycle import scheduler
from lifecycle.sql.connection import BoundedConnection
from projections.checkpoints import Note, last_note, notes_after
from projections.note import NoteRefused

SECONDS = 5
PAGE = 200
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 5.0, 600.0
EXPECTED = (PersistenceError, psycopg.Error, NoteRefused, PublishedDiffers, OSError)

_log = structlog.get_logger()


@dataclass
class Destination:
    """An address, the size of the checkpoint that it took last, and when it is to be tried again."""

    url: str
    size: int = 0
    again_at: float = 0.0
    pause_seconds: float = FIRST_PAUSE_SECONDS

    def offer(self, note: Note, sender: Sender) -> None:
        """The checkpoint was taken, or is offered again after a pause."""
        if note.size <= self.size or monotonic() < self.again_at:
            return
        try:
            sender.post(self.url, note.text)
        except NotDelivered as problem:
            _log.warning("checkpoint not delivered", address=self.url, size=note.size, problem=str(problem))
            self.again_at = monotonic() + self.pause_seconds
            self.pause_seconds = min(2 * self.pause_seconds, LONGEST_PAUSE_SECONDS)
        else:
            self.size, self.again_at, self.pause_seconds = note.size, 0.0, FIRST_PAUSE_SECONDS


class LedgerPublication:
    """What was signed is given out, every checkpoint to the folder and the last one to each address."""

    def __init__(
        self, checkpoints: Checkpoints, folder: PublishedFolder | None, addresses: Sequence[str], sender: Sender
    ) -> None:
        self.checkpoints = checkpoints
        self.folder = folder
        self.destinations = [Destination(url) for url in addresses]
        self.sender = sender
        self._written: int | None = None
        self._rounds: BackgroundScheduler | None = None
        self._complaint = ""

    def start(self) -> None:
        if self.folder or self.destinations:
            self._rounds = scheduler.start(self.round, SECONDS)

    def stop(self) -> None:
        if self._rounds is not None:
            self._rounds.shutdown(wait=True)

    def round(self) -> None:
        """One round; a problem is told once, as long as it stays the same."""
        try:
            with self.checkpoints.register.recorder.connection() as connection:
                self._write(connection)
                last = last_note(connection)
            self._complaint = ""
        except EXPECTED as problem:
            if str(problem) != self._complaint:
                _log.error("checkpoints are not published", problem=str(problem))
            self._complaint = str(problem)
            return
        for destination in self.destinations if last else ():
            destination.offer(last, self.sender)

    def _write(self, connection: BoundedConnection) -> None:
        """What the folder does not have yet is in it: at most a page, the rest in the next rounds."""
        if self.folder is None or self.checkpoints.problem is not None:
            return
        if self._written is None:
            self._written = self.folder.last_size()
        notes = notes_after(connection, self._written, PAGE)
        for key in self.checkpoints.verifier_keys(connection) if notes else ():
            self.folder.put_key(key.id.hex(), str(key))
        for note in notes:
            self.folder.put_note(note.size, note.text)
            self._written = note.size
