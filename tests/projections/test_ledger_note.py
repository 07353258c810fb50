"""Checkpoints as signed notes: known answers of Go's note package, and every change of one refused."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from projections.note import (
    Checkpoint,
    NoCheckpoint,
    NoteRefused,
    NotSignedByLedger,
    NoVerifierKey,
    SignatureWrong,
    VerifierKey,
    read,
    verified,
    verifier_key,
)

# golang.org/x/mod/sumdb/note: the example's key and signature, and the key of the checksum database.
NEUMANN = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GOLANG = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"
TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)  # fmt: skip
SIGNATURE = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="

PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEY = VerifierKey("register.example/ledger", PRIVATE.public_key().public_bytes_raw())
CHECKPOINT = Checkpoint(KEY.name, 20852163, bytes(range(32)), 20900000, "2026-03-01T00:00:00.5Z")
NOTE = CHECKPOINT.signed(KEY, PRIVATE.sign)


@pytest.mark.parametrize("text", [NEUMANN, GOLANG])
def test_known_keys_are_written_as_they_are_read(text: str) -> None:
    assert str(verifier_key(text)) == text


def test_the_known_signature_bears_the_keys_id_and_is_right() -> None:
    key, signature = verifier_key(NEUMANN), base64.b64decode(SIGNATURE)
    assert signature[:4] == key.id
    Ed25519PublicKey.from_public_bytes(key.public_key).verify(signature[4:], TEXT.encode())


def test_a_note_is_three_parts_to_the_byte() -> None:
    text, signature = NOTE.split("\n\n")
    assert text.splitlines() == [
        "register.example/ledger",
        "20852163",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        "position 20900000",
        "instant 2026-03-01T00:00:00.5Z",
    ]
    dash, name, signed = signature.split(" ")
    raw = base64.b64decode(signed)
    assert (dash.encode().hex(), name, signed[-1]) == ("e28094", KEY.name, "\n")
    assert (raw[:4], len(raw)) == (KEY.id, 68)
    PRIVATE.public_key().verify(raw[4:], f"{text}\n".encode())


def test_a_note_says_what_was_signed() -> None:
    assert verified(NOTE, [KEY]) == read(NOTE) == CHECKPOINT


def test_witnesses_may_sign_too() -> None:
    witness = VerifierKey("witness.example", Ed25519PrivateKey.generate().public_key().public_bytes_raw())
    line = f"— {witness.name} {base64.b64encode(witness.id + bytes(72)).decode()}\n"
    assert verified(NOTE + line, [KEY]) == CHECKPOINT
    head, own = NOTE.split("\n\n")
    assert verified(f"{head}\n\n{line}{own}", [KEY]) == CHECKPOINT


def test_every_one_byte_edit_of_a_note_is_refused() -> None:
    raw = NOTE.encode()
    for at in range(len(raw)):
        before, byte, after = raw[:at], raw[at], raw[at + 1 :]
        for put in (bytes([byte ^ 1]), b"", bytes([byte, byte])):
            with pytest.raises(NoteRefused):
                verified((before + put + after).decode("utf-8", "replace"), [KEY])


def test_a_note_of_another_key_is_refused() -> None:
    other = Ed25519PrivateKey.generate()
    stranger = VerifierKey(KEY.name, other.public_key().public_bytes_raw())
    with pytest.raises(NotSignedByLedger):
        verified(CHECKPOINT.signed(stranger, other.sign), [KEY])
    with pytest.raises(NotSignedByLedger):
        verified(NOTE, [])
    with pytest.raises(SignatureWrong):
        verified(CHECKPOINT.signed(KEY, other.sign), [KEY])


def test_a_note_of_another_log_is_refused_though_one_key_signed_both() -> None:
    elsewhere = VerifierKey("other.example/ledger", KEY.public_key)
    with pytest.raises(NotSignedByLedger):
        verified(CHECKPOINT.signed(elsewhere, PRIVATE.sign), [KEY, elsewhere])


@pytest.mark.parametrize("text", [
    "", "\n\n", "nonsense", TEXT, NOTE.partition("\n\n")[0], NOTE + "more", NOTE.replace("20852163", "020852163"),
    NOTE.replace("AAEC", "!!!!"), NOTE.replace("register", "regi ster"), NOTE.replace("—", "-"),
    NOTE.replace("\n", "\r\n"),
    NOTE.replace("position", "Position"), NOTE.replace("0d0e0f", "") + NOTE,
])  # fmt: skip
def test_what_is_no_note_is_refused(text: str) -> None:
    with pytest.raises((NoCheckpoint, NotSignedByLedger)):
        verified(text, [KEY])


@pytest.mark.parametrize("text", [
    "", "name", "+", "++", NEUMANN[:-1], NEUMANN.replace("c74f20a3", "c74f20a4"), NEUMANN + "\n", NEUMANN.lower(),
    NEUMANN.replace("ARpc", "Ahpc"), "n+" + NEUMANN, NEUMANN.replace("PeterNeumann", "Peter Neumann"),
])  # fmt: skip
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(NoVerifierKey):
        verifier_key(text)
