"""The documents of a certificate: what each says, whether all of it can be printed, and what stands of it today.

Each fact that prints one makes a version of its own, and no version is used twice, also where a re-issue is voided.
"""

import hashlib
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, NamedTuple, Protocol

import msgspec

from lifecycle import errors
from lifecycle import events as e
from lifecycle.amendment import amend
from lifecycle.certificate import Certificate
from lifecycle.rules import Edition, normalise_number

DocumentStanding = Literal[
    "upcoming", "valid", "suspended", "withdrawn", "cancelled", "expired", "superseded", "void", "corrected"
]
"""Upcoming: of a renewal whose period has not begun. Corrected: the record says otherwise by now."""
PRINTER = e.By("certlife", "registrar", "documents")
"""Who seals: the service, in the role to which issuing belongs."""
PRINTED_TEXTS = frozenset({"/holder", "/address", "/scope"})


class Glyphs(Protocol):
    """The characters that the font of the documents can print."""

    def missing(self, text: str) -> str:
        """The characters of the text that would print as a blank or a box, each once."""
        ...


class EveryGlyph:
    """Where nothing is printed, nothing is missing."""

    def missing(self, text: str) -> str:
        return ""


EVERY_GLYPH = EveryGlyph()


@dataclass(frozen=True, slots=True)
class Document:
    """One version: the fact with the version ``of`` prints it; ``seal`` once it was made; void once that fact is."""

    of: int
    fact: e.Certificate
    seal: e.DocumentSealed | None
    void: bool

    @property
    def from_on(self) -> date:
        """The day from which it is the certificate's document: that of a renewal waits for the new period."""
        return self.fact.valid_from if isinstance(self.fact, e.CertificateRenewed) else self.fact.effective_on


@dataclass(frozen=True, slots=True)
class Made:
    """A document as it was made, to be sealed and kept."""

    content: bytes
    pages: int
    facts_sha256: str
    kid: str
    renderer: str
    template_sha256: str


class Sealed(NamedTuple):
    """A document that was made, and its certificate as it stands."""

    certificate: Certificate
    document: Document
    seal: e.DocumentSealed


def documents_of(certificate: Certificate) -> dict[int, Document]:
    """Every version by its number, in order, as it reads with the corrections made so far."""
    amended = {r.version: r.fact for r in amend(certificate.history) if isinstance(r.fact, e.Certificate)}
    seals = {r.fact.of: r.fact for r in certificate.history if isinstance(r.fact, e.DocumentSealed)}
    return {
        r.fact.document: Document(
            r.version, amended.get(r.version, r.fact), seals.get(r.version), r.version not in amended
        )
        for r in certificate.history
        if isinstance(r.fact, e.Certificate)
    }


def last_bearing(certificate: Certificate, number: str) -> int:
    """The last version on which the number is printed."""
    bearing = [
        version
        for version, document in documents_of(certificate).items()
        if normalise_number(document.fact.number) == normalise_number(number)
    ]
    return max(bearing, default=certificate.document)


def next_document(certificate: Certificate) -> int:
    """The version that the next document gets; that of a voided re-issue stays taken."""
    taken = [r.fact.document for r in certificate.history if isinstance(r.fact, e.Certificate)]
    return 1 + max([certificate.document, *taken])


def document_of(certificate: Certificate, number: int) -> Document:
    """Raises DocumentUnknown."""
    found = documents_of(certificate)
    if number not in found:
        listed = ", ".join(map(str, found)) or "none"
        raise errors.DocumentUnknown(certificate=certificate.label, document=number, documents=listed)
    return found[number]


def seal_of(document: Document, made: Made, today: date) -> e.DocumentSealed:
    """The fact that it was made."""
    return e.DocumentSealed(
        effective_on=today,
        by=PRINTER,
        cause=e.Cause("request", f"document-{document.fact.document}"),
        of=document.of,
        number=document.fact.number,
        document=document.fact.document,
        sha256=hashlib.sha256(made.content).hexdigest(),
        size=len(made.content),
        pages=made.pages,
        facts_sha256=made.facts_sha256,
        kid=made.kid,
        renderer=made.renderer,
        template_sha256=made.template_sha256,
    )


def standing_of(certificate: Certificate, document: Document, today: date) -> tuple[DocumentStanding, date | None]:
    """What stands of the document today, and since when where a day is known."""
    if document.void:
        return "void", None
    later = [
        other.from_on
        for number, other in documents_of(certificate).items()
        if number > document.fact.document and not other.void and other.from_on <= today
    ]
    if later:
        return "superseded", min(later)
    standing = certificate.standing_on(today)
    if standing is not None and standing.status not in ("none", "active"):
        return standing.status, standing.since
    if today > document.fact.valid_until:
        return "expired", document.fact.valid_until + e.ONE_DAY
    if today < document.from_on:
        return "upcoming", None
    return _corrected(certificate, document)


def facts_of(certificate: Certificate, fact: e.Certificate) -> dict[str, Any]:
    """What the document says, and its proof vouches for."""
    return {
        "certificate_number": fact.number,
        "document": fact.document,
        "holder": fact.holder,
        "address": fact.address,
        "scope": fact.scope,
        "scheme": certificate.scheme,
        "edition": fact.edition or certificate.edition,
        "certification_type": fact.certification_type,
        "level": fact.level,
        "issued_on": fact.effective_on,
        "valid_from": fact.valid_from,
        "valid_until": fact.valid_until,
        "first_certified_on": fact.first_certified_on,
    }


def canonical(facts: Mapping[str, Any]) -> bytes:
    """The bytes over which the digest of the facts is taken: JSON without spaces, its members in order of name."""
    return msgspec.json.encode(facts, order="sorted")


def digest_of(facts: Mapping[str, Any]) -> str:
    """The SHA-256 of the facts, in hexadecimal."""
    return hashlib.sha256(canonical(facts)).hexdigest()


def require_printable(
    certificate: Certificate, facts: Iterable[e.Fact], editions: Mapping[str, Edition], glyphs: Glyphs
) -> None:
    """Raises Unprintable where a document that these facts print, now or corrected, would show a blank."""
    for fact in facts:
        match fact:
            case e.Certificate():
                require_glyphs(certificate, texts_of(fact, editions[fact.edition or certificate.edition]), glyphs)
            case e.RecordCorrected() if isinstance(certificate.fact(fact.target), e.Certificate):
                changed = {change.path[1:]: change.new for change in fact.changes if change.path in PRINTED_TEXTS}
                require_glyphs(certificate, changed, glyphs)


def texts_of(fact: e.Certificate, edition: Edition) -> dict[str, str]:
    """Every text on the document that is not the template's own."""
    level, type_ = edition.levels[fact.level], edition.certification_types[fact.certification_type]
    return {
        "number": fact.number,
        "holder": fact.holder,
        "address": fact.address,
        "scope": fact.scope,
        "edition": f"{edition.id} {edition.title} {edition.title_en}",
        "level": f"{level.zh} {level.en}",
        "certification type": f"{type_.zh} {type_.en}",
    }


def require_glyphs(certificate: Certificate, texts: Mapping[str, str], glyphs: Glyphs) -> None:
    """Raises Unprintable, naming the text and the characters that the font does not have."""
    for name, text in texts.items():
        if missing := glyphs.missing(text):
            raise errors.Unprintable(what=name, certificate=certificate.label, characters=_named(missing))


def _corrected(certificate: Certificate, document: Document) -> tuple[DocumentStanding, date | None]:
    """Whether the record still says what the sealed document says."""
    seal = document.seal
    if seal is None or seal.facts_sha256 == digest_of(facts_of(certificate, document.fact)):
        return "valid", document.from_on
    corrections = [
        r.fact.effective_on
        for r in certificate.history
        if isinstance(r.fact, e.RecordCorrected) and r.fact.target == document.of
    ]
    return "corrected", max(corrections, default=None)


def _named(characters: str) -> str:
    return ", ".join(
        f"{each if unicodedata.category(each)[0] in 'LNPS' else ''} (U+{ord(each):04X})".strip() for each in characters
    )
