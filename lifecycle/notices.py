"""Notices to the holder: which facts want one, which were served and when, and until when an appeal is in time.

Any fact can be told of (HolderNotified); these are the acts of the body that a holder has to be told of in writing.
"""

from collections.abc import Mapping
from datetime import date
from typing import Literal, NamedTuple, get_args

from lifecycle import errors
from lifecycle import events as e
from lifecycle.amendment import amend
from lifecycle.certificate import Certificate
from lifecycle.decisions.dispute import appeal_until, require_fact
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


class Served(NamedTuple):
    """The fact with that version says that the notice was served."""

    version: int
    fact: e.HolderNotified


class Notice(NamedTuple):
    """The notice of one fact, which reads as it is corrected by now; void once that fact is."""

    of: int
    fact: e.Fact
    void: bool
    served: tuple[Served, ...]
    appeal_until: date | None

    @property
    def state(self) -> State:
        if self.served:
            return "served"
        return "void" if self.void else "wanted"


def notices_of(certificate: Certificate, editions: Mapping[str, Edition]) -> list[Notice]:
    """The notice of each fact that wants one, or was told of all the same, in order."""
    amended = {recorded.version: recorded.fact for recorded in amend(certificate.history)}
    served = _served(certificate)
    return [
        Notice(
            of=version,
            fact=amended.get(version, recorded.fact),
            void=version not in amended,
            served=served.get(version, ()),
            appeal_until=appeal_until(certificate, version, editions),
        )
        for version, recorded in enumerate(certificate.history, 1)
        if isinstance(recorded.fact, TOLD) or version in served
    ]


def notice_of(certificate: Certificate, version: int, editions: Mapping[str, Edition]) -> Notice:
    """The notice to make of the fact. Raises FactUnknown, NoNotice for one that wants none, and NoticeOfVoided."""
    fact = require_fact(certificate, version)
    named = {"version": version, "topic": e.topic_of(fact), "certificate": certificate.label}
    if not isinstance(fact, TOLD):
        raise errors.NoNotice(**named, made_of=", ".join(map(e.topic_of, TOLD)))
    found = next(notice for notice in notices_of(certificate, editions) if notice.of == version)
    if found.void:
        raise errors.NoticeOfVoided(**named)
    return found


def _served(certificate: Certificate) -> dict[int, tuple[Served, ...]]:
    """By the version of the fact that was told of."""
    found: dict[int, tuple[Served, ...]] = {}
    for version, fact in ((recorded.version, recorded.fact) for recorded in certificate.history):
        if isinstance(fact, e.HolderNotified):
            found[fact.of] = (*found.get(fact.of, ()), Served(version, fact))
    return found
