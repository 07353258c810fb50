"""What a connection may bring before there is a request to answer: uvicorn would wait, and keep what comes, for ever.

The body of a request that is under way is bounded by ``limits``; here the head is, and whatever follows an answer.
"""

import asyncio

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from api.limits import SECONDS_TO_SEND, brings_file
from api.one_write import OneWriteProtocol
from lifecycle.files import LARGEST

REQUEST_BYTES = 256 * 1024
"""Head and body together, however they are cut and packed, a file apart; the body's own limit is reached first."""


class BoundedProtocol(OneWriteProtocol):
    """The connection ends if a request's head does not come in time, or a request brings more than it may."""

    seconds_to_send: float = SECONDS_TO_SEND
    _brought = 0
    _of: object = None
    _ending: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._hurry()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._brought = self._brought + len(data) if self.scope is self._of else 0
        self._of = self.scope
        if self._brought > REQUEST_BYTES and self._brought > self._most():
            self._end(431)
        elif not self._waits_for_head():
            self._hurry_no_more()
        elif self._ending is None:
            self._hurry()

    def connection_lost(self, exc: Exception | None) -> None:
        self._hurry_no_more()
        super().connection_lost(exc)

    def _most(self) -> int:
        """How much the request may bring: a file beside what every other may."""
        return REQUEST_BYTES + (LARGEST if brings_file(self.scope or {}) else 0)

    def _waits_for_head(self) -> bool:
        """Something came, or nothing yet, and no request is under way that it belongs to."""
        return not self._answers() or self.cycle.scope is not self.scope

    def _hurry(self) -> None:
        self._ending = self.loop.call_later(self.seconds_to_send, self._end_waiting)

    def _hurry_no_more(self) -> None:
        if self._ending is not None:
            self._ending.cancel()
        self._ending = None

    def _end_waiting(self) -> None:
        """Whoever waits for an answer himself is not hurried: what he has sent since may not have been read."""
        if self._answers():
            self._hurry()
        else:
            self._end(408)

    def _answers(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _end(self, status: int) -> None:
        """The connection is closed; who has begun a request and is owed no other answer is told why."""
        if self.scope is not None and not self._answers():
            self.transport.write(STATUS_LINE[status] + b"connection: close\r\ncontent-length: 0\r\n\r\n")
        self.transport.close()
