"""The role matrix: every endpoint by every role, and by those who are nobody here; each cell written down by hand."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from fastapi.routing import iter_route_contexts

from lifecycle.commands import RevokeKey
from lifecycle.errors import KeyUnknown
from tests.api.life import SHA, Life, life_at
from tests.api.office import FOUNDER, Office, answered, problem_of, refused
from tests.api.requests import LAWFUL, Lawful, life_for, resting_for

PERSONS = {
    "applicant": "holder",
    "registrar": "reg",
    "assessor": "ana",
    "decision_maker": "dora",
    "scheme_manager": "sam",
    "auditor": "aud",
    "administrator": "adm",
    "clock": "clk",
}
"""One person of each role; where the duties keep that one out of a case, another stands in."""
STAND_INS = {
    ("assessment-review", "assessor"): "bob",
    ("outcome", "decision_maker"): "dina",
    ("approvals", "decision_maker"): "dan",
}
NOBODIES = (None, "revoked", "invented")

ALLOWED: dict[str, set[str]] = {
    "/organisations": {"registrar"},
    "/persons": {"administrator"},
    "/persons/{person}/conflicts": {"registrar"},
    "/applications": {"applicant", "registrar"},
    "/certificates/{certificate_id}/cases/{case}/review": {"registrar"},
    "/certificates/{certificate_id}/cases/{case}/withdrawal": {"applicant", "registrar"},
    "/certificates/{certificate_id}/cases/{case}/plan": {"registrar"},
    "/certificates/{certificate_id}/cases/{case}/assessment": {"assessor"},
    "/certificates/{certificate_id}/cases/{case}/nonconformity-closures": {"assessor"},
    "/certificates/{certificate_id}/cases/{case}/assessment-review": {"assessor", "decision_maker"},
    "/certificates/{certificate_id}/cases/{case}/decision": {"decision_maker"},
    "/certificates/{certificate_id}/cases/{case}/outcome": {"decision_maker"},
    "/certificates/{certificate_id}/issuances": {"registrar"},
    "/certificates/{certificate_id}/reissues": {"registrar"},
    "/certificates/{certificate_id}/notices": {"registrar"},
    "/certificates/{certificate_id}/visits": {"registrar"},
    "/certificates/{certificate_id}/suspensions": {"decision_maker"},
    "/certificates/{certificate_id}/suspension-extensions": {"decision_maker"},
    "/certificates/{certificate_id}/reinstatements": {"decision_maker"},
    "/certificates/{certificate_id}/withdrawal-proceedings": {"decision_maker"},
    "/certificates/{certificate_id}/withdrawals": {"decision_maker"},
    "/certificates/{certificate_id}/cancellations": {"applicant", "registrar"},
    "/certificates/{certificate_id}/corrections": {"registrar", "decision_maker"},
    "/certificates/{certificate_id}/appeals": {"applicant", "registrar"},
    "/certificates/{certificate_id}/complaints": {"applicant", "registrar"},
    "/certificates/{certificate_id}/proposals/{proposal}/approvals": {"decision_maker"},
    "/certificates/{certificate_id}/proposals/{proposal}/rejections": {"decision_maker"},
}
"""Commands, by interface.md, "Who". The proposal approved or rejected here is to grant certification."""

ON_BEHALF = {"applications", "withdrawal", "cancellations", "appeals", "complaints"}
STAFF_AND_HOLDER = {"registrar", "assessor", "decision_maker", "scheme_manager", "auditor", "applicant"}
QUESTIONS = {
    "/certificates": STAFF_AND_HOLDER,
    "/certificates/{certificate_id}": STAFF_AND_HOLDER,
    "/certificates/{certificate_id}/events": STAFF_AND_HOLDER,
    "/certificates/{certificate_id}/documents": STAFF_AND_HOLDER,
    "/certificates/{certificate_id}/documents/{number}": STAFF_AND_HOLDER,
    "/certificates/{certificate_id}/changes": STAFF_AND_HOLDER,
    "/certificates/{certificate_id}/files": STAFF_AND_HOLDER,
    "/certificates/{certificate_id}/notices": STAFF_AND_HOLDER,
    "/events": STAFF_AND_HOLDER,
    "/events/{position}": STAFF_AND_HOLDER,
    "/events.csv": STAFF_AND_HOLDER,
    "/events.jsonl": STAFF_AND_HOLDER,
    "/deadlines": STAFF_AND_HOLDER,
    "/deadlines.ics": STAFF_AND_HOLDER,
}
REHEARSALS = {
    ("POST", "/schemes/{scheme}/editions"), ("POST", "/schemes/{scheme}/proposals/{proposal}/approvals"),
    ("POST", "/schemes/{scheme}/proposals/{proposal}/rejections"),
    ("POST", "/rehearsals"), ("POST", "/rehearsals/{rehearsal_id}/approvals"),
    ("POST", "/rehearsals/{rehearsal_id}/adoption"), ("GET", "/rehearsals/{rehearsal_id}"),
    ("GET", "/rehearsals/{rehearsal_id}/affected"),
}  # fmt: skip
"""Their cells stand in test_rehearsals.py."""
EVIDENCE = {("GET", "/certificates/{certificate_id}/evidence")}
"""Its cells stand in test_evidence.py."""
PAPERS = {("POST", "/files"), ("GET", "/files/{sha256}"), ("GET", "/certificates/{certificate_id}/notices/{version}")}
"""Their cells stand in test_files.py and test_notices.py."""
PERSONS_ROOM = {
    ("POST", "/persons/{person}/details"), ("POST", "/persons/{person}/erasure"), ("GET", "/persons/{person}"),
}  # fmt: skip
"""Their cells stand in test_persons.py."""
LEDGER = {"/ledger/checkpoint": {}, "/ledger/proof": {"position": 1}, "/ledger/consistency": {"from": 1}}
PUBLISHED = {"/status-lists/{number}", *LEDGER}
PUBLIC = {"/status/{number:path}", "/status", *PUBLISHED}
KEYLESS = {
    "/healthz", "/readyz", "/metrics", "/openapi.json", "/docs", "/docs/oauth2-redirect", "/.well-known/jwks.json",
    "/status-lists", "/ledger/keys", "/ledger/verify.py",
}  # fmt: skip
PAGES = {"/verify", "/verify/{number:path}"}
ASKED_BY_PAGES = {"/static/{name}"}

every_lawful = pytest.mark.parametrize("lawful", LAWFUL, ids=lambda lawful: lawful.name)


@pytest.fixture(scope="module")
def office(shared_office: Office) -> Office:
    shared_office.employs("revoked", "registrar")
    shared_office.revokes("revoked")
    shared_office.secrets["invented"] = "certlife_" + "x" * 43
    return shared_office


@pytest.fixture(scope="module")
def certificate(office: Office) -> Life:
    return life_at(office, "active")


def asked(lawful: Lawful, life: Life, person: str | None, **given: Any) -> Any:
    """The request as that person would make it, as a dry run: it leaves everything as it is."""
    body = lawful.body(life) | ({"request_sha256": SHA} if lawful.name in ON_BEHALF else {})
    return lawful.sent(life, person=person, body=body, params={"dry_run": "true"}, **given)


def everybody(lawful: Lawful) -> Iterator[tuple[str, str]]:
    name = lawful.address.rsplit("/", 1)[1]
    for role, person in PERSONS.items():
        yield role, STAND_INS.get((name, role), person)


def test_there_are_exactly_these_endpoints(office: Office) -> None:
    found = {
        (method, context.path)
        for context in iter_route_contexts(office.client.app.routes)
        for method in context.methods
        if method != "HEAD"
    }
    expected = {("POST", path) for path in ALLOWED} | {
        ("GET", path) for path in {*QUESTIONS, *PUBLIC, *KEYLESS, *PAGES, *ASKED_BY_PAGES}
    }
    assert found == expected | REHEARSALS | EVIDENCE | PAPERS | PERSONS_ROOM
    assert len(found) == 75
    assert {lawful.address for lawful in LAWFUL} == ALLOWED.keys()


@every_lawful
def test_each_role_does_what_it_may_and_nothing_else(office: Office, lawful: Lawful) -> None:
    life = resting_for(office, lawful)
    with office.recording_nothing():
        for role, person in everybody(lawful):
            response = asked(lawful, life, person)
            if role in ALLOWED[lawful.address]:
                answered(response, lawful.status)
            else:
                refused(response, 403, "role_not_allowed")


@every_lawful
def test_who_is_nobody_here_does_nothing(office: Office, lawful: Lawful) -> None:
    life = resting_for(office, lawful)
    with office.recording_nothing():
        for person in NOBODIES:
            response = asked(lawful, life, person)
            refused(response, 401, "key_not_accepted" if person else "key_missing")
            assert response.headers["www-authenticate"] == "Bearer"


@every_lawful
def test_an_applicant_of_another_organisation_does_not_learn_what_exists(office: Office, lawful: Lawful) -> None:
    life, nowhere = resting_for(office, lawful), Life(office, id=str(uuid4()), proposed={"proposal": 1})
    body = lawful.body(life) | ({"request_sha256": SHA} if lawful.name in ON_BEHALF else {})
    with office.recording_nothing():
        response = lawful.sent(life, person="stranger", body=body)
        if "applicant" in _may_try(lawful):
            known = problem_of(response)
            assert known["status"] == 404
            if lawful.about_certificate:
                unknown = problem_of(lawful.sent(nowhere, person="stranger", body=body))
                assert {**known, "instance": ""} == {**_as_if(unknown, nowhere, life), "instance": ""}
        else:
            refused(response, 403, "role_not_allowed")


def _may_try(lawful: Lawful) -> set[str]:
    """Who may do it on some certificate: an act of each of four roles may have been proposed."""
    signers = {"registrar", "assessor", "decision_maker", "applicant"}
    return signers if "{proposal}" in lawful.address else ALLOWED[lawful.address]


def _as_if(problem: dict[str, Any], there: Life, here: Life) -> dict[str, Any]:
    return {
        name: value.replace(there.id, here.id) if isinstance(value, str) else value for name, value in problem.items()
    }


@pytest.mark.parametrize("lawful", [each for each in LAWFUL if each.about_certificate], ids=lambda lawful: lawful.name)
def test_who_may_not_act_is_told_so_whether_the_certificate_exists_or_not(office: Office, lawful: Lawful) -> None:
    nowhere = Life(office, id=str(uuid4()), proposed={"proposal": 1})
    body = lawful.body(resting_for(office, lawful))
    for role, person in everybody(lawful):
        response = lawful.sent(nowhere, person=person, body=body)
        if role in _may_try(lawful):
            refused(response, 404, "certificate_unknown")
        else:
            refused(response, 403, "role_not_allowed")


@pytest.mark.parametrize("lawful", [each for each in LAWFUL if each.name in ON_BEHALF], ids=lambda lawful: lawful.name)
def test_a_registrar_acts_for_the_holder_only_with_the_digest_of_its_request(office: Office, lawful: Lawful) -> None:
    life = life_for(office, lawful)
    with office.recording_nothing():
        refused(lawful.sent(life, person="reg"), 422, "malformed")
    answered(lawful.sent(life, person="reg", body=lawful.body(life) | {"request_sha256": SHA}), lawful.status)


NOWHERE = {"certificate_id": UUID(int=0), "number": 1, "position": 0}


def known(office: Office, certificate: Life) -> dict[str, Any]:
    """What stands in the addresses of questions about the certificate, the trail knowing of it."""
    office.house.catch_up()
    return {"certificate_id": certificate.id, "number": 1, "position": certificate.stream()[0]["position"]}


def unknown(path: str) -> str:
    """How it is said that there is nothing at the address."""
    return "event_unknown" if "{position}" in path else "certificate_unknown"


@pytest.mark.parametrize("path", QUESTIONS)
def test_each_role_asks_what_it_may_and_nothing_else(office: Office, certificate: Life, path: str) -> None:
    here, nowhere = path.format(**known(office, certificate)), path.format(**NOWHERE)
    for role, person in PERSONS.items():
        if role in QUESTIONS[path]:
            assert office.get(here, person).status_code == 200
            if "{" in path:
                refused(office.get(nowhere, person), 404, unknown(path))
        else:
            refused(office.get(here, person), 403, "role_not_allowed")
            refused(office.get(nowhere, person), 403, "role_not_allowed")
    for nobody in NOBODIES:
        refused(office.get(here, nobody), 401, "key_not_accepted" if nobody else "key_missing")


@pytest.mark.parametrize("path", [path for path in QUESTIONS if "{" in path])
def test_an_applicant_of_another_organisation_is_shown_nothing(office: Office, certificate: Life, path: str) -> None:
    refused(office.get(path.format(**known(office, certificate)), "stranger"), 404, unknown(path))


def test_everybody_asks_for_a_status_and_a_key_that_is_none_is_refused(office: Office, certificate: Life) -> None:
    office.house.catch_up()
    for path, query in ((f"/status/{certificate.number}", {}), ("/status", {"number": certificate.number})):
        for person in (None, "stranger", *PERSONS.values()):
            answered(office.get(path, person, **query))
        for nobody in ("revoked", "invented"):
            refused(office.get(path, nobody, **query), 401, "key_not_accepted")


@pytest.mark.parametrize("path", sorted(KEYLESS))
def test_health_and_the_document_ask_for_no_key(office: Office, path: str) -> None:
    for person in (None, "revoked", *PERSONS.values()):
        assert office.get(path, person).status_code == 200


@pytest.mark.parametrize("path", sorted(LEDGER))
def test_the_ledger_asks_for_no_key(office: Office, path: str) -> None:
    for person in (None, "revoked", "invented", *PERSONS.values()):
        refused(office.get(path, person, **LEDGER[path]), 404, "no_checkpoint_yet")


def test_a_key_is_revoked_once(office: Office) -> None:
    register = office.house.register
    with office.recording_nothing():
        for key in (office.keys["revoked"], "k-unknown", ""):
            with pytest.raises(KeyUnknown):
                register.revoke_key(FOUNDER, key, RevokeKey())


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic {}", "{}", "Token {}", "bearer\t{}", "Bearer é"])
def test_only_a_bearer_key_opens(office: Office, header: str) -> None:
    sent = header.format(office.secrets["aud"]).encode("latin-1")
    response = office.client.get("/certificates", headers={b"Authorization": sent})
    assert problem_of(response)["status"] == 401
    for scheme in ("Bearer", "bearer", "BEARER"):
        answered(office.client.get("/certificates", headers={"Authorization": f"{scheme} {office.secrets['aud']}"}))
