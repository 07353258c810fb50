"""What can be asked of persons where name and contact are given: to register one, to give them anew, to erase one.

The plain text goes no further than this room: what is recorded, receipted and stored is sealed, or a keyed digest.
"""

from collections.abc import Callable
from typing import Any

from lifecycle import commands as c
from lifecycle import errors
from lifecycle.persons import person
from lifecycle.persons.details import NOTHING, Personal
from lifecycle.persons.sealing import Details, SealedDetails
from lifecycle.service import TRIES
from lifecycle.store import MasterKeyReplaced
from lifecycle.work import Answer, Request

PERSONAL = ("name", "contact")
"""Members of a request's body that its digest must not cover: whoever guessed them could confirm it for ever."""

UNSEALED = SealedDetails("0" * 64, ("keep_details", {}))
"""What a dry run goes by: it draws no key, and shows no digest."""

WithDetails = c.RegisterPerson | c.GiveDetails


class Persons:
    """The commands, carried out on a register as every other is."""

    def __init__(self, personal: Personal) -> None:
        self.personal = personal
        self.register = personal.register

    def add(self, request: Request, command: c.RegisterPerson) -> Answer:
        """The person is registered, under an id that the register gives where none is given. Raises PersonKnown."""
        name = command.person or self._new_id()
        known = c.RegisterPerson(person=name)
        if (details := _details(command)) == NOTHING:
            return self.register.register_person(request, known)
        return self._with(request, name, details, lambda sealed: self.register.register_person(request, known, sealed))

    def give_details(self, request: Request, name: str, command: c.GiveDetails) -> Answer:
        """Name and contact stand in place of those before. Raises PersonUnknown, PersonErased."""
        if (details := _details(command)) == NOTHING:
            raise errors.Malformed(problem="give a name, a contact, or both; to end what is kept, erase the person")

        def given(sealed: SealedDetails) -> Answer:
            return self.register.on_person(
                request,
                name,
                command,
                lambda found, moment: person.give_details(found, name, sealed.digest, moment),
                [sealed.kept],
            )

        return self._with(request, name, details, given)

    def erase(self, request: Request, name: str, command: c.ErasePerson) -> Answer:
        """What is kept of the person is destroyed. Raises PersonUnknown, PersonErased, ErasesOneself."""
        return self.register.on_person(
            request,
            name,
            command,
            lambda found, moment: person.erase(found, name, command, moment),
            [("erase_person", {"person": name})],
        )

    def _with(self, request: Request, name: str, details: Details, act: Callable[[SealedDetails], Answer]) -> Answer:
        """What the act answers once the details are sealed under the master key that is in force then."""
        if request.dry_run:
            return act(UNSEALED)
        for _ in range(TRIES):
            try:
                sealed = self.personal.seal(name, details)
                answer = act(sealed)
            except MasterKeyReplaced:
                continue
            self._require_given(request, answer, answer.person or name, details, sealed)
            return answer
        raise errors.LostRace(certificate=name)

    def _require_given(
        self, request: Request, answer: Answer, name: str, details: Details, sealed: SealedDetails
    ) -> None:
        """Raises IdempotencyKeyReused where the answer was given before, to other details.

        They are held to what is kept, as long as that is what was given then: after that nobody can tell any more.
        """
        stands = self.register.person(name)
        given = {each["version"] for each in answer.events}
        if stands.digest == sealed.digest or stands.given not in given:
            return
        if self.personal.open(stands, name) != details:
            raise errors.IdempotencyKeyReused(key=request.idempotency_key)

    def _new_id(self) -> str:
        """An id that nobody has; of two who draw the same at once, one is refused."""
        while self.register.person(name := person.new_id()).version:
            pass
        return name


def withheld(body: dict[str, Any]) -> dict[str, Any]:
    """The body with its personal members unsaid: that they were there counts, what they say does not."""
    return {name: None if name in PERSONAL else value for name, value in body.items()}


def _details(command: WithDetails) -> Details:
    return Details(name=command.name, contact=command.contact)
