"""Keeps the projections up with the log: in batches, each with its position in the same transaction as its rows.

LISTEN first, then pull, then wait at most a second; so a lost notification costs a second and nothing else. Each
projection holds its position row while it writes: of several engines one writes at a time, and a kill at any moment
loses and doubles nothing. A certificate that cannot be read is set aside, and the others go on.

An engine writes into tables of its own definition alone: those of an older one are made anew beside (``rebuild``), and
before those of a newer one it stands back.
"""

import os
import threading
import time
from collections.abc import Sequence

import structlog
from psycopg import Connection, OperationalError

from lifecycle import log
from lifecycle.service import Clock
from projections.follower import (
    SQL,
    Follower,
    OtherDefinition,
    Projection,
    connect,
    definition_of,
    follower_of,
    stored_definition,
)
from projections.ledger import LedgerFollower
from projections.rebuild import Rebuildable, rebuild

LEDGER_TURN = 200
"""How many batches the ledger takes at most before the projections go on."""
WAIT_SECONDS = 1.0
RECONNECT_SECONDS = (0.1, 0.2, 0.5, 1.0, 2.0)

_log = structlog.get_logger()


class Engine:
    """All projections, followed in one thread of its own until stopped."""

    def __init__(self, url: str, projections: Sequence[Rebuildable], clock: Clock) -> None:
        self.url = url
        self.clock = clock
        self.projections = projections
        self.followers: list[Follower] = [follower_of(projection) for projection in projections]
        self.ledger = LedgerFollower()
        self._complaint = ""
        self.stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._renewing: threading.Thread | None = None
        self._foreign: dict[str, int] = {}
        """The projections before which it stands back, and of which version their tables are."""

    @property
    def is_running(self) -> bool:
        """Whether a thread of this process follows the log."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        self._thread = threading.Thread(target=self.run, name="engine", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self.stopping.set()
        for thread in (self._thread, self._renewing):
            if thread is not None:
                thread.join()

    def run(self) -> None:
        """Follows the log until stopped; a lost database is waited for, with growing patience."""
        failures = 0
        while not self.stopping.is_set():
            try:
                with connect(self.url) as connection:
                    self.prepare(connection)
                    failures = 0
                    self._follow(connection)
            except OperationalError as error:
                _log.warning("engine without a database", problem=str(error))
                patience = RECONNECT_SECONDS[min(failures, len(RECONNECT_SECONDS) - 1)]
                failures += 1
                self.stopping.wait(patience)
            except Exception:
                _log.exception("engine starts again")
                self.stopping.wait(RECONNECT_SECONDS[-1])

    def prepare(self, connection: Connection) -> None:
        """The tables exist."""
        with connection.transaction():
            connection.execute(SQL["take_preparation_lock"])
            connection.execute(SQL["create_position"])
            connection.execute(SQL["create_quarantine"])
            for follower in self.followers:
                _prepare(connection, follower.projection)

    def catch_up(self, connection: Connection) -> int:
        """Everything recorded so far is projected, and said to be complete; answers how many facts that took.

        The projections take turns, and what is recorded meanwhile is left for the next time, so that no load keeps any
        of them from its end.
        """
        ours = [follower for follower in self.followers if self._is_ours(connection, follower.projection)]
        settled = log.settled(connection, self.clock.instant())
        behind, done = ours, 0
        while behind and not self.stopping.is_set():
            done += sum(follower.advance(connection) for follower in behind)
            behind = [follower for follower in behind if follower.position < settled.position]
        for follower in ours:
            follower.complete(connection, *settled)
        self._bring_up_ledger(connection, settled.position)
        return done

    def _bring_up_ledger(self, connection: Connection, position: int) -> None:
        """The ledger has come to the position, or as far as a turn takes it; whatever ails it, the others go on."""
        try:
            for _ in range(LEDGER_TURN):
                if self.ledger.position >= position or not self.ledger.advance(connection):
                    break
        except OperationalError:
            raise
        except Exception as problem:
            if str(problem) != self._complaint:
                _log.exception("the ledger does not grow")
            self._complaint = str(problem)
        else:
            self._complaint = ""

    def renew(self) -> None:
        """Tables of an older definition are made anew; from then on older engines stand back."""
        with connect(self.url) as connection:
            older = [projection for projection in self.projections if _is_older(connection, projection)]
        for projection in older:
            _log.info("projection is made anew", projection=projection.name, version=projection.version)
            for _ in rebuild(self.url, projection, os.cpu_count() or 1):
                if self.stopping.is_set():
                    return
            _log.info("projection was made anew", projection=projection.name, version=projection.version)

    def _follow(self, connection: Connection) -> None:
        with log.Listener(self.url) as listener:
            while not self.stopping.is_set():
                self.catch_up(connection)
                if any(self._foreign.get(each.name, each.version) < each.version for each in self.projections):
                    self._renew_beside()
                listener.wait(WAIT_SECONDS)

    def _renew_beside(self) -> None:
        """In a thread of its own, so that the other projections go on."""
        if self._renewing is None or not self._renewing.is_alive():
            self._renewing = threading.Thread(target=self._try_to_renew, name="rebuild", daemon=True)
            self._renewing.start()

    def _try_to_renew(self) -> None:
        try:
            self.renew()
        except Exception:
            _log.exception("projection not made anew: tried again")

    def _is_ours(self, connection: Connection, projection: Projection) -> bool:
        """Whether the projection's tables are of our definition; told once where they are not."""
        stored = stored_definition(connection, projection)
        if stored == (projection.version, projection.definition):
            self._foreign.pop(projection.name, None)
            return True
        if projection.name not in self._foreign:
            _log.warning("engine stands back", problem=str(OtherDefinition(projection, stored[0])))
        self._foreign[projection.name] = stored[0]
        return False


def _prepare(connection: Connection, projection: Projection) -> None:
    """The projection's tables exist; those of another definition stay as they are."""
    own = {"projection": projection.name, "position": 0} | definition_of(projection)
    connection.execute(SQL["insert_position"], own)
    connection.execute(SQL["sign_definition"], own)
    if stored_definition(connection, projection) == (projection.version, projection.definition):
        projection.create(connection)
        projection.index(connection)


def _is_older(connection: Connection, projection: Projection) -> bool:
    """Whether the tables that serve are of an older definition than ours."""
    return stored_definition(connection, projection)[0] < projection.version


def standing(connection: Connection, projection: str, wanted: int, *, seconds: float) -> int:
    """Where the projection stands, waiting up to so many seconds for the position that is wanted."""
    deadline = time.monotonic() + seconds
    while True:
        row = connection.execute(SQL["select_position"], {"projection": projection}).fetchone()
        position = row[0] if row else 0
        if position >= wanted or time.monotonic() >= deadline:
            return position
        time.sleep(0.02)
