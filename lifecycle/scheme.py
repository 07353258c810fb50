"""One scheme: its editions, each published once with its full text and digest, for ever.

An edition is proposed by one person and published by another, who quotes its digest, or rejected; the text is checked
at both.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Literal
from uuid import UUID, uuid5

from lifecycle import errors
from lifecycle import events as e
from lifecycle.commands import PublishEdition
from lifecycle.decisions.moment import Moment
from lifecycle.events import Recorded
from lifecycle.rules import Edition, MalformedEdition, edition_in_force, load_edition
from lifecycle.rules.succession_checks import check_succession

_NAMESPACE = UUID("a4d2f6b8-7c1e-5e2a-b6d3-2c8f0e9b1d55")


class EditionChanged(Exception):
    """A shipped edition's text differs from the one published under the same id: the service does not start."""

    def __init__(self, edition: str, published: str, shipped: str) -> None:
        self.edition, self.published, self.shipped = edition, published, shipped
        super().__init__(
            f"The edition {edition} was published with digest {published}, and the shipped file has {shipped}. "
            "A published edition never changes: restore the file, or give the new text an id of its own."
        )


@dataclass(slots=True)
class Scheme:
    """The state of one scheme; ``authors`` are by edition who proposed it, ``proposals`` by their version, and
    ``closed`` what became of one that is open no more."""

    code: str
    id: UUID
    version: int = 0
    editions: dict[str, Edition] = field(default_factory=dict)
    authors: dict[str, str] = field(default_factory=dict)
    proposals: dict[int, e.EditionProposed] = field(default_factory=dict)
    closed: dict[int, str] = field(default_factory=dict)

    def open_proposal(self, number: int, today: date) -> e.EditionProposed:
        """Raises ProposalUnknown, -Closed or -Lapsed."""
        still_open = [str(each) for each in self.proposals if each not in self.closed]
        if number not in self.proposals:
            raise errors.ProposalUnknown(proposal=number, open=", ".join(still_open) or "none")
        if number in self.closed:
            raise errors.ProposalClosed(proposal=number, state=self.closed[number])
        proposed = self.proposals[number]
        if today > proposed.expires_on:
            raise errors.ProposalLapsed(proposal=number, expires_on=proposed.expires_on)
        return proposed


def id_of(scheme: str) -> UUID:
    """The stream of the scheme with that code."""
    return uuid5(_NAMESPACE, scheme)


def scheme_of(code: str, history: Iterable[Recorded]) -> Scheme:
    """The scheme as its stream adds up; each edition is loaded from the text that was published."""
    found = Scheme(code, id_of(code))
    for recorded in history:
        found.version = recorded.version
        match recorded.fact:
            case e.EditionProposed() as fact:
                found.proposals[recorded.version] = fact
            case e.EditionPublished() as fact:
                found.editions[fact.published] = load_edition(fact.text, file=fact.published)
                found.authors[fact.published] = author_of(fact)
                found.closed |= {fact.proposal: "approved"} if fact.proposal else {}
            case e.ProposalRejected() as fact:
                found.closed[fact.proposal or 0] = "rejected"
    return found


def author_of(published: e.EditionPublished) -> str:
    """Who proposed the edition; who published it, where it shipped."""
    return (published.signed_by or (published.by.person,))[0]


def kept(code: str, history: Iterable[Recorded]) -> Scheme:
    """The scheme. Raises SchemeNotKept: a scheme begins with an edition that ships."""
    found = scheme_of(code, history)
    if not found.editions:
        raise errors.SchemeNotKept(scheme=code)
    return found


def fold(history: Iterable[Recorded]) -> dict[str, Edition]:
    """A scheme's published editions by id."""
    return scheme_of("", history).editions


def propose(scheme: Scheme, command: PublishEdition, moment: Moment) -> list[e.Fact]:
    """The proposal of an edition; refused where its publication would be."""
    edition = _checked(scheme, command.text, command.order, moment.today)
    return [
        e.EditionProposed(
            **moment.stamp(moment.today),
            scheme=scheme.code,
            proposed=edition.id,
            digest=edition.digest,
            text=edition.text,
            expires_on=moment.today + timedelta(days=edition.proposal_days),
            order=command.order,
        )
    ]


def approve(scheme: Scheme, number: int, digest: str, moment: Moment) -> list[e.Fact]:
    """The proposed edition is published, checked again on the state of this moment and signed by both.

    Raises SecondPersonNeeded for the proposal's author, DigestDiffers.
    """
    proposed = scheme.open_proposal(number, moment.today)
    author = proposed.by.person
    if moment.by.person == author:
        raise errors.SecondPersonNeeded(person=author)
    if digest != proposed.digest:
        raise errors.DigestDiffers(digest=digest, proposal=number, expected=proposed.digest)
    edition = _checked(scheme, proposed.text, proposed.order, moment.today)
    return [_published(edition, replace(moment, signed_by=(author, moment.by.person), proposal=number))]


def reject(scheme: Scheme, number: int, reason: str, moment: Moment) -> list[e.Fact]:
    """The proposal is closed without effect, by its author or by whoever might have approved it."""
    scheme.open_proposal(number, moment.today)
    return [e.ProposalRejected(**replace(moment, proposal=number).stamp(moment.today), reason=reason)]


def publish(published: Mapping[str, Edition], shipped: Iterable[Edition], moment: Moment) -> list[e.Fact]:
    """A fact for each shipped edition that was not published yet. Raises EditionChanged."""
    facts: list[e.Fact] = []
    for edition in shipped:
        known = published.get(edition.id)
        if known is None:
            facts.append(_published(edition, moment))
        elif known.digest != edition.digest:
            raise EditionChanged(edition.id, known.digest, edition.digest)
    return facts


def _published(edition: Edition, moment: Moment) -> e.EditionPublished:
    return e.EditionPublished(
        **moment.stamp(moment.today),
        scheme=edition.scheme,
        published=edition.id,
        digest=edition.digest,
        text=edition.text,
    )


def _checked(scheme: Scheme, text: str, order: str | None, today: date) -> Edition:
    """The edition in the text, held against those published. Raises EditionMalformed with its key, EditionKnown."""
    try:
        edition = load_edition(text, file=scheme.code)
        known = scheme.editions.get(edition.id)
        if known is not None:
            raise errors.EditionKnown(edition=edition.id, published=known.digest, digest=edition.digest)
        for problem in _problems(scheme, edition, order, today):
            raise MalformedEdition(scheme.code, *problem)
        check_succession(edition, _before(scheme, edition, today), scheme.code)
    except MalformedEdition as wrong:
        raise errors.EditionMalformed(key=wrong.key, expected=wrong.expected, found=wrong.found) from None
    return edition


Problem = tuple[Literal["edition.scheme", "edition.id", "edition.effective_from", "edition.published_on"], str, str]


def _problems(scheme: Scheme, edition: Edition, order: str | None, today: date) -> Iterator[Problem]:
    if edition.scheme != scheme.code:
        yield "edition.scheme", scheme.code, edition.scheme
    if not edition.id.startswith(f"{scheme.code}:"):
        yield "edition.id", f"{scheme.code}: and the edition's name", edition.id
    if edition.effective_from < today and order is None:
        yield (
            "edition.effective_from",
            f"{today} or later, or the order by which it is earlier",
            str(edition.effective_from),
        )
    if edition.published_on > today:
        yield "edition.published_on", f"{today} or earlier", str(edition.published_on)


def _before(scheme: Scheme, edition: Edition, today: date) -> Edition:
    """The edition that this one says it follows; else the one in force, which it ought to."""
    named = edition.succession and scheme.editions.get(edition.succession.of)
    return named or edition_in_force(scheme.editions, scheme.code, today) or next(iter(scheme.editions.values()))
