"""What else has to be shown for a certificate's record to be judged: the events of other streams that it rests on."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple
from uuid import UUID

from lifecycle import events as e
from lifecycle import scheme
from lifecycle.certificate import Certificate
from lifecycle.keys import REGISTER
from lifecycle.numbers import claim_id
from lifecycle.rules import normalise_number


class Ground(NamedTuple):
    """Of the stream the events ``of`` which it is true; of one ``topic`` alone, where it is named."""

    stream: UUID
    of: Callable[[e.Fact], bool]
    topic: str | None = None


def grounds(certificate: Certificate, purposes: Sequence[str]) -> Iterator[Ground]:
    """The editions asked, the numbers claimed, the organisation's entries, the rehearsals cited, and the keys: those
    of the ``purposes``, and those that signed its documents."""
    facts = [recorded.fact for recorded in certificate.history]
    yield _editions(certificate, facts)
    yield from (Ground(claim_id(number), _any) for number in _numbers(facts))
    if certificate.organisation is not None:
        yield Ground(certificate.organisation, lambda fact: _entered(fact, certificate.id))
    yield from (Ground(id, _any) for id in _once(f.rehearsal for f in facts if isinstance(f, e.EditionAdopted)))
    signed = {fact.kid for fact in facts if isinstance(fact, e.DocumentSealed)}
    yield signing_keys(lambda key: key.purpose in purposes or key.kid in signed)


def signing_keys(wanted: Callable[[e.SigningKeyAdded], bool]) -> Ground:
    """The keys that the register added."""
    topic = e.topic_of(e.SigningKeyAdded)
    return Ground(REGISTER, lambda fact: isinstance(fact, e.SigningKeyAdded) and wanted(fact), topic)


def _editions(certificate: Certificate, facts: Sequence[e.Fact]) -> Ground:
    asked = {fact.edition for fact in facts} | {f.new for f in facts if isinstance(f, e.EditionAdopted)}
    return Ground(
        scheme.id_of(certificate.scheme),
        lambda fact: isinstance(fact, e.EditionPublished) and fact.published in asked,
        e.topic_of(e.EditionPublished),
    )


def _numbers(facts: Sequence[e.Fact]) -> Iterator[str]:
    return _once(normalise_number(fact.number) for fact in facts if isinstance(fact, e.Certificate))


def _entered(fact: e.Fact, certificate: UUID) -> bool:
    """The organisation's own registration, and what it has of this certificate; not of its others."""
    return isinstance(fact, e.OrganisationRegistered) or getattr(fact, "certificate", None) == certificate


def _any(fact: e.Fact) -> bool:
    return True


def _once(values: Iterator) -> Iterator:
    return iter(dict.fromkeys(values))
