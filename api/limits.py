"""How much a request may bring: a body of 64 KiB, a query of 8 KiB, ten seconds to send it; a file may be larger."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from fastapi import Request

from api.problems import refused
from lifecycle.errors import Refusal
from lifecycle.files import LARGEST

BODY_BYTES = 64 * 1024
QUERY_BYTES = 8 * 1024
SECONDS_TO_SEND = 10
FILES = "/files"
SECONDS_TO_SEND_A_FILE = 120

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
            _require_short(scope)
            behind = receive
            if not brings_file(scope):
                behind = _replay(await received(receive, BODY_BYTES, self.seconds_to_send), receive)
        except Refusal as refusal:
            await refused(Request(scope), refusal)(scope, receive, send)
        else:
            await self.app(scope, behind, send)


class QueryTooLong(Refusal):
    code = "query_too_long"
    kind = "too_long"
    en = "A query has at most {most} bytes."
    zh = "查询字符串最多 {most} 字节。"


class BodyTooLarge(Refusal):
    code = "body_too_large"
    kind = "too_large"
    en = "The body has at most {most} bytes here."
    zh = "此处请求正文最多 {most} 字节。"


class TooSlow(Refusal):
    code = "too_slow"
    kind = "too_slow"
    en = "This request is sent within {seconds} seconds."
    zh = "此请求须在 {seconds} 秒内发送完毕。"


class BodyCutShort(Refusal):
    code = "body_cut_short"
    kind = "invalid"
    en = "The connection ended before the body did."
    zh = "请求正文未发送完毕，连接已中断。"


def brings_file(scope: Mapping[str, Any]) -> bool:
    """Whether the request's body is a file, which is not read before it is known who brings it."""
    return (scope.get("method"), scope.get("path")) == ("POST", FILES)


async def file_received(request: Request) -> bytes:
    """The file that the request brings. Raises BodyTooLarge before all of it is read, and TooSlow."""
    declared = request.headers.get("content-length", "0")
    if declared.isdigit() and int(declared) > LARGEST:
        raise BodyTooLarge(most=LARGEST)
    return await received(request.receive, LARGEST, SECONDS_TO_SEND_A_FILE)


async def received(receive: Receive, most: int, seconds: float) -> bytes:
    """The body. Raises BodyTooLarge, TooSlow, and BodyCutShort, which nobody reads."""
    try:
        return await asyncio.wait_for(_read(receive, most), seconds)
    except TimeoutError:
        raise TooSlow(seconds=seconds) from None


def _require_short(scope: Mapping[str, Any]) -> None:
    if len(scope["query_string"]) > QUERY_BYTES:
        raise QueryTooLong(most=QUERY_BYTES)


async def _read(receive: Receive, most: int) -> bytes:
    chunks, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise BodyCutShort
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > most:
            raise BodyTooLarge(most=most)
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
