"""Facts as questions read them: of each the fields that are asked or taken in, under the same topic and names.

Most of a fact says who did it, for whom and why; to read that of every fact of a register would take as long as to ask
it. Where a correction, a change of grade or an adoption stands in a stream, its facts are read and folded whole: these
go back to all that was found.
"""

from collections.abc import Mapping
from typing import Any, TypeVar, Union

import msgspec

from lifecycle import events as e

T = TypeVar("T")


class Seen(msgspec.Struct, gc=False):
    """Of a finding, which element was seen: a visit is graded only where it changed the grade."""

    element: str


_ALWAYS = ("effective_on", "case", "edition")
_SITE = ("on_site_to", "findings", "due")
_DOCUMENT = ("number", "document", "holder", "valid_from", "valid_until", "first_certified_on",
             "level", "due")  # fmt: skip
_READ: dict[type[e.Fact], tuple[str, ...]] = {
    e.ApplicationSubmitted: ("kind", "scheme", "certification_type", "accepts_conformity"),
    e.AssessmentRecorded: (*_SITE, "deductions"),
    e.NonconformityClosed: ("element",),
    e.GradeDetermined: ("level", "score", "because"),
    e.CertificateIssued: _DOCUMENT,
    e.CertificateRenewed: _DOCUMENT,
    e.CertificateReissued: _DOCUMENT,
    e.SurveillanceRecorded: (*_SITE, "quota"),
    e.GradeChanged: (),
    e.CertificateSuspended: ("ends_on",),
    e.SuspensionExtended: ("ends_on",),
    e.CertificateReinstated: (),
    e.CertificateWithdrawn: (),
    e.CertificateCancelled: (),
    e.EditionAdopted: (),
    e.RecordCorrected: (),
}


def _narrowed(fact: type[e.Fact], read: tuple[str, ...]) -> type[msgspec.Struct]:
    types = {"findings": tuple[Seen, ...]} if fact is e.SurveillanceRecorded else {}
    fields = [
        (each.name, types.get(each.name, each.type), *(() if each.required else (each.default,)))
        for each in msgspec.structs.fields(fact) if each.name in _ALWAYS + read
    ]  # fmt: skip
    return msgspec.defstruct(fact.__name__, fields, tag_field="type", tag=e.topic_of(fact), kw_only=True, gc=False)


_NARROW: dict[type[e.Fact], type[Any]] = {fact: _narrowed(fact, read) for fact, read in _READ.items()}

TOPICS = frozenset(map(e.topic_of, _NARROW))
"""The facts that are read: those that ask, and those on which what is asked depends."""

WHOLE = frozenset({_NARROW[e.RecordCorrected], _NARROW[e.GradeChanged], _NARROW[e.EditionAdopted]})
"""Where one of these stands in a stream, its facts are read whole."""

decode_lines = msgspec.json.Decoder(Union[tuple(_NARROW.values())]).decode_lines  # noqa: UP007 - as events.AnyFact


def for_both(table: Mapping[type[e.Fact], T]) -> dict[type[Any], T]:
    """The table, saying of narrow facts what it says of whole ones."""
    return {**table, **{_NARROW[fact]: said for fact, said in table.items() if fact in _NARROW}}
