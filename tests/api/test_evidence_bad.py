"""Bundles that are not what a register made: each is refused, with a message that says in what."""

from __future__ import annotations

import ast
import base64
import json
import zipfile
from collections.abc import Callable, Generator
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

import pytest

from api.evidence import verify
from api.evidence.verify import Refused, checked, named_key
from tests.api.conftest import Staffed
from tests.api.evidenced import Evidenced, evidenced
from tests.api.forging import (
    EVIDENCE,
    LEDGER,
    STRANGER,
    Event,
    Files,
    covered,
    forged,
    packed,
    relisted,
    resigned,
    unpacked,
    vkey,
)
from tests.api.second_verifier import Rejected, accept
from tests.databases import Databases

Bad = Callable[[Evidenced], bytes]


@pytest.fixture(scope="module")
def told(databases: Databases, staffed: Staffed) -> Generator[Evidenced]:
    with evidenced(databases, staffed) as made:
        yield made


def refusal(bundle: bytes, *given: Any, by: ModuleType = verify) -> str | None:
    """The code of the refusal; None where there is none."""
    try:
        list(by.checked(bundle, *given))
    except by.Refused as refused:
        return refused.code
    except by.UNREADABLE:
        return "malformed"
    return None


# ---- one byte --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("edits", [100, pytest.param(1000, marks=pytest.mark.figures)])
def test_every_edit_of_one_byte_is_refused_by_both_verifiers(told: Evidenced, edits: int) -> None:
    chance = Random(edits)
    for _ in range(edits):
        bundle = bytearray(told.bundle)
        at, by = chance.randrange(len(bundle)), chance.randrange(1, 256)
        bundle[at] ^= by
        assert refusal(bytes(bundle)) is not None, (at, by)
        with pytest.raises(Rejected):
            accept(bytes(bundle))


@pytest.mark.parametrize("edits", [10, pytest.param(100, marks=pytest.mark.figures)])
@pytest.mark.parametrize(
    "fitting", [packed, lambda files: packed(relisted(files)), lambda files: packed(resigned(files))]
)
def test_an_edit_of_one_byte_is_refused_however_much_is_made_to_fit(
    told: Evidenced, fitting: Callable[[Files], bytes], edits: int
) -> None:
    """The container made anew; the manifest too; its signature too, by another key."""
    chance = Random(edits)
    for _ in range(edits):
        files = unpacked(told.bundle)
        name = chance.choice(sorted(files.keys() - {"checkpoints.jsonl", "manifest"}))
        content = bytearray(files[name])
        content[chance.randrange(len(content))] ^= chance.randrange(1, 256)
        bundle = fitting(files | {name: bytes(content)})
        assert refusal(bundle) is not None, name
        with pytest.raises(Rejected):
            accept(bundle)


def test_a_bundle_cut_anywhere_is_truncated(told: Evidenced) -> None:
    size = len(told.bundle)
    for cut in (0, 1, 29, 31, 45, 1000, size // 2, size - 1000, size - 23, size - 1):
        assert refusal(told.bundle[:cut]) == ("truncated" if cut > 3 else refusal(told.bundle[:cut]))
        assert refusal(told.bundle[:cut]) is not None
        with pytest.raises(Rejected):
            accept(told.bundle[:cut])


# ---- bad bundles, by the check that finds them -----------------------------------------------------------------------


def files_of(told: Evidenced) -> Files:
    return unpacked(told.bundle)


def before_manifest(told: Evidenced, name: str, content: bytes) -> Files:
    files = files_of(told)
    manifest = files.pop("manifest")
    return files | {name: content, "manifest": manifest}


def without(told: Evidenced, name: str) -> Files:
    return {each: content for each, content in files_of(told).items() if each != name}


def in_another_order(told: Evidenced) -> Files:
    files = files_of(told)
    manifest = files.pop("manifest")
    return dict([*files.items()][::-1]) | {"manifest": manifest}


def deflated(told: Evidenced) -> bytes:
    return packed(files_of(told), compress_type=zipfile.ZIP_DEFLATED)


def bomb(told: Evidenced) -> bytes:
    """A few kilobytes that an ordinary reader would make into 65 MiB."""
    written = BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("events.jsonl", bytes(65 << 20))
    return written.getvalue()


def twice(told: Evidenced) -> bytes:
    written = BytesIO(told.bundle)
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(written, "a") as zipped:
        zipped.writestr("keys", b"")
    return written.getvalue()


def fact(events: list[Event], topic: str) -> dict[str, Any]:
    return next(event["fact"] for event in reversed(events) if event["topic"] == f"{topic}.v1")


def with_fact(topic: str, **changed: Any) -> Bad:
    return lambda told: forged(told.bundle, facts=lambda events: fact(events, topic).update(changed))


def due_later(events: list[Event]) -> None:
    fact(events, "certificate-issued")["due"]["visit_on"] = "2025-02-15"


def past(lines: list[Event]) -> None:
    lines[-1]["position"] += 1


def dropped(lines: list[Event]) -> None:
    del lines[-1]


def another_edition(files: Files) -> None:
    (name,) = (name for name in files if name.startswith("editions/"))
    files[name] = files[name].replace(b'value = "95"', b'value = "85"')


def under_a_hash(*members: str) -> Bad:
    """The last event is put as one that names a stranger's key, in these members, beside its leaf's proven hash."""

    def bad(told: Evidenced) -> bytes:
        files, public = files_of(told), EVIDENCE.public_key().public_bytes_raw()
        fact = {"type": "signing-key-added.v1", "purpose": "evidence"}
        fact["public_key"] = base64.urlsafe_b64encode(public).rstrip(b"=").decode()
        put = {"state": json.dumps(fact), "told": fact}
        *lines, last = [json.loads(line) for line in files["events.jsonl"].splitlines()]
        hash = base64.b64encode(sha256(b"\0" + covered(last)).digest()).decode()
        kept = {name: each for name, each in last.items() if name not in ("state", "topic", "recorded_at")}
        lines.append(kept | {"leaf_hash": hash} | {name: put[name] for name in members})
        events = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
        return packed(resigned(files | {"events.jsonl": events, "keys": files["keys"] + stranger(told)}))

    return bad


BAD: dict[str, tuple[str, Bad]] = {
    "cut short": ("truncated", lambda t: t.bundle[:-1000]),
    "re-zipped with another file": ("unlisted", lambda t: packed(before_manifest(t, "files/" + "0" * 64, b"x"))),
    "re-zipped with another file instead": ("differs", lambda t: packed(files_of(t) | {"documents/1.pdf": b"%PDF-"})),
    "re-zipped without a file": ("missing", lambda t: packed(without(t, "documents/1.pdf"))),
    "re-zipped in another order": ("unlisted", lambda t: packed(in_another_order(t))),
    "re-zipped by an ordinary tool": ("container", deflated),
    "with a comment": ("container", lambda t: t.bundle[:-2] + b"\1\0x"),
    "with something after its end": ("container", lambda t: t.bundle + b"x"),
    "with something before its beginning": ("container", lambda t: b"x" + t.bundle),
    "that unpacks to very much": ("limits", bomb),
    "with a name twice": ("limits", twice),
    "with a name that leads elsewhere": ("limits", lambda t: packed(before_manifest(t, "../page.html", b""))),
    "signed with an unknown key": ("unknown_key", lambda t: packed(resigned(files_of(t)))),
    "signed with a key that the log does not name": (
        "unknown_key",
        lambda t: packed(resigned(files_of(t) | {"keys": files_of(t)["keys"] + stranger(t)})),
    ),
    "signed with a key that is only told of": ("unknown_key", under_a_hash("told")),
    "with words under the hash of others": ("malformed", under_a_hash("state", "told")),
    "signed with the ledger's key": (
        "unknown_key",
        lambda t: packed(resigned(unpacked(forged(t.bundle)), LEDGER, STRANGER)),
    ),
    "whose list was changed": (
        "signature",
        lambda t: packed(files_of(t) | {"manifest": files_of(t)["manifest"].replace(b"for staff", b"for Staff")}),
    ),
    "with the checkpoint of another register": (
        "unknown_key",
        lambda t: packed(resigned(files_of(t) | {"checkpoint": unpacked(forged(t.bundle))["checkpoint"]})),
    ),
    "with a proof past the checkpoint": ("past", lambda t: forged(t.bundle, lines=past)),
    "with an event that is not in the log": (
        "inclusion",
        lambda t: forged(t.bundle, lines=lambda lines: lines[-1].update(recorded_at=lines[-1]["recorded_at"] - 1)),
    ),
    "without its last event but one": ("gap", lambda t: forged(t.bundle, lines=lambda lines: lines.pop(-2))),
    "with another text of the edition": ("differs", lambda t: forged(t.bundle, files=another_edition)),
    "with a better level": ("outcome", with_fact("grade-determined", level="five_star", because="band:five_star")),
    "with a better score": ("outcome", with_fact("grade-determined", score="94/1")),
    "valid for longer": ("outcome", with_fact("certificate-issued", valid_until="2028-01-14")),
    "due later": ("outcome", lambda t: forged(t.bundle, facts=due_later)),
    "with an earlier checkpoint that does not fit": (
        "inconsistent",
        lambda t: forged(t.bundle, files=lambda files: files.update({"checkpoints.jsonl": misfit(files)})),
    ),
    "with events that nobody can read": (
        "malformed",
        lambda t: forged(t.bundle, files=lambda files: files.update({"events.jsonl": b"[" * 100_000})),
    ),
}


def stranger(told: Evidenced) -> bytes:
    register = told.checkpoint.split("\n")[0]
    return f"{vkey(EVIDENCE, f'{register}/evidence')}\n".encode()


def misfit(files: Files) -> bytes:
    """The checkpoint again as an earlier one, with a proof that proves nothing."""
    return json.dumps({"note": files["checkpoint"].decode(), "path": ["AAAA"]}).encode() + b"\n"


@pytest.mark.parametrize("name", BAD)
def test_a_bad_bundle_is_refused_and_the_message_says_in_what(told: Evidenced, name: str) -> None:
    code, bad = BAD[name]
    bundle = bad(told)
    assert refusal(bundle) == code
    if code != "outcome":
        with pytest.raises(Rejected):
            accept(bundle)


class Lenient(ast.NodeTransformer):
    """Refusals with the code are not raised any more."""

    def __init__(self, code: str) -> None:
        self.code = code

    def visit_Raise(self, node: ast.Raise) -> ast.stmt:
        named = {each.value for each in ast.walk(node) if isinstance(each, ast.Constant)}
        return ast.copy_location(ast.Pass(), node) if self.code in named else node


def lenient(code: str) -> ModuleType:
    """The verifier without that check."""
    module, source = ModuleType("lenient"), Path(verify.__file__).read_text()
    tree = Lenient(code).visit(ast.parse(source))
    exec(compile(tree, "lenient", "exec"), vars(module))
    return module


@pytest.mark.parametrize("name", [name for name, (code, _) in BAD.items() if code != "malformed"])
def test_without_that_check_it_would_not_have_been_found_so(told: Evidenced, name: str) -> None:
    """The seeded fault: the same verifier, one of its checks left out."""
    code, bad = BAD[name]
    assert refusal(bad(told), by=lenient(code)) != code


# ---- against what others hold ----------------------------------------------------------------------------------------


def test_a_key_or_checkpoint_of_another_register_is_told(told: Evidenced) -> None:
    own, others = named_key(told.vkey), named_key(vkey(LEDGER, "other.example/ledger"))
    strange = unpacked(forged(told.bundle))["checkpoint"].decode()
    assert refusal(told.bundle, [others]) == "origin"
    assert refusal(told.bundle, [own], [strange]) == "origin"
    assert refusal(told.bundle, (), [strange]) == "origin"


def test_another_key_under_the_same_name_is_unknown(told: Evidenced) -> None:
    assert refusal(told.bundle, [named_key(vkey(LEDGER, told.checkpoint.split("\n")[0]))]) == "unknown_key"


def test_a_bundle_whose_checkpoint_is_older_than_one_already_seen_is_refused(told: Evidenced) -> None:
    newer = _newer(told)
    with pytest.raises(Refused, match=r"older.*sizes \d+, \d+.*早于"):
        list(checked(told.bundle, [named_key(told.vkey)], [newer]))


def test_a_checkpoint_that_nothing_proves_the_beginning_of_it_is_not_enough(told: Evidenced) -> None:
    assert refusal(told.bundle, [named_key(told.vkey)], [told.between]) == "unproven"


def _newer(told: Evidenced) -> str:
    told.office.employs(f"new-{told.office.position}", "auditor")
    told.office.house.catch_up()
    assert told.office.house.checkpoints.round()
    return told.office.get("/ledger/checkpoint").text
