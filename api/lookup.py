"""GET: the current-status look-up for everybody, and the questions of staff."""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import msgspec
from fastapi import APIRouter, Query, Request, Response
from psycopg import Connection
from psycopg_pool import ConnectionPool

from api.cursor import Cursor
from api.ical import calendar_of
from api.identity import STAFF, Identity, identify, require
from api.problems import KeyMissing, ProjectionLate
from api.views import INTERNAL, KINDS_OF_HOLDER, certificate_view, event_view
from lifecycle import events as e
from lifecycle import log
from lifecycle.certificate import fold
from lifecycle.errors import CertificateUnknown, DayInFuture, Malformed, Refusal, UnderRepair
from lifecycle.periods import day_start, legal_day
from lifecycle.rules import normalise_number
from lifecycle.service import Register
from lifecycle.status import Answer, Stars, answer_on
from projections import deadlines, register as register_projection
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
class Questions:
    """Answers from the projections; a question about a past instant folds one stream's prefix."""

    register: Register
    pool: ConnectionPool
    stars: Stars
    simulation: bool

    def status(self, number: str, identity: Identity | None, on: date | None, known_at: datetime | None) -> Response:
        return self._status([number], identity, on, known_at)[0]

    def statuses(self, numbers: list[str], identity: Identity | None, on: date | None) -> Response:
        """Up to 200 at once, in the order asked; a number that is none stands there as its problem."""
        if not 1 <= len(numbers) <= LIMIT:
            raise Malformed(problem=f"number must be given 1 to {LIMIT} times")
        answers = self._status(numbers, identity, on, None)
        body = b'{"answers":[' + b",".join(bytes(answer.body) for answer in answers) + b"]}"
        return Response(body, headers={"Cache-Control": "no-cache", "Vary": "Accept"}, media_type="application/json")

    def _status(
        self, numbers: list[str], identity: Identity | None, on: date | None, known_at: datetime | None
    ) -> list[Response]:
        normalised = [self._number(number) for number in numbers]
        with self.pool.connection() as connection:
            instant = self.now()
            today = legal_day(instant)
            day = self._allowed_day(identity, on, known_at, today, instant)
            found = register_projection.find(connection, normalised)
            return [self._answer(connection, each, identity, day, known_at, instant) for each in found]

    def now(self) -> datetime:
        """The present instant: the database's in production, the process's in a simulation."""
        return self.register.recorder.present(self.register.clock.instant())

    def _number(self, text: str) -> str:
        """Normalised (domain.md, case 14). Raises NumberNotOfThisRegister for what no edition would print."""
        number = normalise_number(text) if len(text) <= 100 else ""
        editions = self.register.editions.values()
        if not any(edition.is_number_form(number) for edition in editions):
            example = next(iter(editions)).number(2026, 1)
            raise NumberNotOfThisRegister(number=ascii(text[:40])[1:-1], example=example)
        return number

    def _allowed_day(
        self,
        identity: Identity | None,
        on: date | None,
        known_at: datetime | None,
        today: date,
        instant: datetime,
    ) -> date:
        """The asked day. Anonymous callers ask for days up to today, as known now."""
        day = on or today
        if known_at is not None and known_at > instant:
            raise DayInFuture(what="known_at", on=known_at.isoformat(), today=instant.isoformat())
        if identity is None and known_at is not None:
            raise KeyMissing()
        if identity is None and day > today:
            raise DayInFuture(what="on", on=day, today=today)
        return day

    def _answer(
        self,
        connection: Connection,
        found: Found,
        identity: Identity | None,
        day: date,
        known_at: datetime | None,
        instant: datetime,
    ) -> Response:
        if found.under_repair:
            raise UnderRepair(subject=found.number)
        restricted = known_at is not None or day > legal_day(instant)
        if restricted and identity is not None and identity.role not in STAFF:
            self._require_holder(identity, found)
        public, tag, until = self._public(connection, found, day, known_at)
        stale = found.complete_until is None or instant - found.complete_until > FRESH
        volatile = Volatile(
            on=day,
            known_at=known_at,
            position=found.position,
            complete_until=found.complete_until,
            stale=stale,
            simulation=self.simulation,
            computed_at=instant,
            expires_at=min(instant + FRESH, until) if until and until > instant else instant + FRESH,
        )
        body = public[:-1] + b"," + _encode(volatile)[1:]
        headers = {"Cache-Control": "no-cache", "Vary": "Accept", "ETag": f'W/"{tag}"'}
        return Response(body, headers=headers, media_type="application/json")

    def _public(
        self, connection: Connection, found: Found, day: date, known_at: datetime | None
    ) -> tuple[bytes, str, datetime | None]:
        """The public members, their digest, and the instant at which a date turns them."""
        if known_at is not None and found.certificate_id is not None:
            history = log.stream(connection, found.certificate_id, known_at=known_at)
            known = fold(found.certificate_id, history)
            number = next((n for n in known.numbers.values if normalise_number(n) == found.number), found.number)
            return _encode(answer_on(known, number, day, self.stars)), "known-then", None
        segment, following = found.around(day)
        until = day_start(following) if following else None
        if segment is None:
            return _encode(Answer(certificate_number=found.number, status="unknown")), "unknown", until
        return bytes(segment.answer), segment.tag, until

    def _require_holder(self, identity: Identity, found: Found) -> None:
        if found.certificate_id is not None:
            certificate = self.register.certificate(found.certificate_id)
            if certificate.organisation == identity.organisation:
                return
        raise KeyMissing()

    # ---- staff ----

    def await_position(self, wanted: int | None, projection: str, *, seconds: float = 1.0) -> None:
        """Raises ProjectionLate if the projection does not reach the position in time."""
        if wanted is None:
            return
        with self.pool.connection() as connection:
            position = standing(connection, projection, wanted, seconds=seconds)
        if position < wanted:
            raise ProjectionLate(wanted=wanted, position=position)

    def certificates(self, identity: Identity, filters: dict[str, Any], cursor: str | None, limit: int) -> dict[str, Any]:
        after = Cursor.read(cursor, (UUID(int=0),))
        with self.pool.connection() as connection:
            rows = register_projection.certificates(
                connection,
                **filters,
                organisation=identity.organisation,
                on=legal_day(self.now()),
                after=after[0],
                limit=limit,
            )
        return _page(rows, limit, lambda row: (row["certificate_id"],))

    def deadlines(self, identity: Identity, by: date, kind: str | None, cursor: str | None, limit: int) -> dict[str, Any]:
        after = Cursor.read(cursor, (date.min, UUID(int=0), "", 0))
        with self.pool.connection() as connection:
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


def _require_own(identity: Identity, certificate_id: UUID, organisation: UUID | None) -> None:
    if identity.role == "applicant" and identity.organisation != organisation:
        raise CertificateUnknown(certificate=certificate_id)


def _page(rows: list[dict[str, Any]], limit: int, key: Any) -> dict[str, Any]:
    return {"items": rows, "next": Cursor.write(key(rows[-1])) if len(rows) == limit else None}


Limit = Annotated[int, Query(ge=1, le=LIMIT)]
Position = Annotated[int | None, Query(ge=0, le=2**62)]
CursorText = Annotated[str | None, Query(max_length=400)]
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


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
        _require_aware(known_at)
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
        return questions.statuses(number, identity, on)

    @routes.get("/certificates", tags=["staff"])
    def certificates(
        request: Request,
        status: str | None = None,
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
        filters = {"status": _clean(status), "level": _clean(level), "holder": _clean(holder), "due_by": due_by}
        return _json(questions.certificates(identity, filters, cursor, limit))

    @routes.get("/certificates/{certificate_id}", tags=["staff"])
    def certificate(request: Request, certificate_id: UUID, min_position: Position = None) -> Response:
        """The state of one certificate, cases and proposals included."""
        identity = asked_by(request, QUESTIONERS, "read a certificate")
        answer = questions.certificate(identity, certificate_id)
        return _json(answer, {"ETag": f'"{answer["version"]}"'})

    @routes.get("/certificates/{certificate_id}/events", tags=["staff"])
    def events(
        request: Request, certificate_id: UUID, cursor: CursorText = None, limit: Limit = LIMIT,
        min_position: Position = None,
    ) -> Response:  # fmt: skip
        """The stream of one certificate, in order."""
        identity = asked_by(request, QUESTIONERS, "read a stream")
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


def _require_aware(known_at: datetime | None) -> None:
    if known_at is not None and known_at.tzinfo is None:
        raise Malformed(problem="known_at must be an instant with its offset, such as 2026-05-03T00:00:00Z")
