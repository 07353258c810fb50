"""Keeps the projections up with the log: in batches, each with its position in the same transaction as its rows.

LISTEN first, then pull, then wait at most a second; so a lost notification costs a second and nothing else. Each
projection holds its position row while it writes: of several engines one writes at a time, and a kill at any moment
loses and doubles nothing. A certificate that cannot be read is set aside, and the others go on.
"""

import threading
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

import structlog
from psycopg import Connection, DatabaseError, DataError, OperationalError

from lifecycle import log
from lifecycle.certificate import Certificate
from lifecycle.service import Clock
from lifecycle.sql import load
from projections.folds import Claim, Folds
from projections.ledger import LedgerFollower

SQL = load("engine", "projections")
BATCH = 500
LEDGER_TURN = 200
"""How many batches the ledger takes at most before the projections go on."""
WAIT_SECONDS = 1.0
RECONNECT_SECONDS = (0.1, 0.2, 0.5, 1.0, 2.0)

Problems = dict[UUID, str]
"""Certificates that cannot be projected, and why."""

_log = structlog.get_logger()


class Projection(Protocol):
    """One question's table.

    ``put`` makes the certificates' rows what they are to be; ``claim`` learns of numbers claimed, in their order;
    ``withhold`` answers for none.
    """

    name: str

    def create(self, connection: Connection) -> None: ...
    def put(self, connection: Connection, certificates: Sequence[Certificate]) -> None: ...
    def claim(self, connection: Connection, claims: Sequence[Claim]) -> None: ...
    def withhold(self, connection: Connection, certificate_ids: Sequence) -> None: ...
    def forget(self, connection: Connection) -> None: ...


class Follower:
    """One projection, brought up to date batch by batch; ``position`` is where it was found to stand last."""

    def __init__(self, projection: Projection) -> None:
        self.projection = projection
        self.folds = Folds()
        self.position = 0

    def advance(self, connection: Connection, batch: int = BATCH) -> int:
        """One batch projected, rows and position together; answers how many facts it had."""
        try:
            with connection.transaction():
                return self._advance(connection, batch)
        except BaseException:
            self.folds.forget()
            raise

    def _advance(self, connection: Connection, batch: int) -> int:
        name = self.projection.name
        (self.position,) = connection.execute(SQL["hold_position"], {"projection": name}).fetchone() or (0,)
        rows = log.tail_rows(connection, self.position, batch)
        if rows:
            result = self.folds.advance(connection, rows)
            problems = result.unreadable | self._put(connection, result.certificates)
            self.folds.drop(problems)
            self._set_aside(connection, problems, result.positions)
            self._release(connection, [id for id in result.positions if id not in problems])
            self.projection.claim(connection, result.claims)
            self.position = rows[-1][0]
            connection.execute(SQL["move_position"], {"projection": name, "position": self.position})
        return len(rows)

    def _put(self, connection: Connection, certificates: Sequence[Certificate]) -> Problems:
        """All rows at once; where one of them cannot be made, certificate by certificate, so that the others go on."""
        problem = self._try(connection, certificates) if certificates else None
        if problem is None:
            return {}
        if len(certificates) == 1:
            return {certificates[0].id: problem}
        alone = {certificate.id: self._try(connection, [certificate]) for certificate in certificates}
        return {id: problem for id, problem in alone.items() if problem is not None}

    def _try(self, connection: Connection, certificates: Sequence[Certificate]) -> str | None:
        """What stood in the way, if it lies in the certificates; what lies in the database is raised."""
        try:
            with connection.transaction():
                self.projection.put(connection, certificates)
        except DataError as error:
            return f"{type(error).__name__}: {error}"
        except DatabaseError:
            raise
        except Exception as error:
            return f"{type(error).__name__}: {error}"
        return None

    def _release(self, connection: Connection, ids: Sequence[UUID]) -> None:
        values = {"projection": self.projection.name, "certificate_ids": list(ids)}
        connection.execute(SQL["release_from_quarantine"], values)

    def _set_aside(self, connection: Connection, problems: Problems, positions: Mapping[UUID, int]) -> None:
        for id, problem in problems.items():
            _log.error("certificate set aside", projection=self.projection.name, certificate=str(id), problem=problem)
            values = {
                "projection": self.projection.name,
                "certificate_id": id,
                "position": positions[id],
                "problem": _storable(problem)[:2000],
            }
            connection.execute(SQL["put_in_quarantine"], values)
        if problems:
            self.projection.withhold(connection, list(problems))

    def complete(self, connection: Connection, position: int, instant: datetime) -> None:
        """Says that everything recorded up to ``instant`` has been seen, if the projection has come to ``position``."""
        values = {"projection": self.projection.name, "position": position, "complete_until": instant}
        connection.execute(SQL["mark_complete"], values)


class Engine:
    """All projections, followed in one thread of its own until stopped."""

    def __init__(self, url: str, projections: Sequence[Projection], clock: Clock) -> None:
        self.url = url
        self.clock = clock
        self.followers = [Follower(projection) for projection in projections]
        self.ledger = LedgerFollower()
        self._complaint = ""
        self.stopping = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def is_running(self) -> bool:
        """Whether a thread of this process follows the log."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        self._thread = threading.Thread(target=self.run, name="engine", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self.stopping.set()
        if self._thread is not None:
            self._thread.join()

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
                follower.projection.create(connection)
                connection.execute(SQL["ensure_position"], {"projection": follower.projection.name})

    def catch_up(self, connection: Connection) -> int:
        """Everything recorded so far is projected, and said to be complete; answers how many facts that took.

        The projections take turns, and what is recorded meanwhile is left for the next time, so that no load keeps any
        of them from its end.
        """
        settled = log.settled(connection, self.clock.instant())
        behind, done = self.followers, 0
        while behind and not self.stopping.is_set():
            done += sum(follower.advance(connection) for follower in behind)
            behind = [follower for follower in behind if follower.position < settled.position]
        for follower in self.followers:
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

    def _follow(self, connection: Connection) -> None:
        with log.Listener(self.url) as listener:
            while not self.stopping.is_set():
                self.catch_up(connection)
                listener.wait(WAIT_SECONDS)


def standing(connection: Connection, projection: str, wanted: int, *, seconds: float) -> int:
    """Where the projection stands, waiting up to so many seconds for the position that is wanted."""
    deadline = time.monotonic() + seconds
    while True:
        row = connection.execute(SQL["select_position"], {"projection": projection}).fetchone()
        position = row[0] if row else 0
        if position >= wanted or time.monotonic() >= deadline:
            return position
        time.sleep(0.02)


def connect(url: str) -> Connection:
    """A connection in the engine's role, each statement its own transaction unless one is opened."""
    connection = Connection.connect(url, autocommit=True, connect_timeout=2)
    connection.execute(SQL["become_engine"])
    return connection


def rebuild(connection: Connection, follower: Follower) -> int:
    """The projection's rows as they come out of the whole log, from nothing, in one transaction."""
    with connection.transaction():
        name = {"projection": follower.projection.name}
        connection.execute(SQL["hold_position"], name)
        follower.projection.forget(connection)
        connection.execute(SQL["forget"], name)
        connection.execute(SQL["rewind"], name)
        follower.folds.forget()
        done = 0
        while count := follower.advance(connection):
            done += count
        return done


def _storable(text: str) -> str:
    """The text without what PostgreSQL cannot hold in one: it may quote a fact that nobody could read."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")
