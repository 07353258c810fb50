"""Every fact that can be recorded. This file is the storage format.

A fact is one tagged JSON object: its tag is its topic ("certificate-suspended.v1"). Its stream, version, position and
recorded_at are columns beside it, not part of it. Topics and fields are never renamed, re-meant or deleted; a new
version is added beside the old one, and ``upcast.py`` lifts the old one when it is read.

Days end in ``_on`` and are legal dates of Asia/Shanghai. Marks are decimal strings, scores fractions "num/den".
Facts carry outcomes: what a rule answered stands in the fact, with the edition that was asked.
"""

from datetime import date, datetime, timedelta
from typing import Any, Literal, Union
from uuid import UUID

import msgspec

Role = Literal[
    "applicant", "registrar", "assessor", "decision_maker", "scheme_manager", "auditor", "administrator", "clock"
]
CaseKind = Literal["initial", "renewal", "regrade", "visit", "reissue", "appeal", "complaint"]
Outcome = Literal["conforming", "nonconforming", "not_applicable"]
ErasureGrounds = Literal["purpose_ended", "retention_ended", "consent_withdrawn", "unlawful", "other_law"]
"""Codes and no words, which could name the person: Personal Information Protection Law, art. 47, in its order."""

ONE_DAY = timedelta(days=1)

# A part of a frozen struct is frozen; the type checker wants to read it at each.
# pyright: reportGeneralTypeIssues=false


class Value(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, gc=False):
    """A part of a fact."""


class By(Value):
    """Who recorded it: the person, the role held at the time, and the key used."""

    person: str
    role: Role
    key: str


class Cause(Value):
    """What made it be recorded; ``id`` is a request's idempotency key, a tick's day, a rehearsal or an import."""

    kind: Literal["request", "clock", "rehearsal", "import"]
    id: str
    body_sha256: str | None = None


class Reason(Value):
    """A ground: a code that the scheme's edition lists, and what it consists of in this case."""

    code: str
    text: str = ""


class Finding(Value):
    """What was found for one element; ``marks`` only where the certification type is scored."""

    element: str
    outcome: Outcome
    marks: str | None = None


class Deduction(Value):
    """One special deduction, in the words of the scheme's edition."""

    code: str
    text: str = ""


class Due(Value):
    """When the next visit falls due, as the edition in force answered.

    ``visit_on`` is the last day on which the visit is in time; the notice window opens on ``notice_on``; some element's
    coverage runs out on ``coverage_on``. ``anchor_on`` + ``interval_months`` gave ``visit_on``, unless a change of
    level, edition or record shortened the interval: then it is not overdue before the day after ``grace_until``.
    """

    visit_on: date
    notice_on: date
    coverage_on: date
    anchor_on: date
    interval_months: int
    grace_until: date | None = None

    @property
    def overdue_on(self) -> date:
        """The first day on which the visit is overdue."""
        return max(self.visit_on, self.grace_until or self.visit_on) + ONE_DAY


class Change(Value):
    """One corrected value: ``path`` is a JSON pointer into the target ("/findings/5.2.1/marks")."""

    path: str
    old: Any = None
    new: Any = None


class Recomputed(Value):
    """An outcome that follows from a corrected fact: ``value`` now stands at ``path`` of the fact with that version."""

    version: int
    path: str
    old: Any = None
    value: Any = None


class Fact(Value, kw_only=True, tag_field="type"):
    """What every fact carries."""

    effective_on: date
    by: By
    cause: Cause
    signed_by: tuple[str, ...] = ()
    proposal: int | None = None
    case: int | None = None
    edition: str | None = None


# ---- application and assessment --------------------------------------------------------------------------------------


class ApplicationSubmitted(Fact, kw_only=True, tag="application-submitted.v1"):
    """Opens a case of its ``kind``; ``request_sha256`` when a registrar submits on the applicant's behalf."""

    kind: Literal["initial", "renewal", "regrade"]
    organisation: UUID
    holder: str
    address: str
    scheme: str
    certification_type: str
    accepts_conformity: bool
    scope: str
    request_sha256: str | None = None


class ApplicationAccepted(Fact, kw_only=True, tag="application-accepted.v1"):
    pass


class ApplicationRejected(Fact, kw_only=True, tag="application-rejected.v1"):
    reasons: tuple[Reason, ...]


class ApplicationWithdrawn(Fact, kw_only=True, tag="application-withdrawn.v1"):
    request_sha256: str | None = None


class AssessmentPlanned(Fact, kw_only=True, tag="assessment-planned.v1"):
    team: tuple[str, ...]
    on_site_from: date
    on_site_to: date


class AssessmentRecorded(Fact, kw_only=True, tag="assessment-recorded.v1"):
    """Every element once. ``due`` stands where the certificate is issued already: a full re-assessment is a visit."""

    team: tuple[str, ...]
    on_site_from: date
    on_site_to: date
    findings: tuple[Finding, ...]
    deductions: tuple[Deduction, ...] = ()
    evidence: tuple[str, ...] = ()
    due: Due | None = None


class NonconformityClosed(Fact, kw_only=True, tag="nonconformity-closed.v1"):
    element: str
    evidence: tuple[str, ...] = ()


class AssessmentReviewed(Fact, kw_only=True, tag="assessment-reviewed.v1"):
    recommendation: str


class GradeDetermined(Fact, kw_only=True, tag="grade-determined.v1"):
    """``assessment`` is the version of the facts graded; ``level`` is "none" where nothing can be granted."""

    assessment: int
    score: str | None
    level: str
    because: str


class CertificationGranted(Fact, kw_only=True, tag="certification-granted.v1"):
    level: str


class CertificationRefused(Fact, kw_only=True, tag="certification-refused.v1"):
    reasons: tuple[Reason, ...]


# ---- the certificate -------------------------------------------------------------------------------------------------


class Certificate(Fact, kw_only=True):
    """What a certificate document says, and the dates that follow from it."""

    number: str
    document: int
    valid_from: date
    valid_until: date
    first_certified_on: date
    holder: str
    address: str
    scope: str
    level: str
    certification_type: str
    due: Due


class CertificateIssued(Certificate, kw_only=True, tag="certificate-issued.v1"):
    pass


class CertificateRenewed(Certificate, kw_only=True, tag="certificate-renewed.v1"):
    pass


class CertificateReissued(Certificate, kw_only=True, tag="certificate-reissued.v1"):
    """``replaces`` is the document version that this one supersedes the same instant."""

    replaces: int
    reasons: tuple[Reason, ...] = ()


class DocumentSealed(Fact, kw_only=True, tag="document-sealed.v1"):
    """The document that the fact ``of`` prints was made, once: its ``size`` bytes with the digest ``sha256`` are kept.

    ``facts_sha256`` is the digest of what it says, repeated by its proof, which the key ``kid`` signed; ``renderer``
    and ``template_sha256`` (template and font) say what made its ``pages``.
    """

    of: int
    number: str
    document: int
    sha256: str
    size: int
    pages: int
    facts_sha256: str
    kid: str
    renderer: str
    template_sha256: str


class CertificateSuspended(Fact, kw_only=True, tag="certificate-suspended.v1"):
    """``ends_on`` is the last suspended day; ``notice`` says how the holder is told."""

    reasons: tuple[Reason, ...]
    ends_on: date
    notice: str = ""


class SuspensionExtended(Fact, kw_only=True, tag="suspension-extended.v1"):
    reasons: tuple[Reason, ...]
    ends_on: date


class CertificateReinstated(Fact, kw_only=True, tag="certificate-reinstated.v1"):
    """``closed`` answers each reason of the suspension; ``appeal`` is cited where an upheld appeal orders it."""

    grounds: str
    closed: tuple[Reason, ...] = ()
    appeal: int | None = None


class WithdrawalOpened(Fact, kw_only=True, tag="withdrawal-opened.v1"):
    reasons: tuple[Reason, ...]


class WithdrawalDropped(Fact, kw_only=True, tag="withdrawal-dropped.v1"):
    grounds: str


class CertificateWithdrawn(Fact, kw_only=True, tag="certificate-withdrawn.v1"):
    reasons: tuple[Reason, ...]


class CertificateCancelled(Fact, kw_only=True, tag="certificate-cancelled.v1"):
    reasons: tuple[Reason, ...]
    request_sha256: str | None = None


class CertificateExpired(Fact, kw_only=True, tag="certificate-expired.v1"):
    valid_until: date


# ---- surveillance ----------------------------------------------------------------------------------------------------


class SurveillanceDue(Fact, kw_only=True, tag="surveillance-due.v1"):
    """The notice window has opened. Its ``case`` is its own version, or that of a visit already open."""

    due_on: date
    anchor_on: date
    interval_months: int


class SurveillanceOverdue(Fact, kw_only=True, tag="surveillance-overdue.v1"):
    due_on: date


class SurveillanceRequested(Fact, kw_only=True, tag="surveillance-requested.v1"):
    """A visit is wished before it is due; opens a visit case."""

    grounds: str


class SurveillancePlanned(Fact, kw_only=True, tag="surveillance-planned.v1"):
    """``draw`` is the sample of elements to check, at least ``quota`` of them."""

    team: tuple[str, ...]
    on_site_from: date
    on_site_to: date
    draw: tuple[str, ...]
    quota: int


class SurveillanceRecorded(Fact, kw_only=True, tag="surveillance-recorded.v1"):
    """``findings`` cover at least the ``drawn`` elements; ``due`` is the next visit's."""

    team: tuple[str, ...]
    on_site_from: date
    on_site_to: date
    findings: tuple[Finding, ...]
    drawn: tuple[str, ...]
    quota: int
    due: Due
    evidence: tuple[str, ...] = ()


class CertificationMaintained(Fact, kw_only=True, tag="certification-maintained.v1"):
    pass


class GradeChanged(Fact, kw_only=True, tag="grade-changed.v1"):
    """Recorded with the re-issue that prints the new level, in one transaction."""

    level: str
    score: str | None
    because: str
    due: Due


# ---- notices, appeals, complaints, corrections, editions -------------------------------------------------------------


class HolderNotified(Fact, kw_only=True, tag="holder-notified.v1"):
    """``of`` is the version of the fact that the notice tells; the time to appeal runs from ``served_on``.

    ``proof_sha256`` is of the proof of service; ``notice_sha256`` of the notice itself, whose bytes are kept.
    """

    of: int
    served_on: date
    proof_sha256: str
    notice_sha256: str | None = None


class AppealLodged(Fact, kw_only=True, tag="appeal-lodged.v1"):
    """``against`` is the version of the fact appealed against; ``decide_by`` is the last day to decide."""

    against: int
    grounds: str
    decide_by: date
    request_sha256: str | None = None


class AppealDecided(Fact, kw_only=True, tag="appeal-decided.v1"):
    upheld: bool
    grounds: str


class ComplaintLodged(Fact, kw_only=True, tag="complaint-lodged.v1"):
    grounds: str
    decide_by: date
    request_sha256: str | None = None


class ComplaintDecided(Fact, kw_only=True, tag="complaint-decided.v1"):
    upheld: bool
    grounds: str


class RecordCorrected(Fact, kw_only=True, tag="record-corrected.v1"):
    """The fact with version ``target`` is put right by ``changes``, or taken out of the reading by ``void``."""

    target: int
    reason: str
    changes: tuple[Change, ...] = ()
    void: bool = False
    recomputed: tuple[Recomputed, ...] = ()
    unsupported: tuple[int, ...] = ()
    appeal: int | None = None


class ElementCarried(Value):
    """An element of the edition adopted, and those ``of`` the one before in whose place it stands.

    ``checked_on`` is its last check: theirs, of several the earliest; None where it was never checked. Where it
    ``stands``, the last finding on the one is that on the other, marks and all; else there is none until it is
    assessed.
    """

    element: str
    of: tuple[str, ...] = ()
    checked_on: date | None = None
    stands: bool = False


class EditionAdopted(Fact, kw_only=True, tag="edition-adopted.v1"):
    """``carried`` has every element of the new edition, where the two judge other elements or weights."""

    old: str
    new: str
    rehearsal: UUID
    line_sha256: str
    due: Due | None = None
    carried: tuple[ElementCarried, ...] = ()


# ---- acts that two persons sign --------------------------------------------------------------------------------------


class ActProposed(Fact, kw_only=True, tag="act-proposed.v1"):
    """One person proposes ``act`` with ``body``; another approves it by quoting ``digest``.

    The proposal's number is this fact's version. It can be approved from ``act_on`` until ``expires_on``, inclusive.
    """

    act: str
    body: Any
    digest: str
    act_on: date
    expires_on: date


class ProposalRejected(Fact, kw_only=True, tag="proposal-rejected.v1"):
    reason: str


# ---- other streams ---------------------------------------------------------------------------------------------------


class OrganisationRegistered(Fact, kw_only=True, tag="organisation-registered.v1"):
    unified_code: str
    name: str
    address: str


class ApplicationEntered(Fact, kw_only=True, tag="application-entered.v1"):
    """One for each application, so that a bar and an application cannot cross."""

    certificate: UUID
    scheme: str
    kind: Literal["initial", "renewal", "regrade"]


class BarImposed(Fact, kw_only=True, tag="bar-imposed.v1"):
    """No application under ``scheme`` until ``until_on``, inclusive."""

    certificate: UUID
    scheme: str
    until_on: date


class BarLifted(Fact, kw_only=True, tag="bar-lifted.v1"):
    """The withdrawal that imposed the bar was voided or reversed on appeal."""

    certificate: UUID


class PersonRegistered(Fact, kw_only=True, tag="person-registered.v1"):
    person: str


class PersonalDetailsSealed(Fact, kw_only=True, tag="personal-details-sealed.v1"):
    """Name and contact of the person were given, in place of those before, and are kept outside the log.

    ``digest`` is their HMAC under a key that is kept with them: without it, it tells nothing.
    """

    person: str
    digest: str


class PersonErased(Fact, kw_only=True, tag="person-erased.v1"):
    """Name, contact and their key are destroyed, and no key of the person opens anything any more."""

    person: str
    grounds: ErasureGrounds


class ConflictDeclared(Fact, kw_only=True, tag="conflict-declared.v1"):
    """The person has an interest in the organisation: serves in no case of it until ``until_on`` (None: for good)."""

    organisation: UUID
    grounds: str
    until_on: date | None = None


class SerialTaken(Fact, kw_only=True, tag="serial-taken.v1"):
    """One stream for each scheme and year; the serial is this fact's version."""

    serial: int


class NumberClaimed(Fact, kw_only=True, tag="number-claimed.v1"):
    """Taken once, for ever: the stream's id is derived from the normalised number."""

    number: str
    certificate: UUID


class EditionPublished(Fact, kw_only=True, tag="edition-published.v1"):
    """The edition's full text, once; everywhere else it is named by id."""

    scheme: str
    published: str
    digest: str
    text: str


class EditionProposed(Fact, kw_only=True, tag="edition-proposed.v1"):
    """One person proposes an edition; another publishes it by quoting its ``digest``, until ``expires_on``, inclusive.

    ``order`` is what lets it take effect on a day past: the regulator's act, as it is cited.
    """

    scheme: str
    proposed: str
    digest: str
    text: str
    expires_on: date
    order: str | None = None


class RehearsalRequested(Fact, kw_only=True, tag="rehearsal-requested.v1"):
    """What ``edition`` would have answered to all that stands in the log up to ``log_position``; statuses as on a day.

    ``digest`` is that of the edition's text.
    """

    scheme: str
    digest: str
    asked_on: date
    log_position: int


class RehearsalCompleted(Fact, kw_only=True, tag="rehearsal-completed.v1"):
    """``report`` is the report without its lines; ``lines_sha256`` is over the digests of all lines, by certificate."""

    report: Any
    report_sha256: str
    lines: int
    lines_sha256: str


class RehearsalApproved(Fact, kw_only=True, tag="rehearsal-approved.v1"):
    """Quotes what is approved. For one ``certificate`` alone, where those who approved the whole stood on its team."""

    digest: str
    log_position: int
    certificate: UUID | None = None


class SetAside(Value):
    """How many certificates an adoption left as they are, and why."""

    reason: str
    certificates: int


class AdoptionStarted(Fact, kw_only=True, tag="adoption-started.v1"):
    """Certificate after certificate takes the edition; one for each time that somebody begins, or goes on."""


class AdoptionHalted(Fact, kw_only=True, tag="adoption-halted.v1"):
    reason: str


class AdoptionFinished(Fact, kw_only=True, tag="adoption-finished.v1"):
    """``adopted`` are on the edition; each line of the rehearsal is counted once."""

    adopted: int
    not_in_force: int
    set_aside: tuple[SetAside, ...]


class KeyIssued(Fact, kw_only=True, tag="key-issued.v1"):
    """``secret_sha256`` is the digest of its 256 random bits, by which a caller is known; older facts have none."""

    key: str
    person: str
    role: Role
    organisation: UUID | None = None
    secret_sha256: str | None = None


class KeyRevoked(Fact, kw_only=True, tag="key-revoked.v1"):
    key: str
    reason: str = ""


class SigningKeyAdded(Fact, kw_only=True, tag="signing-key-added.v1"):
    """From now on ``purpose`` is signed with the key ``kid``, its RFC 7638 thumbprint.

    ``public_key`` is the point of the ``curve`` in base64url: a key once added verifies for ever what it signed.
    """

    purpose: str
    kid: str
    curve: str
    public_key: str


class SigningKeyRetired(Fact, kw_only=True, tag="signing-key-retired.v1"):
    """Nothing is signed with the key any more."""

    purpose: str
    kid: str
    reason: str = ""


class MasterKeyChanged(Fact, kw_only=True, tag="master-key-changed.v1"):
    """From now on the keys of persons are wrapped by the master key ``kid``, its RFC 7638 thumbprint."""

    kid: str
    reason: str = ""


class TrailReadsSealed(Fact, kw_only=True, tag="trail-reads-sealed.v1"):
    """On ``day`` the trail was read ``reads`` times; ``sha256`` is the digest of the record of them."""

    day: date
    reads: int
    sha256: str


# ---- reading and writing ---------------------------------------------------------------------------------------------


def _leaves(cls: type[Fact]) -> list[type[Fact]]:
    below = [leaf for sub in cls.__subclasses__() for leaf in _leaves(sub)]
    return below or [cls]


def topic_of(fact: Fact | type[Fact]) -> str:
    """The stable name under which the fact is stored."""
    return str(fact.__struct_config__.tag)


FACTS: dict[str, type[Fact]] = {topic_of(leaf): leaf for leaf in _leaves(Fact)}
"""Every fact by its topic."""

AnyFact = Union[tuple(FACTS.values())]  # noqa: UP007 - built from the table, so that no second list can differ from it


class Recorded(msgspec.Struct, frozen=True, gc=False):
    """A fact in its stream; ``position`` and ``recorded_at`` are None until the database has stamped them."""

    originator_id: UUID
    originator_version: int
    fact: Fact
    position: int | None = None
    recorded_at: datetime | None = None

    @property
    def version(self) -> int:
        return self.originator_version


def plain(value: Any) -> Any:
    """The value as JSON holds it: strings, numbers, lists and objects."""
    return msgspec.json.decode(msgspec.json.encode(value))


encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(AnyFact).decode
decode_lines = msgspec.json.Decoder(AnyFact).decode_lines
