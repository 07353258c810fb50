"""The rounds in which a process keeps up what it gives out signed: its keys, and the status lists."""

import psycopg
import structlog
from apscheduler.schedulers.background import BackgroundScheduler
from eventsourcing.persistence import PersistenceError

from api.key_folder import KeyFolderRefused
from api.signing import Signer
from api.status.list_entries import PlacesMissing
from api.status.lists import StatusLists
from lifecycle import scheduler
from lifecycle.errors import Refusal

SECONDS = 2
EXPECTED = (PersistenceError, psycopg.OperationalError, Refusal, KeyFolderRefused, PlacesMissing)

_log = structlog.get_logger()


class Publishing:
    """A round every two seconds, once started: a new key is noticed, and a list made where one is due."""

    def __init__(self, signer: Signer, lists: StatusLists, *others: Signer) -> None:
        self.signer = signer
        self.lists = lists
        self._others = others
        self._rounds: BackgroundScheduler | None = None
        self._complaint = ""

    @property
    def signers(self) -> tuple[Signer, ...]:
        """One for each purpose."""
        return self.signer, *self._others

    def start(self) -> None:
        self._rounds = scheduler.start(self.round, SECONDS)

    def stop(self) -> None:
        if self._rounds is not None:
            self._rounds.shutdown(wait=True)

    def round(self) -> None:
        """One round; a problem is told once, as long as it stays the same."""
        try:
            for signer in self.signers:
                signer.refresh()
            self.lists.publish()
        except EXPECTED as problem:
            if str(problem) != self._complaint:
                _log.error("nothing signed is published", problem=str(problem))
            self._complaint = str(problem)
        else:
            self._complaint = ""
