"""The register for people: a box for a number, and a page that says what the public look-up says.

What cannot be answered is refused here as everywhere; ``page_front`` makes a page of every refusal.
"""

from datetime import date
from functools import lru_cache
from typing import Annotated
from urllib.parse import quote

import segno
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from markupsafe import Markup

from api.pages.rendering import Renderer
from api.pages.verdict import verdict
from api.pages.words import Language, language_of
from api.problems import KeyMissing
from api.query import DAY
from api.signing import Signer
from api.status.answers import StatusQuestions
from lifecycle.errors import Refusal
from lifecycle.periods import legal_day

REDIRECTED: dict[int | str, dict[str, str]] = {303: {"description": "To the page of the number typed, or to the box."}}


def _reader(request: Request, lang: Annotated[str | None, Query(description="zh or en")] = None) -> Language:
    return language_of(request.scope)


Day = Annotated[str | None, Query(description="a legal day up to today", json_schema_extra={"format": "date"})]
Reader = Annotated[Language, Depends(_reader)]
"""The language of who reads, by ``lang`` or his browser."""


class DayNotRead(Refusal):
    code = "day_not_read"
    kind = "invalid"
    en = "A day is written year-month-day, such as 2026-05-03."
    zh = "日期须写作“年-月-日”，例如 2026-05-03。"


class DayNotPublic(Refusal):
    code = "day_not_public"
    kind = "invalid"
    en = "{on} is still to come. A status is told here for days up to today."
    zh = "{on} 尚未到来。此处只答复不晚于今天的日期。"


def router(questions: StatusQuestions, signer: Signer, renderer: Renderer, complain_at: str | None) -> APIRouter:
    """The addresses of the pages."""
    routes = APIRouter(tags=["pages"], default_response_class=HTMLResponse)

    @routes.get("/verify", responses=REDIRECTED)
    def ask(language: Reader, number: str = "", on: Day = None) -> Response:
        """A box to type a certificate number in; with ``number``, the way to its page."""
        if number.strip():
            return RedirectResponse(_address(renderer, questions, number, on, language), 303)
        return renderer.page("ask.html", language, "/verify", example=questions.example, typed="")

    @routes.get("/verify/{number:path}", responses=REDIRECTED)
    def verify(request: Request, language: Reader, number: str, on: Day = None) -> Response:
        """The public status of one certificate number, for a legal day, as a page."""
        if not number.strip():
            return RedirectResponse(renderer.address("/verify", language), 303)
        day = _day(on)
        try:
            shown = verdict(questions, signer, number, day, language)
        except KeyMissing:
            raise DayNotPublic(on=day) from None
        own = shown.answer.certificate_number
        return renderer.page(
            "certificate.html",
            language,
            request.scope["path"],
            kept={"on": on} if on else {},
            shown=shown,
            edition=questions.register.editions.get(shown.answer.edition or ""),
            today=legal_day(shown.moment.computed_at),
            complain_at=_complaint_about(own, complain_at),
            public_url=renderer.public_url,
            code=_code(f"{renderer.public_url}/verify/{quote(own, safe='')}"),
        )

    return routes


def _address(renderer: Renderer, questions: StatusQuestions, typed: str, on: str | None, language: Language) -> str:
    """The page of the number typed. Raises NumberNotOfThisRegister."""
    number = questions.number(typed)
    if isinstance(number, Refusal):
        raise number
    return renderer.address(f"/verify/{number}", language, **({"on": on} if on else {}))


def _day(on: str | None) -> date | None:
    """The day asked for; a box left empty asks for today. Raises DayNotRead."""
    if not on:
        return None
    try:
        if DAY.fullmatch(on):
            return date.fromisoformat(on)
    except ValueError:
        pass
    raise DayNotRead()


def _complaint_about(number: str, complain_at: str | None) -> str | None:
    """Where to complain; a letter says what it is about."""
    if complain_at is None or not complain_at.startswith("mailto:") or "?" in complain_at:
        return complain_at
    return f"{complain_at}?subject={quote(number)}"


@lru_cache(maxsize=256)
def _code(address: str) -> Markup:
    """The address as a QR code, drawn in line."""
    return Markup(segno.make(address, error="m", micro=False).svg_inline(border=4, omitsize=True, svgclass="code"))  # noqa: S704
