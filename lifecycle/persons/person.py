"""One person, by a pseudonym only: registered, details given, interests declared, erased."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID, uuid5

from lifecycle import errors
from lifecycle import events as e
from lifecycle.commands import DeclareConflict, ErasePerson
from lifecycle.decisions.moment import Moment
from lifecycle.events import Recorded

_NAMESPACE = UUID("0b8e2a4c-6f0d-5d9b-8b9c-1d2f6d1f4c22")


@dataclass(slots=True)
class Person:
    """The state of one person; ``version`` 0 means not registered.

    ``digest`` is that of the details in force, which were given by the event ``given``.
    """

    id: UUID
    version: int = 0
    conflicts: dict[UUID, date | None] = field(default_factory=dict)
    digest: str | None = None
    given: int | None = None
    erased_on: date | None = None

    def conflicts_on(self, day: date) -> frozenset[UUID]:
        """The organisations in which the person has a declared interest that day."""
        return frozenset(o for o, until_on in self.conflicts.items() if until_on is None or day <= until_on)


def id_of(person: str) -> UUID:
    """The stream of the person with that id."""
    return uuid5(_NAMESPACE, person)


def new_id() -> str:
    """A pseudonym that tells nothing and can be said aloud: "lusab-tobin"."""
    return "-".join("".join(secrets.choice(letters) for letters in _SYLLABLES) for _ in range(2))


_SYLLABLES = ("bdfghjklmnprstvz", "aiou", "bdfghjklmnprstvz", "aiou", "bdfghjklmnprstvz")


def fold(id: UUID, history: Iterable[Recorded]) -> Person:
    person = Person(id)
    for recorded in history:
        person.version = recorded.version
        match recorded.fact:
            case e.ConflictDeclared() as fact:
                person.conflicts[fact.organisation] = fact.until_on
            case e.PersonalDetailsSealed() as fact:
                person.digest, person.given = fact.digest, recorded.version
            case e.PersonErased() as fact:
                person.digest, person.given, person.erased_on = None, None, fact.effective_on
    return person


def require_known(person: Person, name: str) -> None:
    """Raises PersonUnknown, PersonErased."""
    if not person.version:
        raise errors.PersonUnknown(person=name)
    if person.erased_on:
        raise errors.PersonErased(person=name)


def register(person: Person, name: str, digest: str | None, moment: Moment) -> list[e.Fact]:
    """Raises PersonKnown where the id is registered already, erased or not."""
    if person.version:
        raise errors.PersonKnown(person=name)
    registered = e.PersonRegistered(**moment.stamp(moment.today), person=name)
    return [registered, *([_sealed(name, digest, moment)] if digest else [])]


def give_details(person: Person, name: str, digest: str, moment: Moment) -> list[e.Fact]:
    """Raises PersonUnknown, PersonErased."""
    require_known(person, name)
    return [_sealed(name, digest, moment)]


def erase(person: Person, name: str, command: ErasePerson, moment: Moment) -> list[e.Fact]:
    """Raises PersonUnknown, PersonErased, ErasesOneself."""
    require_known(person, name)
    if moment.by.person == name:
        raise errors.ErasesOneself(person=name)
    return [e.PersonErased(**moment.stamp(moment.today), person=name, grounds=command.grounds)]


def _sealed(name: str, digest: str, moment: Moment) -> e.Fact:
    return e.PersonalDetailsSealed(**moment.stamp(moment.today), person=name, digest=digest)


def declare_conflict(person: Person, name: str, command: DeclareConflict, moment: Moment) -> list[e.Fact]:
    """The person serves in no case of the organisation while it lasts. Raises PersonUnknown, PersonErased."""
    require_known(person, name)
    return [
        e.ConflictDeclared(
            **moment.stamp(moment.today),
            organisation=command.organisation,
            grounds=command.grounds,
            until_on=command.until_on,
        )
    ]
