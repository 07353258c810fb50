"""Name and contact of persons: sealed, opened for whoever may read them, wrapped anew under another master key.

That somebody reads is recorded before anything is told, as reads of the trail are. What is kept is held to the log: it
must be what the last fact about it vouches for.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any, NamedTuple, Protocol

import msgspec

from lifecycle import events as e
from lifecycle.errors import DetailsBroken, MasterKeyMissing, PersonUnknown
from lifecycle.persons import sealing
from lifecycle.persons.person import Person, id_of
from lifecycle.persons.sealing import Details, MasterKey, NotOpened, Row, SealedDetails
from lifecycle.service import Register
from lifecycle.sql import load
from lifecycle.store import Recorder
from lifecycle.trail_reads import TrailReads

SQL = load("personal")
PAGE = 1_000
NOTHING = Details()
FIRST_NEEDED = e.By("certlife", "administrator", "first-need")
ENTITLED: frozenset[e.Role] = frozenset({"administrator", "auditor"})
"""Who reads names and contacts; everybody else one's own alone."""


class MasterKeys(Protocol):
    """Where master keys lie, outside the database."""

    def make(self) -> MasterKey: ...

    def find(self, kid: str) -> MasterKey:
        """Raises MasterKeyMissing."""
        ...

    def remove(self, kid: str) -> None: ...


class Named(NamedTuple):
    """A person as a reader may know one: ``pseudonym`` for this answer alone, details where the reader is entitled."""

    pseudonym: str
    details: Details | None = None


class Rewrapped(NamedTuple):
    """How many keys are wrapped anew by now, and the person whose key would not open."""

    done: int
    broken: str | None = None


class Personal:
    """What is kept of persons beside the log."""

    def __init__(self, register: Register, masters: MasterKeys) -> None:
        self.register = register
        self.masters = masters
        self.recorder: Recorder = register.recorder  # pyright: ignore[reportAttributeAccessIssue]

    # ---- reading -----------------------------------------------------------------------------------------------------

    def read(self, by: e.By, name: str) -> tuple[Person, Details]:
        """The person and what is kept, nothing of one who was erased; that it was read is recorded.

        Raises PersonUnknown, MasterKeyMissing, DetailsBroken.
        """
        person = self.register.person(name)
        if not person.version:
            raise PersonUnknown(person=name)
        self._record(by, {"kind": "person", "person": name}, 1)
        return person, self.open(person, name)

    def names_of(self, names: Iterable[str], by: e.By, **question: Any) -> dict[str, Named]:
        """Each person as the reader may know one: with name and contact where entitled, which is recorded.

        Pseudonyms are numbers in the order given, so that those of two answers tell nothing of each other.
        ``question`` says what for. Raises MasterKeyMissing, DetailsBroken.
        """
        numbered = {name: Named(f"P{number}") for number, name in enumerate(dict.fromkeys(names), 1)}
        if by.role not in ENTITLED:
            return numbered
        self._record(by, {"kind": "persons", **question, "persons": list(numbered)}, len(numbered))
        return {
            name: known._replace(details=self.open(self.register.person(name), name))
            for name, known in numbered.items()
        }

    def open(self, person: Person, name: str) -> Details:
        """What is kept of the person. Raises MasterKeyMissing, DetailsBroken."""
        if person.digest is None:
            return NOTHING
        with self.recorder.connection() as connection:
            found = connection.execute(SQL["select_details"], {"person": name}).fetchone()
        if found is None or found[0] is None:
            return self._gone(person, name)
        row = Row(*found)
        try:
            return sealing.opened(person.id, row, self.masters.find(row.master), person.digest)
        except NotOpened:
            return self._gone(person, name)

    def _gone(self, person: Person, name: str) -> Details:
        """What does not fit the person as read a moment ago: given anew or erased since, or else broken."""
        now = self.register.person(name)
        if now.version == person.version:
            raise DetailsBroken(person=name)
        return self.open(now, name)

    def _record(self, by: e.By, question: dict[str, Any], rows: int) -> None:
        asked = msgspec.json.encode(question).decode()
        TrailReads(self.recorder).record(by, asked, rows, self.register.clock.instant())

    # ---- sealing -----------------------------------------------------------------------------------------------------

    def seal(self, name: str, details: Details) -> SealedDetails:
        """The details, ready to be kept; the register gets its first master key when it first needs one.

        Raises MasterKeyMissing.
        """
        kid = self.recorder.master_key() or self._first_master_key()
        return sealing.seal(name, id_of(name), details, self.masters.find(kid))

    def look_for_master_key(self) -> None:
        """Where the one in force is not at hand it is logged now, not only when a name is first asked for."""
        if (kid := self.recorder.master_key()) is not None:
            with suppress(MasterKeyMissing):
                self.masters.find(kid)

    def _first_master_key(self) -> str:
        return self.change_master_key(FIRST_NEEDED, "", instead_of=None)

    # ---- master keys -------------------------------------------------------------------------------------------------

    def change_master_key(self, by: e.By, reason: str, instead_of: str | None) -> str:
        """The kid of the master key in force: a new one, unless another process was faster. Old ones stay in the folder
        for what they still wrap."""
        made = self.masters.make()
        if self.register.name_master_key(by, made.kid, reason, instead_of):
            return made.kid
        self.masters.remove(made.kid)
        return self.recorder.master_key() or made.kid

    def rewrap(self) -> Iterator[Rewrapped]:
        """Every key that another master key wraps is wrapped by the one in force; stopped, it goes on when begun again.

        Raises MasterKeyMissing.
        """
        kid = self.recorder.master_key()
        if kid is None:
            return
        new, done = self.masters.find(kid), 0
        for name, row in self._wrapped_otherwise(kid):
            try:
                after = sealing.rewrapped(id_of(name), row, self.masters.find(row.master), new)
            except (NotOpened, MasterKeyMissing):
                yield Rewrapped(done, name)
                continue
            sent = {"person": name, "master": kid, "before": row.wrapped_key, "after": after}
            with self.recorder.connection() as connection:
                ((still,),) = connection.execute(SQL["rewrap_key"], sent).fetchall()
            done += still  # or it was given anew, or erased, meanwhile
            yield Rewrapped(done)

    def _wrapped_otherwise(self, kid: str) -> Iterator[tuple[str, Row]]:
        bounds = {"master": kid, "after": "", "limit": PAGE}
        while True:
            with self.recorder.connection() as connection:
                page = connection.execute(SQL["select_wrapped_otherwise"], bounds).fetchall()
            yield from ((name, Row(*row)) for name, *row in page)
            if len(page) < PAGE:
                return
            bounds["after"] = page[-1][0]
