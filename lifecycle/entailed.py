"""What an act on a certificate entails in other streams, in the same transaction.

A number printed is claimed and its serial taken; an application is entered with its organisation; a withdrawal bars the
organisation, and its undoing lifts the bar.
"""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from lifecycle import commands as c
from lifecycle import events as e
from lifecycle import organisation as organisations
from lifecycle.certificate import Certificate
from lifecycle.decisions.moment import Moment
from lifecycle.numbers import claim_id
from lifecycle.organisation import Organisation
from lifecycle.rules import normalise_number
from lifecycle.work import Work


class Streams(Protocol):
    """The other streams as they stand."""

    def organisation(self, id: UUID) -> Organisation: ...
    def series(self, scheme: str, year: int) -> tuple[UUID, int]: ...


def entail(streams: Streams, work: Work, certificate: Certificate, facts: Sequence[e.Fact], moment: Moment) -> None:
    """The facts of other streams that follow from ``facts`` are added to the work."""
    for fact in facts:
        match fact:
            case e.Certificate() if fact.number == moment.number:
                _claim(streams, work, certificate, fact, moment)
            case e.CertificateWithdrawn():
                _bar(streams, work, certificate, fact, moment)
            case e.CertificateReinstated() | e.RecordCorrected():
                _lift_bar(streams, work, certificate, fact, moment)


def enter_application(streams: Streams, work: Work, command: c.SubmitApplication, moment: Moment) -> None:
    """The application is entered with its organisation. Raises OrganisationUnknown or Barred."""
    found = streams.organisation(command.organisation)
    work.add(found.id, found.version, organisations.enter_application(found, work.subject, command, moment))


def _claim(streams: Streams, work: Work, certificate: Certificate, fact: e.Certificate, moment: Moment) -> None:
    series, serial = streams.series(certificate.scheme, fact.effective_on.year)
    stamp = moment.stamp(fact.effective_on)
    work.add(series, serial, [e.SerialTaken(**stamp, serial=serial + 1)])
    claim = claim_id(normalise_number(fact.number))
    work.add(claim, 0, [e.NumberClaimed(**stamp, number=fact.number, certificate=certificate.id)])


def _bar(streams: Streams, work: Work, certificate: Certificate, fact: e.CertificateWithdrawn, moment: Moment) -> None:
    until_on = moment.edition_of(certificate).bar_until(fact.effective_on)
    if until_on is not None:
        found = streams.organisation(certificate.organisation)
        bar = organisations.impose_bar(certificate.id, certificate.scheme, fact.effective_on, until_on, moment)
        work.add(found.id, found.version, [bar])


def _lift_bar(streams: Streams, work: Work, certificate: Certificate, fact: e.Fact, moment: Moment) -> None:
    if isinstance(fact, e.RecordCorrected) and not _voids_withdrawal(certificate, fact):
        return
    found = streams.organisation(certificate.organisation)
    if certificate.id in found.bars:
        lifted = e.BarLifted(**moment.stamp(fact.effective_on), certificate=certificate.id)
        work.add(found.id, found.version, [lifted])


def _voids_withdrawal(certificate: Certificate, correction: e.RecordCorrected) -> bool:
    return correction.void and isinstance(certificate.fact(correction.target), e.CertificateWithdrawn)
