"""In front of the pages: the reader's language is settled, and whatever is refused is refused as a page."""

from typing import Any
from urllib.parse import parse_qs

import msgspec
from fastapi import Response
from starlette.datastructures import Headers

from api.limits import Application, Message, Receive, Send
from api.pages.rendering import Renderer
from api.pages.words import CATALOGUE, Language, language_of
from api.problems import MEDIA_TYPE

PATH = "/verify"
LONGEST_SHOWN = 100
BILINGUAL = {"number_not_of_this_register", "day_not_read", "day_not_public", "under_repair", "too_many_questions"}
KEPT_HEADERS = ("allow", "connection", "retry-after")


class PageFront:
    """An ASGI application in front of another, for the pages alone: a problem becomes a page of the same status.

    So a reader meets one look and his own language also where a rate limit, a lost database or a failure answers.
    """

    def __init__(self, app: Application, renderer: Renderer) -> None:
        self.app = app
        self.renderer = renderer

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not (scope["path"] == PATH or scope["path"].startswith(f"{PATH}/")):
            await self.app(scope, receive, send)
            return
        language = language_of(scope)
        asked = {**scope, "headers": [*_other_headers(scope), (b"accept-language", language.encode())]}
        refused: list[Message] = []

        async def tell(message: Message) -> None:
            if message["type"] == "http.response.start" and _is_problem(message):
                refused.append(message)
            elif not refused:
                await send(message)
            else:
                refused.append(message)
                if not message.get("more_body", False):
                    await self._page_of(refused, asked, language)(asked, receive, send)

        await self.app(asked, receive, tell)

    def _page_of(self, refused: list[Message], scope: Message, language: Language) -> Response:
        """The page that says what the problem says."""
        start, *bodies = refused
        problem = msgspec.json.decode(b"".join(each.get("body", b"") for each in bodies))
        headers = Headers(raw=start["headers"])
        page = self.renderer.page(
            "problem.html", language, scope["path"], status=start["status"], kept=_asked(scope), typed=_typed(scope),
            retry_after=headers.get("retry-after"), **_words(problem, language),
        )  # fmt: skip
        page.headers.update({name: headers[name] for name in KEPT_HEADERS if name in headers})
        return page


def _is_problem(start: Message) -> bool:
    return Headers(raw=start["headers"]).get("content-type") == MEDIA_TYPE


def _other_headers(scope: Message) -> list[tuple[bytes, bytes]]:
    return [(name, value) for name, value in scope["headers"] if name != b"accept-language"]


def _words(problem: dict[str, Any], language: Language) -> dict[str, str]:
    """Title and text of the page; the problem's own words where it speaks both languages."""
    words, code = CATALOGUE[language]["problem"], problem["code"]
    code = code if code in words["title"] else "malformed"
    text = problem["detail"] if code in BILINGUAL else words["text"].get(code, words["start"])
    return {"code": code, "title": words["title"][code], "text": text}


def _asked(scope: Message) -> dict[str, str]:
    """What the reader asked for beside the path."""
    asked = parse_qs(scope["query_string"].decode("latin-1"))
    return {name: asked[name][-1] for name in ("number", "on") if name in asked}


def _typed(scope: Message) -> str:
    """The number that the reader asked for, as far as a box can show it."""
    typed = scope["path"].removeprefix(PATH).removeprefix("/") or _asked(scope).get("number", "")
    return "".join(character for character in typed[:LONGEST_SHOWN] if character.isprintable())
