"""One organisation: its unified code, its applications, and the bars against it.

Each application is entered here in the same transaction as on the certificate, so a bar and an application cannot
cross.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID, uuid5

from lifecycle import errors
from lifecycle import events as e
from lifecycle.commands import RegisterOrganisation, SubmitApplication
from lifecycle.decisions.moment import Moment
from lifecycle.events import Recorded

_NAMESPACE = UUID("6f1d0c52-3a5e-5b0e-9a35-5f3b8f0f7a11")
_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


@dataclass(slots=True)
class Organisation:
    """The state of one organisation; ``version`` 0 means it is not registered."""

    id: UUID
    version: int = 0
    unified_code: str = ""
    name: str = ""
    bars: dict[UUID, e.BarImposed] = field(default_factory=dict)


def id_of(unified_code: str) -> UUID:
    """The stream of the organisation with that code: the same code is the same organisation."""
    return uuid5(_NAMESPACE, unified_code)


def fold(id: UUID, history: Iterable[Recorded]) -> Organisation:
    """The organisation; where the stream is that of something else, one that is not registered."""
    organisation = Organisation(id)
    for recorded in history:
        organisation.version = recorded.version
        match recorded.fact:
            case e.OrganisationRegistered() as fact:
                organisation.unified_code, organisation.name = fact.unified_code, fact.name
            case e.BarImposed() as fact:
                organisation.bars[fact.certificate] = fact
            case e.BarLifted() as fact:
                organisation.bars.pop(fact.certificate, None)
    return organisation if organisation.unified_code else Organisation(id)


def register(organisation: Organisation, command: RegisterOrganisation, moment: Moment) -> list[e.Fact]:
    """Raises OrganisationKnown where the code is registered already."""
    code = checked_unified_code(command.unified_code)
    if organisation.version:
        raise errors.OrganisationKnown(unified_code=code, organisation=organisation.id)
    return [
        e.OrganisationRegistered(
            **moment.stamp(moment.today), unified_code=code, name=command.name, address=command.address
        )
    ]


def enter_application(
    organisation: Organisation, certificate: UUID, command: SubmitApplication, moment: Moment
) -> list[e.Fact]:
    """The application's entry. Raises OrganisationUnknown, or Barred while a bar under the scheme runs."""
    if not organisation.version:
        raise errors.OrganisationUnknown(organisation=organisation.id)
    on = command.effective_on or moment.today
    require_no_bar(organisation, command.scheme, on)
    return [e.ApplicationEntered(**moment.stamp(on), certificate=certificate, scheme=command.scheme, kind=command.kind)]


def require_no_bar(organisation: Organisation, scheme: str, on: date) -> None:
    """Raises Barred while a bar under the scheme runs."""
    for bar in organisation.bars.values():
        if bar.scheme == scheme and on <= bar.until_on:
            raise errors.Barred(scheme=bar.scheme, until_on=bar.until_on)


def impose_bar(certificate: UUID, scheme: str, on: date, until_on: date, moment: Moment) -> e.Fact:
    """No application under the scheme until ``until_on``, inclusive."""
    return e.BarImposed(**moment.stamp(on), certificate=certificate, scheme=scheme, until_on=until_on)


def checked_unified_code(text: str) -> str:
    """The 18-character unified social credit code, upper-case without spaces (GB 32100-2015).

    Raises UnifiedCodeMalformed, naming the check character that would be right.
    """
    code = "".join(text.split()).upper()
    if len(code) != 18 or any(character not in _ALPHABET for character in code):
        raise errors.UnifiedCodeMalformed(
            unified_code=code[:40], problem=f"it must be 18 characters of {_ALPHABET}, and is {len(code)}"
        )
    if code[17] != (expected := check_character(code[:17])):
        raise errors.UnifiedCodeMalformed(
            unified_code=code, problem=f"its check character is {code[17]}, expected {expected}"
        )
    return code


def check_character(body: str) -> str:
    """The 18th character that belongs to the first 17 (GB 32100-2015, modulus 31)."""
    total = sum(_ALPHABET.index(character) * pow(3, place, 31) for place, character in enumerate(body))
    return _ALPHABET[-total % 31]
