"""GET: the current-status look-up for everybody, and the questions of staff."""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import msgspec
from fastapi import APIRouter, Query, Request, Response
from psycopg import Connection, Error

from api.cursor import Cursor
from api.ical import calendar_of
from api.identity import STAFF, Identity, identify, require
from api.problems import KeyMissing, ProjectionLate, refused
from api.views import INTERNAL, KINDS_OF_HOLDER, certificate_view, event_view
from lifecycle import events as e
from lifecycle import log
from lifecycle.certificate import Certificate, fold
from lifecycle.errors import CertificateUnknown, DayInFuture, Malformed, Refusal, RoleNotAllowed, UnderRepair
from lifecycle.periods import day_start, legal_day
from lifecycle.rules import normalise_number
from lifecycle.service import Register
from lifecycle.status import Answer, Stars, answer_on
from lifecycle.transitions import Status
from projections import deadlines
from projections import register as register_projection
from projections.engine import standing
from projections.register import Found

LIMIT = 200
FRESH = timedelta(minutes=5)
QUESTIONERS = STAFF | {"applicant"}
_encode = msgspec.json.Encoder().encode


class NumberNotOfThisRegister(Refusal):
    code = "number_not_of_this_register"
    kind = "not_found"
    en = "{number} is no certificate number of this register. Numbers look like {example}."
    zh = "{number} 不是本登记册的证书编号。编号形如 {example}。"


class Volatile(msgspec.Struct, frozen=True, kw_only=True):
    """What is appended to a finished public answer: for when, as known when, and how far the register had come."""

    on: date
    known_at: datetime | None
    position: int
    complete_until: datetime | None
    stale: bool
    simulation: bool
    computed_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Asked:
    """One question for a status: by whom, for which legal day, as known when, and the instant at which it is asked."""

    identity: Identity | None
    on: date
    known_at: datetime | None
    at: datetime

    @property
    def is_for_everybody(self) -> bool:
        """Anybody asks for days up to today, as known now."""
        return self.known_at is None and self.on <= legal_day(self.at)


@dataclass(frozen=True, slots=True)
class Questions:
    """Answers from the projections; a question about a past instant folds one stream's prefix."""

    register: Register
    stars: Stars
    simulation: bool

    def status(self, number: str, identity: Identity | None, on: date | None, known_at: datetime | None) -> Response:
        (answer,) = self._answers([number], identity, on, known_at)
        if isinstance(answer, Refusal):
            raise answer
        return answer

    def statuses(self, request: Request, numbers: list[str], identity: Identity | None, on: date | None) -> Response:
        """Up to 200 at once, in the order asked; where one number is refused, its problem stands in its place."""
        if not 1 <= len(numbers) <= LIMIT:
            raise Malformed(problem=f"number must be given 1 to {LIMIT} times")
        answers = self._answers(numbers, identity, on, None)
        told = [refused(request, each) if isinstance(each, Refusal) else each for each in answers]
        body = b'{"answers":[' + b",".join(bytes(answer.body) for answer in told) + b"]}"
        return Response(body, headers={"Cache-Control": "no-cache", "Vary": "Accept"}, media_type="application/json")

    def _answers(
        self, numbers: list[str], identity: Identity | None, on: date | None, known_at: datetime | None
    ) -> list[Response | Refusal]:
        """The answer for each number, or why there is none."""
        normalised = [self._number(number) for number in numbers]
        with self.register.recorder.connection() as connection:
            asked = self._asked(identity, on, known_at)
            wanted = [number for number in normalised if isinstance(number, str)]
            found = {each.number: each for each in register_projection.find(connection, wanted)}
            return [
                self._answer(connection, found[number], asked) if isinstance(number, str) else number
                for number in normalised
            ]

    def now(self) -> datetime:
        """The present instant: the database's in production, the process's in a simulation."""
        return self.register.recorder.present(self.register.clock.instant())

    def _number(self, text: str) -> str | NumberNotOfThisRegister:
        """Normalised (domain.md, case 14), unless no edition would print it."""
        number = normalise_number(text) if len(text) <= 100 else ""
        editions = self.register.editions.values()
        if any(edition.is_number_form(number) for edition in editions):
            return number
        example = next(iter(editions)).number(2026, 1)
        return NumberNotOfThisRegister(number=ascii(text[:40])[1:-1], example=example)

    def _asked(self, identity: Identity | None, on: date | None, known_at: datetime | None) -> Asked:
        """The question at this instant. Raises KeyMissing where nobody in particular asks what is not for everybody."""
        instant = self.now()
        asked = Asked(identity, on or legal_day(instant), known_at, instant)
        if known_at is not None and known_at > instant:
            raise DayInFuture(what="known_at", on=known_at.isoformat(), today=instant.isoformat())
        if identity is None and not asked.is_for_everybody:
            raise KeyMissing()
        return asked

    def _answer(self, connection: Connection, found: Found, asked: Asked) -> Response | UnderRepair:
        if found.under_repair:
            return UnderRepair(subject=found.number)
        if not asked.is_for_everybody:
            self._require_staff_or_holder(asked.identity, found)
        public, tag, until = self._public(connection, found, asked)
        stale = found.complete_until is None or asked.at - found.complete_until > FRESH
        volatile = Volatile(
            on=asked.on,
            known_at=asked.known_at,
            position=found.position,
            complete_until=found.complete_until,
            stale=stale,
            simulation=self.simulation,
            computed_at=asked.at,
            expires_at=min(asked.at + FRESH, until) if until and until > asked.at else asked.at + FRESH,
        )
        body = public[:-1] + b"," + _encode(volatile)[1:]
        headers = {"Cache-Control": "no-cache", "Vary": "Accept", "ETag": f'W/"{tag}"'}
        return Response(body, headers=headers, media_type="application/json")

    def _public(self, connection: Connection, found: Found, asked: Asked) -> tuple[bytes, str, datetime | None]:
        """The public members, their digest, and the instant at which a date turns them."""
        if asked.known_at is not None and found.certificate_id is not None:
            known = _known_then(connection, found, asked.known_at)
            number = next((n for n in known.numbers.values if normalise_number(n) == found.number), found.number)
            return _encode(answer_on(known, number, asked.on, self.stars)), "known-then", None
        segment, following = found.around(asked.on)
        until = day_start(following) if following else None
        if segment is None:
            return _encode(Answer(certificate_number=found.number, status="unknown")), "unknown", until
        return bytes(segment.answer), segment.tag, until

    def _require_staff_or_holder(self, identity: Identity, found: Found) -> None:
        if identity.role not in STAFF and not self._is_holder(identity, found):
            allowed = "staff, and the holder of the certificate"
            raise RoleNotAllowed(role=identity.role, act=f"ask this of {found.number}", allowed=allowed)

    def _is_holder(self, identity: Identity, found: Found) -> bool:
        if identity.role != "applicant" or found.certificate_id is None:
            return False
        return self.register.certificate(found.certificate_id).organisation == identity.organisation

    # ---- staff -------------------------------------------------------------------------------------------------------

    def await_position(self, wanted: int | None, projection: str, *, seconds: float = 1.0) -> None:
        """Raises ProjectionLate if the projection does not reach the position in time."""
        if wanted is None:
            return
        with self.register.recorder.connection() as connection:
            position = standing(connection, projection, wanted, seconds=seconds)
        if position < wanted:
            raise ProjectionLate(wanted=wanted, position=position)

    def require_recorded(self, wanted: int | None) -> None:
        """Raises ProjectionLate where the log itself, which some answers are read from, has not come so far."""
        if wanted is None:
            return
        position = self.register.recorder.max_notification_id() or 0
        if position < wanted:
            raise ProjectionLate(wanted=wanted, position=position)

    def certificates(
        self, identity: Identity, filters: dict[str, Any], cursor: str | None, limit: int
    ) -> dict[str, Any]:
        after = Cursor.read(cursor, (UUID(int=0),))
        with self.register.recorder.connection() as connection:
            rows = register_projection.certificates(
                connection,
                **filters,
                organisation=identity.organisation,
                on=legal_day(self.now()),
                after=after[0],
                limit=limit,
            )
        return _page(rows, limit, lambda row: (row["certificate_id"],))

    def deadlines(
        self, identity: Identity, by: date, kind: str | None, cursor: str | None, limit: int
    ) -> dict[str, Any]:
        after = Cursor.read(cursor, (date.min, UUID(int=0), "", 0))
        with self.register.recorder.connection() as connection:
            rows = deadlines.of_persons(
                connection, by=by, kind=kind, organisation=identity.organisation, after=after, limit=limit
            )
        today = legal_day(self.now())
        for row in rows:
            row["overdue"] = row["due_on"] < today
        page = _page(rows, limit, lambda row: (row["due_on"], row["certificate_id"], row["kind"], row["subject"]))
        if identity.role == "applicant":
            page["items"] = [row for row in rows if row["kind"] in KINDS_OF_HOLDER]
        return page

    def certificate(self, identity: Identity, certificate_id: UUID) -> dict[str, Any]:
        certificate = self.register.certificate(certificate_id)
        _require_own(identity, certificate_id, certificate.organisation)
        return certificate_view(certificate, legal_day(self.now()), full=identity.role != "applicant")

    def events(self, identity: Identity, certificate_id: UUID, after: int, limit: int) -> dict[str, Any]:
        certificate = self.register.certificate(certificate_id)
        _require_own(identity, certificate_id, certificate.organisation)
        full = identity.role != "applicant"
        shown = [recorded for recorded in certificate.history if full or not isinstance(recorded.fact, INTERNAL)]
        rows = [event_view(recorded, full=full) for recorded in shown[after : after + limit]]
        return {"items": rows, "next": Cursor.write((after + limit,)) if after + limit < len(shown) else None}


def _known_then(connection: Connection, found: Found, known_at: datetime) -> Certificate:
    """The certificate as it was known at that instant. Raises UnderRepair."""
    try:
        return fold(found.certificate_id, log.stream(connection, found.certificate_id, known_at=known_at))
    except Error:
        raise  # the database's own
    except Exception as error:
        raise UnderRepair(subject=found.number) from error


def _require_own(identity: Identity, certificate_id: UUID, organisation: UUID | None) -> None:
    if identity.role == "applicant" and identity.organisation != organisation:
        raise CertificateUnknown(certificate=certificate_id)


def _page(rows: list[dict[str, Any]], limit: int, key: Any) -> dict[str, Any]:
    return {"items": rows, "next": Cursor.write(key(rows[-1])) if len(rows) == limit else None}


Limit = Annotated[int, Query(ge=1, le=LIMIT)]
Position = Annotated[int | None, Query(ge=0, le=2**62)]
CursorText = Annotated[str | None, Query(max_length=400)]
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|[+-]\d{2}:\d{2})")


def router(questions: Questions) -> APIRouter:
    """The addresses of every question."""
    routes = APIRouter()
    register = questions.register

    def optional(request: Request) -> Identity | None:
        return identify(register, request) if "authorization" in request.headers else None

    def asked_by(request: Request, allowed: frozenset[e.Role], act: str) -> Identity:
        identity = identify(register, request)
        require(identity, allowed, act)
        return identity

    @routes.get("/status/{number:path}", tags=["public"], response_model=None)
    def status(
        request: Request,
        number: str,
        on: date | None = None,
        known_at: datetime | None = None,
        min_position: Position = None,
    ) -> Response:
        """The public status of one certificate number, for a legal day."""
        _require_exact_day(request, "on")
        _require_exact_instant(request, "known_at")
        identity = optional(request)
        questions.await_position(min_position, "register")
        return questions.status(number, identity, on, known_at)

    @routes.get("/status", tags=["public"], response_model=None)
    def statuses(
        request: Request,
        number: Annotated[list[str], Query()],
        on: date | None = None,
        min_position: Position = None,
    ) -> Response:
        """The public status of up to 200 numbers."""
        _require_exact_day(request, "on")
        identity = optional(request)
        questions.await_position(min_position, "register")
        return questions.statuses(request, number, identity, on)

    @routes.get("/certificates", tags=["staff"])
    def certificates(
        request: Request,
        status: Status | None = None,
        level: str | None = None,
        holder: Annotated[str | None, Query(max_length=300)] = None,
        due_by: date | None = None,
        cursor: CursorText = None,
        limit: Limit = 50,
        min_position: Position = None,
    ) -> Response:
        """Certificates by what stands today."""
        identity = asked_by(request, QUESTIONERS, "list certificates")
        _require_exact_day(request, "due_by")
        questions.await_position(min_position, "register")
        filters = {"status": status, "level": _clean(level), "holder": _clean(holder), "due_by": due_by}
        return _json(questions.certificates(identity, filters, cursor, limit))

    @routes.get("/certificates/{certificate_id}", tags=["staff"])
    def certificate(request: Request, certificate_id: UUID, min_position: Position = None) -> Response:
        """The state of one certificate, cases and proposals included."""
        identity = asked_by(request, QUESTIONERS, "read a certificate")
        questions.require_recorded(min_position)
        answer = questions.certificate(identity, certificate_id)
        return _json(answer, {"ETag": f'"{answer["version"]}"'})

    @routes.get("/certificates/{certificate_id}/events", tags=["staff"])
    def events(
        request: Request, certificate_id: UUID, cursor: CursorText = None, limit: Limit = LIMIT,
        min_position: Position = None,
    ) -> Response:  # fmt: skip
        """The stream of one certificate, in order."""
        identity = asked_by(request, QUESTIONERS, "read a stream")
        questions.require_recorded(min_position)
        (after,) = Cursor.read(cursor, (0,))
        return _json(questions.events(identity, certificate_id, after, limit))

    @routes.get("/deadlines", tags=["staff"])
    def due(
        request: Request,
        by: date | None = None,
        kind: Annotated[str | None, Query(max_length=40)] = None,
        cursor: CursorText = None,
        limit: Limit = 50,
        min_position: Position = None,
    ) -> Response:
        """What is due or overdue by a day, oldest first."""
        identity = asked_by(request, QUESTIONERS, "list deadlines")
        _require_exact_day(request, "by")
        questions.await_position(min_position, "deadlines")
        day = by or legal_day(questions.now())
        return _json(questions.deadlines(identity, day, _clean(kind), cursor, limit))

    @routes.get("/deadlines.ics", tags=["staff"], response_model=None)
    def due_calendar(
        request: Request, by: date | None = None, kind: Annotated[str | None, Query(max_length=40)] = None
    ) -> Response:
        """The first 200 of the same, as a calendar."""
        identity = asked_by(request, QUESTIONERS, "list deadlines")
        _require_exact_day(request, "by")
        day = by or legal_day(questions.now()) + timedelta(days=365)
        found = questions.deadlines(identity, day, _clean(kind), None, LIMIT)
        body = calendar_of(found["items"], questions.now())
        return Response(body, headers={"Cache-Control": "no-store"}, media_type="text/calendar")

    return routes


def _json(body: Any, headers: dict[str, str] | None = None) -> Response:
    shown = {"Cache-Control": "no-store"} | (headers or {})
    return Response(msgspec.json.encode(body), headers=shown, media_type="application/json")


def _clean(text: str | None) -> str | None:
    """The text of a filter. Raises Malformed for what no record holds."""
    if text is not None and "\x00" in text:
        raise Malformed(problem="a filter must not hold NUL")
    return text


def _require_exact_day(request: Request, name: str) -> None:
    """Raises Malformed for a day not written YYYY-MM-DD: a number would otherwise be read as seconds."""
    given = request.query_params.get(name)
    if given is not None and not DAY.fullmatch(given):
        raise Malformed(problem=f"{name} must be a day, YYYY-MM-DD")


def _require_exact_instant(request: Request, name: str) -> None:
    """Raises Malformed for an instant without its offset, and for a number, as above."""
    given = request.query_params.get(name)
    if given is not None and not INSTANT.fullmatch(given):
        raise Malformed(problem=f"{name} must be an instant with its offset, such as 2026-05-03T00:00:00Z")
