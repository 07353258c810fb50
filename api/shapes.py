"""The shapes of what is answered, for the OpenAPI document. A test holds each answer of the service to its shape."""

from typing import Any, get_args

from lifecycle import commands as c
from lifecycle import events as e
from lifecycle.documents import DocumentStanding
from lifecycle.files import MEMBERS
from lifecycle.notices import STATES
from lifecycle.transitions import Stage, Status

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
COUNT: Schema = {"type": "integer", "minimum": 0}
FLAG: Schema = {"type": "boolean"}
DAY: Schema = {"type": "string", "format": "date"}
INSTANT: Schema = {"type": "string", "format": "date-time"}
ID: Schema = {"type": "string", "format": "uuid"}
SHA256: Schema = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
TOPIC: Schema = {"enum": sorted(e.FACTS)}


def list_of(of: Schema) -> Schema:
    return {"type": "array", "items": of}


def perhaps(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def exactly(optional: Schema | None = None, **members: Schema) -> Schema:
    """Exactly these members, and perhaps the optional ones."""
    return {
        "type": "object",
        "properties": members | (optional or {}),
        "required": list(members),
        "additionalProperties": False,
    }


def ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def page_of(of: Schema) -> Schema:
    return exactly(items=list_of(of), next=perhaps(TEXT))


def recorded_about(subject: str) -> Schema:
    """What a command answers; ``subject`` names the id of what it is about."""
    told = {subject: ID, "version": COUNT, "events": list_of(exactly(type=TOPIC, version=COUNT))}
    perhaps_told = {
        "position": COUNT,
        "certificate_number": TEXT,
        "person": TEXT,
        "proposal": COUNT,
        "digest": SHA256,
        "expires_at": INSTANT,
        "dry_run": {"const": True},
    }
    return exactly(perhaps_told, **told)


PROBLEM: Schema = {
    "description": "RFC 9457; the facts of the refusal stand beside these members.",
    **exactly(type=TEXT, title=TEXT, status=COUNT, detail=TEXT, code=TEXT, clause=TEXT, instance=TEXT),
    "additionalProperties": True,
}

DUE = exactly(
    {"grace_until": DAY},
    visit_on=DAY,
    notice_on=DAY,
    coverage_on=DAY,
    anchor_on=DAY,
    interval_months=COUNT,
)

CASE = exactly(
    {"team": list_of(TEXT), "reviewers": list_of(TEXT)},
    case=COUNT,
    kind={"enum": list(get_args(e.CaseKind))},
    stage={"enum": list(get_args(Stage))},
    opened_on=DAY,
    draw=list_of(TEXT),
    quota=COUNT,
    on_site_to=perhaps(DAY),
    open_nonconformities=list_of(TEXT),
    score=perhaps(TEXT),
    level=perhaps(TEXT),
    because=perhaps(TEXT),
    against=perhaps(COUNT),
    upheld=perhaps(FLAG),
    decide_by=perhaps(DAY),
)

PROPOSAL = exactly(
    proposal=COUNT,
    state={"enum": ["open", "approved", "rejected"]},
    act={"enum": sorted(c.COMMANDS)},
    body={"type": "object"},
    digest=SHA256,
    proposed_by=TEXT,
    act_on=DAY,
    expires_on=DAY,
)

CERTIFICATE = exactly(
    certificate_id=ID,
    version=COUNT,
    organisation=perhaps(ID),
    scheme=TEXT,
    edition=TEXT,
    certificate_number=perhaps(TEXT),
    document=COUNT,
    status={"enum": list(get_args(Status))},
    status_since=perhaps(DAY),
    suspended_until=perhaps(DAY),
    level=perhaps(TEXT),
    certification_type=perhaps(TEXT),
    holder=perhaps(TEXT),
    address=perhaps(TEXT),
    scope=perhaps(TEXT),
    first_certified_on=perhaps(DAY),
    periods=list_of(exactly(valid_from=DAY, valid_until=DAY)),
    due=perhaps(DUE),
    withdrawal_open_since=perhaps(DAY),
    cases=list_of(ref("Case")),
    proposals=list_of(ref("Proposal")),
    unsupported=list_of(exactly(version=COUNT, since=DAY)),
    on=DAY,
    known_at=perhaps(INSTANT),
)

EVENT: Schema = {
    "description": "One fact with its place in the log; the members of the fact depend on its type.",
    **exactly(version=COUNT, position=COUNT, recorded_at=INSTANT, event_id=TEXT, type=TOPIC, effective_on=DAY),
    "additionalProperties": True,
}

LISTED = exactly(
    certificate_id=ID,
    version=COUNT,
    organisation=perhaps(ID),
    scheme=TEXT,
    edition=TEXT,
    number=perhaps(TEXT),
    holder=TEXT,
    valid_until=perhaps(DAY),
    due_on=perhaps(DAY),
    under_repair=FLAG,
    status=perhaps({"enum": list(get_args(Status))}),
    level=perhaps(TEXT),
)

DEADLINE = exactly(
    certificate_id=ID, kind=TEXT, subject=COUNT, due_on=DAY, number=perhaps(TEXT), holder=TEXT, overdue=FLAG
)

STANDS = exactly(
    level=perhaps(TEXT), status={"enum": list(get_args(Status))}, valid_until=perhaps(DAY), visit_on=perhaps(DAY)
)

REHEARSAL_LINE = exactly(
    certificate=ID,
    number=perhaps(TEXT),
    holder=perhaps(TEXT),
    edition=TEXT,
    version=COUNT,
    before=STANDS,
    after=STANDS,
    effect={"enum": ["gains", "loses", "mixed", "none"]},
    flips=list_of({"type": "object"}),
    not_judged=list_of({"type": "array"}),
    line_sha256=SHA256,
    adopted=FLAG,
    excluded=list_of(TEXT),
    signers=perhaps(list_of(TEXT)),
    notices=list_of({"enum": ["edition", "grade", "visit"]}),
    set_aside=perhaps(TEXT),
)

REHEARSAL = exactly(
    rehearsal_id=ID,
    version=COUNT,
    state={"enum": ["requested", "completed", "adopting", "halted", "adopted"]},
    scheme=TEXT,
    edition=TEXT,
    digest=SHA256,
    log_position=COUNT,
    asked_on=DAY,
    requested_by=TEXT,
    report=perhaps({"type": "object"}),
    report_sha256=perhaps(SHA256),
    lines=perhaps(COUNT),
    approvals=list_of(exactly(person=TEXT, role=TEXT, certificate=perhaps(ID))),
    missing=list_of(TEXT),
    halted_because=perhaps(TEXT),
    adopted=perhaps(COUNT),
    not_in_force=perhaps(COUNT),
    set_aside=list_of(exactly(reason=TEXT, certificates=COUNT)),
    progress=perhaps(exactly(done=COUNT, of=perhaps(COUNT), per_second=COUNT, seconds_left=perhaps(COUNT))),
)

READINESS = exactly(
    status={"const": "ready"},
    kind={"enum": ["production", "simulation"]},
    simulation=FLAG,
    now=INSTANT,
    last_position=COUNT,
    projections={
        "type": "object",
        "additionalProperties": exactly(position=COUNT, complete_until=perhaps(INSTANT)),
    },
    under_repair=COUNT,
)

DOCUMENT = exactly(
    document=COUNT,
    of=COUNT,
    standing={"enum": list(get_args(DocumentStanding))},
    standing_since=perhaps(DAY),
    facts=exactly(
        certificate_number=TEXT,
        document=COUNT,
        holder=TEXT,
        address=TEXT,
        scope=TEXT,
        scheme=TEXT,
        edition=TEXT,
        certification_type=TEXT,
        level=TEXT,
        issued_on=DAY,
        valid_from=DAY,
        valid_until=DAY,
        first_certified_on=DAY,
    ),
    facts_sha256=SHA256,
    sealed=perhaps(
        exactly(
            sha256=SHA256,
            size=COUNT,
            pages=COUNT,
            kid=TEXT,
            renderer=TEXT,
            template_sha256=SHA256,
            effective_on=DAY,
        )
    ),
)

CITED_FILE = exactly(
    sha256=SHA256,
    kept=FLAG,
    size=perhaps(COUNT),
    media_type=perhaps(TEXT),
    kept_at=perhaps(INSTANT),
    cited_by=list_of(exactly(version=COUNT, type=TOPIC, member={"enum": list(MEMBERS)}, internal=FLAG)),
)

NOTICE = exactly(
    of=COUNT,
    type=TOPIC,
    title=perhaps(exactly(zh=TEXT, en=TEXT)),
    effective_on=DAY,
    state={"enum": list(STATES)},
    void=FLAG,
    served=list_of(exactly(version=COUNT, served_on=DAY, proof_sha256=SHA256, notice_sha256=perhaps(SHA256))),
    appeal_until=perhaps(DAY),
)

CHANGED: Schema = {
    "description": "By the name of a member of the certificate's state, its value before and after.",
    "type": "object",
    "additionalProperties": {"type": "array", "minItems": 2, "maxItems": 2},
}

TRAIL_EVENT = exactly(
    position=COUNT,
    recorded_at=INSTANT,
    type=TEXT,
    stream=ID,
    version=COUNT,
    effective_on=perhaps(DAY),
    certificate_id=perhaps(ID),
    organisation=perhaps(ID),
    by=perhaps(exactly(person=TEXT, role={"enum": sorted(get_args(e.Role))}, key=TEXT)),
    signed_by=list_of(TEXT),
    cause=perhaps(exactly({"body_sha256": TEXT}, kind=TEXT, id=TEXT)),
    case=perhaps(COUNT),
    proposal=perhaps(COUNT),
    edition=perhaps(TEXT),
    grounds={"type": "object"},
    refers=list_of(exactly(link=TEXT, version=COUNT)),
    changed=perhaps(CHANGED),
    problem=perhaps(TEXT),
    clauses={"type": "object", "additionalProperties": TEXT},
)

TRAIL_LINK = exactly(link=TEXT, of=COUNT, event=ref("TrailEvent"))

TRAIL_CHAIN = exactly(
    {"receipt": perhaps(exactly(body_sha256=SHA256, position=COUNT, recorded_at=INSTANT)), "same_cause": COUNT},
    event=ref("TrailEvent"),
    fact=perhaps(ref("Event")),
    causes=list_of(TRAIL_LINK),
    effects=list_of(TRAIL_LINK),
)

TRAIL_CHANGES = exactly(**{"from": INSTANT}, to=INSTANT, changed=CHANGED, events=list_of(ref("TrailEvent")))

ANSWERS: dict[str, Schema] = {
    "Problem": PROBLEM,
    "Certificate": CERTIFICATE,
    "Case": CASE,
    "Proposal": PROPOSAL,
    "Event": EVENT,
    "Document": DOCUMENT,
    "CitedFile": CITED_FILE,
    "Notice": NOTICE,
    "ListedCertificate": LISTED,
    "Deadline": DEADLINE,
    "TrailEvent": TRAIL_EVENT,
    "TrailChain": TRAIL_CHAIN,
    "TrailChanges": TRAIL_CHANGES,
    "Rehearsal": REHEARSAL,
    "RehearsalLine": REHEARSAL_LINE,
    "Readiness": READINESS,
}
"""By their names in the document's components."""
