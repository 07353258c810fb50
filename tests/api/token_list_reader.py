"""Reads a status list token as a stranger would: from draft-ietf-oauth-status-list-18 alone, sections 4.1, 5.1 and 8.3.

It shares no code with the package, and verifies with another library than the one that signs.
"""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

import jwt
from jwt import PyJWKSet

Json = dict[str, Any]


def verified(token: bytes | str, jwks: Json, *, at: int | None = None) -> tuple[Json, Json]:
    """Header and claims of a JWT that one of the keys signed, and that holds at the instant, or now."""
    text = token.decode() if isinstance(token, bytes) else token
    header = jwt.get_unverified_header(text)
    key = next(key for key in PyJWKSet.from_dict(jwks).keys if key.key_id == header["kid"])
    options = {"verify_exp": at is None, "verify_iat": at is None}
    claims = jwt.decode(text, key, algorithms=["EdDSA"], options=options)
    if at is not None:
        assert claims["iat"] <= at < claims["exp"], "it does not hold at that instant"
    return header, claims


def status_at(token: bytes | str, jwks: Json, uri: str, index: int, *, at: int | None = None) -> int:
    """The status value of the entry. AssertionError where nothing can be said of it."""
    header, claims = verified(token, jwks, at=at)
    assert header["typ"] == "statuslist+jwt"
    assert claims["sub"] == uri
    assert claims["ttl"] > 0
    return value(claims["status_list"], index)


def value(status_list: Json, index: int) -> int:
    """The entry: bits within a byte are counted from the least significant, bytes from the first."""
    bits = status_list["bits"]
    assert bits in (1, 2, 4, 8)
    octets = zlib.decompress(_base64url(status_list["lst"]))
    octet, within = divmod(index * bits, 8)
    assert octet < len(octets), "the index is out of bounds"
    return (octets[octet] >> within) & ((1 << bits) - 1)


def payload(token: str) -> Json:
    """What a token says, whoever signed it."""
    return json.loads(_base64url(token.split(".")[1]))


def _base64url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
