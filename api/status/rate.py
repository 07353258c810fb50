"""How often one client may ask what everybody may ask: so many questions a minute, in a window that slides.

The window is weighed from two counters for each client, this minute's and the last one's, and both are let go as
minutes pass; so a question costs the same however many clients there are. A service in several processes counts in
each.
"""

from collections.abc import MutableMapping
from functools import lru_cache
from ipaddress import IPv6Address
from math import ceil
from time import monotonic
from typing import Any
from urllib.parse import unquote_to_bytes

from fastapi import Request

from api.limits import Application, Receive, Send
from api.problems import language_of, problem

PUBLIC = ("/status", "/verify")
WINDOW_SECONDS = 60
EN = "This address has asked {amount} questions within a minute. Ask again in {seconds} s."
ZH = "该地址一分钟内的查询已达 {amount} 次。请在 {seconds} 秒后重试。"


class Window:
    """Counts for each client, as of one minute sliding along; at most ``amount`` are let through."""

    def __init__(self, amount: int) -> None:
        self.amount = amount
        self._minute = 0.0
        self._this: dict[str, int] = {}
        self._last: dict[str, int] = {}

    def enter(self, client: str, cost: int, at: float) -> float:
        """0 if the client is let through, and ``cost`` counted; else after how many seconds it will be."""
        minute, passed = divmod(at / WINDOW_SECONDS, 1)
        if minute != self._minute:
            self._last = self._this if minute == self._minute + 1 else {}
            self._this, self._minute = {}, minute
        this, last = self._this.get(client, 0), self._last.get(client, 0)
        room = self.amount - min(cost, self.amount)
        if last * (1 - passed) + this > room:
            return WINDOW_SECONDS * (_turns_until(this, last, room) - passed)
        self._this[client] = this + cost
        return 0.0


def _turns_until(this: int, last: int, room: int) -> float:
    """When what was counted has slid out so far that there is room, in minutes since this one began."""
    if this <= room:
        return 1 - (room - this) / last
    return 2 - room / this


class RateLimit:
    """An ASGI application that refuses public questions of a client beyond its window; each number asked for counts."""

    def __init__(self, app: Application, per_minute: int) -> None:
        self.app = app
        self.window = Window(per_minute)

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(PUBLIC):
            cost = unquote_to_bytes(scope["query_string"]).count(b"number=") or 1
            seconds = self.window.enter(client_of(scope), cost, monotonic())
            if seconds:
                await self._refuse(ceil(seconds), scope, receive, send)
                return
        await self.app(scope, receive, send)

    async def _refuse(self, seconds: int, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        text = ZH if language_of(Request(scope)) == "zh" else EN
        detail = text.format(amount=self.window.amount, seconds=seconds)
        answer = problem(429, "too_many_questions", "too many questions", detail, instance=scope["path"])
        answer.headers["Retry-After"] = str(seconds)
        await answer(scope, receive, send)


def client_of(scope: MutableMapping[str, Any]) -> str:
    """Who asks: an address, or for IPv6 the network of 64 bits in which one client picks addresses at will."""
    client = scope.get("client")
    host = client[0] if client else ""
    return _network(host) if ":" in host else host


@lru_cache(maxsize=4096)
def _network(host: str) -> str:
    try:
        address = IPv6Address(host)
    except ValueError:
        return host
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return address.packed[:8].hex()
