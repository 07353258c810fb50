"""The documents of certificates: each version made once, its bytes kept, and never given out as what it is no more.

A document is made when it is first asked for, from what the register says of that version; so issuing never waits for
the press, and what cannot be printed is refused before it is issued. The kept bytes are never altered: of a document
that does not stand any more a derived copy is given out, marked across each page, unless the original is asked for.
"""

from base64 import b64encode
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple
from urllib.parse import quote
from uuid import UUID

from api.identity import Identity
from api.lookup import Questions, require_own
from api.printing.press import RENDERER, Mark, Press
from api.printing.proof import proof_of, qr_code, verify_address
from api.signing import Signer
from lifecycle import documents as d
from lifecycle import events as e
from lifecycle.certificate import Certificate
from lifecycle.documents import Document, DocumentStanding, Made, Sealed
from lifecycle.errors import Refusal

MARKS: dict[DocumentStanding, tuple[str, str]] = {
    "suspended": ("已暂停", "SUSPENDED"),
    "withdrawn": ("已撤销", "WITHDRAWN"),
    "cancelled": ("已注销", "CANCELLED"),
    "expired": ("已失效", "EXPIRED"),
    "superseded": ("已被取代", "SUPERSEDED"),
    "void": ("已作废", "VOID"),
    "corrected": ("记录已更正", "CORRECTED SINCE"),
}
"""What is written across a document that does not stand as it was printed."""


class IssuerNotNamed(Refusal):
    code = "issuer_not_named"
    en = "No document is made before the body that issues it is named: set CERTLIFE_ISSUER_ZH and CERTLIFE_ISSUER_EN."
    zh = "尚未指明颁发机构，无法制作证书文本：请设置 CERTLIFE_ISSUER_ZH 与 CERTLIFE_ISSUER_EN。"


class Issuer(NamedTuple):
    """The certification body, as its documents name it."""

    zh: str
    en: str


EXAMPLE = Issuer("示例认证机构", "Example Certification Body")
"""Who issues in a simulation that names nobody."""


class Given(NamedTuple):
    """A document as it is given out today: the kept bytes, or a copy derived from them that says what stands."""

    content: bytes
    tag: str
    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class Documents:
    """The documents of a register that is reached at ``public_url``."""

    questions: Questions
    signer: Signer
    press: Press
    public_url: str
    issuer: Issuer
    simulation: bool

    def of(self, identity: Identity, certificate_id: UUID) -> dict[str, Any]:
        """Every version, what it says and what stands of it today."""
        certificate = self.certificate(identity, certificate_id)
        today = self.questions.today()
        return {"items": [self._view(certificate, each, today) for each in d.documents_of(certificate).values()]}

    def original(self, identity: Identity, certificate_id: UUID, number: int) -> Given:
        """The kept bytes.

        Raises DocumentUnknown, DocumentNeverMade, and where it is yet to be made Unprintable, IssuerNotNamed,
        DocumentKeyMissing.
        """
        return self._as_kept(self._sealed(identity, certificate_id, number), self.questions.today())

    def current(self, identity: Identity, certificate_id: UUID, number: int) -> Given:
        """The kept bytes where they stand as printed, else the derived copy that says what stands. Raises the same."""
        found, today = self._sealed(identity, certificate_id, number), self.questions.today()
        standing, since = d.standing_of(found.certificate, found.document, today)
        if standing not in MARKS:
            return self._as_kept(found, today)
        copy = self.press.copy(self._kept(found.seal), found.seal.pages, _mark(standing, since, today))
        return Given(copy, f'W/"{found.seal.sha256}-{standing}-{today}"', _headers(found, today))

    # ---- making ------------------------------------------------------------------------------------------------------

    def made(self, certificate: Certificate, document: Document) -> Made:
        """The document as the press makes it now; the same whenever it is made, with the same key."""
        fact, issuer = document.fact, self.named_issuer()
        facts = d.facts_of(certificate, fact)
        edition = self.questions.register.editions[facts["edition"]]
        texts = d.texts_of(fact, edition) | {"issuer": " ".join(issuer)}
        d.require_glyphs(certificate, texts, self.questions.register.glyphs)
        proof = proof_of(facts, self.signer, simulation=self.simulation)
        verify_at = verify_address(self.public_url, fact.number)
        level, type_ = edition.levels[fact.level], edition.certification_types[fact.certification_type]
        face = {
            "facts": d.canonical(facts).decode(),
            "edition": {"zh": edition.title, "en": edition.title_en},
            "level": {"zh": level.zh, "en": level.en, "stars": level.stars},
            "type": {"zh": type_.zh, "en": type_.en},
            "issuer": issuer._asdict(),
            "simulation": self.simulation,
            "verify_at": verify_at,
            "qr_svg": qr_code(f"{verify_at}?p={proof.signed}"),
        }
        printed = self.press.document(face)
        return Made(printed.content, printed.pages, d.digest_of(facts), proof.kid, RENDERER, self.press.template_sha256)

    def named_issuer(self) -> Issuer:
        """Who issues. Raises IssuerNotNamed where the register is no simulation."""
        if all(self.issuer):
            return self.issuer
        if not self.simulation:
            raise IssuerNotNamed
        return EXAMPLE

    # ---- telling -----------------------------------------------------------------------------------------------------

    def certificate(self, identity: Identity, certificate_id: UUID) -> Certificate:
        """The certificate, if the asker may know of it. Raises CertificateUnknown."""
        certificate = self.questions.register.certificate(certificate_id)
        require_own(identity, certificate_id, certificate.organisation)
        return certificate

    def _sealed(self, identity: Identity, certificate_id: UUID, number: int) -> Sealed:
        self.certificate(identity, certificate_id)
        return self.questions.register.seal_document(certificate_id, number, self.made)

    def _as_kept(self, found: Sealed, today: date) -> Given:
        digest = b64encode(bytes.fromhex(found.seal.sha256)).decode()
        headers = _headers(found, today) | {"Repr-Digest": f"sha-256=:{digest}:"}
        return Given(self._kept(found.seal), f'"{found.seal.sha256}"', headers)

    def _kept(self, seal: e.DocumentSealed) -> bytes:
        return self.questions.register.recorder.document(bytes.fromhex(seal.sha256))

    def _view(self, certificate: Certificate, document: Document, today: date) -> dict[str, Any]:
        standing, since = d.standing_of(certificate, document, today)
        facts, seal = d.facts_of(certificate, document.fact), document.seal
        return {
            "document": document.fact.document,
            "of": document.of,
            "standing": standing,
            "standing_since": since,
            "facts": facts,
            "facts_sha256": d.digest_of(facts),
            "sealed": seal and {name: getattr(seal, name) for name in SEALED},
        }


def _headers(found: Sealed, today: date) -> dict[str, str]:
    """What stands of the document, and where the latest version and the original are."""
    standing, since = d.standing_of(found.certificate, found.document, today)
    here, number = f"/certificates/{found.certificate.id}/documents", found.seal.document
    told = {
        "Cache-Control": "private, no-cache",
        "Content-Disposition": f"inline; filename*=UTF-8''{quote(found.seal.number)}-{number}.pdf",
        "Document-Standing": standing,
        "Link": f'<{here}/{found.certificate.document}>; rel="latest-version", '
        f'<{here}/{number}?original=true>; rel="original"',
    }
    return told | ({"Document-Standing-Since": since.isoformat()} if since else {})


def _mark(standing: DocumentStanding, since: date | None, today: date) -> Mark:
    zh, en = MARKS[standing]
    from_zh, from_en = (f"（自 {since} 起）", f" from {since} on") if since else ("", "")
    return Mark(zh, en, f"截至 {today}：{zh}{from_zh}。", f"As of {today}: {en.lower()}{from_en}.")


SEALED = ("sha256", "size", "pages", "kid", "renderer", "template_sha256", "effective_on")
"""What is told of a document that was made."""
