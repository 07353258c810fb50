"""Checkpoints as signed notes (c2sp.org/signed-note, c2sp.org/tlog-checkpoint): written, read, verified with Ed25519.

A note is a text, an empty line, and a line for each signature. The text of a checkpoint is the log's name, the size of
its tree, the root, and here two lines more: the position of the last event covered, and the instant of signing.
"""

import base64
import binascii
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ED25519 = b"\x01"
"""The byte of the kind of signature."""
TEXT = re.compile(
    r"(?P<origin>[^\s+]+)\n(?P<size>0|[1-9][0-9]{0,18})\n(?P<root>[A-Za-z0-9+/]{43}=)\n"
    r"position (?P<position>0|[1-9][0-9]{0,18})\ninstant (?P<instant>[0-9T:.-]{19,26}Z)\n"
)
SIGNATURE = re.compile(r"— (?P<name>[^\s+]+) (?P<signature>[A-Za-z0-9+/]+={0,2})\n")


class NoteRefused(Exception):
    """A text is no checkpoint, or none of the log's keys signed it; the message says which."""


class VerifierKey(NamedTuple):
    """A public key under the name of the log that signs with it."""

    name: str
    public_key: bytes

    @property
    def id(self) -> bytes:
        """The four bytes that signatures bear."""
        return sha256(self.name.encode() + b"\n" + ED25519 + self.public_key).digest()[:4]

    def __str__(self) -> str:
        """The key as verifiers are given it."""
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(ED25519 + self.public_key).decode()}"


def verifier_key(text: str) -> VerifierKey:
    """The key that was written so. Raises NoteRefused."""
    name, _, rest = text.strip().partition("+")
    id, _, encoded = rest.partition("+")
    key = VerifierKey(name, _decoded(encoded)[1:])
    if str(key) != f"{name}+{id}+{encoded}" or len(key.public_key) != 32:
        raise NoteRefused(f"{text[:200]!r} is no verifier key of Ed25519")
    return key


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The tree of a log at a size: ``position`` is that of its last event, ``instant`` that of signing, in UTC."""

    origin: str
    size: int
    root: bytes
    position: int
    instant: str

    @property
    def text(self) -> str:
        """What is signed."""
        root = base64.b64encode(self.root).decode()
        return f"{self.origin}\n{self.size}\n{root}\nposition {self.position}\ninstant {self.instant}\n"

    def signed(self, key: VerifierKey, sign: Callable[[bytes], bytes]) -> str:
        """The note, signed with the private half of the key."""
        signature = base64.b64encode(key.id + sign(self.text.encode())).decode()
        return f"{self.text}\n— {key.name} {signature}\n"


def read(note: str) -> Checkpoint:
    """The checkpoint in a note, whoever signed it. Raises NoteRefused."""
    text = note.partition("\n\n")[0] + "\n"
    found = TEXT.fullmatch(text)
    if found is None:
        raise NoteRefused("this is no checkpoint of a ledger")
    return Checkpoint(
        found["origin"], int(found["size"]), _decoded(found["root"]), int(found["position"]), found["instant"]
    )


def verified(note: str, keys: Iterable[VerifierKey]) -> Checkpoint:
    """The checkpoint in a note that one of the keys signed. Raises NoteRefused."""
    checkpoint, known = read(note), {(key.name, key.id): key for key in keys}
    lines = note.partition("\n\n")[2]
    if not SIGNATURE.match(lines) or SIGNATURE.sub("", lines):
        raise NoteRefused(f"the checkpoint of size {checkpoint.size} bears no signature that can be read")
    for line in SIGNATURE.finditer(lines):
        signature = _decoded(line["signature"])
        key = known.get((line["name"], signature[:4]))
        if key is not None and key.name == checkpoint.origin:
            try:
                Ed25519PublicKey.from_public_bytes(key.public_key).verify(signature[4:], checkpoint.text.encode())
            except InvalidSignature:
                raise NoteRefused(f"the signature of the checkpoint of size {checkpoint.size} is wrong") from None
            return checkpoint
    raise NoteRefused(f"the checkpoint of size {checkpoint.size} is signed by no key of this ledger")


def _decoded(text: str) -> bytes:
    try:
        found = base64.b64decode(text, validate=True)
    except binascii.Error:
        found = b""
    if base64.b64encode(found).decode() != text:
        raise NoteRefused("what should be base64 is not")
    return found
