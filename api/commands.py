"""POST: every command of the register, one table of addresses, one way in.

The order is always the same: who asks (401), may that role (403), is the body a command (422), then the service, which
answers or refuses. Bodies are read by ``lifecycle.commands.read``; their shapes stand in the OpenAPI document.
"""

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from api.identity import Identity, identify, require
from lifecycle import commands as c
from lifecycle.decide import DECISIONS, DUTIES
from lifecycle.duties import Roles
from lifecycle.errors import Malformed
from lifecycle.service import Answer, Register
from lifecycle.service import Request as Asked

CASE = "/certificates/{certificate_id}/cases/{case}"

ADDRESSES: dict[str, type[c.Command]] = {
    "/organisations": c.RegisterOrganisation,
    "/persons/{person}/conflicts": c.DeclareConflict,
    "/applications": c.SubmitApplication,
    f"{CASE}/review": c.ReviewApplication,
    f"{CASE}/withdrawal": c.WithdrawApplication,
    f"{CASE}/plan": c.Plan,
    f"{CASE}/assessment": c.RecordAssessment,
    f"{CASE}/nonconformity-closures": c.CloseNonconformity,
    f"{CASE}/assessment-review": c.ReviewAssessment,
    f"{CASE}/decision": c.Decide,
    f"{CASE}/outcome": c.DecideDispute,
    "/certificates/{certificate_id}/issuances": c.Issue,
    "/certificates/{certificate_id}/reissues": c.Reissue,
    "/certificates/{certificate_id}/notices": c.Notify,
    "/certificates/{certificate_id}/visits": c.RequestVisit,
    "/certificates/{certificate_id}/suspensions": c.Suspend,
    "/certificates/{certificate_id}/suspension-extensions": c.ExtendSuspension,
    "/certificates/{certificate_id}/reinstatements": c.Reinstate,
    "/certificates/{certificate_id}/withdrawal-proceedings": c.ProceedToWithdrawal,
    "/certificates/{certificate_id}/withdrawals": c.Withdraw,
    "/certificates/{certificate_id}/cancellations": c.Cancel,
    "/certificates/{certificate_id}/corrections": c.Correct,
    "/certificates/{certificate_id}/appeals": c.LodgeAppeal,
    "/certificates/{certificate_id}/complaints": c.LodgeComplaint,
}

SUBJECTS: dict[type[msgspec.Struct], str] = {
    c.RegisterOrganisation: "organisation_id",
    c.RegisterPerson: "person_stream",
    c.GiveDetails: "person_stream",
    c.ErasePerson: "person_stream",
    c.DeclareConflict: "person_stream",
    c.PublishEdition: "scheme_stream",
    c.ApproveEdition: "scheme_stream",
    c.RejectEdition: "scheme_stream",
    c.Rehearse: "rehearsal_id",
    c.ApproveRehearsal: "rehearsal_id",
    c.Adopt: "rehearsal_id",
}
"""What the answer calls the stream that a command is about, where it is no certificate."""

PROPOSAL = "/certificates/{certificate_id}/proposals/{proposal}"
APPROVERS: Roles = frozenset().union(*(DUTIES[act].approved_by | DUTIES[act].by for act in DECISIONS))
"""Whoever may sign some act on a certificate; whether it is this one, the proposal tells."""

JSON = "application/json"
IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,100}")
IF_MATCH = re.compile(r'"(\d{1,9})"')


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it came in: its path's parameters, its headers checked, its body unread."""

    identity: Identity
    asked: Asked
    body: dict[str, Any]
    path: dict[str, Any]

    @property
    def certificate_id(self) -> UUID:
        return self.path["certificate_id"]


def router(register: Register) -> APIRouter:
    """Every command's address, and the approvals and rejections of proposals."""
    routes = APIRouter()
    for address, command in ADDRESSES.items():
        add(routes, address, command, _carry_out(register, command))
    add(routes, f"{PROPOSAL}/approvals", c.Approve, _approve(register))
    add(routes, f"{PROPOSAL}/rejections", c.Reject, _reject(register))
    return routes


Handler = Callable[[Request, bytes], Response]


def add(routes: APIRouter, address: str, command: type[msgspec.Struct], handler: Handler) -> None:
    """The address takes the command."""

    async def endpoint(request: Request) -> Response:
        return await run_in_threadpool(handler, request, await request.body())

    name = c.name_of(command)
    endpoint.__name__, endpoint.__doc__ = name, command.__doc__
    routes.add_api_route(
        address,
        endpoint,
        methods=["POST"],
        operation_id=name,
        tags=["commands"],
    )


def _carry_out(register: Register, command: type[c.Command]) -> Handler:
    def handle(request: Request, body: bytes) -> Response:
        received = receive(register, request, body, DUTIES[command].by, c.name_of(command))
        read = _read(command, received)
        return answered(received, _execute(register, received, read), SUBJECTS.get(command, "certificate_id"))

    return handle


def _read(command: type[c.Command], received: Received) -> c.Command:
    """The command in the body, with the case that its address names."""
    if not issubclass(command, c.CaseCommand):
        return c.read(command, received.body)
    if "case" in received.body:
        raise Malformed(problem="the case stands in the address, not in the body")
    return msgspec.structs.replace(c.read(command, received.body), case=received.path["case"])


def _execute(register: Register, received: Received, command: c.Command) -> Answer:
    match command:
        case c.RegisterOrganisation():
            return register.register_organisation(received.asked, command)
        case c.DeclareConflict():
            return register.declare_conflict(received.asked, received.path["person"], command)
        case c.SubmitApplication():
            return register.execute(received.asked, command, _applied_for(command))
        case _:
            return register.execute(received.asked, command, received.certificate_id)


def _applied_for(command: c.SubmitApplication) -> UUID | None:
    if (command.kind == "initial") != (command.certificate_id is None):
        raise Malformed(problem="certificate_id names the certificate to renew or regrade, and nothing else")
    return command.certificate_id


def _approve(register: Register) -> Handler:
    def handle(request: Request, body: bytes) -> Response:
        received = receive(register, request, body, APPROVERS, "approve")
        command = c.read(c.Approve, received.body)
        return answered(
            received,
            register.approve(received.asked, received.certificate_id, received.path["proposal"], command),
        )

    return handle


def _reject(register: Register) -> Handler:
    def handle(request: Request, body: bytes) -> Response:
        received = receive(register, request, body, APPROVERS, "reject")
        command = c.read(c.Reject, received.body)
        return answered(
            received, register.reject(received.asked, received.certificate_id, received.path["proposal"], command)
        )

    return handle


def receive(register: Register, request: Request, body: bytes, allowed: Roles, act: str) -> Received:
    """The request, identified and allowed, its headers and path checked. Raises the refusal that is due first."""
    identity = identify(register, request)
    require(identity, allowed, act)
    _require_json(request)
    decoded = decode(body)
    return Received(
        identity=identity,
        asked=Asked(
            by=identity.by,
            idempotency_key=_idempotency_key(request),
            body_sha256=digest_of(request, decoded),
            organisation=identity.organisation if identity.role == "applicant" else None,
            if_match=_if_match(request),
            dry_run=_dry_run(request),
        ),
        body=decoded,
        path=_path(request),
    )


def _nested(levels: int) -> Any:
    """The type of a JSON value that is nested at most so many levels deep."""
    within = _nested(levels - 1) if levels else str
    return None | bool | int | float | str | list[within] | dict[str, within]


_decode = msgspec.json.Decoder(dict[str, _nested(8)]).decode


def decode(body: bytes) -> dict[str, Any]:
    """The JSON object in the body; no body is an empty one. Raises Malformed."""
    try:
        decoded = _decode(body or b"{}")
    except UnicodeDecodeError:
        raise Malformed(problem="the body is not UTF-8") from None
    except msgspec.DecodeError as error:
        raise Malformed(problem=f"the body is no JSON object as it is asked for: {error}") from None
    json.loads(body or b"{}", object_pairs_hook=_distinct)
    return decoded


def _distinct(members: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object's members. Raises Malformed for a name that stands twice: not everybody would read the same one."""
    found = dict(members)
    if len(found) < len(members):
        raise Malformed(problem="an object in the body names a member twice")
    return found


def answered(received: Received, answer: Answer, subject: str = "certificate_id") -> Response:
    """201 for a new stream, 202 for a proposal, else 200."""
    status = 202 if answer.proposal is not None else 201 if answer.created else 200
    body = {
        subject: answer.id,
        "version": answer.version,
        "position": answer.position,
        "events": answer.events,
        "certificate_number": answer.certificate_number,
        "person": answer.person,
        "proposal": answer.proposal,
        "digest": answer.digest,
        "expires_at": answer.expires_at,
    }
    shown = {name: value for name, value in body.items() if value is not None}
    if received.asked.dry_run:
        shown["dry_run"] = True
    headers = {"Cache-Control": "no-store", "ETag": f'"{answer.version}"'}
    return Response(msgspec.json.encode(shown), status, headers, JSON)


def _require_json(request: Request) -> None:
    given = request.headers.get("content-type", JSON)
    if given.partition(";")[0].strip().lower() != JSON:
        raise HTTPException(415, f"A command is sent as {JSON}.")


def _path(request: Request) -> dict[str, Any]:
    found: dict[str, Any] = dict(request.path_params)
    try:
        for name in ("certificate_id", "rehearsal_id"):
            if name in found:
                found[name] = UUID(found[name])
        for name in ("case", "proposal"):
            if name in found:
                found[name] = _number(found[name])
    except ValueError:
        raise Malformed(
            problem="the address is not one: certificate_id and rehearsal_id are UUIDs, case and proposal whole numbers"
        ) from None
    return found


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise ValueError(text)
    return int(text)


def _idempotency_key(request: Request) -> str:
    key = request.headers.get("idempotency-key", "")
    if not IDEMPOTENCY_KEY.fullmatch(key):
        raise Malformed(problem="the header Idempotency-Key is required: 1 to 100 visible ASCII characters")
    return key


def _if_match(request: Request) -> int | None:
    given = request.headers.get("if-match")
    if given is None:
        return None
    if not (found := IF_MATCH.fullmatch(given.strip())):
        raise Malformed(problem='If-Match must be one version in quotes, such as "7"')
    return int(found.group(1))


def _dry_run(request: Request) -> bool:
    given = request.query_params.get("dry_run", "false")
    if given not in ("true", "false"):
        raise Malformed(problem="dry_run must be true or false")
    return given == "true"


def digest_of(request: Request, body: dict[str, Any]) -> str:
    """What makes two requests the same: their address and their body in one canonical form."""
    canonical = msgspec.json.encode([request.url.path, body], order="sorted")
    return hashlib.sha256(canonical).hexdigest()
