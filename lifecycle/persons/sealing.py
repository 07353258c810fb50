"""Name and contact of a person, sealed: AES-256-GCM and an HMAC under a key drawn for them alone, which is wrapped by a
master key. Everything is bound to the person's stream, so that no row opens in another's place.
"""

import hmac
import os
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from lifecycle.store import Beside

DETAILS, KEY = b"certlife personal details v1", b"certlife key of a person v1"
KEY_BYTES, NONCE_BYTES, STEP = 32, 12, 256
"""A person's key is two of that size: one that seals, one for the digest. What is sealed is padded to whole steps, so
that its length tells little."""


class Details(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What is kept of a person beside the log."""

    name: str | None = None
    contact: str | None = None

    def __repr__(self) -> str:
        return "Details(...)"  # no trace of a failure tells them


class MasterKey(NamedTuple):
    """A key that wraps the keys of persons; ``kid`` is its RFC 7638 thumbprint."""

    kid: str
    secret: bytes


class Row(NamedTuple):
    """What the database keeps of the details of one person."""

    master: str
    wrapped_key: bytes
    sealed: bytes


class SealedDetails(NamedTuple):
    """Details ready to be kept beside the fact that bears their ``digest``."""

    digest: str
    kept: Beside


class NotOpened(Exception):
    """What is kept was sealed for something else, by something else, or changed since."""


def seal(person: str, stream: UUID, details: Details, master: MasterKey) -> SealedDetails:
    """The details under a new key."""
    key = os.urandom(2 * KEY_BYTES)
    plain = msgspec.json.encode(details)
    padded = plain.ljust(-(-len(plain) // STEP) * STEP)
    row = Row(master.kid, _wrap(stream, key, master), _close(key[:KEY_BYTES], padded, _place(DETAILS, stream)))
    parameters: dict[str, Any] = {"person": person} | row._asdict()
    return SealedDetails(_digest(key, padded), ("keep_details", parameters))


def opened(stream: UUID, row: Row, master: MasterKey, digest: str) -> Details:
    """The details of which the log holds that digest. Raises NotOpened."""
    key = _unwrap(stream, row, master)
    padded = _open(key[:KEY_BYTES], row.sealed, _place(DETAILS, stream))
    if not hmac.compare_digest(_digest(key, padded), digest):
        raise NotOpened
    return msgspec.json.decode(padded, type=Details)


def rewrapped(stream: UUID, row: Row, old: MasterKey, new: MasterKey) -> bytes:
    """The same key of the person, wrapped by another master key. Raises NotOpened."""
    return _wrap(stream, _unwrap(stream, row, old), new)


def _wrap(stream: UUID, key: bytes, master: MasterKey) -> bytes:
    return _close(master.secret, key, _place(KEY, stream, master.kid))


def _unwrap(stream: UUID, row: Row, master: MasterKey) -> bytes:
    return _open(master.secret, row.wrapped_key, _place(KEY, stream, master.kid))


def _place(purpose: bytes, stream: UUID, kid: str = "") -> bytes:
    """What is sealed there opens there alone."""
    return purpose + stream.bytes + kid.encode()


def _digest(key: bytes, padded: bytes) -> str:
    return hmac.digest(key[KEY_BYTES:], DETAILS + padded, "sha256").hex()


def _close(key: bytes, plain: bytes, bound_to: bytes) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, bound_to)


def _open(key: bytes, sealed: bytes, bound_to: bytes) -> bytes:
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound_to)
    except (InvalidTag, ValueError) as error:
        raise NotOpened from error
