"""Names and contacts of persons over HTTP: given, read by few, said once; an erased person acts no more."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from lifecycle import commands as c
from lifecycle import errors
from lifecycle import events as e
from lifecycle.persons import person as decisions
from lifecycle.persons import requests as commands
from lifecycle.persons.details import Named
from lifecycle.persons.person import id_of, new_id
from lifecycle.persons.sealing import Details
from tests.api.life import later, life_at
from tests.api.office import FOUNDER, Office, answered, refused
from tests.api.test_roles import NOBODIES, PERSONS
from tests.api.test_trail_reads import reads_of

NAME, CONTACT = "张伟", "zhang.wei@example.org, 010-5550100"
ERASURE = {"grounds": "consent_withdrawn"}


def registered(office: Office, **body: Any) -> str:
    """The id that the register gave to a new person."""
    return answered(office.post("/persons", "adm", {"name": NAME, "contact": CONTACT} | body), 201)["person"]


def read(office: Office, person: str, by: str = "aud") -> dict[str, Any]:
    return answered(office.get(f"/persons/{person}", by))


def erased(office: Office, person: str) -> None:
    answered(office.post(f"/persons/{person}/erasure", "adm", ERASURE))


def facts_of(office: Office, person: str) -> list[e.Fact]:
    return [each.fact for each in office.house.register.events.get(id_of(person))]


@pytest.fixture(scope="module")
def body(shared_office: Office) -> Office:
    """The office of tests that leave no trace another could stumble over."""
    shared_office.employs("revoked", "registrar")
    shared_office.revokes("revoked")
    shared_office.secrets["invented"] = "certlife_" + "x" * 43
    return shared_office


# ---- given and read --------------------------------------------------------------------------------------------------


def test_a_person_without_an_id_gets_a_pseudonym_and_details_are_read_back(body: Office) -> None:
    person = registered(body)
    assert re.fullmatch(r"[a-z]{5}-[a-z]{5}", person)
    assert read(body, person) == {"person": person, "name": NAME, "contact": CONTACT, "erased_on": None}
    recorded, sealed = facts_of(body, person)
    assert (recorded.person, sealed.person) == (person, person)
    assert re.fullmatch(r"[0-9a-f]{64}", sealed.digest)


def test_ids_that_the_register_gives_are_all_different() -> None:
    assert len({new_id() for _ in range(1_000)}) == 1_000


def test_an_id_that_somebody_has_is_not_given_again(body: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = iter(["ana", "ana", "bob", "balab-nikod"])
    monkeypatch.setattr(decisions, "new_id", lambda: next(drawn))
    assert registered(body) == "balab-nikod"


def test_an_id_may_still_be_given_and_details_left_out(body: Office) -> None:
    assert answered(body.post("/persons", "adm", {"person": "p-7"}), 201)["person"] == "p-7"
    assert read(body, "p-7") == {"person": "p-7", "name": None, "contact": None, "erased_on": None}
    assert len(facts_of(body, "p-7")) == 1


def test_details_given_anew_stand_in_place_of_those_before(body: Office) -> None:
    person = registered(body)
    answered(body.post(f"/persons/{person}/details", "adm", {"name": "张玮"}))
    assert read(body, person) == {"person": person, "name": "张玮", "contact": None, "erased_on": None}
    first, second = [fact.digest for fact in facts_of(body, person) if isinstance(fact, e.PersonalDetailsSealed)]
    assert first != second


def test_the_same_details_have_another_digest_each_time(body: Office) -> None:
    """Or equal names could be told by equal digests."""
    digests = {facts_of(body, registered(body))[1].digest for _ in range(3)}
    assert len(digests) == 3


def test_nothing_at_all_is_refused_as_details(body: Office) -> None:
    person = registered(body)
    for empty in ({}, {"name": None, "contact": None}):
        told = refused(body.post(f"/persons/{person}/details", "adm", empty), 422, "malformed")
        assert "erase the person" in told["detail"]


def test_a_dry_run_records_nothing_and_draws_no_key(office: Office) -> None:
    with office.recording_nothing():
        told = answered(office.post("/persons", "adm", {"name": NAME}, params={"dry_run": "true"}), 201)
        answered(office.post("/persons/ana/details", "adm", {"name": NAME}, params={"dry_run": "true"}))
        answered(office.post("/persons/ana/erasure", "adm", ERASURE, params={"dry_run": "true"}))
    assert [each["type"] for each in told["events"]] == ["person-registered.v1", "personal-details-sealed.v1"]
    assert office.house.register.recorder.master_key() is None


STORED = ("𠮷田", "张" * 300, "O'Brien; DROP TABLE", "ѝ é́ مثال", "\u200b.\ufeff", '{}[]"\\', " a\tb\nc ", "x" * 299)
REFUSED = ("a\0b", "a\x1bb", "a\u202eb", "a\u2066b", "a\ufffeb", "x" * 10_000, "", "   ", "\n")


@pytest.mark.parametrize("name", STORED, ids=ascii)
def test_a_name_is_kept_exactly(body: Office, name: str) -> None:
    assert read(body, registered(body, name=name))["name"] == name


@pytest.mark.parametrize("name", REFUSED, ids=lambda name: ascii(name[:8]))
def test_a_name_that_no_record_may_hold_is_refused_without_being_quoted(body: Office, name: str) -> None:
    with body.recording_nothing():
        for member in ("name", "contact"):
            told = refused(body.post("/persons", "adm", {member: name}), 422, "malformed")
            assert not name.strip() or name not in told["detail"]


def test_half_a_surrogate_pair_is_refused(body: Office) -> None:
    refused(body.post("/persons", "adm", b'{"name": "\\ud842"}'), 422, "malformed")
    refused(body.post("/persons", "adm", b'{"name": "\xed\xa1\x82"}'), 422, "malformed")


@pytest.mark.parametrize(
    "path", ["%00", "%F0%A0%AE%B7", "%ED%A1%82", "%E2%80%AE", "x" * 7_000, "'; DROP TABLE x", "%ff"]
)
def test_whoever_is_asked_for_under_no_id_is_unknown(body: Office, path: str) -> None:
    refused(body.get(f"/persons/{path}", "aud"), 404, "person_unknown")
    refused(body.post(f"/persons/{path}/erasure", "adm", ERASURE), 404, "person_unknown")


def test_a_contact_may_be_longer_than_a_name_and_has_its_limit(body: Office) -> None:
    assert read(body, registered(body, contact="x" * 2_000))["contact"] == "x" * 2_000
    refused(body.post("/persons", "adm", {"contact": "x" * 2_001}), 422, "malformed")


# ---- who -------------------------------------------------------------------------------------------------------------


def test_an_administrator_alone_gives_details_and_erases(body: Office) -> None:
    person = registered(body)
    with body.recording_nothing():
        for what, sent in (("details", {"name": "x"}), ("erasure", ERASURE)):
            for nobody in NOBODIES:
                assert body.post(f"/persons/{person}/{what}", nobody, sent).status_code == 401
            for role, who in PERSONS.items():
                response = body.post(f"/persons/{person}/{what}", who, sent, params={"dry_run": "true"})
                if role == "administrator":
                    answered(response)
                    refused(body.post(f"/persons/nobody/{what}", who, sent), 404, "person_unknown")
                else:
                    refused(response, 403, "role_not_allowed")


def test_administrator_and_auditor_read_everybody_and_each_person_oneself(body: Office) -> None:
    person = registered(body)
    for nobody in NOBODIES:
        assert body.get(f"/persons/{person}", nobody).status_code == 401
    for role, who in PERSONS.items():
        assert read(body, who, by=who)["person"] == who
        if role in ("administrator", "auditor"):
            assert read(body, person, by=who)["name"] == NAME
            refused(body.get("/persons/nobody", who), 404, "person_unknown")
        else:
            refused(body.get(f"/persons/{person}", who), 403, "role_not_allowed")
            refused(body.get("/persons/nobody", who), 403, "role_not_allowed")


def test_whoever_reads_a_person_is_recorded_and_who_is_refused_is_not(office: Office) -> None:
    person = registered(office)
    read(office, person)
    read(office, "ana", by="ana")
    assert office.get(f"/persons/{person}", "ana").status_code == 403
    assert office.get("/persons/nobody", "aud").status_code == 404
    found = [(each.person, msgspec.json.decode(each.question)) for each in reads_of(office)]
    assert found == [("aud", {"kind": "person", "person": person}), ("ana", {"kind": "person", "person": "ana"})]


def test_names_are_resolved_for_those_entitled_and_are_numbers_to_everybody_else(office: Office) -> None:
    first, second = registered(office), registered(office, name="李娜", contact=None)
    erased(office, gone := registered(office))
    asked = [second, first, second, gone, "ana"]
    personal = office.house.persons.personal
    resolved = personal.names_of(asked, e.By("aud", "auditor", "k"), kind="bundle", certificate="c-1")
    assert resolved == {
        second: Named("P1", Details("李娜")), first: Named("P2", Details(NAME, CONTACT)),
        gone: Named("P3", Details()), "ana": Named("P4", Details()),
    }  # fmt: skip
    (recorded,) = reads_of(office)
    assert (recorded.person, recorded.rows) == ("aud", 4)
    assert msgspec.json.decode(recorded.question) == {
        "kind": "bundle", "certificate": "c-1", "persons": [second, first, gone, "ana"],
    }  # fmt: skip
    for role in ("applicant", "registrar", "assessor", "decision_maker", "scheme_manager", "clock"):
        told = personal.names_of(asked, e.By("x", role, "k"))
        assert told == {second: Named("P1"), first: Named("P2"), gone: Named("P3"), "ana": Named("P4")}
    assert len(reads_of(office)) == 1


# ---- once only -------------------------------------------------------------------------------------------------------


def test_the_same_request_again_gives_the_same_answer_and_another_name_under_its_key_is_refused(body: Office) -> None:
    key, sent = uuid4().hex, {"name": NAME, "contact": CONTACT}
    told = answered(body.post("/persons", "adm", sent, key=key), 201)
    with body.recording_nothing():
        assert answered(body.post("/persons", "adm", sent, key=key), 201) == told
        for other in ({"name": "李娜", "contact": CONTACT}, {"name": NAME}, {}, sent | {"person": "p-8"}):
            refused(body.post("/persons", "adm", other, key=key), 422, "idempotency_key_reused")
    person = told["person"]
    again = {"name": "张玮"}
    given = answered(body.post(f"/persons/{person}/details", "adm", again, key=(second := uuid4().hex)))
    with body.recording_nothing():
        assert answered(body.post(f"/persons/{person}/details", "adm", again, key=second)) == given
        refused(
            body.post(f"/persons/{person}/details", "adm", {"name": NAME}, key=second), 422, "idempotency_key_reused"
        )
        assert answered(body.post("/persons", "adm", sent, key=key), 201) == told, "also when details changed since"
    erased(body, person)
    with body.recording_nothing():
        assert answered(body.post("/persons", "adm", sent, key=key), 201) == told
        assert answered(body.post(f"/persons/{person}/details", "adm", again, key=second)) == given
    assert read(body, person)["name"] is None


def test_a_receipt_that_ignored_the_details_would_be_found(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutant: nobody holds the repeated details to those kept."""
    monkeypatch.setattr(commands.Persons, "_require_given", lambda *_: None)
    with pytest.raises(AssertionError):
        test_the_same_request_again_gives_the_same_answer_and_another_name_under_its_key_is_refused(office)


# ---- erased ----------------------------------------------------------------------------------------------------------


def test_an_erased_person_is_nobody_any_more_and_the_id_is_taken_for_ever(office: Office) -> None:
    person = registered(office)
    office.employs(person, "assessor")
    erased(office, person)
    assert read(office, person) == {
        "person": person, "name": None, "contact": None, "erased_on": office.today.isoformat(),
    }  # fmt: skip
    with office.recording_nothing():
        refused(office.get("/certificates", person), 401, "key_not_accepted")
        refused(office.post(f"/persons/{person}/erasure", "adm", ERASURE), 409, "person_erased")
        refused(office.post(f"/persons/{person}/details", "adm", {"name": NAME}), 409, "person_erased")
        refused(office.post("/persons", "adm", {"person": person, "name": NAME}), 409, "person_known")
        interest = {"organisation": str(office.organisations["former"]), "grounds": "worked there"}
        refused(office.post(f"/persons/{person}/conflicts", "reg", interest), 409, "person_erased")
        with pytest.raises(errors.PersonErased):
            office.house.register.issue_key(FOUNDER, c.IssueKey(person=person, role="auditor"))
    (fact,) = [fact for fact in facts_of(office, person) if isinstance(fact, e.PersonErased)]
    assert (fact.by.person, fact.grounds, fact.person) == ("adm", "consent_withdrawn", person)


def test_a_person_of_whom_nothing_was_kept_is_erased_too(office: Office) -> None:
    answered(office.get("/certificates", "bob"))
    erased(office, "bob")
    refused(office.get("/certificates", "bob"), 401, "key_not_accepted")
    issued = office.house.register.recorder.keys()
    held = [key for key in issued if key.person == "bob"]
    assert held
    assert all(key.revoked_at is not None for key in held)
    assert read(office, "bob")["erased_on"] == office.today.isoformat()


def test_nobody_erases_oneself(body: Office) -> None:
    with body.recording_nothing():
        refused(body.post("/persons/adm/erasure", "adm", ERASURE), 403, "erases_oneself")


@pytest.mark.parametrize("grounds", [None, "", "he asked", 1, ["unlawful"], "张伟"])
def test_grounds_are_a_code_and_no_words(body: Office, grounds: Any) -> None:
    with body.recording_nothing():
        refused(body.post("/persons/ana/erasure", "adm", {"grounds": grounds}), 422, "malformed")
        refused(body.post("/persons/ana/erasure", "adm", {}), 422, "malformed")


def test_an_erased_person_is_planned_for_nothing_and_what_was_done_with_that_person_is_recorded(office: Office) -> None:
    life = life_at(office, "accepted")
    team = {"team": ["ana", "bob"]}
    life.does_in_case("plan", "reg", life.site() | team)
    erased(office, "bob")
    told = life.does_in_case("assessment", "ana", life.assessment() | team)
    assert [each["type"] for each in told["events"]] == ["assessment-recorded.v1"]
    other = life_at(office, "accepted", "stranger")
    refused(other.in_case("plan", "reg", other.site() | team), 409, "person_erased")
    active = life_at(office, "active", "former")
    active.office.moves_to(later(active, 30))
    active.does("visits", "reg", {"grounds": "a wish"})
    active.case = active.last_case("visit")
    refused(active.in_case("plan", "reg", active.site() | team), 409, "person_erased")


def test_a_proposal_of_somebody_erased_is_still_approved(office: Office) -> None:
    life = life_at(office, "active").proposes("suspensions", {"reasons": [{"code": "mark_misused"}]})
    erased(office, "dora")
    assert "certificate-suspended.v1" in {each["type"] for each in answered(life.approves())["events"]}


@pytest.mark.parametrize(
    "refusal", [errors.PersonErased, errors.ErasesOneself, errors.MasterKeyMissing, errors.DetailsBroken]
)
def test_what_is_refused_is_told_in_both_languages(refusal: type[errors.Refusal]) -> None:
    told = refusal(person="lusab-tobin", kid="k")
    assert told.message("zh") != told.message("en")
    assert any("lusab-tobin" in each or "k" in each for each in (told.message("zh"), told.message("en")))
