"""Bundles made by somebody who has everything but the register's keys: contents, log, signatures, all their own.

It packs with ``zipfile`` and hashes by the book (``merkle_naive``): it shares nothing with what makes or checks them.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from hashlib import sha256
from io import BytesIO
from typing import Any
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.projections import merkle_naive

Files = dict[str, bytes]
Event = dict[str, Any]
STRANGER = "stranger.example/ledger"
LEDGER, EVIDENCE = (Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in (1, 2))


def unpacked(bundle: bytes) -> Files:
    with ZipFile(BytesIO(bundle)) as zipped:
        return {name: zipped.read(name) for name in zipped.namelist()}


def packed(files: Files, **deviating: Any) -> bytes:
    """The zip that these files make, as a register writes it; ``deviating`` in what is said of each file."""
    written = BytesIO()
    with ZipFile(written, "w", ZIP_STORED) as zipped:
        for name, content in files.items():
            info = ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.create_system, info.external_attr = 3, 0o100644 << 16
            for field, value in deviating.items():
                setattr(info, field, value)
            zipped.writestr(info, content)
    return written.getvalue()


def listed(files: Files, head: str) -> str:
    """The manifest of these files."""
    rows = (
        f"{sha256(content).hexdigest()} {len(content)} {name}\n"
        for name, content in files.items()
        if name != "manifest"
    )
    return head + "".join(rows)


def head_of(files: Files) -> str:
    """What stands before the list in their manifest."""
    return "\n".join(files["manifest"].decode().split("\n")[:5]) + "\n"


def relisted(files: Files) -> Files:
    """The manifest lists the files as they are, under the old signature."""
    _, _, signature = files["manifest"].decode().partition("\n\n")
    manifest = listed(files, head_of(files)) + "\n" + signature
    return {**{name: each for name, each in files.items() if name != "manifest"}, "manifest": manifest.encode()}


def resigned(files: Files, key: Ed25519PrivateKey = EVIDENCE, name: str | None = None) -> Files:
    """The manifest lists the files as they are, signed with that key under the register's name."""
    head = head_of(files)
    register = head.split("\n")[1].removeprefix("register ")
    manifest = note(listed(files, head), key, name or f"{register}/evidence")
    return {**{name: each for name, each in files.items() if name != "manifest"}, "manifest": manifest.encode()}


def note(text: str, key: Ed25519PrivateKey, name: str) -> str:
    signature = base64.b64encode(bytes.fromhex(vkey(key, name).split("+")[1]) + key.sign(text.encode())).decode()
    return f"{text}\n— {name} {signature}\n"


def vkey(key: Ed25519PrivateKey, name: str) -> str:
    public = b"\x01" + key.public_key().public_bytes_raw()
    id = sha256(name.encode() + b"\n" + public).hexdigest()[:8]
    return f"{name}+{id}+{base64.b64encode(public).decode()}"


def covered(event: Event) -> bytes:
    """What the leaf of an event covers."""
    topic, state = event["topic"].encode(), event["state"].encode()
    return b"".join((
        b"certlife.leaf.v1", event["position"].to_bytes(8, "big"), bytes.fromhex(event["stream"].replace("-", "")),
        event["version"].to_bytes(4, "big"), event["recorded_at"].to_bytes(8, "big"),
        len(topic).to_bytes(4, "big"), topic, len(state).to_bytes(4, "big"), state,
    ))  # fmt: skip


def forged(
    genuine: bytes,
    *,
    facts: Callable[[list[Event]], object] = lambda events: None,
    lines: Callable[[list[Event]], object] = lambda lines: None,
    files: Callable[[Files], object] = lambda files: None,
    origin: str = STRANGER,
) -> bytes:
    """A bundle over a log of the forger's own: the genuine events, each ``fact`` as edited, and all proofs made to fit;
    then ``lines`` and ``files`` edited, and signed."""
    made = unpacked(genuine)
    events = [json.loads(line) for line in made["events.jsonl"].splitlines()]
    for event in events:
        event["fact"] = json.loads(event["state"])
    _own_keys(events)
    facts(events)
    for event in events:
        event["state"] = json.dumps(event.pop("fact"), ensure_ascii=False, separators=(",", ":"))
    entries = [covered(event) for event in events]
    for index, event in enumerate(events):
        path = [base64.b64encode(each).decode() for each in merkle_naive.path(index, entries)]
        event |= {"leaf_index": index, "path": path}
    root = base64.b64encode(merkle_naive.mth(entries)).decode()
    text = f"{origin}\n{len(events)}\n{root}\nposition {events[-1]['position']}\ninstant 2024-01-15T02:00:00Z\n"
    lines(events)
    made |= {
        "events.jsonl": b"".join(json.dumps(event, ensure_ascii=False).encode() + b"\n" for event in events),
        "checkpoint": note(text, LEDGER, origin).encode(),
        "checkpoints.jsonl": b"",
        "keys": f"{vkey(LEDGER, origin)}\n{vkey(EVIDENCE, f'{origin}/evidence')}\n".encode(),
        "manifest": made["manifest"].replace(made["manifest"].split(b"\n")[1], f"register {origin}".encode(), 1),
    }
    files(made)
    return packed(resigned(made))


def _own_keys(events: list[Event]) -> None:
    """The keys that the log names are the forger's."""
    own = {"ledger": LEDGER, "evidence": EVIDENCE}
    for fact in (event["fact"] for event in events):
        if fact["type"] == "signing-key-added.v1" and fact["purpose"] in own:
            public = own[fact["purpose"]].public_key().public_bytes_raw()
            fact["public_key"] = base64.urlsafe_b64encode(public).rstrip(b"=").decode()
