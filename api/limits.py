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


class Limits:
    """An ASGI application that reads the body up to the limit before the application behind it sees the request."""

    def __init__(self, app: Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]) -> None:
        self.app = app

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if len(scope["query_string"]) > QUERY_BYTES:
            refused = problem(414, "query_too_long", "query too long", f"A query has at most {QUERY_BYTES} bytes.")
            await refused(scope, receive, send)
            return
        try:
            body = await asyncio.wait_for(_read(receive), SECONDS_TO_SEND)
        except TooLarge:
            refused = problem(413, "body_too_large", "body too large", f"A body has at most {BODY_BYTES} bytes.")
            refused.headers["Connection"] = "close"
            await refused(scope, receive, send)
            return
        except TimeoutError:
            refused = problem(408, "too_slow", "too slow", f"A request is sent within {SECONDS_TO_SEND} seconds.")
            refused.headers["Connection"] = "close"
            await refused(scope, receive, send)
            return
        await self.app(scope, _replay(body, receive), send)


class TooLarge(Exception):
    """The body has more bytes than it may."""


async def _read(receive: Receive) -> bytes:
    chunks, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b"".join(chunks)
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > BODY_BYTES:
            raise TooLarge
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
