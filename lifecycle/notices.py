"""Notices to the holder: which facts want one, which were served and when, and until when an appeal is in time.

Any fact can be told of (HolderNotified); these are the acts of the body that a holder has to be told of in writing.
"""

from datetime import date
from typing import Literal, NamedTuple, get_args

from lifecycle import errors
from lifecycle import events as e
from lifecycle.amendment import amend
from lifecycle.certificate import Certificate
from lifecycle.decisions.dispute import appeal_until, require_fact
from lifecycle.events import Recorded
from lifecycle.rules import Edition

State = Literal["wanted", "served", "void"]
STATES: tuple[State, ...] = get_args(State)

TOLD = (
    e.ApplicationRejected, e.CertificationGranted, e.CertificationRefused, e.CertificateSuspended,
    e.SuspensionExtended, e.CertificateReinstated, e.WithdrawalOpened, e.WithdrawalDropped, e.CertificateWithdrawn,
    e.CertificateCancelled, e.CertificateExpired, e.SurveillanceDue, e.SurveillanceOverdue, e.CertificationMaintained,
    e.GradeChanged, e.AppealDecided, e.ComplaintDecided, e.RecordCorrected, e.EditionAdopted,
)  # fmt: skip
"""What a notice is made of. A certificate that is issued, renewed or issued anew is its own notice."""


class Notice(NamedTuple):
    """The notice of one fact, which reads as it is corrected by now; ``served`` are the facts that say it was."""

    of: int
    fact: e.Fact
    void: bool
    served: tuple[Recorded, ...]
    appeal_until: date | None

    @property
    def state(self) -> State:
        if self.served:
            return "served"
        return "void" if self.void else "wanted"


def notices_of(certificate: Certificate, edition: Edition) -> list[Notice]:
    """The notice of each fact that wants one, or was told of all the same, in order."""
    amended = {recorded.version: recorded.fact for recorded in amend(certificate.history)}
    served: dict[int, list[Recorded]] = {}
    for recorded in certificate.history:
        if isinstance(recorded.fact, e.HolderNotified):
            served.setdefault(recorded.fact.of, []).append(recorded)
    return [
        Notice(
            of=recorded.version,
            fact=amended.get(recorded.version, recorded.fact),
            void=recorded.version not in amended,
            served=tuple(served.get(recorded.version, ())),
            appeal_until=appeal_until(certificate, recorded.version, edition),
        )
        for recorded in certificate.history
        if isinstance(recorded.fact, TOLD) or recorded.version in served
    ]


def notice_of(certificate: Certificate, version: int, edition: Edition) -> Notice:
    """The notice to make of the fact. Raises FactUnknown, NoNotice for one that wants none, and NoticeOfVoided."""
    named = {
        "version": version,
        "topic": e.topic_of(fact := require_fact(certificate, version)),
        "certificate": certificate.label,
    }
    if not isinstance(fact, TOLD):
        raise errors.NoNotice(**named, made_of=", ".join(map(e.topic_of, TOLD)))
    found = next(notice for notice in notices_of(certificate, edition) if notice.of == version)
    if found.void:
        raise errors.NoticeOfVoided(**named)
    return found
