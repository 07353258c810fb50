"""The current status of a certificate number: who may ask for which day, and what is answered.

The register holds the public members finished, day by day; here the day asked for is picked, and what changes with the
moment is put beside it. Anonymous questions about days up to today are answered by ``hot_path``, in front of the
application, with the same functions; all others, and the OpenAPI document, by the routes below.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from typing import Annotated, Any, NamedTuple

import msgspec
from fastapi import APIRouter, Query, Request, Response
from psycopg import Connection, Error

from api.forms import JSON, JWT, Form, Forms, Volatile, Written, plain
from api.identity import STAFF, Identity, identify
from api.lookup import Questions
from api.problems import KeyMissing, refused
from api.query import LIMIT, Position, is_among, require_exact_day, require_exact_instant
from api.status.places import Places
from lifecycle import log
from lifecycle.certificate import Certificate, fold
from lifecycle.errors import DayInFuture, Malformed, Refusal, RoleNotAllowed, UnderRepair
from lifecycle.periods import day_start, legal_day
from lifecycle.rules import normalise_number
from lifecycle.service import Register
from lifecycle.status import Answer, Stars, answer_on
from projections import register as register_projection
from projections.register import Found, Segment

FRESH = timedelta(minutes=5)
LONGEST_NUMBER = 100
SIGNED_TOO: dict[int | str, dict[str, Any]] = {200: {"content": {JWT: {"schema": {"type": "string"}}}}}
_encode = msgspec.json.Encoder().encode


class NumberNotOfThisRegister(Refusal):
    code = "number_not_of_this_register"
    kind = "not_found"
    en = "{number} is no certificate number of this register. Numbers look like {example}."
    zh = "{number} 不是本登记册的证书编号。编号形如 {example}。"


class Asked(NamedTuple):
    """One question for a status: by whom, for which legal day, as known when, and the instant at which it is asked."""

    identity: Identity | None
    on: date
    known_at: datetime | None
    at: datetime

    @property
    def is_for_everybody(self) -> bool:
        """Anybody asks for days up to today, as known now."""
        return self.known_at is None and self.on <= legal_day_of(self.at)


class Public(NamedTuple):
    """The public members that hold on the day asked for, their digest, and the day on which a date turns them."""

    members: bytes
    digest: str
    turns_on: date | None


class Told(NamedTuple):
    """An answer as it is written, and the tag under which a caller may keep it."""

    written: Written
    tag: str
    stale: bool

    @property
    def headers(self) -> dict[str, str]:
        return {"Cache-Control": "no-cache", "Vary": "Accept", "ETag": self.tag}

    def is_kept(self, if_none_match: str | None) -> bool:
        """Whether the caller has it already.

        A stale one is never said to hold still: what he has may not say so. Nor is a signed one: his may have run out.
        """
        if if_none_match is None or self.stale or self.written.media_type != JSON:
            return False
        return is_among(self.tag, if_none_match)


@lru_cache(maxsize=64)
def legal_day_of(instant: datetime) -> date:
    """The legal day on which the instant falls; all who are answered at once share both."""
    return legal_day(instant)


def public_on(found: Found, day: date) -> Public:
    """What the register holds finished for the day; ``unknown`` before the number stood for anything."""
    segment, turns_on = found.around(day)
    if segment is None:
        return _public(Answer(certificate_number=found.number, status="unknown"), turns_on)
    return Public(bytes(segment.answer), segment.tag, turns_on)


def tell(found: Found, public: Public, asked: Asked, form: Form, *, places: Places, simulation: bool) -> Told:
    """The answer in that form."""
    stale = found.complete_until is None or asked.at - found.complete_until > FRESH
    volatile = Volatile(
        status_list=places.of(found.list_index),
        on=asked.on,
        known_at=asked.known_at,
        position=found.position,
        complete_until=found.complete_until,
        stale=stale,
        simulation=simulation,
        computed_at=asked.at,
        expires_at=_expires_at(asked.at, public.turns_on),
    )
    written = form(public.members, volatile)
    variant = "" if written.media_type == JSON else "-signed"
    return Told(written, f'W/"{public.digest}{variant}"', stale)


def _public(answer: Answer, turns_on: date | None = None) -> Public:
    members = _encode(answer)
    return Public(members, sha256(members).hexdigest()[:32], turns_on)


@lru_cache(maxsize=256)
def _expires_at(at: datetime, turns_on: date | None) -> datetime:
    """Five minutes ahead, and never past the day on which a date turns the answer."""
    latest = at + FRESH
    if turns_on is None or turns_on > legal_day_of(latest):
        return latest
    turns_at = day_start(turns_on)
    return turns_at if turns_at > at else latest


@dataclass(frozen=True, slots=True)
class StatusQuestions:
    """Answers from the register; a question about a past instant folds one stream's prefix."""

    questions: Questions
    stars: Stars
    simulation: bool
    forms: Forms
    places: Places

    @property
    def register(self) -> Register:
        return self.questions.register

    def status(
        self,
        number: str,
        identity: Identity | None,
        on: date | None,
        known_at: datetime | None,
        form: Form | None = None,
    ) -> Told:
        """The answer for one number. Raises whatever Refusal stands in the way."""
        (answer,) = self.statuses([number], identity, on, known_at, form)
        if isinstance(answer, Refusal):
            raise answer
        return answer

    def statuses(
        self, numbers: list[str], identity: Identity | None, on: date | None, known_at: datetime | None = None,
        form: Form | None = None,
    ) -> list[Told | Refusal]:  # fmt: skip
        """The answer for each number, in the order asked, or why there is none."""
        wanted = [self.number(number) for number in numbers]
        with self.register.recorder.connection() as connection:
            asked = self._asked(identity, on, known_at)
            known = [number for number in wanted if isinstance(number, str)]
            found = {each.number: each for each in register_projection.find(connection, known)}
            return [
                self._answer(connection, found[number], asked, form) if isinstance(number, str) else number
                for number in wanted
            ]

    def life(self, number: str, on: date | None) -> tuple[Told, list[Segment]]:
        """What anybody is told of the number, plainly, and what of each day up to today, from one look at the register.

        Raises whatever Refusal stands in the way.
        """
        wanted = self.number(number)
        if isinstance(wanted, Refusal):
            raise wanted
        with self.register.recorder.connection() as connection:
            asked = self._asked(None, on, None)
            (found,) = register_projection.find(connection, [wanted])
            told = self._answer(connection, found, asked, plain)
        if isinstance(told, Refusal):
            raise told
        return told, found.until(legal_day_of(asked.at))

    def number(self, text: str) -> str | NumberNotOfThisRegister:
        """Normalised (domain.md, case 14), unless no edition would print it."""
        number = normalise_number(text) if len(text) <= LONGEST_NUMBER else ""
        if any(edition.is_number_form(number) for edition in self.register.editions.values()):
            return number
        return NumberNotOfThisRegister(number=ascii(text[:40])[1:-1], example=self.example)

    @property
    def example(self) -> str:
        """What a number of this register looks like."""
        return next(iter(self.register.editions.values())).number(2026, 1)

    def _asked(self, identity: Identity | None, on: date | None, known_at: datetime | None) -> Asked:
        """The question at this instant. Raises KeyMissing where nobody in particular asks what is not for everybody."""
        instant = self.questions.now()
        asked = Asked(identity, on or legal_day(instant), known_at, instant)
        if known_at is not None and known_at > instant:
            raise DayInFuture(what="known_at", on=known_at.isoformat(), today=instant.isoformat())
        if identity is None and not asked.is_for_everybody:
            raise KeyMissing()
        return asked

    def _answer(self, connection: Connection, found: Found, asked: Asked, form: Form | None) -> Told | UnderRepair:
        if found.under_repair:
            return UnderRepair(subject=found.number)
        if not asked.is_for_everybody:
            self._require_staff_or_holder(asked.identity, found)
        if asked.known_at is not None and found.certificate_id is not None:
            public = self._known_then(connection, found, asked)
        else:
            public = public_on(found, asked.on)
        chosen = form or self.forms.accepted(None)
        return tell(found, public, asked, chosen, places=self.places, simulation=self.simulation)

    def _known_then(self, connection: Connection, found: Found, asked: Asked) -> Public:
        known = _known_then(connection, found, asked.known_at)
        number = next((n for n in known.numbers.values if normalise_number(n) == found.number), found.number)
        return _public(answer_on(known, number, asked.on, self.stars))

    def _require_staff_or_holder(self, identity: Identity, found: Found) -> None:
        if identity.role not in STAFF and not self._holds(identity, found):
            raise RoleNotAllowed(
                role=identity.role,
                act=f"ask this of {found.number}",
                allowed="staff, and the holder of the certificate",
            )

    def _holds(self, identity: Identity, found: Found) -> bool:
        if identity.role != "applicant" or found.certificate_id is None:
            return False
        return self.register.certificate(found.certificate_id).organisation == identity.organisation


def _known_then(connection: Connection, found: Found, known_at: datetime) -> Certificate:
    """The certificate as it was known at that instant. Raises UnderRepair."""
    try:
        return fold(found.certificate_id, log.stream(connection, found.certificate_id, known_at=known_at))
    except Error:
        raise  # the database's own
    except Exception as error:
        raise UnderRepair(subject=found.number) from error


def router(status_questions: StatusQuestions) -> APIRouter:
    """The addresses of the public look-up."""
    routes = APIRouter()
    questions = status_questions.questions

    def asked_by(request: Request) -> Identity | None:
        return identify(questions.register, request) if "authorization" in request.headers else None

    @routes.get("/status/{number:path}", tags=["public"], response_model=None, responses=SIGNED_TOO)
    def status(
        request: Request,
        number: str,
        on: date | None = None,
        known_at: datetime | None = None,
        min_position: Position = None,
    ) -> Response:
        """The public status of one certificate number, for a legal day."""
        require_exact_day(request, "on")
        require_exact_instant(request, "known_at")
        identity = asked_by(request)
        questions.await_position(min_position, "register")
        form = status_questions.forms.accepted(request.headers.get("accept"))
        told = status_questions.status(number, identity, on, known_at, form)
        if told.is_kept(request.headers.get("if-none-match")):
            return Response(status_code=304, headers=told.headers)
        return Response(told.written.body, headers=told.headers, media_type=told.written.media_type)

    @routes.get("/status", tags=["public"], response_model=None)
    def statuses(
        request: Request,
        number: Annotated[list[str], Query()],
        on: date | None = None,
        known_at: datetime | None = None,
        min_position: Position = None,
    ) -> Response:
        """The public status of up to 200 numbers; where one is refused, its problem stands in its place."""
        require_exact_day(request, "on")
        require_exact_instant(request, "known_at")
        identity = asked_by(request)
        if not 1 <= len(number) <= LIMIT:
            raise Malformed(problem=f"number must be given 1 to {LIMIT} times")
        questions.await_position(min_position, "register")
        answers = status_questions.statuses(number, identity, on, known_at)
        bodies = [refused(request, each).body if isinstance(each, Refusal) else each.written.body for each in answers]
        body = b'{"answers":[' + b",".join(map(bytes, bodies)) + b"]}"
        return Response(body, headers={"Cache-Control": "no-cache", "Vary": "Accept"}, media_type="application/json")

    return routes
