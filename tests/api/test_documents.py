"""Documents as they are fetched: made once, kept, proved by their QR code, and marked where they stand no more."""

import base64
import json
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from secrets import token_hex
from shutil import copytree
from typing import Any
from uuid import UUID

import jwt
import psycopg
import pytest
from jwt import PyJWKSet

from api.cli import main
from api.main import application
from api.printing import documents, proof
from api.printing.press import Press, Printed
from lifecycle.documents import canonical, document_of
from lifecycle.store import Recorder
from tests.api.life import Json, Life, later, life_at, reasons
from tests.api.office import FOUNDER, Office, answered, office_of, refused
from tests.api.pdf import Pdf
from tests.api.test_signing import jwks
from tests.api.test_signing_keys import operators
from tests.databases import Database


def fetched(life: Life, number: int = 1, person: str = "aud", **query: Any) -> Any:
    response = life.office.get(f"/certificates/{life.id}/documents/{number}", person, **query)
    assert (response.status_code, response.headers["content-type"]) == (200, "application/pdf"), response.text
    return response


def listed(life: Life, person: str = "aud") -> list[Json]:
    return answered(life.office.get(f"/certificates/{life.id}/documents", person))["items"]


def reissued(life: Life, **texts: str) -> Life:
    life.does("reissues", "reg", {"reasons": reasons("name_changed"), **texts})
    return life


def kept(database: Database) -> dict[str, bytes]:
    """Every document in the database, by its digest."""
    with psycopg.connect(database.owner_url) as owner:
        rows = owner.execute("SELECT sha256, content FROM certlife.documents").fetchall()
    return {digest.hex(): content for digest, content in rows}


def seals(life: Life) -> list[Json]:
    return [event for event in life.stream() if event["type"] == "document-sealed.v1"]


# ---- made once, and kept ---------------------------------------------------------------------------------------------


def test_a_document_is_made_when_it_is_first_asked_for_and_never_again(office: Office, database: Database) -> None:
    life = life_at(office, "active")
    assert (listed(life)[0]["sealed"], kept(database)) == (None, {})
    first = fetched(life, person="holder")
    with office.recording_nothing():
        assert fetched(life).content == fetched(life, original=True).content == first.content
    (seal,) = seals(life)
    assert kept(database) == {seal["sha256"]: first.content}
    assert seal["sha256"] == sha256(first.content).hexdigest()
    assert (seal["size"], seal["pages"], seal["of"]) == (len(first.content), 1, life.version_of("certificate-issued"))
    assert seal["renderer"].startswith("typst ")


def test_its_answer_carries_its_digest_and_a_caller_who_has_it_is_told_so(office: Office) -> None:
    life = life_at(office, "active")
    response = fetched(life)
    digest = sha256(response.content)
    assert response.headers["etag"] == f'"{digest.hexdigest()}"'
    assert response.headers["repr-digest"] == f"sha-256=:{base64.b64encode(digest.digest()).decode()}:"
    assert response.headers["content-disposition"] == f"inline; filename*=UTF-8''{life.number}-1.pdf"
    headers = office.bearing("aud") | {"If-None-Match": response.headers["etag"]}
    again = office.client.get(f"/certificates/{life.id}/documents/1", headers=headers)
    assert (again.status_code, again.content) == (304, b"")


def test_another_process_over_the_same_facts_makes_the_same_bytes(office: Office, database: Database) -> None:
    life = life_at(office, "active")
    with operators(office, database) as elsewhere:
        application(elsewhere)
        certificate = elsewhere.register.certificate(UUID(life.id))
        made = elsewhere.documents.made(certificate, document_of(certificate, 1))
    assert made.content == fetched(life).content


def test_many_who_ask_at_once_are_given_one_document(office: Office, database: Database) -> None:
    life = life_at(office, "active")
    with ThreadPoolExecutor(6) as threads:
        contents = set(threads.map(lambda _: fetched(life).content, range(6)))
    assert len(contents) == len(kept(database)) == len(seals(life)) == 1


def test_no_bytes_are_kept_without_the_fact_that_seals_them(database: Database) -> None:
    with psycopg.connect(database.service_url) as service, pytest.raises(psycopg.Error) as refused:
        service.execute("SELECT certlife.keep_document('x')")
    assert refused.value.sqlstate == "CL003"


def test_the_database_holds_no_bytes_under_another_digest(database: Database) -> None:
    with psycopg.connect(database.owner_url) as owner, pytest.raises(psycopg.errors.CheckViolation):
        owner.execute("INSERT INTO certlife.documents VALUES (sha256('x'), 'y', now())")


def test_what_the_document_says_is_told_beside_its_digest(office: Office) -> None:
    life = life_at(office, "active")
    attached = Pdf(fetched(life).content).attachments()["facts.json"]
    (told,) = listed(life, "holder")
    assert json.loads(attached) == told["facts"]
    assert sha256(attached).hexdigest() == told["facts_sha256"] == seals(life)[0]["facts_sha256"]
    assert told["sealed"]["sha256"] == seals(life)[0]["sha256"]


# ---- the proof in the QR code ----------------------------------------------------------------------------------------


def proof_in(content: bytes) -> tuple[str, str]:
    """The address and the proof that the QR code holds."""
    (text,) = Pdf(content).qr_codes()
    address, _, proof = text.partition("?p=")
    return address, proof


def proved(proof: str, keys: Json) -> Json:
    """The claims of a proof that one of the keys signed."""
    kid = jwt.get_unverified_header(proof)["kid"]
    key = next(key for key in PyJWKSet.from_dict(keys).keys if key.key_id == kid)
    return jwt.decode(proof, key, algorithms=["EdDSA"])


def test_the_qr_code_leads_to_the_verify_page_with_a_proof_that_verifies_offline(office: Office) -> None:
    life = life_at(office, "active")
    content = fetched(life).content
    address, proof = proof_in(content)
    assert address == f"{office.house.settings.public_address}/verify/{life.number}"
    facts = sha256(Pdf(content).attachments()["facts.json"]).digest()
    assert proved(proof, jwks(office)) == {
        "sub": life.number, "document": 1, "issued_on": "2024-01-15", "simulation": True,
        "sha256": base64.urlsafe_b64encode(facts).rstrip(b"=").decode(),
    }  # fmt: skip
    assert jwt.get_unverified_header(proof) == {
        "alg": "EdDSA", "kid": seals(life)[0]["kid"], "typ": "document+jwt",
    }  # fmt: skip


def test_the_address_in_the_qr_code_shows_what_stands(office: Office) -> None:
    life = life_at(office, "active")
    (address,) = Pdf(fetched(life).content).qr_codes()
    office.house.catch_up()
    page = office.client.get(address.removeprefix(office.house.settings.public_address))
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert life.number in page.text


@pytest.mark.parametrize("part", [0, 1, 2], ids=["header", "claims", "signature"])
def test_a_proof_of_which_one_byte_differs_verifies_no_more(office: Office, part: int) -> None:
    _, proof = proof_in(fetched(life_at(office, "active")).content)
    keys = jwks(office)
    assert proved(proof, keys)
    parts = proof.split(".")
    octets = bytearray(base64.urlsafe_b64decode(parts[part] + "=="))
    for at in (0, len(octets) // 2, len(octets) - 1):
        changed = octets[:]
        changed[at] ^= 1
        parts[part] = base64.urlsafe_b64encode(changed).rstrip(b"=").decode()
        with pytest.raises((jwt.InvalidTokenError, StopIteration, KeyError)):
            proved(".".join(parts), keys)


def test_the_qr_code_is_read_from_a_marked_copy_too(office: Office) -> None:
    life = life_at(office, "suspended")
    assert proof_in(fetched(life).content) == proof_in(fetched(life, original=True).content)


def test_a_proof_outlives_the_key_that_signed_it(office: Office) -> None:
    old, new = life_at(office, "active"), life_at(office, "active")
    before = proof_in(fetched(old).content)[1]
    kid = office.house.documents.signer.rotate(FOUNDER, "yearly")
    after = proof_in(fetched(new).content)[1]
    assert jwt.get_unverified_header(before)["kid"] != jwt.get_unverified_header(after)["kid"] == kid
    assert proved(before, jwks(office))["sub"] == old.number
    assert proved(after, jwks(office))["sub"] == new.number
    assert proof_in(fetched(old).content)[1] == before, "what was kept is not signed anew"


def test_a_service_at_work_notices_that_the_document_key_was_changed(office: Office, database: Database) -> None:
    with operators(office, database) as elsewhere:
        kid = elsewhere.documents.signer.rotate(FOUNDER, "yearly")
    office.house.publishing.round()
    assert office.house.documents.signer.kid == kid


# ---- every re-issue is a version of its own --------------------------------------------------------------------------


def test_every_reissue_is_a_document_of_its_own_and_the_old_one_is_marked(office: Office) -> None:
    life = life_at(office, "active")
    first = fetched(life)
    office.moves_to(later(life, 30))
    reissued(life, holder="New Name Ltd")
    second = fetched(life, 2)
    assert "NewNameLtd" in Pdf(second.content).texts()[0]
    assert [(each["document"], each["standing"]) for each in listed(life)] == [(1, "superseded"), (2, "valid")]

    marked, original = fetched(life, 1), fetched(life, 1, original=True)
    assert original.content == first.content, "the kept bytes are as they were"
    assert "已被取代·SUPERSEDED" in Pdf(marked.content).texts()[0]
    assert "SUPERSEDED" not in "".join(Pdf(original.content).texts())
    for response in (marked, original):
        assert response.headers["document-standing"] == "superseded"
        assert response.headers["document-standing-since"] == office.today.isoformat()
        assert f'<{second.request.url.path}>; rel="latest-version"' in response.headers["link"]
    assert original.headers["etag"] == first.headers["etag"]
    assert marked.headers["etag"].startswith('W/"')
    assert "repr-digest" not in marked.headers


def test_a_version_first_asked_for_after_it_was_superseded_says_what_it_said(office: Office) -> None:
    life = life_at(office, "active")
    office.moves_to(later(life, 30))
    reissued(life, holder="New Name Ltd")
    assert "ExampleAlarmLtd" in Pdf(fetched(life, 1, original=True).content).texts()[0]
    assert seals(life)[0]["effective_on"] == office.today.isoformat()


@pytest.mark.parametrize(
    ("stage", "words"),
    [("suspended", "已暂停·SUSPENDED"), ("withdrawn", "已撤销·WITHDRAWN"), ("cancelled", "已注销·CANCELLED")],
)
def test_a_document_of_what_is_not_valid_is_marked(office: Office, stage: str, words: str) -> None:
    response = fetched(life_at(office, stage))
    assert words in Pdf(response.content).texts()[0]
    assert response.headers["document-standing"] == stage


def test_an_expired_document_is_marked_whether_or_not_a_clock_has_run(office: Office) -> None:
    life = life_at(office, "active")
    assert fetched(life).headers["document-standing"] == "valid"
    life.expired()
    assert "已失效·EXPIRED" in Pdf(fetched(life).content).texts()[0]


def test_a_reinstated_certificates_document_is_the_kept_one_again(office: Office) -> None:
    life = life_at(office, "active")
    first = fetched(life).content
    office.moves_to(later(life, 30))
    life.suspended()
    assert fetched(life).content != first
    life.reinstated()
    assert fetched(life).content == first


def test_a_document_that_a_correction_contradicts_is_marked(office: Office) -> None:
    life = life_at(office, "active")
    fetched(life)
    change = {"path": "/holder", "old": "Example Alarm Ltd", "new": "Example Alarms Ltd"}
    body = {"target": life.version_of("certificate-issued"), "reason": "a slip", "changes": [change]}
    life.both("corrections", body, ("reg", "dan"))
    assert "记录已更正·CORRECTEDSINCE" in Pdf(fetched(life).content).texts()[0]


# ---- who, and what is refused ----------------------------------------------------------------------------------------


def test_an_applicant_of_another_organisation_makes_nothing(office: Office) -> None:
    life = life_at(office, "active")
    with office.recording_nothing():
        for number in (1, 2):
            path = f"/certificates/{life.id}/documents/{number}"
            refused(office.get(path, "stranger"), 404, "certificate_unknown")
            refused(office.get(path), 401, "key_missing")


def test_there_is_no_document_before_issue_and_none_but_those_issued(office: Office) -> None:
    granted = life_at(office, "granted")
    assert listed(granted) == []
    refused(office.get(f"/certificates/{granted.id}/documents/1", "aud"), 404, "document_unknown")
    life = life_at(office, "active")
    with office.recording_nothing():
        refused(office.get(f"/certificates/{life.id}/documents/2", "aud"), 404, "document_unknown")
        for odd in ("0", "-1", "1.5", "x", "9" * 30, "%00", "1' OR 1"):
            response = office.get(f"/certificates/{life.id}/documents/{odd}", "aud")
            assert response.status_code == 422, odd
        for odd in ("maybe", "", "2"):
            response = office.get(f"/certificates/{life.id}/documents/1", "aud", original=odd)
            assert response.status_code == 422, odd


def test_a_voided_reissue_that_was_never_made_is_not_made_any_more(office: Office) -> None:
    life = life_at(office, "active")
    office.moves_to(later(life, 30))
    reissued(life, holder="New Name Ltd")
    body = {"target": life.version_of("certificate-reissued"), "reason": "a slip", "void": True}
    life.both("corrections", body, ("reg", "dan"))
    with office.recording_nothing():
        refused(office.get(f"/certificates/{life.id}/documents/2", "aud"), 409, "document_never_made")
    assert fetched(life, 1).headers["document-standing"] == "valid"


def test_without_the_document_key_nothing_is_made_and_what_was_is_given(office: Office, database: Database) -> None:
    made, unmade = life_at(office, "active"), life_at(office, "active")
    content = fetched(made).content
    with office_of(database, office.house.questions.now()) as keyless:
        keyless.employs_as(office)
        with keyless.recording_nothing():
            refused(keyless.get(f"/certificates/{unmade.id}/documents/1", "aud"), 503, "document_key_missing")
        made.office = keyless
        assert fetched(made).content == content


def test_a_production_register_names_its_issuer_and_is_no_simulation(
    production_database: Database, tmp_path: Path
) -> None:
    with office_of(production_database, None) as office:
        office.employs_everybody()
        life = life_at(office, "active")
        refused(office.get(f"/certificates/{life.id}/documents/1", "aud"), 409, "issuer_not_named")
        keys = copytree(office.house.settings.keys_folder, tmp_path / "keys")
    with office_of(production_database, None, keys, issuer_zh="某认证中心", issuer_en="Some Centre") as named:
        named.employs_as(office)
        life.office = named
        content = fetched(life).content
        (text,) = Pdf(content).texts()
        assert "某认证中心" in text
        assert "SomeCentre" in text
        assert "SIMULATION" not in text
        assert "simulation" not in proved(proof_in(content)[1], jwks(named))


def test_an_issuer_whose_name_cannot_be_printed_is_told_so(office: Office, database: Database) -> None:
    life = life_at(office, "active")
    now, keys = office.house.questions.now(), office.house.settings.keys_folder
    with office_of(database, now, keys, issuer_zh="𠮷认证", issuer_en="Some Centre") as misnamed:
        misnamed.employs_as(office)
        problem = refused(misnamed.get(f"/certificates/{life.id}/documents/1", "aud"), 422, "unprintable")
        assert (problem["what"], problem["characters"]) == ("issuer", "𠮷 (U+20BB7)")


def test_an_operator_writes_a_document_to_a_file_by_its_number(
    office: Office, database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    life = life_at(office, "active")
    content = fetched(life).content
    monkeypatch.setenv("CERTLIFE_DATABASE_URL", database.service_url)
    monkeypatch.setenv("CERTLIFE_ENGINE_DATABASE_URL", database.engine_url)
    monkeypatch.setenv("CERTLIFE_KEYS", str(tmp_path / "keys"))
    out = tmp_path / "document.pdf"
    for number, status in ((f" {life.number.lower()} ", "0"), ("CSP-S01-2024-99999", "1")):
        monkeypatch.setattr(sys, "argv", ["certlife", "document", number, "-o", str(out), "--original"])
        with pytest.raises(SystemExit, match=status):
            main()
    assert out.read_bytes() == content


def test_an_operator_is_given_the_document_that_bears_the_number(
    office: Office, database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    life = life_at(office, "active")
    office.moves_to("2024-03-01")
    life.graded("regrade", lost=10).decided("change_grade")
    successor = office.status(life.number)["superseded_by"]
    monkeypatch.setenv("CERTLIFE_DATABASE_URL", database.service_url)
    monkeypatch.setenv("CERTLIFE_ENGINE_DATABASE_URL", database.engine_url)
    monkeypatch.setenv("CERTLIFE_KEYS", str(office.house.settings.keys_folder))
    for number, version in ((life.number, 1), (successor, 2)):
        out = tmp_path / f"{version}.pdf"
        monkeypatch.setattr(sys, "argv", ["certlife", "document", number, "-o", str(out), "--original"])
        with pytest.raises(SystemExit, match="0"):
            main()
        assert out.read_bytes() == fetched(life, version, original="true").content


# ---- seeded faults ---------------------------------------------------------------------------------------------------


def _made_anew(press: Press, face: Json) -> Printed:
    printed = _PRINTS(press, face)
    return Printed(printed.content + b"%" + token_hex(8).encode(), printed.pages)


_PRINTS = Press.document
MUTANTS: dict[str, tuple[Any, str, Any, Callable[..., None]]] = {
    "what is superseded is not marked": (
        documents, "MARKS", {},
        lambda office, _: test_every_reissue_is_a_document_of_its_own_and_the_old_one_is_marked(office),
    ),
    "each making differs": (
        Press, "document", _made_anew, test_another_process_over_the_same_facts_makes_the_same_bytes
    ),
    "the proof is of other facts": (
        proof, "canonical", lambda facts: canonical({**facts, "holder": ""}),
        lambda office, _: test_the_qr_code_leads_to_the_verify_page_with_a_proof_that_verifies_offline(office),
    ),
    "what is given is not what was kept": (
        Recorder, "document", lambda recorder, sha256: b"%PDF-1.7",
        test_a_document_is_made_when_it_is_first_asked_for_and_never_again,
    ),
}  # fmt: skip


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_seeded_fault_is_found(
    mutant: str, office: Office, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    room, name, fault, test = MUTANTS[mutant]
    monkeypatch.setattr(room, name, fault)
    with pytest.raises(AssertionError):
        test(office, database)
