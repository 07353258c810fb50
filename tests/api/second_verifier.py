"""A second verifier of bundles, which shares no code with the package nor with ``verify.py``: formats read by hand,
signatures by ``cryptography``, zips by ``zipfile``, trees by the book. It asks no edition: outcomes are the first's.
"""

from __future__ import annotations

import base64
import json
import re
import tomllib
from hashlib import sha256
from io import BytesIO
from typing import Any
from zipfile import ZipFile

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tests.api.forging import Event, Files, covered, packed
from tests.projections.merkle_naive import leaf, root_from_path, roots_from_proof

Keys = list[tuple[str, bytes]]


class Rejected(Exception):
    """The bundle is not what a register made."""


def accept(bundle: bytes, vkey: str | None = None, checkpoint: str | None = None) -> bool:
    """Whether the bundle agrees with a key and a checkpoint from elsewhere too. Raises Rejected."""
    try:
        return _accept(bundle, vkey, checkpoint)
    except Rejected:
        raise
    except Exception as error:
        raise Rejected(repr(error)) from error


def _accept(bundle: bytes, vkey: str | None, checkpoint: str | None) -> bool:
    with ZipFile(BytesIO(bundle)) as zipped:
        names = zipped.namelist()
        _require(len(set(names)) == len(names), "a name twice")
        _require(all(info.file_size == info.compress_size for info in zipped.infolist()), "packed")
        files = {name: zipped.read(name) for name in names}
    _require(packed(files) == bundle, "not the zip that these files make")
    keys = [_key(line) for line in files["keys"].decode().splitlines()]
    head, rows = _manifest(files, keys)
    _require([name for *_, name in rows] == [*files][:-1], "other files")
    for digest, size, name in rows:
        _require((sha256(files[name]).hexdigest(), len(files[name])) == (digest, int(size)), name)
    size, root, position = _checkpoint(files["checkpoint"].decode(), head["register"], keys)
    events = [_proven(json.loads(line), size, root, position) for line in files["events.jsonl"].splitlines()]
    own = [event for event in events if event["stream"] == head["certificate"]]
    _require([event["version"] for event in own] == [*range(1, len(own) + 1)] and bool(own), "a gap")
    _require_keys(events, keys, head["register"])
    _require_kept(events, own, files)
    for line in files["checkpoints.jsonl"].splitlines():
        earlier = json.loads(line)
        old_size, old_root, _ = _checkpoint(earlier["note"], head["register"], keys)
        path = [base64.b64decode(each) for each in earlier["path"]]
        _require(roots_from_proof(old_size, size, old_root, path) == (old_root, root), "not consistent")
    if vkey is None or checkpoint is None:
        return False
    name, key = _key(vkey)
    _require(_checkpoint(files["checkpoint"].decode(), name, [(name, key)])[:2] == (size, root), "another log's key")
    return _checkpoint(checkpoint, head["register"], [(name, key)])[:2] == (size, root)


def _require(holds: bool, problem: str) -> None:
    if not holds:
        raise Rejected(problem)


def _id(name: str, key: bytes) -> bytes:
    return sha256(f"{name}\n".encode() + b"\x01" + key).digest()[:4]


def _key(line: str) -> tuple[str, bytes]:
    name, _, rest = line.partition("+")
    kind_and_key = base64.b64decode(rest[9:], validate=True)
    _require(kind_and_key[0] == 1 and len(kind_and_key) == 33, "no key")
    _require(rest[:9] == f"{_id(name, kind_and_key[1:]).hex()}+", "another key's id")
    return name, kind_and_key[1:]


def _opened(note: str, keys: Keys) -> tuple[str, str]:
    found = re.fullmatch(r"(?s)(.+\n)\n— (\S+) (\S+)\n", note)
    _require(found is not None, "no note")
    text, name, signature = found.groups()  # pyright: ignore[reportOptionalMemberAccess]
    raw = base64.b64decode(signature, validate=True)
    _require(base64.b64encode(raw).decode() == signature, "written another way")
    public = next(key for known, key in keys if (known, _id(known, key)) == (name, raw[:4]))
    Ed25519PublicKey.from_public_bytes(public).verify(raw[4:], text.encode())
    return text, name


def _manifest(files: Files, keys: Keys) -> tuple[dict[str, str], list[list[str]]]:
    text, name = _opened(files["manifest"].decode(), keys)
    version, *lines = text.splitlines()
    _require(version == "certlife.evidence.v1", "another format")
    head = dict(line.split(" ") for line in lines[:4])
    _require([*head] == ["register", "certificate", "for", "instant"], "another format")
    _require(name == f"{head['register']}/evidence", "signed by another")
    return head, [line.split(" ") for line in lines[4:]]


def _checkpoint(note: str, name: str, keys: Keys) -> tuple[int, bytes, int]:
    text, signer = _opened(note, keys)
    origin, size, root, position, _ = text.splitlines()
    _require(origin == signer == name, "another log")
    return int(size), base64.b64decode(root, validate=True), int(position.removeprefix("position "))


def _proven(event: Event, size: int, root: bytes, position: int) -> Event:
    _require(("leaf_hash" in event) != ("state" in event), "words under a hash that is not theirs")
    hash = base64.b64decode(event["leaf_hash"]) if "leaf_hash" in event else leaf(covered(event))
    path = [base64.b64decode(each) for each in event["path"]]
    _require(event["leaf_index"] < size and event["position"] <= position, "past the checkpoint")
    _require(root_from_path(event["leaf_index"], size, hash, path) == root, "not in the log")
    return event | {"fact": json.loads(event["state"]) if "state" in event else event["told"] or {}}


def _require_keys(events: list[Event], keys: Keys, register: str) -> None:
    added: set[tuple[Any, bytes]] = set()
    for fact in (event["fact"] for event in events if "state" in event):
        if fact.get("type") == "signing-key-added.v1":
            added.add((fact["purpose"], base64.urlsafe_b64decode(fact["public_key"] + "=")))
    for name, public in keys:
        purpose = {register: "ledger", f"{register}/evidence": "evidence"}[name]
        _require((purpose, public) in added, "a key that the log does not name")


def _require_kept(events: list[Event], own: list[Event], files: Files) -> None:
    published = {event["fact"].get("published"): event["fact"] for event in events}
    for edition in {event["fact"]["edition"] for event in own if "edition" in event["fact"]}:
        text = files[f"editions/{published[edition]['digest']}.toml"].decode()
        _require(text == published[edition]["text"], "another edition")
        _require(sha256(text.encode()).hexdigest() == published[edition]["digest"], "another edition")
        _require(tomllib.loads(text)["edition"]["id"] == edition, "another edition")
    for fact in (event["fact"] for event in own):
        if fact.get("type") == "document-sealed.v1":
            _require(sha256(files[f"documents/{fact['document']}.pdf"]).hexdigest() == fact["sha256"], "a document")
    for name, content in files.items():
        _require(not name.startswith("files/") or sha256(content).hexdigest() == name[6:], name)
