"""What may happen when, written by hand from domain.md, section 4, and from nothing in the code.

ACTS: for each fact, the status after it for each status before it: "=" stays, "." is refused, else the status named.
CASES: for each kind of case and each of its stages, the facts that may happen there and the stage after each.
"""

STATUSES = ("none", "active", "suspended", "withdrawn", "cancelled", "expired")
STAGES = ("opened", "accepted", "planned", "assessed", "reviewed", "graded", "granted", "decided", "closed")
KINDS = ("initial", "renewal", "regrade", "visit", "reissue", "appeal", "complaint")

_ACTS = """
#                         none    active     suspended  withdrawn  cancelled  expired
ApplicationSubmitted      =       =          =          .          .          .
ApplicationAccepted       =       =          =          .          .          .
ApplicationRejected       =       =          =          .          .          .
ApplicationWithdrawn      =       =          =          .          .          .
AssessmentPlanned         =       =          =          .          .          .
AssessmentRecorded        =       =          =          .          .          .
NonconformityClosed       =       =          =          .          .          .
AssessmentReviewed        =       =          =          .          .          .
GradeDetermined           =       =          =          .          .          .
CertificationGranted      =       .          .          .          .          .
CertificationRefused      =       =          =          .          .          .
CertificateIssued         active  .          .          .          .          .
SurveillanceDue           .       =          =          .          .          .
SurveillanceOverdue       .       =          =          .          .          .
SurveillanceRequested     .       =          =          .          .          .
SurveillancePlanned       .       =          =          .          .          .
SurveillanceRecorded      .       =          =          .          .          .
CertificationMaintained   .       =          =          .          .          .
GradeChanged              .       =          =          .          .          .
CertificateSuspended      .       suspended  .          .          .          .
SuspensionExtended        .       .          =          .          .          .
CertificateReinstated     .       .          active     active     active     .
WithdrawalOpened          .       =          =          .          .          .
WithdrawalDropped         .       =          =          .          .          .
CertificateWithdrawn      .       withdrawn  withdrawn  .          .          .
CertificateCancelled      .       cancelled  cancelled  .          .          .
CertificateExpired        .       expired    expired    .          .          .
CertificateReissued       .       =          =          .          .          .
CertificateRenewed        .       =          .          .          .          .
HolderNotified            =       =          =          =          =          =
AppealLodged              =       =          =          =          =          =
AppealDecided             =       =          =          =          =          =
ComplaintLodged           =       =          =          =          =          =
ComplaintDecided          =       =          =          =          =          =
RecordCorrected           =       =          =          =          =          =
DocumentSealed            =       =          =          =          =          =
ActProposed               =       =          =          =          =          =
ProposalRejected          =       =          =          =          =          =
EditionAdopted            =       =          =          .          .          .
"""
# CertificateReinstated where it has ended: as an upheld appeal orders. ActProposed and ProposalRejected there: of a
# correction. EditionAdopted: "any", but "ended certificates never get one".

_APPLICATION = """
opened     ApplicationAccepted      accepted
opened     ApplicationRejected      closed
opened     ApplicationWithdrawn     closed
accepted   AssessmentPlanned        planned
accepted   ApplicationWithdrawn     closed
planned    AssessmentPlanned        planned
planned    AssessmentRecorded       assessed
planned    ApplicationWithdrawn     closed
assessed   NonconformityClosed      assessed
assessed   AssessmentReviewed       reviewed
assessed   ApplicationWithdrawn     closed
reviewed   GradeDetermined          graded
graded     CertificationRefused     closed
graded     ApplicationWithdrawn     closed
decided    GradeChanged             decided
decided    CertificateReissued      decided
"""
# decided, GradeChanged: what a correction left unsupported is decided again; CertificateReissued prints it.

_CASES = {
    "initial": _APPLICATION
    + """
graded     CertificationGranted     granted
granted    CertificateIssued        decided
granted    CertificationRefused     closed
granted    ApplicationWithdrawn     closed
""",
    "renewal": _APPLICATION
    + """
graded     CertificateRenewed       decided
""",
    "regrade": _APPLICATION
    + """
graded     GradeChanged             decided
graded     CertificationMaintained  decided
""",
    "visit": """
opened     SurveillanceDue          opened
planned    SurveillanceDue          planned
opened     SurveillancePlanned      planned
planned    SurveillancePlanned      planned
planned    SurveillanceRecorded     assessed
assessed   NonconformityClosed      assessed
assessed   CertificationMaintained  decided
assessed   GradeChanged             decided
assessed   CertificateSuspended     decided
assessed   CertificateWithdrawn     decided
decided    CertificateReissued      decided
""",
    "reissue": """
opened     CertificateReissued      decided
""",
    "appeal": """
opened     AppealDecided            decided
""",
    "complaint": """
opened     ComplaintDecided         decided
""",
}

ELSEWHERE = {
    "OrganisationRegistered", "ApplicationEntered", "BarImposed", "BarLifted", "PersonRegistered", "ConflictDeclared",
    "NumberSeriesStarted", "SerialTaken", "NumberClaimed", "EditionPublished", "KeyIssued", "KeyRevoked",
    "SigningKeyAdded", "SigningKeyRetired", "TrailReadsSealed", "PersonalDetailsSealed", "PersonErased",
    "MasterKeyChanged",
    "EditionProposed", "RehearsalRequested", "RehearsalCompleted", "RehearsalApproved",
    "AdoptionStarted", "AdoptionHalted", "AdoptionFinished",
}  # fmt: skip
"""Facts of other streams."""


def _acts() -> dict[tuple[str, str], str]:
    rows = [line.split() for line in _ACTS.strip().splitlines()[1:]]
    return {
        (status, fact): status if cell == "=" else cell
        for fact, *cells in rows
        for status, cell in zip(STATUSES, cells, strict=True)
        if cell != "."
    }


def _cases() -> dict[tuple[str, str, str], str]:
    rows = [(kind, line.split()) for kind, text in _CASES.items() for line in text.splitlines() if line]
    return {(kind, stage, fact): after for kind, (stage, fact, after) in rows}


ACTS = _acts()
FACTS_OF_A_CERTIFICATE = tuple(line.split()[0] for line in _ACTS.strip().splitlines()[1:])
CASES = _cases()
FACTS_OF_A_CASE = tuple(dict.fromkeys(fact for _, _, fact in CASES))
