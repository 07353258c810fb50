"""The OpenAPI document: FastAPI tells the addresses and what can be asked, the commands tell their bodies, and the
shape of every answer stands in ``shapes``.
"""

import re

import msgspec
from fastapi import FastAPI

from api.commands import ADDRESSES, APPROVERS, JSON, PROPOSAL, SUBJECTS
from api.evidence.routes import GIVEN_TO
from api.forms import Volatile
from api.identity import STAFF
from api.pages.rendering import HTML
from api.persons import COMMANDS as PERSONS
from api.problems import MEDIA_TYPE
from api.rehearsal.routes import COMMANDS as REHEARSING
from api.shapes import (
    ANSWERS,
    COUNT,
    DAY,
    ID,
    SHA256,
    TEXT,
    Schema,
    exactly,
    list_of,
    page_of,
    perhaps,
    recorded_about,
    ref,
)
from lifecycle import commands as c
from lifecycle.decide import DUTIES
from lifecycle.duties import Roles
from lifecycle.persons.details import ENTITLED
from lifecycle.status import Answer

COMMANDS: dict[str, tuple[type[msgspec.Struct], Roles]] = {
    **{address: (command, DUTIES[command].by) for address, command in ADDRESSES.items()},
    f"{PROPOSAL}/approvals": (c.Approve, APPROVERS),
    f"{PROPOSAL}/rejections": (c.Reject, APPROVERS),
    **PERSONS,
    **REHEARSING,
}


def document(app: FastAPI) -> Schema:
    """The whole document, made once."""
    if app.openapi_schema is None:
        made = FastAPI.openapi(app)
        made["components"] = {
            "schemas": _command_schemas() | _answer_schemas(),
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        }
        for path, operations in made["paths"].items():
            for method, operation in operations.items():
                operation |= _command(path) if path in COMMANDS and method == "post" else _question(path, operation)
        app.openapi_schema = made
    return app.openapi_schema


# ---- commands --------------------------------------------------------------------------------------------------------

HEADERS_AND_QUERY: list[Schema] = [
    {
        "name": "Idempotency-Key",
        "in": "header",
        "required": True,
        "description": "The same person, key and body again give the same answer and do nothing.",
        "schema": {"type": "string", "pattern": "^[!-~]{1,100}$"},
    },
    {
        "name": "If-Match",
        "in": "header",
        "description": "The version that the command was decided on; 412 if the certificate has another.",
        "schema": {"type": "string", "pattern": '^"[0-9]{1,9}"$'},
    },
    {
        "name": "dry_run",
        "in": "query",
        "description": "The answer that the command would give, and nothing is recorded.",
        "schema": {"type": "boolean", "default": False},
    },
]
PATH: dict[str, Schema] = {
    "certificate_id": ID,
    "case": {"type": "integer", "minimum": 0, "maximum": 999_999_999},
    "proposal": {"type": "integer", "minimum": 0, "maximum": 999_999_999},
    "person": {"type": "string", "minLength": 1, "maxLength": 64},
    "scheme": {"type": "string", "minLength": 1, "maxLength": 40},
    "rehearsal_id": ID,
}


def _command(path: str) -> Schema:
    command, roles = COMMANDS[path]
    answer = ref(f"Answer_about_{SUBJECTS.get(command, 'certificate_id')}")
    told = {"content": {JSON: {"schema": answer}}}
    responses = {"200": {"description": "Recorded; the answer says what.", **told}}
    if command in NEW:
        responses["201"] = {"description": "Recorded, and something new began with it.", **told}
    if path not in (f"{PROPOSAL}/approvals", f"{PROPOSAL}/rejections"):
        responses["202"] = {"description": "Proposed: it takes effect when another person approves it.", **told}
    named = [{"name": n, "in": "path", "required": True, "schema": PATH[n]} for n in re.findall(r"{(\w+)}", path)]
    return {
        "summary": c.name_of(command).replace("_", " "),
        "parameters": named + HEADERS_AND_QUERY,
        "requestBody": {"required": True, "content": {JSON: {"schema": ref(command.__name__)}}},
        "responses": responses | REFUSED,
        "security": [{"key": []}],
        "x-roles": sorted(roles),
    }


NEW = (c.SubmitApplication, c.RegisterOrganisation, c.RegisterPerson, c.Rehearse)


def _command_schemas() -> dict[str, Schema]:
    """The shapes of bodies: of a command's own, not of its name, nor of its case where that stands in the address."""
    commands = [command for command, _ in COMMANDS.values()]
    _, schemas = msgspec.json.schema_components(commands, ref_template="#/components/schemas/{name}")
    for command in commands:
        schema = schemas[command.__name__]
        for name in ("type", "case") if issubclass(command, c.CaseCommand) else ("type",):
            del schema["properties"][name]
        schema["required"] = [name for name in schema["required"] if name != "type"]
    return schemas


# ---- answers ---------------------------------------------------------------------------------------------------------

REFUSED: dict[str, Schema] = {
    "default": {
        "description": "Refused; the problem says why.",
        "content": {MEDIA_TYPE: {"schema": ref("Problem")}},
    }
}


REFUSED_AS_PAGE: dict[str, Schema] = {
    "default": {"description": "Refused; the page says why.", "content": {HTML: {"schema": TEXT}}}
}


def _question(path: str, operation: Schema) -> Schema:
    responses = {status: answer for status, answer in operation["responses"].items() if status != "422"}
    if "pages" in operation["tags"]:
        return {"responses": responses | REFUSED_AS_PAGE}
    if path in QUESTIONS:
        answer = QUESTIONS[path]
        content = {answer: {}} if isinstance(answer, str) else {JSON: {"schema": answer}}
        others = {kind: told for kind, told in responses["200"].get("content", {}).items() if kind != JSON}
        responses["200"] = {"description": "The answer.", "content": content | others}
    told: Schema = {"responses": responses | REFUSED}
    if "staff" in operation["tags"]:
        told |= {"security": [{"key": []}], "x-roles": sorted(STAFF | {"applicant"})}
    elif "evidence" in operation["tags"]:
        told |= {"security": [{"key": []}], "x-roles": sorted(GIVEN_TO)}
    elif "persons" in operation["tags"]:
        told |= {"security": [{"key": []}], "x-roles": sorted(ENTITLED)}
    elif "rehearsals" in operation["tags"]:
        told |= {"security": [{"key": []}], "x-roles": sorted(STAFF)}
    elif "public" in operation["tags"]:
        told |= {"security": [{}, {"key": []}]}
    return told


QUESTIONS: dict[str, Schema | str] = {
    "/status/{number}": ref("Status"),
    "/status": exactly(answers=list_of({"anyOf": [ref("Status"), ref("Problem")]})),
    "/certificates": page_of(ref("ListedCertificate")),
    "/certificates/{certificate_id}": ref("Certificate"),
    "/certificates/{certificate_id}/events": page_of(ref("Event")),
    "/certificates/{certificate_id}/documents": exactly(items=list_of(ref("Document"))),
    "/certificates/{certificate_id}/files": exactly(items=list_of(ref("CitedFile"))),
    "/certificates/{certificate_id}/notices": exactly(items=list_of(ref("Notice"))),
    "/files": exactly(sha256=SHA256, size=COUNT),
    "/events": page_of(ref("TrailEvent")),
    "/events/{position}": ref("TrailChain"),
    "/certificates/{certificate_id}/changes": ref("TrailChanges"),
    "/events.csv": "text/csv",
    "/events.jsonl": "application/jsonl",
    "/deadlines": page_of(ref("Deadline")),
    "/deadlines.ics": "text/calendar",
    "/persons/{person}": exactly(person=TEXT, name=perhaps(TEXT), contact=perhaps(TEXT), erased_on=perhaps(DAY)),
    "/rehearsals/{rehearsal_id}": ref("Rehearsal"),
    "/rehearsals/{rehearsal_id}/affected": page_of(ref("RehearsalLine")),
    "/healthz": exactly(status={"const": "alive"}),
    "/readyz": ref("Readiness"),
    "/metrics": "text/plain",
}
"""What each question answers: a shape, or a media type that has none; a question not told here tells it by itself."""


def _answer_schemas() -> dict[str, Schema]:
    subjects = {"certificate_id", *SUBJECTS.values()}
    about = {f"Answer_about_{subject}": recorded_about(subject) for subject in sorted(subjects)}
    return ANSWERS | about | _status()


def _status() -> Schema:
    """The public record and when it holds, as one object."""
    _, schemas = msgspec.json.schema_components([Answer, Volatile], ref_template="#/components/schemas/{name}")
    members = schemas["Answer"]["properties"] | schemas["Volatile"]["properties"]
    return {"Status": {"description": Answer.__doc__, **exactly(**members)}, "Place": schemas["Place"]}
