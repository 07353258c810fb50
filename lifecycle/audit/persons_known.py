"""What the log says of persons up to any position: registered when, interests declared, keys held in which role, and
which rehearsals they approved."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from uuid import UUID

from lifecycle import events as e
from lifecycle.decisions.moment import Moment
from lifecycle.events import Recorded
from lifecycle.periods import legal_day
from lifecycle.persons.person import Person, id_of
from lifecycle.persons.person import fold as person_of
from lifecycle.rules import Edition, load_edition
from lifecycle.scheme import author_of

TOLD_BY = (
    e.PersonRegistered, e.ConflictDeclared, e.PersonErased, e.KeyIssued, e.KeyRevoked, e.EditionPublished,
    e.RehearsalApproved,
)  # fmt: skip
"""The facts of which it is made."""


class Known:
    """What was known of persons, keys and editions, by facts in commit order."""

    def __init__(self, facts: Iterable[Recorded] = ()) -> None:
        self.editions: dict[str, Edition] = {}
        self.authors: dict[str, str] = {}
        self._approvals: dict[str, list[Recorded]] = defaultdict(list)
        self._persons: dict[UUID, list[Recorded]] = defaultdict(list)
        self._keys: dict[str, list[tuple[int, e.Fact]]] = defaultdict(list)
        self._erased: dict[str, int] = {}
        for recorded in facts:
            match recorded.fact:
                case e.EditionPublished() as fact:
                    self.editions[fact.published] = load_edition(fact.text, file=fact.published)
                    self.authors[fact.published] = author_of(fact)
                case e.RehearsalApproved():
                    self._approvals[str(recorded.originator_id)].append(recorded)
                case e.KeyIssued() | e.KeyRevoked() as fact:
                    self._keys[fact.key].append((recorded.position or 0, fact))
                case e.PersonErased() as fact:
                    self._erased[fact.person] = recorded.position or 0
                case _:
                    self._persons[recorded.originator_id].append(recorded)

    def moment(self, recorded: Recorded, persons: Iterable[str]) -> Moment:
        """The moment at which the event was recorded, as far as persons are concerned."""
        fact, position = recorded.fact, recorded.position or 0
        today = legal_day(recorded.recorded_at) if recorded.recorded_at else fact.effective_on
        return Moment(
            today=today,
            by=fact.by,
            cause=fact.cause,
            editions=self.editions,
            signed_by=fact.signed_by,
            proposal=fact.proposal,
            conflicts=self._conflicts(persons, position, today),
            erased=frozenset(person for person in persons if self._is_erased(person, position)),
        )

    def approvals(self, rehearsal: str, position: int) -> list[e.RehearsalApproved]:
        """The approvals that the rehearsal had by then."""
        told = self._approvals.get(rehearsal, ())
        return [
            each.fact for each in told if isinstance(each.fact, e.RehearsalApproved) and (each.position or 0) < position
        ]

    def problem_with(self, by: e.By, position: int) -> str | None:
        """Why the key was not that person's in that role; None where it was, or where the log says nothing of it."""
        if self._is_erased(by.person, position):
            return "opened nothing any more, since that person had been erased"
        told = [fact for at, fact in self._keys.get(by.key, ()) if at < position]
        if not told:
            return None if by.key not in self._keys else "was issued only later"
        issued = told[0]
        if isinstance(issued, e.KeyIssued) and (issued.person, issued.role) != (by.person, by.role):
            return f"was issued to {issued.person} as {issued.role}"
        return "had been revoked" if isinstance(told[-1], e.KeyRevoked) else None

    def _is_erased(self, person: str, position: int) -> bool:
        return self._erased.get(person, position) < position

    def _conflicts(self, persons: Iterable[str], position: int, day: date) -> dict[str, frozenset[UUID]]:
        found = {person: self._person(person, position) for person in persons}
        return {person: known.conflicts_on(day) for person, known in found.items() if known.version}

    def _person(self, person: str, position: int) -> Person:
        id = id_of(person)
        return person_of(id, [each for each in self._persons.get(id, ()) if (each.position or 0) < position])
