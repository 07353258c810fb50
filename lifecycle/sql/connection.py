"""Each thread's own connection, on which nothing waits for longer than a caller would."""

import re
import select
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from itertools import count
from time import monotonic
from typing import Any, LiteralString
from weakref import WeakSet

import psycopg
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGresult

from lifecycle.sql import load
from lifecycle.sql.errors import in_words, is_about_the_statement

DEADLINE_SECONDS = 2.5
"""A call ends by then, whatever the database does: answered, refused, or with StoreUnavailable."""
SQL = load("connection")

Row = tuple[Any, ...]
Parameters = Mapping[str, Any]
_PARAMETER = re.compile(r"%\(\w+\)s")
_connect_by: ContextVar[float] = ContextVar("connect_by")


class DeadlinePassed(psycopg.OperationalError):
    """The server took longer than the call may last; whether it did what it was asked is not known."""

    def __init__(self) -> None:
        super().__init__(f"no answer within {DEADLINE_SECONDS} s")


class Routine:
    """A statement that answers one value, prepared under its own name; parameters come in the order written."""

    def __init__(self, name: str, statement: LiteralString):
        numbers = count(1)
        self.name = name.encode()
        self.text = _PARAMETER.sub(lambda _: f"${next(numbers)}", statement).encode()
        self.all_binary = [1] * (next(numbers) - 1)


class BoundedConnection(psycopg.Connection[Row]):
    """A connection on which connecting and waiting end at the deadline of the call.

    A statement timeout on the server does not help against a server that is stopped, or a network that swallows
    everything; libpq's own connect timeout is two seconds or more for each of a host's addresses.
    """

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.deadline = _connect_by.get()
        self._known: set[Routine] = set()
        self._speaks, self._listens = select.poll(), select.poll()
        self._speaks.register(self.fileno(), select.POLLIN)
        self._listens.register(self.fileno(), select.POLLIN | select.POLLOUT)

    def __del__(self) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Closed when nobody refers to it any more, as when its thread ends; psycopg would only warn of it."""
        self.close()

    @classmethod
    def _connect_gen(cls, *args: Any, **kwargs: Any) -> Any:
        return _until(_connect_by.get(), super()._connect_gen(*args, **kwargs))

    def wait(self, gen: Any, *args: Any, **kwargs: Any) -> Any:
        """What the generator answers. Raises DeadlinePassed."""
        return super().wait(_until(self.deadline, gen), *args, **kwargs)

    def is_usable(self) -> bool:
        """Whether the server is still at the other end: one that speaks unasked has said goodbye."""
        return not self._speaks.poll(0) and not self.closed

    def call(self, routine: Routine, parameters: Sequence[bytes | None]) -> bytes:
        """The value that the routine answers; it and the parameters in PostgreSQL's binary form.

        Without a cursor, which would cost this process as much as an append costs the database.
        """
        if routine not in self._known:
            self.pgconn.send_prepare(routine.name, routine.text)
            self._result()
            self._known.add(routine)
        self.pgconn.send_query_prepared(routine.name, parameters, routine.all_binary, 1)
        return self._result().get_value(0, 0) or b""

    @contextmanager
    def all_or_nothing(self) -> Generator[None]:
        """What is done inside is committed together, or not at all.

        psycopg's own transaction would let the server forget every prepared statement, ours too, when it rolls back.
        """
        self._command(SQL["begin"])
        try:
            yield
        except BaseException:
            with suppress(psycopg.OperationalError):  # the connection is lost, and the transaction with it
                self._command(SQL["rollback"])
            raise
        self._command(SQL["commit"])

    def _command(self, command: LiteralString) -> None:
        self.pgconn.send_query(command.encode())
        self._result()

    def _result(self) -> PGresult:
        """The last thing the server says before it is ready again: only then a commit is known to hold."""
        while self.pgconn.flush():  # more than fits at once
            self._receive(self._listens)
        last = result = self._next_result()
        while result is not None:
            last, result = result, self._next_result()
        if last is None:
            raise psycopg.OperationalError("the server answered nothing")
        if last.status == ExecStatus.FATAL_ERROR:
            raise error_from_result(last)
        return last

    def _next_result(self) -> PGresult | None:
        while self.pgconn.is_busy():
            self._receive(self._speaks)
        return self.pgconn.get_result()

    def _receive(self, server: select.poll) -> None:
        if not server.poll(max(0.0, self.deadline - monotonic()) * 1000):
            raise DeadlinePassed
        self.pgconn.consume_input()


def _until(deadline: float, gen: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
    """The same steps; psycopg comes by every tenth of a second, empty-handed for as long as nothing happens."""
    try:
        wanted = next(gen)
        while True:
            ready = yield wanted
            if not ready and monotonic() > deadline:
                raise DeadlinePassed
            wanted = gen.send(ready)
    except StopIteration as done:
        return done.value


class Connections:
    """One connection to the same database for each thread, opened at its first use and again when it was lost."""

    def __init__(self, url: str):
        self._url = url
        self._own = threading.local()
        self._all: WeakSet[BoundedConnection] = WeakSet()
        self._adding = threading.Lock()

    def read(self, statement: LiteralString, parameters: Parameters | None = None) -> list[Row]:
        """The rows of a question; asked once more where the connection was lost, because a question changes nothing."""
        deadline = monotonic() + DEADLINE_SECONDS
        try:
            try:
                return self._rows(deadline, statement, parameters)
            except psycopg.OperationalError as error:
                if not self._gave_up(error) or monotonic() > deadline:
                    raise
            return self._rows(deadline, statement, parameters)
        except (psycopg.Error, UnicodeEncodeError) as error:
            raise in_words(error) from error

    def write(self, act: Callable[[BoundedConnection], int]) -> int:
        """What ``act`` answers, tried once: after StoreUnavailable with ``in_doubt`` only the receipt knows."""
        in_doubt = False
        try:
            connection = self._current(monotonic() + DEADLINE_SECONDS)
            in_doubt = True
            return act(connection)
        except (psycopg.Error, UnicodeEncodeError) as error:
            raise in_words(error, in_doubt=in_doubt and self._gave_up(error)) from error

    @contextmanager
    def lent(self) -> Generator[BoundedConnection]:
        """The thread's connection, for questions of another room that end by the deadline together."""
        try:
            yield self._current(monotonic() + DEADLINE_SECONDS)
        except psycopg.Error as error:
            self._gave_up(error)
            raise in_words(error) from error

    def close(self) -> None:
        """Every thread's connection is closed; a thread that goes on opens another."""
        with self._adding:
            for connection in list(self._all):
                connection.close()

    def _rows(self, deadline: float, statement: LiteralString, parameters: Parameters | None) -> list[Row]:
        return self._current(deadline).execute(statement, parameters, prepare=True, binary=True).fetchall()

    def _current(self, deadline: float) -> BoundedConnection:
        connection: BoundedConnection | None = getattr(self._own, "connection", None)
        if connection is None or not connection.is_usable():
            self._drop()
            connection = self._own.connection = self._opened(deadline)
        connection.deadline = deadline
        return connection

    def _opened(self, deadline: float) -> BoundedConnection:
        _connect_by.set(deadline)
        connection = BoundedConnection.connect(self._url, autocommit=True, fallback_application_name="certlife")
        connection.execute(SQL["prepare_session"])
        with self._adding:
            self._all.add(connection)
        return connection

    def _gave_up(self, error: psycopg.Error | UnicodeEncodeError) -> bool:
        """Whether the answer is lost, and with it the connection; False where the server refused the statement."""
        if is_about_the_statement(error):
            return False
        self._drop()
        return True

    def _drop(self) -> None:
        connection: BoundedConnection | None = getattr(self._own, "connection", None)
        if connection is not None:
            connection.close()
