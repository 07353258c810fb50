"""Editions, rehearsals and adoption over HTTP: their commands and questions."""

import re
from collections.abc import Callable
from typing import Any, Literal
from uuid import UUID

import msgspec
from fastapi import APIRouter, Request, Response

from api.commands import Received, add, answered, receive
from api.cursor import Cursor
from api.identity import STAFF, identify, require
from api.query import CursorText, Limit
from api.rehearsal.runner import Runner
from lifecycle import commands as c
from lifecycle.duties import DUTIES, Roles
from lifecycle.errors import SchemeNotKept, UnderRepair
from lifecycle.rehearsal import lines as rehearsal_lines
from lifecycle.rehearsal.adoption import Run, barred_from
from lifecycle.rehearsal.lines import KeptLine
from lifecycle.rehearsal.requests import Rehearsals
from lifecycle.rehearsal.run import comparing, rehearsal
from lifecycle.rehearsal.state import Rehearsal, missing
from lifecycle.rules import Edition
from lifecycle.service import Register
from lifecycle.work import Answer

EDITIONS = "/schemes/{scheme}/editions"
EDITION_APPROVALS = "/schemes/{scheme}/proposals/{proposal}/approvals"
EDITION_REJECTIONS = "/schemes/{scheme}/proposals/{proposal}/rejections"
REHEARSALS = "/rehearsals"
REHEARSAL = "/rehearsals/{rehearsal_id}"

COMMANDS: dict[str, tuple[type[msgspec.Struct], Roles]] = {
    EDITIONS: (c.PublishEdition, DUTIES[c.PublishEdition].by),
    EDITION_APPROVALS: (c.ApproveEdition, DUTIES[c.PublishEdition].approved_by),
    EDITION_REJECTIONS: (c.RejectEdition, DUTIES[c.PublishEdition].approved_by),
    REHEARSALS: (c.Rehearse, DUTIES[c.Rehearse].by),
    f"{REHEARSAL}/approvals": (c.ApproveRehearsal, DUTIES[c.ApproveRehearsal].by),
    f"{REHEARSAL}/adoption": (c.Adopt, DUTIES[c.Adopt].by),
}
SCHEME = re.compile(r"[A-Z0-9][A-Z0-9-]{1,39}")
Which = Literal["affected", "all", "excluded", "set_aside"]
SCANNED = {"excluded": 2000, "set_aside": 500}
"""How many lines a page looks through at most for those that are; it may be short of its limit, or empty."""


def router(register: Register, runner: Runner) -> APIRouter:
    """Every address of this room."""
    routes = APIRouter()
    for address, carry_out in _carrying_out(register, runner).items():
        command, allowed = COMMANDS[address]
        subject = "scheme_stream" if address.startswith("/schemes") else "rehearsal_id"
        add(routes, address, command, _handler(register, command, allowed, carry_out, subject))
    _questions(routes, register, runner)
    return routes


CarryOut = Callable[[Received, Any], Answer]


def _carrying_out(register: Register, runner: Runner) -> dict[str, CarryOut]:
    rehearsals = Rehearsals(register)

    def rehearse(received: Received, command: c.Rehearse) -> Answer:
        answer = rehearsals.request(received.asked, command)
        if not received.asked.dry_run:
            runner.rehearse(answer.id)
        return answer

    def adopt(received: Received, command: c.Adopt) -> Answer:
        id = received.path["rehearsal_id"]
        answer = rehearsals.step(received.asked, id, command)
        if command.step == "start" and not received.asked.dry_run:
            runner.adopt(id, received.identity.by)
        return answer

    return {
        EDITIONS: lambda received, command: register.propose_edition(received.asked, _scheme(received), command),
        EDITION_APPROVALS: lambda received, command: register.approve_edition(
            received.asked, _scheme(received), received.path["proposal"], command
        ),
        EDITION_REJECTIONS: lambda received, command: register.reject_edition(
            received.asked, _scheme(received), received.path["proposal"], command
        ),
        REHEARSALS: rehearse,
        f"{REHEARSAL}/approvals": lambda received, command: rehearsals.approve(
            received.asked, received.path["rehearsal_id"], command
        ),
        f"{REHEARSAL}/adoption": adopt,
    }


def _handler(
    register: Register, command: type[msgspec.Struct], allowed: Roles, carry_out: CarryOut, subject: str
) -> Callable[[Request, bytes], Response]:
    def handle(request: Request, body: bytes) -> Response:
        received = receive(register, request, body, allowed, c.name_of(command))
        return answered(received, carry_out(received, c.read(command, received.body)), subject)

    return handle


def _scheme(received: Received) -> str:
    code = received.path["scheme"]
    if not SCHEME.fullmatch(code):
        raise SchemeNotKept(scheme=ascii(code[:40])[1:-1])
    return code


# ---- questions -------------------------------------------------------------------------------------------------------


def _questions(routes: APIRouter, register: Register, runner: Runner) -> None:
    @routes.get(REHEARSAL, tags=["rehearsals"])
    def one(request: Request, rehearsal_id: UUID) -> Response:
        """What was asked, the report's counts, who approved it, and how far its adoption has come."""
        require(identify(register, request), STAFF, "read a rehearsal")
        return _json(_told(rehearsal(register, rehearsal_id), runner))

    @routes.get(f"{REHEARSAL}/affected", tags=["rehearsals"])
    def affected(
        request: Request, rehearsal_id: UUID, of: Which = "affected", cursor: CursorText = None, limit: Limit = 50
    ) -> Response:
        """Its lines by certificate, with what each holder is to be told: the affected ones, all, those excluded from
        what was approved, or those set aside. Once it is approved, ``set_aside`` is why an adoption leaves the
        certificate as it stands now."""
        reader = identify(register, request)
        require(reader, STAFF, "read a rehearsal")
        (after,) = Cursor.read(cursor, (UUID(int=0),))
        found = rehearsal(register, rehearsal_id)
        run = Run(register, found, comparing(register, found), reader.by)
        return _json(_page(run, of, after, limit))


def _told(found: Rehearsal, runner: Runner) -> dict[str, Any]:
    requested, completed, finished = found.asked, found.completed, found.finished
    return {
        "rehearsal_id": found.id,
        "version": found.version,
        "state": found.state,
        "scheme": requested.scheme,
        "edition": found.edition,
        "digest": requested.digest,
        "log_position": requested.log_position,
        "asked_on": requested.asked_on,
        "requested_by": requested.by.person,
        "report": completed and completed.report,
        "report_sha256": completed and completed.report_sha256,
        "lines": completed and completed.lines,
        "approvals": [
            {"person": each.by.person, "role": each.by.role, "certificate": each.certificate}
            for each in found.approvals
        ],
        "missing": missing(found),
        "halted_because": (found.halted and found.halted.reason) or None,
        "adopted": finished and finished.adopted,
        "not_in_force": finished and finished.not_in_force,
        "set_aside": [msgspec.to_builtins(each) for each in finished.set_aside] if finished else [],
        "progress": runner.progress(found.id),
    }


def _page(run: Run, of: Which, after: UUID, limit: int) -> dict[str, Any]:
    size, items, last = SCANNED.get(of, limit), [], None
    kept = rehearsal_lines.page(run.register.recorder, run.rehearsal.id, after, size, affected=of == "affected")
    for each in kept:
        last = each.line.certificate
        items += _item(run, each, of)
        if len(items) == limit:
            break
    more = last is not None and (len(kept) == size or last != kept[-1].line.certificate)
    return {"items": items, "next": Cursor.write((last,)) if more else None}


def _item(run: Run, kept: KeptLine, of: Which) -> list[dict[str, Any]]:
    """The line as it stands now, with its digest and what the holder is to be told, if it is one of those asked for."""
    standing = _standing(run, kept)
    if of == "excluded" and not standing["excluded"]:
        return []
    aside = None if missing(run.rehearsal) else run.would_be(kept).set_aside
    if of == "set_aside" and aside is None:
        return []
    told = {"line_sha256": kept.sha256, "notices": notices(kept, run.comparing.edition), "set_aside": aside}
    return [msgspec.to_builtins(kept.line) | told | standing]


def _standing(run: Run, kept: KeptLine) -> dict[str, Any]:
    """Who of the approvers is excluded, and who may sign for the certificate; nobody while it is under repair."""
    try:
        certificate = run.register.certificate(kept.line.certificate)
    except UnderRepair:
        return {"adopted": False, "excluded": [], "signers": None}
    approvers = {each.by.person for each in run.rehearsal.approvals}
    barred = barred_from(run.register, certificate, approvers)
    return {
        "adopted": certificate.edition == run.rehearsal.edition,
        "excluded": sorted(approvers & barred),
        "signers": run.rehearsal.signers(certificate.id, barred),
    }


def notices(kept: KeptLine, edition: Edition) -> list[str]:
    """What the holder is to be told of when the certificate takes the edition."""
    before, after, said = kept.line.before, kept.line.after, edition.succession
    changed = said is not None and said.grade_at_adoption == "changed" and after.level not in (None, before.level)
    told = [("edition", True), ("grade", changed), ("visit", before.visit_on != after.visit_on)]
    return [what for what, due in told if due]


def _json(body: Any) -> Response:
    return Response(msgspec.json.encode(body), media_type="application/json", headers={"Cache-Control": "no-store"})
