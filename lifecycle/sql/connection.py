"""Each thread's own connection, on which nothing waits for longer than a caller would."""

import select
import threading
from collections.abc import Callable, Generator, Mapping
from contextvars import ContextVar
from time import monotonic
from types import TracebackType
from typing import Any, LiteralString, Self
from weakref import WeakSet

import psycopg

from lifecycle.sql import load
from lifecycle.sql.errors import in_words

DEADLINE_SECONDS = 2.5
"""A call ends by then, whatever the database does: answered, refused, or with StoreUnavailable."""
SQL = load("connection")

Row = tuple[Any, ...]
Parameters = Mapping[str, Any]
_deadline: ContextVar[float] = ContextVar("deadline")


class DeadlinePassed(psycopg.OperationalError):
    """The server took longer than the call may last; whether it did what it was asked is not known."""


class BoundedConnection(psycopg.Connection[Row]):
    """A connection on which connecting and waiting end at the deadline of the call.

    A statement timeout on the server does not help against a server that is stopped, or a network that swallows
    everything; libpq's own connect timeout is two seconds or more for each of a host's addresses.
    """

    @classmethod
    def _connect_gen(cls, *args: Any, **kwargs: Any) -> Any:
        return _until_deadline(super()._connect_gen(*args, **kwargs))

    def wait(self, gen: Any, *args: Any, **kwargs: Any) -> Any:
        """What the generator answers. Raises DeadlinePassed."""
        return super().wait(_until_deadline(gen), *args, **kwargs)


def _until_deadline(gen: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
    """The same steps; psycopg comes by every tenth of a second, empty-handed for as long as nothing happens."""
    deadline = _deadline.get()
    try:
        wanted = next(gen)
        while True:
            ready = yield wanted
            if not ready and monotonic() > deadline:
                raise DeadlinePassed(f"no answer within {DEADLINE_SECONDS} s")
            wanted = gen.send(ready)
    except StopIteration as done:
        return done.value


class Connections:
    """One connection to the same database for each thread, opened at its first use and again when it was lost."""

    def __init__(self, url: str):
        self._url = url
        self._own = threading.local()
        self._all: WeakSet[_Kept] = WeakSet()
        self._adding = threading.Lock()

    def read(self, statement: LiteralString, parameters: Parameters | None = None) -> list[Row]:
        """The rows of a question; asked once more where the connection was lost, because a question changes nothing."""
        with _Call() as call:
            try:
                return self._rows(statement, parameters)
            except psycopg.OperationalError as error:
                if not self._lost(error) or call.is_over():
                    raise
            return self._rows(statement, parameters)

    def write(self, act: Callable[[BoundedConnection], int]) -> int:
        """What ``act`` answers, tried once: after StoreUnavailable with ``in_doubt`` only the receipt knows."""
        with _Call() as call:
            connection = self._current()
            try:
                return act(connection)
            except psycopg.OperationalError as error:
                call.in_doubt = self._lost(error)
                raise

    def close(self) -> None:
        """Every thread's connection is closed; a thread that goes on opens another."""
        with self._adding:
            for kept in list(self._all):
                kept.connection.close()

    def _rows(self, statement: LiteralString, parameters: Parameters | None) -> list[Row]:
        return self._current().execute(statement, parameters, prepare=True, binary=True).fetchall()

    def _current(self) -> BoundedConnection:
        kept: _Kept | None = getattr(self._own, "kept", None)
        if kept is None or not kept.is_usable():
            self._own.kept = None  # closes the lost one
            kept = _Kept(self._open())
            self._own.kept = kept
            with self._adding:
                self._all.add(kept)
        return kept.connection

    def _open(self) -> BoundedConnection:
        connection = BoundedConnection.connect(self._url, autocommit=True, fallback_application_name="certlife")
        connection.execute(SQL["prepare_session"])
        return connection

    def _lost(self, error: psycopg.OperationalError) -> bool:
        """Whether the answer is lost with its connection; a connection that still waits for its answer is given up."""
        kept: _Kept | None = getattr(self._own, "kept", None)
        if kept is not None and (kept.connection.closed or isinstance(error, DeadlinePassed)):
            self._own.kept = None
            return True
        return False


class _Kept:
    """A thread's connection, closed when the thread ends: nobody else refers to it."""

    def __init__(self, connection: BoundedConnection):
        self.connection = connection
        self._poll = select.poll()
        self._poll.register(connection.fileno(), select.POLLIN)

    def __del__(self) -> None:
        self.connection.close()

    def is_usable(self) -> bool:
        """Whether the server is still at the other end: one that speaks unasked has said goodbye."""
        return not self.connection.closed and not self._poll.poll(0)


class _Call:
    """The time that a call may take; what the database refuses in it is told in words of the register."""

    def __init__(self) -> None:
        self.in_doubt = False
        self._until = monotonic() + DEADLINE_SECONDS

    def __enter__(self) -> Self:
        _deadline.set(self._until)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if isinstance(error, (psycopg.Error, UnicodeEncodeError)):
            raise in_words(error, in_doubt=self.in_doubt) from error

    def is_over(self) -> bool:
        """Whether no time is left."""
        return monotonic() > self._until
