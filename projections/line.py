"""One connection to the register for one event loop, asked as libpq is asked: a prepared statement, everything packed.

A cursor would cost the process as much as all the rest of an answer does.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from psycopg import AsyncConnection, Error, OperationalError
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGresult

from lifecycle.sql import load, packing
from lifecycle.sql.connection import Routine
from projections.register import Found

SQL = load("line", "projections")
GATHERED = Routine("select_gathered", SQL["select_gathered"])


class Entry(NamedTuple):
    """What the register has of one number."""

    segments: bytes
    under_repair: bool
    list_index: int | None


class Gathered(NamedTuple):
    """The numbers found, where the projection stood, and the instant at which it was asked, all of one moment."""

    entries: dict[str, Entry]
    position: int
    complete_until: datetime | None
    at: datetime

    def found(self, number: str) -> Found:
        """What the register has of one number; to which certificate it belongs was not asked."""
        entry = self.entries.get(number)
        segments, under_repair, list_index = entry or (None, False, None)
        return Found(number, None, segments, under_repair, list_index, self.position, self.complete_until)


class Line:
    """Opened when it is first asked, and again when it was lost. One question at a time."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._connection: AsyncConnection[Any] | None = None
        self._result: PGresult | None = None
        self._answer: asyncio.Future[PGresult] | None = None
        self._heard: int | None = None

    async def gathered(self, numbers: Sequence[str], now: datetime | None) -> Gathered:
        """What the register has of the numbers. Raises psycopg.Error.

        Asked once more on a new connection where the kept one does not serve any more: a question changes nothing.
        """
        parameters = [packing.instant(now), packing.array(packing.TEXTS, [number.encode() for number in numbers])]
        if self._connection is not None:
            try:
                return _gathered(await self._asked(self._connection, parameters))
            except Error:
                await self.close()
        return _gathered(await self._asked(await self._open(), parameters))

    async def close(self) -> None:
        self._hear_no_more()
        if self._connection is not None:
            await self._connection.close()
        self._connection = None

    async def _open(self) -> AsyncConnection[Any]:
        connection = await AsyncConnection.connect(
            self.url, autocommit=True, connect_timeout=2, fallback_application_name="certlife"
        )
        await connection.execute(SQL["prepare_session"])
        self._connection = connection
        self._heard = connection.pgconn.socket
        asyncio.get_running_loop().add_reader(self._heard, self._receive, connection)
        await self._sent(connection, lambda: connection.pgconn.send_prepare(GATHERED.name, GATHERED.text))
        return connection

    async def _asked(self, connection: AsyncConnection[Any], parameters: Sequence[bytes | None]) -> PGresult:
        def send() -> None:
            connection.pgconn.send_query_prepared(GATHERED.name, parameters, GATHERED.all_binary, 1)

        return await self._sent(connection, send)

    async def _sent(self, connection: AsyncConnection[Any], send: Callable[[], None]) -> PGresult:
        """What the server answers to what is sent."""
        self._answer = asyncio.get_running_loop().create_future()
        send()
        while connection.pgconn.flush():  # noqa: ASYNC110 - the socket, full, is not waited for otherwise
            await asyncio.sleep(0)
        result = await self._answer
        if result.status == ExecStatus.FATAL_ERROR:
            raise error_from_result(result)
        return result

    def _receive(self, connection: AsyncConnection[Any]) -> None:
        """The server speaks: the answer, or that it goes."""
        pgconn = connection.pgconn
        try:
            pgconn.consume_input()
            while not pgconn.is_busy():
                result = pgconn.get_result()
                if result is None:
                    break
                self._result = result
            else:
                return
        except Error as error:
            self._hear_no_more()
            self._told(error)
        else:
            self._told(None)

    def _hear_no_more(self) -> None:
        """By the number that the socket had: libpq has closed it, and nobody else has taken the number yet."""
        if self._heard is not None:
            asyncio.get_running_loop().remove_reader(self._heard)
        self._heard = None

    def _told(self, error: Error | None) -> None:
        answer, result, self._answer, self._result = self._answer, self._result, None, None
        if answer is None or answer.done():
            return
        if error is not None or result is None:
            answer.set_exception(error or OperationalError("the server answered nothing"))
        else:
            answer.set_result(result)


def _gathered(result: PGresult) -> Gathered:
    if not result.ntuples:
        raise OperationalError("the register was never projected")
    value = result.get_value
    entries = {
        number.decode(): Entry(value(row, 1), value(row, 2) == b"\x01", _bigint_of(value(row, 3)))
        for row in range(result.ntuples)
        if (number := value(row, 0)) is not None
    }
    return Gathered(entries, _bigint_of(value(0, 4)) or 0, _instant_of(value(0, 5)), _instant_of(value(0, 6)))


def _bigint_of(packed: bytes | None) -> int | None:
    return None if packed is None else int.from_bytes(packed, "big", signed=True)


def _instant_of(packed: bytes | None) -> datetime | None:
    return (
        None
        if packed is None
        else packing.FIRST_INSTANT + timedelta(microseconds=int.from_bytes(packed, "big", signed=True))
    )
