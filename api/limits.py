"""How much a request may bring: a body of 64 KiB, a query of 8 KiB, ten seconds to send it."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from api.problems import problem

BODY_BYTES = 64 * 1024
QUERY_BYTES = 8 * 1024
SECONDS_TO_SEND = 10

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]


class Limits:
    """An ASGI application that reads the body up to the limit before the application behind it sees the request."""

    def __init__(self, app: Application, seconds_to_send: float = SECONDS_TO_SEND) -> None:
        self.app = app
        self.seconds_to_send = seconds_to_send

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        try:
            body = await self._received(scope, receive)
        except Excessive as excess:
            title = excess.code.replace("_", " ")
            answer = problem(excess.status, excess.code, title, excess.detail, instance=scope["path"])
            answer.headers["Connection"] = "close"
            await answer(scope, receive, send)
        else:
            await self.app(scope, _replay(body, receive), send)

    async def _received(self, scope: MutableMapping[str, Any], receive: Receive) -> bytes:
        """The body. Raises Excessive."""
        if len(scope["query_string"]) > QUERY_BYTES:
            raise Excessive(414, "query_too_long", f"A query has at most {QUERY_BYTES} bytes.")
        try:
            return await asyncio.wait_for(_read(receive), self.seconds_to_send)
        except TimeoutError:
            raise Excessive(408, "too_slow", f"A request is sent within {self.seconds_to_send} seconds.") from None


class Excessive(Exception):
    """The request brings more than it may, or takes longer."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        self.status, self.code, self.detail = status, code, detail
        super().__init__(detail)


async def _read(receive: Receive) -> bytes:
    chunks, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b"".join(chunks)
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > BODY_BYTES:
            raise Excessive(413, "body_too_large", f"A body has at most {BODY_BYTES} bytes.")
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)


def _replay(body: bytes, receive: Receive) -> Receive:
    sent = False

    async def again() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
