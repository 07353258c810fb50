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

import structlog
from psycopg import Connection, OperationalError

from lifecycle import log
from lifecycle.certificate import Certificate
from lifecycle.service import Clock
from lifecycle.sql import load
from projections.folds import Claim, Folds

SQL = load("engine", "projections")
BATCH = 500
WAIT_SECONDS = 1.0
RECONNECT_SECONDS = (0.1, 0.2, 0.5, 1.0, 2.0)

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
    """One projection, brought up to date batch by batch."""

    def __init__(self, projection: Projection) -> None:
        self.projection = projection
        self.folds = Folds()

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
        held = connection.execute(SQL["hold_position"], {"projection": name}).fetchone()
        rows = log.tail_rows(connection, held[0], batch)
        if not rows:
            return 0
        result = self.folds.advance(connection, rows)
        self.projection.put(connection, result.certificates)
        self.projection.claim(connection, result.claims)
        self._release(connection, result.certificates)
        self._quarantine(connection, result.unreadable)
        connection.execute(SQL["move_position"], {"projection": name, "position": rows[-1][0]})
        return len(rows)

    def _release(self, connection: Connection, certificates: Sequence[Certificate]) -> None:
        ids = [certificate.id for certificate in certificates]
        connection.execute(
            SQL["release_from_quarantine"], {"projection": self.projection.name, "certificate_ids": ids}
        )

    def _quarantine(self, connection: Connection, unreadable: Mapping) -> None:
        for id, (position, problem) in unreadable.items():
            _log.error("certificate set aside", projection=self.projection.name, certificate=str(id), problem=problem)
            connection.execute(
                SQL["put_in_quarantine"],
                {
                    "projection": self.projection.name,
                    "certificate_id": id,
                    "position": position,
                    "problem": problem[:2000],
                },
            )
        if unreadable:
            self.projection.withhold(connection, list(unreadable))

    def complete(self, connection: Connection, position: int, instant: datetime) -> None:
        """Says that everything recorded up to ``instant`` has been seen, if the projection stands at ``position``."""
        values = {"projection": self.projection.name, "position": position, "complete_until": instant}
        connection.execute(SQL["mark_complete"], values)


class Engine:
    """All projections, followed in one thread of its own until stopped."""

    def __init__(self, url: str, projections: Sequence[Projection], clock: Clock) -> None:
        self.url = url
        self.clock = clock
        self.followers = [Follower(projection) for projection in projections]
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
            connection.execute(SQL["create_position"])
            connection.execute(SQL["create_quarantine"])
            for follower in self.followers:
                follower.projection.create(connection)
                connection.execute(SQL["ensure_position"], {"projection": follower.projection.name})

    def catch_up(self, connection: Connection) -> int:
        """Everything recorded so far is projected; answers how many facts that took."""
        done = 0
        for follower in self.followers:
            while not self.stopping.is_set() and (count := follower.advance(connection)):
                done += count
        return done

    def settle(self, connection: Connection) -> None:
        """Says up to which instant everything has been seen."""
        position, instant = log.settled(connection, self.clock.instant())
        for follower in self.followers:
            follower.complete(connection, position, instant)

    def _follow(self, connection: Connection) -> None:
        with log.Listener(self.url) as listener:
            while not self.stopping.is_set():
                self.catch_up(connection)
                self.settle(connection)
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
