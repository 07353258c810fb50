"""What can be asked of the register: one structure a command, which is also the shape of the request's body.

``effective_on`` is a legal day; left out, it is the day on which the command is carried out. ``case`` is the number of
the case, which stands in the address of the request; only a suspension or a withdrawal names it itself, if it has one.
"""

import hashlib
import re
from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any, Literal, TypeVar
from uuid import UUID

import msgspec
from msgspec import Meta

from lifecycle.errors import Malformed
from lifecycle.events import Change, Deduction, ErasureGrounds, Finding, Reason, Role, plain

Text = Annotated[str, Meta(min_length=1, max_length=2000)]
Line = Annotated[str, Meta(min_length=1, max_length=300)]
LONGEST_EDITION = 65_536
Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}$(?!\n)")]
Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$(?!\n)")]
EventId = Annotated[str, Meta(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/[1-9][0-9]{0,8}$(?!\n)")]
Team = Annotated[tuple[Name, ...], Meta(min_length=1, max_length=20)]
Reasons = Annotated[tuple[Reason, ...], Meta(min_length=1, max_length=20)]
Evidence = Annotated[tuple[Sha256, ...], Meta(max_length=200)]


class Command(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Something asked of the register."""

    effective_on: date | None = None


class CaseCommand(Command, frozen=True, kw_only=True):
    """Something asked inside a case."""

    case: int = 0


# ---- other streams ---------------------------------------------------------------------------------------------------


class RegisterOrganisation(Command, frozen=True, kw_only=True, tag="register_organisation"):
    unified_code: Line
    name: Line
    address: Line


class RegisterPerson(Command, frozen=True, kw_only=True, tag="register_person"):
    """``person`` is a pseudonym, given by the register if left out; name and contact are kept sealed."""

    person: Name | None = None
    name: Line | None = None
    contact: Text | None = None


class GiveDetails(Command, frozen=True, kw_only=True, tag="give_details"):
    """Name and contact of a person, in place of those before, of which none is kept."""

    name: Line | None = None
    contact: Text | None = None


class ErasePerson(Command, frozen=True, kw_only=True, tag="erase_person"):
    grounds: ErasureGrounds


class DeclareConflict(Command, frozen=True, kw_only=True, tag="declare_conflict"):
    organisation: UUID
    grounds: Text
    until_on: date | None = None


class IssueKey(Command, frozen=True, kw_only=True, tag="issue_key"):
    person: Name
    role: Role
    organisation: UUID | None = None


class RevokeKey(Command, frozen=True, kw_only=True, tag="revoke_key"):
    reason: Annotated[str, Meta(max_length=300)] = ""


# ---- application and assessment --------------------------------------------------------------------------------------


class SubmitApplication(Command, frozen=True, kw_only=True, tag="submit_application"):
    """``certificate_id`` names the certificate to renew or regrade; an initial application makes a new one."""

    kind: Literal["initial", "renewal", "regrade"]
    organisation: UUID
    scheme: Line
    certification_type: Name
    holder: Line
    address: Line
    scope: Text
    accepts_conformity: bool = False
    certificate_id: UUID | None = None
    request_sha256: Sha256 | None = None


class ReviewApplication(CaseCommand, frozen=True, kw_only=True, tag="review_application"):
    outcome: Literal["accepted", "rejected"]
    reasons: tuple[Reason, ...] = ()


class WithdrawApplication(CaseCommand, frozen=True, kw_only=True, tag="withdraw_application"):
    request_sha256: Sha256 | None = None


class Plan(CaseCommand, frozen=True, kw_only=True, tag="plan"):
    """``draw`` for a visit only; left out, the reproducible draw is taken."""

    team: Team
    on_site_from: date
    on_site_to: date
    draw: tuple[Name, ...] | None = None


class RecordAssessment(CaseCommand, frozen=True, kw_only=True, tag="record_assessment"):
    """An assessment with every element, or a visit with at least the drawn ones. ``team``: as planned if left out."""

    on_site_from: date
    on_site_to: date
    findings: Annotated[tuple[Finding, ...], Meta(min_length=1, max_length=500)]
    deductions: Annotated[tuple[Deduction, ...], Meta(max_length=100)] = ()
    evidence: Evidence = ()
    team: Team | None = None


class CloseNonconformity(CaseCommand, frozen=True, kw_only=True, tag="close_nonconformity"):
    element: Name
    evidence: Evidence = ()


class ReviewAssessment(CaseCommand, frozen=True, kw_only=True, tag="review_assessment"):
    recommendation: Text


class Decide(CaseCommand, frozen=True, kw_only=True, tag="decide"):
    outcome: Literal["grant", "refuse", "maintain", "change_grade", "renew"]
    reasons: tuple[Reason, ...] = ()


# ---- the certificate -------------------------------------------------------------------------------------------------


class Issue(Command, frozen=True, kw_only=True, tag="issue"):
    pass


class Reissue(Command, frozen=True, kw_only=True, tag="reissue"):
    reasons: Reasons
    holder: Line | None = None
    address: Line | None = None
    scope: Text | None = None


class RequestVisit(Command, frozen=True, kw_only=True, tag="request_visit"):
    grounds: Text


class Suspend(Command, frozen=True, kw_only=True, tag="suspend"):
    """``ends_on``, the last suspended day, is the longest the scheme allows if left out."""

    reasons: Reasons
    ends_on: date | None = None
    notice: Annotated[str, Meta(max_length=2000)] = ""
    case: int | None = None


class ExtendSuspension(Command, frozen=True, kw_only=True, tag="extend_suspension"):
    reasons: Reasons
    ends_on: date


class Reinstate(Command, frozen=True, kw_only=True, tag="reinstate"):
    grounds: Text
    closed: tuple[Reason, ...] = ()
    appeal: int | None = None


class ProceedToWithdrawal(Command, frozen=True, kw_only=True, tag="proceed_to_withdrawal"):
    step: Literal["open", "drop"]
    reasons: tuple[Reason, ...] = ()
    grounds: Annotated[str, Meta(max_length=2000)] = ""


class Withdraw(Command, frozen=True, kw_only=True, tag="withdraw"):
    reasons: Reasons
    case: int | None = None


class Cancel(Command, frozen=True, kw_only=True, tag="cancel"):
    reasons: Reasons
    request_sha256: Sha256 | None = None


# ---- notices, disputes, corrections ----------------------------------------------------------------------------------


class Notify(Command, frozen=True, kw_only=True, tag="notify"):
    """``notice_sha256`` is the digest of the notice that was served; its bytes are kept."""

    of: int
    served_on: date
    proof_sha256: Sha256
    notice_sha256: Sha256 | None = None


class LodgeAppeal(Command, frozen=True, kw_only=True, tag="lodge_appeal"):
    """``against`` is the version of the disputed event, or its event_id, which says of which certificate it is."""

    against: int | EventId
    grounds: Text
    request_sha256: Sha256 | None = None


class LodgeComplaint(Command, frozen=True, kw_only=True, tag="lodge_complaint"):
    grounds: Text
    request_sha256: Sha256 | None = None


class DecideDispute(CaseCommand, frozen=True, kw_only=True, tag="decide_dispute"):
    upheld: bool
    grounds: Text


class Correct(Command, frozen=True, kw_only=True, tag="correct"):
    """Each change quotes the value it replaces, so that a correction never hits a record it was not written for."""

    target: int
    reason: Text
    changes: Annotated[tuple[Change, ...], Meta(max_length=100)] = ()
    void: bool = False
    appeal: int | None = None


# ---- editions, rehearsals, adoption ----------------------------------------------------------------------------------


class PublishEdition(Command, frozen=True, kw_only=True, tag="publish_edition"):
    """``text`` is the whole edition in TOML; ``order`` cites what lets it take effect on a day past."""

    text: Annotated[str, Meta(min_length=1, max_length=LONGEST_EDITION)]
    order: Text | None = None


class Rehearse(Command, frozen=True, kw_only=True, tag="rehearse"):
    """``edition`` is the id of a published edition; all that is recorded by now is asked again."""

    edition: Line


class ApproveRehearsal(Command, frozen=True, kw_only=True, tag="approve_rehearsal"):
    """Quotes the digest of the edition and the position in the log; ``certificate`` for one that is decided singly."""

    digest: Sha256
    log_position: int
    certificate: UUID | None = None


class Adopt(Command, frozen=True, kw_only=True, tag="adopt"):
    """``start`` begins, or goes on; ``halt`` stops before the next certificate."""

    step: Literal["start", "halt"] = "start"
    reason: Annotated[str, Meta(max_length=300)] = ""


# ---- proposals -------------------------------------------------------------------------------------------------------


class Approve(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="approve"):
    digest: Sha256


class ApproveEdition(Approve, frozen=True, kw_only=True, tag="approve_edition"):
    pass


class Reject(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="reject"):
    reason: Text


class RejectEdition(Reject, frozen=True, kw_only=True, tag="reject_edition"):
    pass


# ---- reading a body --------------------------------------------------------------------------------------------------

C = TypeVar("C", bound=msgspec.Struct)

FORBIDDEN = re.compile(
    "[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f\\u202a-\\u202e\\u2066-\\u2069\\ud800-\\udfff\\ufffe\\uffff]"
)
"""Characters that no text of a record may hold: controls, direction overrides, lone surrogates, non-characters."""

FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2999, 12, 31)
"""The days that the register reckons with: whatever is counted from one of them is a day of the calendar too."""


def read(command: type[C], body: Any) -> C:
    """The command that a decoded JSON object describes.

    Raises Malformed, saying where the body differs from the command's shape and what would be accepted.
    """
    for path, text in _texts(body, "$"):
        if found := FORBIDDEN.search(text):
            raise Malformed(problem=f"{path} holds the character U+{ord(found.group()):04X}, which no record may hold")
        if text and not text.strip():
            raise Malformed(problem=f"{path} is blank")
    try:
        read = msgspec.convert(body, command)
    except msgspec.ValidationError as error:
        raise Malformed(problem=str(error)) from None
    for name in command.__struct_fields__:
        if isinstance(day := getattr(read, name), date) and not FIRST_DAY <= day <= LAST_DAY:
            raise Malformed(problem=f"{name} {day} is not between {FIRST_DAY} and {LAST_DAY}")
    return read


def body_of(command: msgspec.Struct) -> dict[str, Any]:
    """The JSON object that ``read`` turns into an equal command; what was left out stays out."""
    body = plain(command)
    del body["type"]
    return body


def name_of(command: msgspec.Struct | type[msgspec.Struct]) -> str:
    """The command's name: what ``COMMANDS`` knows it by."""
    return str(command.__struct_config__.tag)


def digest_of(certificate: UUID, command: msgspec.Struct) -> str:
    """What a second person quotes to approve: SHA-256 of the certificate's id and the command in canonical form."""
    canonical = msgspec.json.encode([str(certificate), name_of(command), body_of(command)], order="sorted")
    return hashlib.sha256(canonical).hexdigest()


def _texts(node: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(node, str):
        yield path, node
    elif isinstance(node, list):
        for index, item in enumerate(node):
            yield from _texts(item, f"{path}[{index}]")
    elif isinstance(node, dict):
        for key, value in node.items():
            yield f"a name in {path}", key
            yield from _texts(value, f"{path}.{key}" if key.isidentifier() else path)


def _named(command: type[Command]) -> dict[str, type[Command]]:
    below = [_named(sub) for sub in command.__subclasses__()]
    return {tag: cls for rows in below for tag, cls in rows.items()} or {name_of(command): command}


COMMANDS: dict[str, type[Command]] = _named(Command)
"""Every command by its name."""
