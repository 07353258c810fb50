"""The ledger over HTTP: checkpoints that anybody verifies, and proofs over them."""

from __future__ import annotations

import base64
from datetime import timedelta
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tests.api.office import Office, answered, refused


@pytest.fixture
def office(office: Office) -> Office:
    """Whose ledger has a checkpoint."""
    office.house.checkpoints.pause = timedelta(0)
    office.house.checkpoints.round()  # the key is made, which is an event too
    signed(office)
    return office


def signed(office: Office) -> None:
    """A checkpoint covers everything recorded so far."""
    office.house.catch_up()
    assert office.house.checkpoints.round()


def root_from(index: int, size: int, leaf: bytes, path: list[bytes]) -> bytes:
    """The root that an audit path leads to, by the recursive definition read backwards."""
    if size == 1:
        assert not path
        return leaf
    half = 1
    while half * 2 < size:
        half *= 2
    *below, top = path
    if index < half:
        return sha256(b"\x01" + root_from(index, half, leaf, below) + top).digest()
    return sha256(b"\x01" + top + root_from(index - half, size - half, leaf, below)).digest()


def opened(note: str, vkey: str) -> list[str]:
    """The lines of a note whose signature is right, read by hand."""
    text, signature = note.split("\n\n")
    assert signature.startswith("— ") and signature.endswith("\n")
    name, told = signature[2:-1].split(" ")
    known_name, known_id, known_key = vkey.split("+", 2)
    raw, key = base64.b64decode(told), base64.b64decode(known_key)
    assert name == known_name
    assert key[0] == 1
    assert raw[:4].hex() == known_id == sha256(f"{name}\n".encode() + key).hexdigest()[:8]
    Ed25519PublicKey.from_public_bytes(key[1:]).verify(raw[4:], f"{text}\n".encode())
    return text.split("\n")


def test_an_event_is_proven_to_be_in_a_checkpoint_that_anybody_verifies(office: Office) -> None:
    (vkey,) = office.get("/ledger/keys").text.splitlines()
    note = office.get("/ledger/checkpoint").text
    origin, size, root, position, _ = opened(note, vkey)
    assert int(size) == office.count()
    assert origin.endswith("/ledger")
    for each in (1, 2, office.position // 2, int(position.removeprefix("position "))):
        proof = answered(office.get("/ledger/proof", position=each))
        path = [base64.b64decode(hash) for hash in proof["audit_path"]]
        leaf = base64.b64decode(proof["leaf_hash"])
        assert proof["checkpoint"] == note
        assert root_from(proof["leaf_index"], int(size), leaf, path) == base64.b64decode(root)
