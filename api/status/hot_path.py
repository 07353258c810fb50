"""The current-status look-up as nearly everybody asks it, answered in front of the application.

``GET /status/{number}``, anonymous, with nothing but ``on`` and ``min_position`` beside it: read from the request's
bytes, gathered with all others asked at the moment, answered. Whatever else is asked, or asked otherwise, goes to the
application behind, which gives the same answers (``status``).
"""

import asyncio
import re
from datetime import date
from typing import NamedTuple

from fastapi import Request

from api.limits import Application, Message, Receive, Send
from api.problems import KeyMissing, ProjectionLate, database_unavailable, refused, unexpected
from api.status.answers import LONGEST_NUMBER, Asked, StatusQuestions, Told, legal_day_of, public_on, tell
from lifecycle.errors import Refusal, UnderRepair
from lifecycle.rules import normalise_number
from projections.gatherer import Gatherer, RegisterUnavailable
from projections.line import Gathered

PATH = "/status/"
PARAMETERS = re.compile(rb"(?:on=(?P<on>\d{4}-\d{2}-\d{2}))?(?:(?:^|&)min_position=(?P<position>\d{1,18}))?")
PATIENCE_SECONDS = 1.0
PAUSE_SECONDS = 0.02
ALWAYS = [(b"cache-control", b"no-cache"), (b"vary", b"Accept")]


class Wanted(NamedTuple):
    """What the request asks for, as it was written."""

    number: str
    on: date | None
    min_position: int
    accept: str | None
    if_none_match: str | None


class HotPath:
    """An ASGI application in front of another."""

    def __init__(self, app: Application, questions: StatusQuestions, gatherer: Gatherer) -> None:
        self.app = app
        self.questions = questions
        self.gatherer = gatherer

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(scope, receive, send)
            return
        wanted = wanted_in(scope) if scope["type"] == "http" else None
        if wanted is None:
            await self.app(scope, receive, send)
            return
        try:
            told = await self._told(wanted)
        except Refusal as refusal:
            await refused(Request(scope), refusal)(scope, receive, send)
        except RegisterUnavailable as error:
            await database_unavailable(scope["path"], error)(scope, receive, send)
        except Exception as error:
            await unexpected(scope["path"], error)(scope, receive, send)
        else:
            await _send(send, told, wanted.if_none_match)

    async def _live(self, scope: Message, receive: Receive, send: Send) -> None:
        try:
            await self.app(scope, receive, send)
        finally:
            await self.gatherer.close()

    async def _told(self, wanted: Wanted) -> Told:
        """The answer. Raises a Refusal, or RegisterUnavailable."""
        number = normalise_number(wanted.number) if len(wanted.number) <= LONGEST_NUMBER else ""
        if not (number.isascii() and number.isprintable()):
            number = ""
        gathered = await self.gatherer.find(number)
        if gathered.position < wanted.min_position:
            gathered = await self._awaited(number, wanted.min_position)
        today = legal_day_of(gathered.at)
        on = wanted.on or today
        if on > today:
            raise KeyMissing()
        found = gathered.found(number)
        if found.segments is None and isinstance(refusal := self.questions.number(wanted.number), Refusal):
            raise refusal
        if found.under_repair:
            raise UnderRepair(subject=number)
        asked = Asked(None, on, None, gathered.at)
        form = self.questions.forms.accepted(wanted.accept)
        places, simulation = self.questions.places, self.questions.simulation
        return tell(found, public_on(found, on), asked, form, places=places, simulation=simulation)

    async def _awaited(self, number: str, min_position: int) -> Gathered:
        """What the register has once it has come so far. Raises ProjectionLate."""
        loop = asyncio.get_running_loop()
        patience = loop.time() + PATIENCE_SECONDS
        while (gathered := await self.gatherer.find(number)).position < min_position:
            if loop.time() > patience:
                raise ProjectionLate(wanted=min_position, position=gathered.position)
            await asyncio.sleep(PAUSE_SECONDS)
        return gathered


def wanted_in(scope: Message) -> Wanted | None:
    """What is asked here; None for what the application behind answers."""
    path: str = scope["path"]
    if scope["method"] != "GET" or not path.startswith(PATH):
        return None
    parameters = PARAMETERS.fullmatch(scope["query_string"])
    if parameters is None:
        return None
    headers = dict(scope["headers"])
    if b"authorization" in headers:
        return None
    try:
        on = date.fromisoformat(parameters["on"].decode()) if parameters["on"] else None
    except ValueError:
        return None
    accept, if_none_match = headers.get(b"accept"), headers.get(b"if-none-match")
    return Wanted(
        path[len(PATH) :],
        on,
        int(parameters["position"] or 0),
        accept.decode("latin-1") if accept is not None else None,
        if_none_match.decode("latin-1") if if_none_match is not None else None,
    )


async def _send(send: Send, told: Told, if_none_match: str | None) -> None:
    tag = (b"etag", told.tag.encode("latin-1"))
    if told.is_kept(if_none_match):
        await send({"type": "http.response.start", "status": 304, "headers": [*ALWAYS, tag]})
        await send({"type": "http.response.body", "body": b""})
        return
    media_type, body = told.written
    own = [(b"content-type", media_type.encode()), (b"content-length", str(len(body)).encode()), tag]
    await send({"type": "http.response.start", "status": 200, "headers": [*ALWAYS, *own]})
    await send({"type": "http.response.body", "body": body})
