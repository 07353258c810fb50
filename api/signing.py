"""What the register signs: public answers and status lists, as compact JWS that anybody verifies offline.

The keys are Ed25519, one folder for each purpose. The public halves are facts of the register, so every process gives
the same JWKS, and a key that was replaced long ago still verifies what it signed.
"""

import threading
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
import structlog
from eventsourcing.persistence import PersistenceError
from fastapi import APIRouter, Response
from joserfc import jws
from joserfc.jwk import KeySet, OKPKey

from api.forms import JWT, Form, Volatile, Written
from api.key_folder import CURVE, KeyFolder
from lifecycle import events as e
from lifecycle.errors import Refusal
from lifecycle.periods import legal_day
from lifecycle.service import Register
from lifecycle.signing_keys import SigningKey, SigningKeys

JWKS = "application/jwk-set+json"
ALGORITHM = "EdDSA"
STATUS_ANSWER = "certificate-status+jwt"
FIRST_START = e.By("certlife", "administrator", "first-start")
DOCUMENTED: dict[int | str, dict[str, Any]] = {200: {"content": {JWKS: {"schema": {"type": "object"}}}}}
EVERYWHERE = {"Access-Control-Allow-Origin": "*"}
"""Pages of others may read what is public and signed."""

_encode = msgspec.json.Encoder().encode
_log = structlog.get_logger()


class SigningKeyMissing(Refusal):
    code = "signing_key_missing"
    kind = "unavailable"
    en = "This process has no key to sign with at the moment. The unsigned answer is given as application/json."
    zh = "本进程目前没有可用的签名密钥。未签名的答案以 application/json 提供。"


class StaleNotSigned(Refusal):
    code = "stale_not_signed"
    kind = "unavailable"
    en = (
        "The register is known to be complete until {complete_until} only, and an answer that old is not signed. "
        "It is given unsigned as application/json."
    )
    zh = "登记册仅确认完整至 {complete_until}，过期答案不予签名。未签名的答案以 application/json 提供。"


class RestrictedNotSigned(Refusal):
    code = "restricted_not_signed"
    kind = "invalid"
    en = (
        "Signed answers are given for legal days up to {today}, as known now: anything else would pass for what the "
        "public is told. Ask for application/json."
    )
    zh = "仅对 {today} 及以前的法定日、按当前所知签发签名答案。请以 application/json 查询。"


class _WithoutWarning(jws.JWSRegistry):
    """joserfc warns of "EdDSA" at each signature; docs/decisions.md says why it is the name to use."""

    def get_alg(self, name: str) -> jws.JWSAlgModel:
        return self.algorithms[name]


_REGISTRY = _WithoutWarning(algorithms=[ALGORITHM])


class Claims(msgspec.Struct, frozen=True, gc=False):
    """What a signed answer says beside the plain one; ``current``: it is about today, as known now."""

    current: bool
    iss: str
    iat: int
    exp: int


class _Current(NamedTuple):
    kid: str
    key: OKPKey


class Signer:
    """Signs for one purpose with the key that the register names, as long as its private half is in the folder."""

    def __init__(self, register: Register, folder: KeyFolder, purpose: str) -> None:
        self.purpose = purpose
        self._register = register
        self._folder = folder
        self._known = SigningKeys()
        self._current: _Current | None = None
        self._missed: str | None = None
        self._refreshing = threading.Lock()

    @property
    def kid(self) -> str | None:
        """The key that is signed with at the moment."""
        return self._current.kid if self._current else None

    def sign(self, payload: bytes, typ: str) -> bytes:
        """The compact JWS of the payload. Raises SigningKeyMissing."""
        if self._current is None:
            raise SigningKeyMissing
        kid, key = self._current
        header = {"alg": ALGORITHM, "kid": kid, "typ": typ}
        return jws.serialize_compact(header, payload, key, registry=_REGISTRY).encode()

    def verified_by(self, token: bytes) -> str:
        """The kid of the published key that the token's signature fits. Raises JoseError if it fits none."""
        published = {"keys": [_jwk(key) for key in self._known.of(self.purpose)]}
        keys = KeySet.import_key_set(published)  # pyright: ignore[reportArgumentType]
        return str(jws.deserialize_compact(token, keys, registry=_REGISTRY).headers()["kid"])

    def begin(self) -> None:
        """There is a key to sign with: a register that has none gets its first. Raises KeyFolderRefused."""
        if self._register.signing_keys().current(self.purpose) is None:
            key = self._folder.make()
            self._register.add_first_signing_key(FIRST_START, _public_half(self.purpose, key))
            if str(key.kid) not in self._register.signing_keys().by_kid:  # another process was faster
                self._folder.remove(str(key.kid))
        self.refresh()

    def rotate(self, by: e.By, reason: str) -> str:
        """The kid of a new key, which signs from now on; the old ones sign no more, what they signed still verifies.

        Raises KeyFolderRefused.
        """
        key = self._folder.make()
        self._register.add_signing_key(by, _public_half(self.purpose, key), reason)
        self.refresh()
        for old in self._known.of(self.purpose):
            if old.retired:
                self._folder.remove(old.kid)
        return str(key.kid)

    def refresh(self) -> None:
        """It signs with the key that the register names now. Raises KeyFolderRefused, and signs nothing then."""
        with self._refreshing:
            self._known = self._register.signing_keys(self._known)
            named = self._known.current(self.purpose)
            if named is None or named.kid == self.kid:
                return
            self._current = None
            private = self._folder.find(named.kid)
            if private is not None:
                self._current = _Current(named.kid, private)
            elif named.kid != self._missed:
                _log.error("the signing key is not kept here", kid=named.kid, folder=str(self._folder.path))
            self._missed = None if private else named.kid

    def public_keys(self) -> dict[str, list[dict[str, str]]]:
        """Every key that ever signed for the purpose, as a JWK Set; those known so far while there is no database."""
        with self._refreshing:
            try:
                self._known = self._register.signing_keys(self._known)
            except PersistenceError:
                if not self._known.by_kid:
                    raise
            return {"keys": [_jwk(key) for key in self._known.of(self.purpose)]}


def signed(signer: Signer, issuer: str) -> Form:
    """The form of an answer that is signed."""
    return lambda public, volatile: Written(JWT, answer_jwt(signer, issuer, public, volatile))


def answer_jwt(signer: Signer, issuer: str, public: bytes, volatile: Volatile) -> bytes:
    """The answer, signed: what anybody may ask, and nothing that is stale.

    Raises StaleNotSigned, RestrictedNotSigned, SigningKeyMissing.
    """
    today = legal_day(volatile.computed_at)
    if volatile.known_at is not None or volatile.on > today:
        raise RestrictedNotSigned(today=today)
    if volatile.stale:
        raise StaleNotSigned(complete_until=volatile.complete_until)
    claims = Claims(volatile.on == today, issuer, _seconds(volatile.computed_at), _seconds(volatile.expires_at))
    payload = b",".join((public[:-1], _encode(volatile)[1:-1], _encode(claims)[1:]))
    return signer.sign(payload, STATUS_ANSWER)


def router(signers: Iterable[Signer]) -> APIRouter:
    """Where the public halves are found."""
    routes = APIRouter()

    @routes.get("/.well-known/jwks.json", tags=["published"], response_class=Response, responses=DOCUMENTED)
    def jwks() -> Response:
        """Every key that ever signed a public answer, a status list or a document: all of it is verified offline."""
        headers = EVERYWHERE | {"Cache-Control": "no-cache"}
        keys = [key for signer in signers for key in signer.public_keys()["keys"]]
        return Response(_encode({"keys": keys}), headers=headers, media_type=JWKS)

    return routes


def _public_half(purpose: str, key: OKPKey) -> SigningKey:
    return SigningKey(purpose, str(key.kid), CURVE, str(key.as_dict(private=False)["x"]))


def _jwk(key: SigningKey) -> dict[str, str]:
    """RFC 8037. No "alg": libraries differ in its name for this curve, and refuse a key that bears the other."""
    return {"kty": "OKP", "crv": key.curve, "x": key.public_key, "kid": key.kid, "use": "sig"}


def _seconds(instant: datetime) -> int:
    return int(instant.timestamp())
