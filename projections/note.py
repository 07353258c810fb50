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

from lifecycle.errors import Refusal

ED25519 = b"\x01"
"""The byte of the kind of signature."""
TEXT = re.compile(
    r"(?P<origin>[^\s+]+)\n(?P<size>0|[1-9][0-9]{0,17})\n(?P<root>[A-Za-z0-9+/]{43}=)\n"
    r"position (?P<position>0|[1-9][0-9]{0,17})\ninstant (?P<instant>[0-9T:.-]{19,26}Z)\n"
)
SIGNATURE = re.compile(r"— (?P<name>[^\s+]+) (?P<signature>[A-Za-z0-9+/]+={0,2})\n")


class NoteRefused(Refusal):
    """A note, or the key that it is held to, is not what it should be."""

    kind = "unavailable"


class NoCheckpoint(NoteRefused):
    code = "not_a_checkpoint"
    en = "{where} is no checkpoint of a ledger."
    zh = "{where} 不是台账检查点。"


class NotSignedByLedger(NoteRefused):
    code = "checkpoint_not_signed"
    en = "The checkpoint of size {size} ({where}) is signed by no key of the ledger {origin} that is known here."
    zh = "大小为 {size} 的检查点（{where}）未由此处所知的台账 {origin} 的任何密钥签名。"


class SignatureWrong(NoteRefused):
    code = "checkpoint_signature_wrong"
    en = "The signature of the checkpoint of size {size} ({where}) is wrong: it was changed after it had been signed."
    zh = "大小为 {size} 的检查点（{where}）签名不符：签名之后内容被改动。"


class NoVerifierKey(NoteRefused):
    code = "not_a_verifier_key"
    en = "{text} is no verifier key of Ed25519: NAME+ID+KEY is asked for, as GET /ledger/keys gives it."
    zh = "{text} 不是 Ed25519 验证密钥：应为 GET /ledger/keys 所给的 NAME+ID+KEY。"


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
    """The key that was written so. Raises NoVerifierKey."""
    name, _, rest = text.partition("+")
    key = VerifierKey(name, _decoded(rest.partition("+")[2])[1:])
    if str(key) != text or len(key.public_key) != 32:
        raise NoVerifierKey(text=ascii(text[:200]))
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
        return signed_note(self.text, key, sign)


def signed_note(text: str, key: VerifierKey, sign: Callable[[bytes], bytes]) -> str:
    """The text, which ends with a line, and the line of its signature."""
    signature = base64.b64encode(key.id + sign(text.encode())).decode()
    return f"{text}\n— {key.name} {signature}\n"


def read(note: str, where: str = "this") -> Checkpoint:
    """The checkpoint in a note, whoever signed it; ``where`` it was found. Raises NoCheckpoint."""
    found = TEXT.fullmatch(note.partition("\n\n")[0] + "\n")
    root = _decoded(found["root"]) if found else b""
    if found is None or len(root) != 32:
        raise NoCheckpoint(where=where)
    return Checkpoint(found["origin"], int(found["size"]), root, int(found["position"]), found["instant"])


def verified(note: str, keys: Iterable[VerifierKey], where: str = "this") -> Checkpoint:
    """The checkpoint in a note that one of the keys signed. Raises NoCheckpoint, NotSignedByLedger, SignatureWrong."""
    checkpoint, known = read(note, where), {(key.name, key.id): key for key in keys}
    lines = note.partition("\n\n")[2]
    if SIGNATURE.sub("", lines):
        raise NoCheckpoint(where=where)
    for line in SIGNATURE.finditer(lines):
        signature = _decoded(line["signature"])
        key = known.get((line["name"], signature[:4]))
        if key is not None and key.name == checkpoint.origin:
            if not _is_signed(key, signature[4:], checkpoint.text.encode()):
                raise SignatureWrong(size=checkpoint.size, where=where)
            return checkpoint
    raise NotSignedByLedger(size=checkpoint.size, where=where, origin=checkpoint.origin)


def _is_signed(key: VerifierKey, signature: bytes, text: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key.public_key).verify(signature, text)
    except InvalidSignature:
        return False
    return True


def _decoded(text: str) -> bytes:
    """The bytes, where they are written in the one way in which base64 writes them; else none."""
    try:
        found = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
    return found if base64.b64encode(found).decode() == text else b""
