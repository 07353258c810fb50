"""GET: the trail. Every question here is itself recorded."""

from collections.abc import AsyncGenerator, Generator
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from anyio import CancelScope
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse
from starlette.concurrency import iterate_in_threadpool, run_in_threadpool

from api.identity import Identity, identify, require
from api.lookup import QUESTIONERS
from api.query import DAY, INSTANT, LIMIT, CursorText, Limit, Position, clean, require_exact_day, require_known
from api.trail.forms import MEDIA_TYPES, Format
from api.trail.questions import Trail
from lifecycle import events as e
from lifecycle.errors import Malformed
from lifecycle.periods import day_start
from projections.trail_questions import Asked

Text = Annotated[str | None, Query(max_length=200)]
From = Annotated[str | None, Query(alias="from", max_length=40)]
To = Annotated[str | None, Query(alias="to", max_length=40)]
CAUSES = ("request:", "clock:", "rehearsal:", "import:")
NO_STORE = {"Cache-Control": "no-store"}


def asked(
    request: Request,
    actor: Text = None,
    type: Text = None,
    recorded_from: From = None,
    recorded_to: To = None,
    effective_from: date | None = None,
    effective_to: date | None = None,
    holder: UUID | None = None,
    certificate: UUID | None = None,
    cause: Text = None,
    proposal: Annotated[int | None, Query(ge=1, lt=2**31)] = None,
) -> Asked:
    """What is wanted. Recorded from an instant on, and before another, or from a day to a day; `cause` is "request:",
    "clock:", "rehearsal:" or "import:" and an id; a `proposal` is one of a `certificate`."""
    for name in ("effective_from", "effective_to"):
        require_exact_day(request, name)
    return asked_for(
        organisation=holder,
        certificate=certificate,
        person=actor,
        topic=type,
        cause=cause,
        proposal=proposal,
        recorded_from=instant_of("from", recorded_from),
        recorded_before=instant_of("to", recorded_to),
        effective_from=effective_from,
        effective_to=effective_to,
    )


def asked_for(**wanted: object) -> Asked:
    """The question, if it makes sense. Raises Malformed."""
    found = Asked(**wanted)  # pyright: ignore[reportArgumentType]
    for text in (found.person, found.topic, found.cause):
        clean(text)
    if found.topic is not None and found.topic not in e.FACTS:
        raise Malformed(problem="type is none of an event; such types are " + ", ".join(sorted(e.FACTS)))
    if found.cause is not None and not found.cause.startswith(CAUSES):
        raise Malformed(problem=f"cause begins with one of {', '.join(CAUSES)}")
    if found.proposal is not None and found.certificate is None:
        raise Malformed(problem="proposal is a number within a certificate: name the certificate too")
    require_order(found.recorded_from, found.recorded_before)
    if found.effective_from and found.effective_to and found.effective_from > found.effective_to:
        raise Malformed(problem="effective_from must not be later than effective_to")
    return found


def require_order(begin: datetime | None, end: datetime | None) -> tuple[datetime | None, datetime | None]:
    """Both, if the one is before the other. Raises Malformed."""
    if begin and end and begin >= end:
        raise Malformed(problem="from must be earlier than to; a day given as to is included")
    return begin, end


def instant_of(name: str, text: str | None) -> datetime | None:
    """The instant; a day is its beginning, and for `to` its end. Raises Malformed."""
    if text is None:
        return None
    try:
        if DAY.fullmatch(text):
            day = date.fromisoformat(text)
            return day_start(day + e.ONE_DAY if name == "to" else day)
        if INSTANT.fullmatch(text):
            return datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        pass
    hint = "; in an address + is written %2B" if " " in text else ""
    raise Malformed(problem=f"{name} must be a day, YYYY-MM-DD, or an instant such as 2026-05-03T00:00:00Z{hint}")


Wanted = Annotated[Asked, Depends(asked)]


def router(trail: Trail) -> APIRouter:
    """The addresses of the trail."""
    routes = APIRouter(dependencies=[Depends(require_known)])

    def asked_by(request: Request, act: str) -> Identity:
        identity = identify(trail.register, request)
        require(identity, QUESTIONERS, act)
        return identity

    @routes.get("/events", tags=["staff"])
    def events(
        request: Request, wanted: Wanted, cursor: CursorText = None, limit: Limit = LIMIT, min_position: Position = None
    ) -> Response:
        """The trail over everything, oldest first. That it was read is recorded."""
        identity = asked_by(request, "read the trail")
        trail.questions.await_position(min_position, "trail")
        return _json(trail.page(identity, wanted, cursor, limit))

    @routes.get("/events/{position}", tags=["staff"])
    def event(request: Request, position: int, min_position: Position = None) -> Response:
        """One event, what it came from and what it led to."""
        identity = asked_by(request, "read the trail")
        trail.questions.await_position(min_position, "trail")
        return _json(trail.event(identity, position))

    @routes.get("/certificates/{certificate_id}/changes", tags=["staff"])
    def changes(
        request: Request, certificate_id: UUID, earlier: From = None, later: To = None, min_position: Position = None
    ) -> Response:
        """What changed between what was known of a certificate before two instants: at first, and now, if left out."""
        identity = asked_by(request, "read the trail")
        trail.questions.await_position(min_position, "trail")
        begin, end, now = instant_of("from", earlier), instant_of("to", later), trail.questions.now()
        require_order(begin, min(end or now, now))
        return _json(trail.changes(identity, certificate_id, begin, end))

    def export(form: Format) -> None:
        @routes.get(f"/events.{form}", tags=["staff"], response_model=None, name=f"events_{form}")
        def exported(request: Request, wanted: Wanted, min_position: Position = None) -> StreamingResponse:
            """Everything that is wanted, in one file. That it was exported is recorded."""
            identity = asked_by(request, "export the trail")
            trail.questions.await_position(min_position, "trail")
            pieces = to_the_end(trail.export(identity, wanted, form))
            return StreamingResponse(pieces, headers=NO_STORE, media_type=MEDIA_TYPES[form])

    export("csv")
    export("jsonl")
    return routes


async def to_the_end(pieces: Generator[bytes]) -> AsyncGenerator[bytes]:
    """The pieces; what they end with is done also where the caller goes away, and not by the thread that serves all."""
    try:
        async for piece in iterate_in_threadpool(pieces):
            yield piece
    finally:
        with CancelScope(shield=True):
            await run_in_threadpool(pieces.close)


def _json(body: bytes) -> Response:
    return Response(body, headers=NO_STORE, media_type="application/json")
