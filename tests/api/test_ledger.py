"""The ledger over HTTP: checkpoints that anybody verifies, and proofs over them."""

from __future__ import annotations

import base64
import re
from datetime import timedelta
from hashlib import sha256

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tests.api.conftest import Staffed, staffed_office
from tests.api.office import Office, answered, refused
from tests.databases import Database
from tests.projections.merkle_naive import root_from_path, roots_from_proof


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


def opened(note: str, vkey: str) -> list[str]:
    """The lines of a note whose signature is right, read by hand."""
    text, signature = note.split("\n\n")
    assert signature.startswith("— ")
    assert signature.endswith("\n")
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
        assert root_from_path(proof["leaf_index"], int(size), leaf, path) == base64.b64decode(root)


def test_the_leaf_is_that_of_the_event_as_it_is_stored(office: Office) -> None:
    with office.house.register.recorder.connection() as connection:
        position, id, version, topic, at, state = connection.execute(
            "SELECT position, originator_id, originator_version, topic, recorded_at, state FROM certlife.events "
            "ORDER BY position DESC LIMIT 1"
        ).fetchone()
    microseconds = int(at.replace(microsecond=0).timestamp()) * 1_000_000 + at.microsecond
    covered = b"".join((
        b"certlife.leaf.v1", position.to_bytes(8, "big"), id.bytes, version.to_bytes(4, "big"),
        microseconds.to_bytes(8, "big"), len(topic).to_bytes(4, "big"), topic.encode(),
        len(state).to_bytes(4, "big"), state,
    ))  # fmt: skip
    proof = answered(office.get("/ledger/proof", position=position))
    assert base64.b64decode(proof["leaf_hash"]) == sha256(b"\x00" + covered).digest()


def test_nothing_changed_between_two_checkpoints(office: Office) -> None:
    (vkey,) = office.get("/ledger/keys").text.splitlines()
    old = office.get("/ledger/checkpoint").text
    office.employs("new", "auditor")
    signed(office)
    _, old_size, old_root, *_ = opened(old, vkey)
    _, new_size, new_root, *_ = opened(office.get("/ledger/checkpoint").text, vkey)
    proof = answered(office.get("/ledger/consistency", **{"from": old_size}))
    assert proof == answered(office.get("/ledger/consistency", **{"from": old_size, "to": new_size}))
    assert proof["old_checkpoint"] == old == office.get("/ledger/checkpoint", size=old_size).text
    path = [base64.b64decode(hash) for hash in proof["path"]]
    roots = roots_from_proof(int(old_size), int(new_size), base64.b64decode(old_root), path)
    assert roots == (base64.b64decode(old_root), base64.b64decode(new_root))
    same = answered(office.get("/ledger/consistency", **{"from": new_size}))
    assert (same["old_size"], same["path"]) == (int(new_size), [])


def test_an_event_is_proven_in_an_older_checkpoint_too(office: Office) -> None:
    size = int(office.get("/ledger/checkpoint").text.splitlines()[1])
    before = answered(office.get("/ledger/proof", position=1))
    office.employs("new", "auditor")
    signed(office)
    assert answered(office.get("/ledger/proof", position=1, size=size)) == before
    assert answered(office.get("/ledger/proof", position=1))["tree_size"] > size


# ---- refused ---------------------------------------------------------------------------------------------------------


def said(office: Office, path: str, **query: object) -> dict[str, object]:
    """The refusal, said in Chinese as well."""
    response = office.client.get(path, params=query, headers={"Accept-Language": "zh-CN"})
    assert re.search(r"[\u4e00-\u9fff]", response.json()["detail"])
    told = office.get(path, **query)
    assert told.json()["code"] == response.json()["code"]
    return refused(told, response.status_code, response.json()["code"])


def test_a_position_past_the_checkpoint_is_not_covered(office: Office) -> None:
    last = office.position
    office.employs("new", "auditor")
    office.house.catch_up()
    problem = said(office, "/ledger/proof", position=last + 1)
    assert (problem["status"], problem["code"], problem["last"]) == (404, "position_not_covered", last)
    signed(office)
    answered(office.get("/ledger/proof", position=last + 1))


def test_a_hole_between_positions_is_told(office: Office, database: Database) -> None:
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        ((hole,),) = owner.execute("SELECT nextval('certlife.events_position_seq')").fetchall()
    office.employs("new", "auditor")
    signed(office)
    problem = said(office, "/ledger/proof", position=hole)
    assert (problem["status"], problem["code"], problem["before"]) == (404, "no_event_at_position", hole - 1)


def test_a_size_that_was_not_published_is_told(office: Office) -> None:
    size = int(office.get("/ledger/checkpoint").text.splitlines()[1])
    for path, query in (
        ("/ledger/checkpoint", {"size": size - 1}),
        ("/ledger/proof", {"position": 1, "size": size + 1}),
        ("/ledger/consistency", {"from": size - 1}),
        ("/ledger/consistency", {"from": 1, "to": size + 1}),
    ):
        problem = said(office, path, **query)
        assert (problem["status"], problem["code"], problem["last"]) == (404, "size_not_published", size)


def test_a_tree_is_no_beginning_of_a_smaller_one(office: Office) -> None:
    size = int(office.get("/ledger/checkpoint").text.splitlines()[1])
    assert said(office, "/ledger/consistency", **{"from": size + 1})["code"] == "sizes_out_of_order"


def test_before_the_first_checkpoint_there_is_none(database: Database, staffed: Staffed) -> None:
    with staffed_office(database, staffed) as office:
        for path, query in (
            ("/ledger/checkpoint", {}),
            ("/ledger/proof", {"position": 1}),
            ("/ledger/consistency", {"from": 1}),
        ):
            assert said(office, path, **query)["code"] == "no_checkpoint_yet"
        assert office.get("/ledger/keys").text == ""


@pytest.mark.parametrize("query", [
    "proof", "proof?position=", "proof?position=0", "proof?position=-1", "proof?position=1.5", "proof?position=abc",
    "proof?position=9999999999999999999999", "proof?position=1&size=0", "proof?position=1&size=x",
    "consistency", "consistency?from=0", "consistency?from=1&to=0", "consistency?from=%00", "checkpoint?size=-1",
])  # fmt: skip
def test_what_makes_no_sense_is_refused(office: Office, query: str) -> None:
    refused(office.client.get(f"/ledger/{query}"), 422, "malformed")


def test_everybody_may_read_it_from_any_page(office: Office) -> None:
    for path in ("checkpoint", "keys", "proof?position=1", "consistency?from=" + str(office.count())):
        response = office.client.get(f"/ledger/{path}", headers={"Authorization": "Bearer nonsense"})
        assert response.status_code == 200
        assert response.headers["access-control-allow-origin"] == "*"
        assert response.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(("damage", "code"), [
    ("DELETE FROM ledger.leaves WHERE leaf_index = 0", "tree_damaged"),
    ("UPDATE ledger.leaves SET hash = sha256(hash) WHERE leaf_index = 0", "ledger_contradicted"),
    ("UPDATE ledger.checkpoints SET note = replace(note, 'position', 'Position')", "not_a_checkpoint"),
])  # fmt: skip
def test_what_is_damaged_is_told_and_proves_nothing(office: Office, database: Database, damage: str, code: str) -> None:
    office.employs("new", "auditor")
    size, last = int(office.get("/ledger/checkpoint").text.splitlines()[1]), office.position
    signed(office)
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        owner.execute(damage)
    for path, query in (("/ledger/proof", {"position": last}), ("/ledger/consistency", {"from": size})):
        problem = said(office, path, **query)
        assert (problem["status"], problem["code"]) == (503, code)
