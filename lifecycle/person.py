"""One person, by id only: registered, and what interests were declared."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID, uuid5

from lifecycle import errors
from lifecycle import events as e
from lifecycle.commands import DeclareConflict, RegisterPerson
from lifecycle.decisions.moment import Moment
from lifecycle.events import Recorded

_NAMESPACE = UUID("0b8e2a4c-6f0d-5d9b-8b9c-1d2f6d1f4c22")


@dataclass(slots=True)
class Person:
    """The state of one person; ``version`` 0 means not registered."""

    id: UUID
    version: int = 0
    conflicts: dict[UUID, date | None] = field(default_factory=dict)

    def conflicts_on(self, day: date) -> frozenset[UUID]:
        """The organisations in which the person has a declared interest that day."""
        return frozenset(o for o, until_on in self.conflicts.items() if until_on is None or day <= until_on)


def id_of(person: str) -> UUID:
    """The stream of the person with that id."""
    return uuid5(_NAMESPACE, person)


def fold(id: UUID, history: Iterable[Recorded]) -> Person:
    person = Person(id)
    for recorded in history:
        person.version = recorded.version
        if isinstance(recorded.fact, e.ConflictDeclared):
            person.conflicts[recorded.fact.organisation] = recorded.fact.until_on
    return person


def register(person: Person, command: RegisterPerson, moment: Moment) -> list[e.Fact]:
    """Raises PersonKnown where the id is registered already."""
    if person.version:
        raise errors.PersonKnown(person=command.person)
    return [e.PersonRegistered(**moment.stamp(moment.today), person=command.person)]


def declare_conflict(person: Person, name: str, command: DeclareConflict, moment: Moment) -> list[e.Fact]:
    """The person serves in no case of the organisation while it lasts. Raises PersonUnknown."""
    if not person.version:
        raise errors.PersonUnknown(person=name)
    return [
        e.ConflictDeclared(
            **moment.stamp(moment.today),
            organisation=command.organisation,
            grounds=command.grounds,
            until_on=command.until_on,
        )
    ]
