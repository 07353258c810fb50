"""The register, asked for many at once: all numbers wanted while one question was under way make the next question.

Nobody waits longer than ``DEADLINE_SECONDS``: when a question takes that long, or the database is gone, all who wait
are told so at once.
"""

import asyncio

from psycopg import Error

from lifecycle.service import Clock
from projections.line import Gathered, Line

DEADLINE_SECONDS = 2.5
MOST_AT_ONCE = 500

Waiting = tuple[str, asyncio.Future[Gathered]]


class RegisterUnavailable(Exception):
    """The register's database cannot be reached, or does not answer in time."""


class Gatherer:
    """Asks the register for everybody of one event loop; ``clock`` is the present of a simulation."""

    def __init__(self, url: str, clock: Clock) -> None:
        self._clock = clock
        self._line = Line(url)
        self._asked: list[Waiting] = []
        self._waiting: list[Waiting] = []
        self._asking: asyncio.Task[None] | None = None
        self._ending: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        """Kept, since asking for the running one costs a system call."""

    def find(self, number: str) -> asyncio.Future[Gathered]:
        """What the register has of a normalised number, and of others; or RegisterUnavailable, in time."""
        loop = self._loop or asyncio.get_running_loop()
        answer: asyncio.Future[Gathered] = loop.create_future()
        self._waiting.append((number, answer))
        if self._asking is None:
            self._asking = loop.create_task(self._ask())
            self._loop = loop
        return answer

    async def close(self) -> None:
        """The connection is closed; whoever still waits is told that the register is unavailable."""
        self._give_up("the service stops")
        await asyncio.gather(*self._ending)

    async def _ask(self) -> None:
        """Question after question, until nobody waits."""
        loop = asyncio.get_running_loop()
        while self._waiting:
            self._asked, self._waiting = self._waiting[:MOST_AT_ONCE], self._waiting[MOST_AT_ONCE:]
            deadline = loop.call_later(DEADLINE_SECONDS, self._give_up, f"no answer within {DEADLINE_SECONDS} s")
            try:
                gathered = await self._line.gathered([number for number, _ in self._asked], self._clock.instant())
            except Error as error:
                self._refuse(RegisterUnavailable(str(error)))
            except Exception as error:  # or nobody would ever be answered again
                self._refuse(error)
            else:
                for _, answer in self._asked:
                    if not answer.done():
                        answer.set_result(gathered)
                await asyncio.sleep(0)  # they are answered first, and who asks meanwhile joins the next question
            finally:
                deadline.cancel()
        self._asking = None

    def _give_up(self, why: str) -> None:
        """Everybody is refused, and the connection left to end by itself, which may take longer than they can wait."""
        ending = asyncio.get_running_loop().create_task(_end(self._line, self._asking))
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)
        self._line, self._asking = Line(self._line.url), None
        self._refuse(RegisterUnavailable(why))

    def _refuse(self, error: Exception) -> None:
        refused, self._asked, self._waiting = self._asked + self._waiting, [], []
        for _, answer in refused:
            if not answer.done():
                answer.set_exception(error)


async def _end(line: Line, asking: asyncio.Task[None] | None) -> None:
    if asking is not None:
        asking.cancel()
        await asyncio.wait([asking])
    await line.close()
