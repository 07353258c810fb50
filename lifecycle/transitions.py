"""Two tables, STATUS and STAGE: the whole state machine, nothing else.

STATUS: (status of the certificate, fact) -> status after it. STAGE: (kind of case, stage, fact) -> stage after it.
What is not in a table is refused when it is asked for, and changes nothing when it is read.
Source: domain.md, section 4; the law forbids adding or omitting a step (Regulation on Certification and Accreditation,
art. 21 and 22).
"""

from itertools import product
from typing import Final, Literal

from lifecycle import events as e

Status = Literal["none", "active", "suspended", "withdrawn", "cancelled", "expired"]
Stage = Literal["opened", "accepted", "planned", "assessed", "reviewed", "graded", "granted", "decided", "closed"]

STATUSES: Final[tuple[Status, ...]] = ("none", "active", "suspended", "withdrawn", "cancelled", "expired")
LIVE: Final[frozenset[Status]] = frozenset({"active", "suspended"})
ENDED: Final[frozenset[Status]] = frozenset({"withdrawn", "cancelled", "expired"})
FINISHED: Final[frozenset[Stage]] = frozenset({"decided", "closed"})

type_of_fact = type[e.Fact]


def _keep(statuses: tuple[Status, ...], *facts: type_of_fact) -> dict[tuple[Status, type_of_fact], Status]:
    return {(status, fact): status for status, fact in product(statuses, facts)}


STATUS: Final[dict[tuple[Status, type_of_fact], Status]] = {
    # at any time, for ever
    **_keep(
        STATUSES,
        e.ActProposed, e.ProposalRejected, e.RecordCorrected, e.HolderNotified,
        e.AppealLodged, e.AppealDecided, e.ComplaintLodged, e.ComplaintDecided, e.DocumentSealed,
    ),
    # an application and its assessment, and another edition, before issue or beside a certificate in force
    **_keep(
        ("none", "active", "suspended"),
        e.ApplicationSubmitted, e.ApplicationAccepted, e.ApplicationRejected, e.ApplicationWithdrawn,
        e.AssessmentPlanned, e.AssessmentRecorded, e.NonconformityClosed, e.AssessmentReviewed, e.GradeDetermined,
        e.CertificationRefused, e.EditionAdopted,
    ),
    # surveillance, re-issue, and what else leaves the status as it is
    **_keep(
        ("active", "suspended"),
        e.SurveillanceDue, e.SurveillanceOverdue, e.SurveillanceRequested, e.SurveillancePlanned,
        e.SurveillanceRecorded, e.CertificationMaintained, e.GradeChanged, e.CertificateReissued,
        e.WithdrawalOpened, e.WithdrawalDropped,
    ),
    # what turns the status
    ("none", e.CertificationGranted): "none",
    ("none", e.CertificateIssued): "active",
    ("active", e.CertificateRenewed): "active",
    ("active", e.CertificateSuspended): "suspended",
    ("suspended", e.SuspensionExtended): "suspended",
    ("suspended", e.CertificateReinstated): "active",
    ("withdrawn", e.CertificateReinstated): "active",  # only where an upheld appeal is cited
    ("cancelled", e.CertificateReinstated): "active",
    ("active", e.CertificateWithdrawn): "withdrawn",
    ("suspended", e.CertificateWithdrawn): "withdrawn",
    ("active", e.CertificateCancelled): "cancelled",
    ("suspended", e.CertificateCancelled): "cancelled",
    ("active", e.CertificateExpired): "expired",
    ("suspended", e.CertificateExpired): "expired",
}  # fmt: skip

_APPLICATION: Final[dict[tuple[Stage, type_of_fact], Stage]] = {
    ("opened", e.ApplicationAccepted): "accepted",
    ("opened", e.ApplicationRejected): "closed",
    ("opened", e.ApplicationWithdrawn): "closed",
    ("accepted", e.ApplicationWithdrawn): "closed",
    ("accepted", e.AssessmentPlanned): "planned",
    ("planned", e.AssessmentPlanned): "planned",
    ("planned", e.ApplicationWithdrawn): "closed",
    ("planned", e.AssessmentRecorded): "assessed",
    ("assessed", e.ApplicationWithdrawn): "closed",
    ("assessed", e.NonconformityClosed): "assessed",
    ("assessed", e.AssessmentReviewed): "reviewed",
    ("reviewed", e.GradeDetermined): "graded",
    ("graded", e.ApplicationWithdrawn): "closed",
    ("graded", e.CertificationRefused): "closed",
    ("decided", e.GradeChanged): "decided",  # decided again, after a correction left the decision unsupported
}

_OWN: Final[dict[e.CaseKind, dict[tuple[Stage, type_of_fact], Stage]]] = {
    "initial": {
        ("graded", e.CertificationGranted): "granted",
        ("granted", e.CertificateIssued): "decided",
        ("granted", e.CertificationRefused): "closed",
        ("granted", e.ApplicationWithdrawn): "closed",
    },
    "renewal": {
        ("graded", e.CertificateRenewed): "decided",
    },
    "regrade": {
        ("graded", e.GradeChanged): "decided",
        ("graded", e.CertificationMaintained): "decided",
    },
    "visit": {
        ("opened", e.SurveillanceDue): "opened",
        ("planned", e.SurveillanceDue): "planned",
        ("opened", e.SurveillancePlanned): "planned",
        ("planned", e.SurveillancePlanned): "planned",
        ("planned", e.SurveillanceRecorded): "assessed",
        ("assessed", e.NonconformityClosed): "assessed",
        ("assessed", e.CertificationMaintained): "decided",
        ("assessed", e.GradeChanged): "decided",
        ("assessed", e.CertificateSuspended): "decided",
        ("assessed", e.CertificateWithdrawn): "decided",
    },
    "appeal": {("opened", e.AppealDecided): "decided"},
    "complaint": {("opened", e.ComplaintDecided): "decided"},
    "reissue": {("opened", e.CertificateReissued): "decided"},
}  # fmt: skip

STAGE: Final[dict[tuple[e.CaseKind, Stage, type_of_fact], Stage]] = {
    **{
        (kind, stage, fact): after
        for kind in ("initial", "renewal", "regrade")
        for (stage, fact), after in _APPLICATION.items()
    },
    **{(kind, stage, fact): after for kind, rows in _OWN.items() for (stage, fact), after in rows.items()},
    **{
        (kind, "decided", e.CertificateReissued): "decided"  # a change of grade prints the new level at once
        for kind in ("initial", "renewal", "regrade", "visit")
    },
}

STAGED: Final[frozenset[type_of_fact]] = frozenset(fact for _, _, fact in STAGE)
"""Facts that move a case on; suspension and withdrawal do so only where they name one."""

OPENS: Final[dict[type_of_fact, e.CaseKind]] = {
    e.SurveillanceRequested: "visit",
    e.AppealLodged: "appeal",
    e.ComplaintLodged: "complaint",
}
"""Facts that always open a case of one kind. An application opens the kind it names, a visit falling due a visit."""
