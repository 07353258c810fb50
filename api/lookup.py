"""GET: the questions of staff, and of holders about their own."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import msgspec
from fastapi import APIRouter, Query, Request, Response

from api.cursor import Cursor
from api.ical import calendar_of
from api.identity import STAFF, Identity, identify, require
from api.problems import ProjectionLate
from api.query import LIMIT, CursorText, Limit, Position, clean, require_exact_day, require_exact_instant
from api.views import INTERNAL, KINDS_OF_HOLDER, certificate_view, event_view
from lifecycle import events as e
from lifecycle.errors import CertificateUnknown, DayInFuture
from lifecycle.evidence.known import as_known_at
from lifecycle.periods import legal_day
from lifecycle.service import Register
from lifecycle.trail_reads import TrailReads
from lifecycle.transitions import Status
from projections import deadlines
from projections import register as register_projection
from projections.engine import standing

QUESTIONERS: frozenset[e.Role] = STAFF | {"applicant"}


@dataclass(frozen=True, slots=True)
class Questions:
    """Answers from the projections and the log."""

    register: Register

    def now(self) -> datetime:
        """The present instant: the database's in production, the process's in a simulation."""
        return self.register.recorder.present(self.register.clock.instant())

    def today(self) -> date:
        """The present legal day."""
        return legal_day(self.now())

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

    def record_read(self, by: e.By, question: Any, rows: int | None) -> None:
        """Somebody asked what the trail tells, here or there; ``rows`` is None where an export begins."""
        told = msgspec.json.encode(question).decode()
        TrailReads(self.register.recorder).record(by, told, rows, self.register.clock.instant())  # pyright: ignore[reportArgumentType]

    def certificates(
        self, identity: Identity, filters: dict[str, Any], cursor: str | None, limit: int
    ) -> dict[str, Any]:
        after = Cursor.read(cursor, (UUID(int=0),))
        with self.register.recorder.connection() as connection:
            rows = register_projection.certificates(
                connection,
                **filters,
                organisation=identity.organisation,
                on=self.today(),
                after=after[0],
                limit=limit,
            )
        return _page(rows, limit, lambda row: (row["certificate_id"],))

    def deadlines(
        self, identity: Identity, by: date, kind: str | None, cursor: str | None, limit: int
    ) -> dict[str, Any]:
        """A holder's page is made of what it is shown alone: its cursor would tell of the rest."""
        after = Cursor.read(cursor, (date.min, UUID(int=0), "", 0))
        shown = sorted(KINDS_OF_HOLDER) if identity.role == "applicant" else None
        with self.register.recorder.connection() as connection:
            rows = deadlines.of_persons(
                connection, by=by, kind=kind, shown=shown, organisation=identity.organisation, after=after, limit=limit
            )
        today = self.today()
        for row in rows:
            row["overdue"] = row["due_on"] < today
        return _page(rows, limit, lambda row: (row["due_on"], row["certificate_id"], row["kind"], row["subject"]))

    def certificate(
        self, identity: Identity, certificate_id: UUID, on: date | None = None, known_at: datetime | None = None
    ) -> dict[str, Any]:
        """The state on a legal day (today), by what was known at an instant (now).

        Raises CertificateUnknown where nothing of it was known then, and DayInFuture for an instant still to come.
        """
        certificate, now = self.register.certificate(certificate_id), self.now()
        require_own(identity, certificate_id, certificate.organisation)
        if known_at is not None and known_at > now:
            raise DayInFuture(what="known_at", on=known_at.isoformat(), today=now.isoformat())
        if known_at is not None:
            certificate = as_known_at(certificate, known_at)
        if certificate.version == 0:
            raise CertificateUnknown(certificate=certificate_id)
        day = on or legal_day(now)
        shown = certificate_view(certificate, day, full=identity.role != "applicant")
        return shown | {"on": day, "known_at": known_at}

    def events(self, identity: Identity, certificate_id: UUID, after: int, limit: int) -> dict[str, Any]:
        """A page of the stream; that it was read is recorded, as of the trail, which tells the same."""
        certificate = self.register.certificate(certificate_id)
        require_own(identity, certificate_id, certificate.organisation)
        full = identity.role != "applicant"
        shown = [recorded for recorded in certificate.history if full or not isinstance(recorded.fact, INTERNAL)]
        rows = [event_view(recorded, full=full) for recorded in shown[after : after + limit]]
        self.record_read(identity.by, {"kind": "stream", "certificate": certificate_id, "after": after}, len(rows))
        return {"items": rows, "next": Cursor.write((after + limit,)) if after + limit < len(shown) else None}


def require_own(identity: Identity, certificate_id: UUID, organisation: UUID | None) -> None:
    """Raises CertificateUnknown to an applicant of another organisation."""
    if identity.role == "applicant" and identity.organisation != organisation:
        raise CertificateUnknown(certificate=certificate_id)


def _page(rows: list[dict[str, Any]], limit: int, key: Any) -> dict[str, Any]:
    return {"items": rows, "next": Cursor.write(key(rows[-1])) if len(rows) == limit else None}


def router(questions: Questions) -> APIRouter:
    """The addresses of every question."""
    routes = APIRouter()
    register = questions.register

    def asked_by(request: Request, allowed: frozenset[e.Role], act: str) -> Identity:
        identity = identify(register, request)
        require(identity, allowed, act)
        return identity

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
        require_exact_day(request, "due_by")
        questions.await_position(min_position, "register")
        filters = {"status": status, "level": clean(level), "holder": clean(holder), "due_by": due_by}
        return _json(questions.certificates(identity, filters, cursor, limit))

    @routes.get("/certificates/{certificate_id}", tags=["staff"])
    def certificate(
        request: Request,
        certificate_id: UUID,
        on: date | None = None,
        known_at: datetime | None = None,
        min_position: Position = None,
    ) -> Response:
        """The state of one certificate on a day, cases and proposals included, as it was known at an instant."""
        identity = asked_by(request, QUESTIONERS, "read a certificate")
        require_exact_day(request, "on")
        require_exact_instant(request, "known_at")
        questions.require_recorded(min_position)
        answer = questions.certificate(identity, certificate_id, on, known_at)
        return _json(answer, {} if known_at else {"ETag": f'"{answer["version"]}"'})

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
        require_exact_day(request, "by")
        questions.await_position(min_position, "deadlines")
        day = by or questions.today()
        return _json(questions.deadlines(identity, day, clean(kind), cursor, limit))

    @routes.get("/deadlines.ics", tags=["staff"], response_model=None)
    def due_calendar(
        request: Request, by: date | None = None, kind: Annotated[str | None, Query(max_length=40)] = None
    ) -> Response:
        """The first 200 of the same, as a calendar."""
        identity = asked_by(request, QUESTIONERS, "list deadlines")
        require_exact_day(request, "by")
        day = by or questions.today() + timedelta(days=365)
        found = questions.deadlines(identity, day, clean(kind), None, LIMIT)
        body = calendar_of(found["items"], questions.now())
        return Response(body, headers={"Cache-Control": "no-store"}, media_type="text/calendar")

    return routes


def _json(body: Any, headers: dict[str, str] | None = None) -> Response:
    shown = {"Cache-Control": "no-store"} | (headers or {})
    return Response(msgspec.json.encode(body), headers=shown, media_type="application/json")
