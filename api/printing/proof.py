"""The proof that stands in the QR code: the document's number, version, day and the digest of what it says, signed.

Anybody verifies it offline with the register's published keys; the facts themselves lie in the PDF as ``facts.json``.
"""

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from hashlib import sha256
from io import BytesIO
from typing import Any, NamedTuple
from urllib.parse import quote

import msgspec
import segno

from api.signing import Signer
from lifecycle.documents import canonical
from lifecycle.errors import Refusal

TYP = "document+jwt"


class DocumentKeyMissing(Refusal):
    code = "document_key_missing"
    kind = "unavailable"
    en = "This process has no key to sign documents with at the moment, so none can be made. Those made are given out."
    zh = "本进程目前没有用于证书文本的签名密钥，因此无法制作新的文本；已制作的文本仍可提供。"


class Proof(NamedTuple):
    """A compact JWS, and the key that signed it."""

    signed: str
    kid: str


def proof_of(facts: Mapping[str, Any], signer: Signer, *, simulation: bool) -> Proof:
    """Raises DocumentKeyMissing."""
    if (kid := signer.kid) is None:
        raise DocumentKeyMissing
    claims = {
        "sub": facts["certificate_number"],
        "document": facts["document"],
        "issued_on": facts["issued_on"],
        "sha256": urlsafe_b64encode(sha256(canonical(facts)).digest()).rstrip(b"=").decode(),
    } | ({"simulation": True} if simulation else {})
    return Proof(signer.sign(msgspec.json.encode(claims), TYP).decode(), kid)


def verify_address(public_url: str, number: str) -> str:
    """Where anybody sees what stands of the number now."""
    return f"{public_url}/verify/{quote(number)}"


def qr_code(text: str) -> str:
    """The text as a QR code, in SVG; a seventh of it may be soiled before it is unreadable."""
    drawn = BytesIO()
    segno.make(text, micro=False, error="m", boost_error=False).save(drawn, kind="svg", xmldecl=False, omitsize=True)
    return drawn.getvalue().decode()
