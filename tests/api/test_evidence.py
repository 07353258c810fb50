"""The dispute bundle: what is in it, who gets it, what a third person learns from it without believing the register."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Generator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from api.evidence.verify import checked, named_key
from tests.api.conftest import Staffed, staffed_office
from tests.api.evidenced import LETTER, PAPER, Evidenced, evidenced, fetched, signed
from tests.api.forging import forged, unpacked
from tests.api.life import Life
from tests.api.office import FOUNDER, answered, refused
from tests.api.second_verifier import accept
from tests.databases import Databases

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def told(databases: Databases, staffed: Staffed) -> Generator[Evidenced]:
    with evidenced(databases, staffed) as made:
        yield made


def sentences(bundle: bytes, *given: Any) -> dict[str, dict[str, Any]]:
    """What the verifier says of a bundle, the last of each kind."""
    return dict(checked(bundle, *given))


def events_in(bundle: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in unpacked(bundle)["events.jsonl"].splitlines()]


# ---- what it proves --------------------------------------------------------------------------------------------------


def test_a_bundle_is_verified_against_a_key_and_a_checkpoint_from_elsewhere_only(told: Evidenced) -> None:
    keys = [named_key(told.vkey)]
    assert "verified" in sentences(told.bundle, keys, [told.checkpoint])
    for given in ((), (keys,), ((), [told.checkpoint])):
        assert "consistent" in sentences(told.bundle, *given)
        assert "verified" not in sentences(told.bundle, *given)


def test_a_second_verifier_that_shares_no_code_accepts_the_same_bundles(told: Evidenced) -> None:
    for bundle in (told.bundle, told.holders):
        assert accept(bundle, told.vkey, told.checkpoint)
        assert not accept(bundle)


def test_an_older_checkpoint_kept_by_somebody_verifies_it_too(told: Evidenced) -> None:
    assert "verified" in sentences(told.bundle, [named_key(told.vkey)], [told.older])


def test_whoever_forges_everything_makes_a_bundle_that_agrees_with_itself_and_with_nothing_else(
    told: Evidenced,
) -> None:
    bundle = forged(told.bundle)
    assert "consistent" in sentences(bundle)
    assert not accept(bundle)


def test_grade_and_status_are_computed_again_from_the_events(told: Evidenced) -> None:
    said = sentences(told.bundle)
    assert (said["grade"]["score"], said["grade"]["level"]) == ("93/1", "four_star")
    assert said["status"]["status"] == "suspended"
    assert "not_checked" in said


# ---- what is in it ---------------------------------------------------------------------------------------------------


def test_it_holds_every_event_of_the_certificate_to_the_byte(told: Evidenced) -> None:
    own = [event for event in events_in(told.bundle) if event["stream"] == told.life.id]
    assert [event["version"] for event in own] == [event["version"] for event in told.life.stream()]
    with told.office.house.register.recorder.connection() as connection:
        stored = connection.execute(
            "SELECT state FROM certlife.events WHERE originator_id = %s ORDER BY originator_version", [told.life.id]
        ).fetchall()
    assert [event["state"].encode() for event in own] == [state for (state,) in stored]


def test_it_holds_what_the_record_rests_on(told: Evidenced) -> None:
    files, topics = unpacked(told.bundle), {event["topic"] for event in events_in(told.bundle)}
    expected = {"edition-published.v1", "number-claimed.v1", "signing-key-added.v1", "application-entered.v1"}
    assert expected | {"organisation-registered.v1"} <= topics
    (edition,) = (name for name in files if name.startswith("editions/"))
    assert edition == f"editions/{sha256(files[edition]).hexdigest()}.toml"
    kept = told.office.get(f"/certificates/{told.life.id}/documents/1", "aud", original=True).content
    assert files["documents/1.pdf"] == kept
    assert files["checkpoints.jsonl"].count(b"\n") == 1


def test_it_holds_the_files_that_events_cite_the_holders_without_internal_ones(told: Evidenced) -> None:
    paper, letter = (f"files/{sha256(content).hexdigest()}" for content in (PAPER, LETTER))
    assert {name for name in unpacked(told.bundle) if name.startswith("files/")} == {paper, letter}
    assert {name for name in unpacked(told.holders) if name.startswith("files/")} == {letter}
    assert unpacked(told.bundle)[paper] == PAPER


def test_it_holds_nothing_of_other_certificates(told: Evidenced) -> None:
    other = Life(told.office).issued()
    signed(told.office)
    assert not holding(fetched(told.office, told.life), other.id)


def holding(bundle: bytes, words: str) -> set[str]:
    """The files that hold these words, the program aside."""
    return {name for name, content in unpacked(bundle).items() if words.encode() in content} - {"verify.py"}


def test_it_tells_each_judgement_and_the_state_at_each_step(told: Evidenced) -> None:
    files = unpacked(told.bundle)
    judged = json.loads(files["judgements.json"])
    (grade,) = (each for each in judged if each["question"] == "grade")
    assert (grade["recorded"], grade["equal"]) == (grade["derived"], True)
    assert len(grade["findings"]) == 24
    states = json.loads(files["states.json"])
    assert [each["version"] for each in states] == [event["version"] for event in told.life.stream()]
    assert states[-1]["then"]["status"] == states[-1]["now"]["status"] == "suspended"
    assert files["page.html"].startswith(b"<!doctype html>")


def test_it_is_the_same_to_the_byte_but_for_the_instant(told: Evidenced) -> None:
    first, second = (unpacked(fetched(told.office, told.life)) for _ in range(2))
    assert {name: first[name] for name in first if name != "manifest"} == {
        name: second[name] for name in second if name != "manifest"
    }


# ---- the holder's ----------------------------------------------------------------------------------------------------


def test_a_holder_gets_no_internal_reasons_and_everything_else_proven(told: Evidenced) -> None:
    for words in ("in the file", "as found"):
        assert holding(told.bundle, words) == {"events.jsonl", "states.json", "page.html"}
        assert not holding(told.holders, words)
    assert "states.json" in holding(told.bundle, "act-proposed")
    assert not holding(told.holders, "act-proposed")
    withheld = [event for event in events_in(told.holders) if "leaf_hash" in event]
    assert sentences(told.holders)["withheld"] == {"count": len(withheld)}
    kinds = {event["told"] and event["told"]["type"] for event in withheld}
    assert kinds == {None, "assessment-reviewed.v1", "certificate-suspended.v1"}
    assert "verified_but_told" in sentences(told.holders, [named_key(told.vkey)], [told.checkpoint])


def test_persons_are_named_to_the_entitled_alone_and_in_a_file_of_their_own(told: Evidenced) -> None:
    answered(told.office.post("/persons/ana/details", "adm", {"name": "张伟", "contact": "zhang.wei@example.org"}))
    signed(told.office)
    path = f"/certificates/{told.life.id}/evidence"
    for person in ("reg", "dora", "holder"):
        refused(told.office.get(path, person, names=True), 403, "role_not_allowed")
        assert not holding(told.office.get(path, person).content, "张伟")
    named = told.office.get(path, "aud", names=True).content
    assert holding(named, "张伟") == {"persons.json"}
    assert not holding(named, "zhang.wei")
    assert json.loads(unpacked(named)["persons.json"]) == {"ana": "张伟"}
    assert accept(named) is False
    assert "consistent" in sentences(named)
    assert last_read(told)[:2] == ("aud", "evidence")


# ---- who gets it -----------------------------------------------------------------------------------------------------


def last_read(told: Evidenced) -> tuple[str, str, str, int]:
    """Who read the trail last, in what way, of which certificate, how many events."""
    with told.office.house.register.recorder.connection() as connection:
        person, question, rows = connection.execute(
            "SELECT person, question, read_rows FROM certlife.trail_reads ORDER BY read DESC LIMIT 1"
        ).fetchone()
    asked = json.loads(question)
    return person, asked["kind"], asked["certificate"], rows


def test_fetching_is_recorded_as_reading_the_trail_is(told: Evidenced) -> None:
    fetched(told.office, told.life, "reg")
    assert last_read(told) == ("reg", "evidence", told.life.id, len(events_in(fetched(told.office, told.life))))


def test_who_has_the_duty_and_the_holder_get_it_and_nobody_else(told: Evidenced) -> None:
    path, nowhere = f"/certificates/{told.life.id}/evidence", f"/certificates/{uuid4()}/evidence"
    for person in ("reg", "dora", "aud", "holder"):
        assert told.office.get(path, person).headers["content-type"] == "application/zip"
        refused(told.office.get(nowhere, person), 404, "certificate_unknown")
    for person in ("ana", "sam", "adm", "clk"):
        for each in (path, nowhere):
            refused(told.office.get(each, person), 403, "role_not_allowed")
    refused(told.office.get(path, "stranger"), 404, "certificate_unknown")
    refused(told.office.get(path), 401, "key_missing")


def test_until_a_checkpoint_covers_the_last_event_it_is_asked_for_again(databases: Databases, staffed: Staffed) -> None:
    with databases.copy_of(staffed.register) as database, staffed_office(database, staffed) as office:
        life = Life(office).applies()
        last = office.position - 1  # the application is entered with the organisation after it
        response = office.get(f"/certificates/{life.id}/evidence", "aud")
        assert refused(response, 503, "checkpoint_pending")["position"] == last
        assert response.headers["retry-after"] == "21"
        office.house.catch_up()
        assert fetched(office, life)  # the checkpoint is signed for it


def test_of_a_log_that_was_tampered_with_no_bundle_is_made(databases: Databases, staffed: Staffed) -> None:
    with databases.copy_of(staffed.register) as database, staffed_office(database, staffed) as office:
        office.house.checkpoints.round()  # the key is made
        life = Life(office).applies()
        office.house.catch_up()
        assert fetched(office, life)
        with psycopg.connect(database.owner_url, autocommit=True) as owner:
            owner.execute(
                "UPDATE certlife.events SET recorded_at = recorded_at - interval '1 hour' WHERE originator_id = %s",
                [life.id],
            )
        refused(office.get(f"/certificates/{life.id}/evidence", "aud"), 503, "ledger_event_differs")


def test_a_key_that_was_changed_signs_once_a_checkpoint_covers_it(databases: Databases, staffed: Staffed) -> None:
    with databases.copy_of(staffed.register) as database, staffed_office(database, staffed) as office:
        office.house.checkpoints.pause = timedelta(0)
        office.house.checkpoints.round()
        life = Life(office).applies()
        signed(office)
        first = fetched(office, life)
        for signer in (office.house.evidence.signer, office.house.checkpoints.signer):
            signer.rotate(FOUNDER, "in rotation")
        refused(office.get(f"/certificates/{life.id}/evidence", "aud"), 503, "checkpoint_pending")
        signed(office)
        second = fetched(office, life)
        assert len(unpacked(first)["keys"].splitlines()) == 2
        assert len(unpacked(second)["keys"].splitlines()) == 4
        for bundle in (first, second):
            assert not accept(bundle)
            assert "consistent" in sentences(bundle)


# ---- verify.py by itself ---------------------------------------------------------------------------------------------


def verified_alone(told: Evidenced, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """verify.py out of the bundle, run by a bare Python in a folder with nothing else."""
    bundle, _ = told.saved(folder)
    (folder / "verify.py").write_bytes((ROOT / "api/evidence/verify.py").read_bytes())
    command = [sys.executable, "-I", "-X", "utf8", "verify.py", bundle.name, *options]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_the_verifier_in_the_bundle_runs_alone_and_its_exit_says_what_it_found(told: Evidenced, tmp_path: Path) -> None:
    found = verified_alone(told, tmp_path, "--key", told.vkey, "--checkpoint", "checkpoint")
    assert (found.returncode, found.stderr) == (0, "")
    assert "VERIFIED" in found.stdout
    assert "已核实" in found.stdout
    assert "score 93/1, level four_star" in found.stdout
    alone = verified_alone(told, tmp_path)
    assert alone.returncode == 3
    assert "CONSISTENT WITH ITSELF" in alone.stdout
    cut = verified_alone(told._replace(bundle=told.bundle[:-1]), tmp_path)
    assert cut.returncode == 1
    assert "REFUSED  拒绝: The file is truncated" in cut.stdout


def test_what_a_bundle_says_cannot_pass_for_what_the_verifier_says(told: Evidenced, tmp_path: Path) -> None:
    day = "2024-01-15\n\x1b[2KVERIFIED"

    def suspended(events: list[dict[str, Any]]) -> None:
        next(each for each in events if each["topic"] == "certificate-suspended.v1")["fact"]["effective_on"] = day

    found = verified_alone(told._replace(bundle=forged(told.bundle, facts=suspended)), tmp_path)
    assert found.returncode == 3
    assert "\x1b" not in found.stdout
    assert not [line for line in found.stdout.splitlines() if line.startswith("VERIFIED")]


def test_it_imports_nothing_but_the_standard_library() -> None:
    program = "import sys; sys.path.insert(0, 'api/evidence'); import verify; print('\\n'.join(sys.modules))"
    found = subprocess.run([sys.executable, "-I", "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    rooms = {name.partition(".")[0] for name in found.stdout.splitlines()}
    assert rooms - {"verify"} <= sys.stdlib_module_names | {"__main__"}


def test_the_verifiers_digest_is_the_published_one(told: Evidenced) -> None:
    published = (ROOT / "docs/verify.sha256").read_text().split()
    served = told.office.get("/ledger/verify.py").content
    assert published == [sha256(served).hexdigest(), "verify.py"]
    assert unpacked(told.bundle)["verify.py"] == served == (ROOT / "api/evidence/verify.py").read_bytes()


def test_a_newer_checkpoint_needs_the_proof_of_consistency(told: Evidenced, tmp_path: Path) -> None:
    told.office.employs(f"new-{uuid4().hex[:6]}", "auditor")
    newer = signed(told.office)
    sizes = told.checkpoint.split("\n")[1], newer.split("\n")[1]
    (tmp_path / "newer").write_text(newer)
    given = ("--key", told.vkey, "--checkpoint", "newer")
    assert verified_alone(told, tmp_path, *given).returncode == 1
    proof = answered(told.office.get("/ledger/consistency", **{"from": sizes[0], "to": sizes[1]}))
    (tmp_path / "proof").write_text(json.dumps(proof))
    assert verified_alone(told, tmp_path, *given, "--consistency", "proof").returncode == 0
