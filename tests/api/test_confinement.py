"""What applicants and the public are not shown: other organisations, persons, internal reasons, scores, proposals."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from lifecycle import commands as c
from lifecycle.errors import Malformed, OrganisationUnknown
from tests.api.life import SHA, STAGES, Json, Life, later, life_at, reasons
from tests.api.office import FOUNDER, HOLDERS, STAFF, Office, answered, refused

INTERNAL = "kept within the body"
"""Stands in every text that only staff writes for staff."""


def told(life: Life) -> Life:
    """A certificate about which everything was said that can be said of one in force."""
    secret = reasons("mark_misused", text=INTERNAL)
    life.graded(lost=3).proposes("cases/1/decision", {"outcome": "grant", "reasons": []})
    life.post(f"proposals/{life.proposed['proposal']}/rejections", "dan", {"reason": INTERNAL})
    life.decided("grant")
    life.number = life.does("issuances", "reg")["certificate_number"]
    life.office.moves_to(later(life, 1))
    life.does("visits", "reg", {"grounds": INTERNAL})
    life.case = life.last_case("visit")
    life.planned()
    life.assessed(elements=life.drawn(), nonconforming=life.drawn()[:1])
    life.does_in_case("nonconformity-closures", "ana", {"element": life.drawn()[0], "evidence": [SHA]})
    life.decided("maintain")
    life.suspended(reasons=secret, notice=INTERNAL)
    life.reinstated(closed=secret, grounds=INTERNAL)
    life.does("withdrawal-proceedings", "dora", {"step": "open", "reasons": reasons("mark_misused", text=INTERNAL)})
    life.does("withdrawal-proceedings", "dora", {"step": "drop", "grounds": INTERNAL})
    life.appealed(against=life.version_of("certificate-suspended"))
    life.does_in_case("outcome", "dina", {"upheld": False, "grounds": INTERNAL})
    life.complained().does_in_case("outcome", "dina", {"upheld": False, "grounds": INTERNAL})
    change = {"path": "/reasons", "old": secret, "new": reasons("obligations_unmet", text=INTERNAL)}
    correction = {"target": life.version_of("certificate-suspended"), "reason": INTERNAL, "changes": [change]}
    life.both("corrections", correction, ("reg", "dina"))
    life.does("notices", "reg", {"of": 1, "served_on": life.office.today.isoformat(), "proof_sha256": SHA})
    life.proposes("withdrawals", {"reasons": reasons("mark_misused", text=INTERNAL)})
    return life


def strings(node: Any) -> Iterator[str]:
    """Every text in an answer, names of members included."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, list):
        for item in node:
            yield from strings(item)
    elif isinstance(node, dict):
        for name, value in node.items():
            yield name
            yield from strings(value)


def holder_answers(office: Office, life: Life) -> Iterator[bytes]:
    office.house.catch_up()
    for path in (f"/certificates/{life.id}", f"/certificates/{life.id}/events", "/certificates", "/deadlines",
                 "/deadlines.ics"):  # fmt: skip
        response = office.get(path, life.holder)
        assert response.status_code == 200
        yield response.content


def test_a_holder_is_shown_neither_persons_nor_internal_reasons_nor_proposals(office: Office) -> None:
    life = told(Life(office))
    for content in holder_answers(office, life):
        assert INTERNAL.encode() not in content
        assert not {key for key in office.keys.values() if key.encode() in content}
        if content.startswith(b"{"):
            shown = set(strings(json.loads(content)))
            assert not shown & STAFF.keys()
            assert not shown & {"act-proposed.v1", "proposal-rejected.v1", "signed_by", "team", "by", "recommendation"}


def test_staff_are_shown_all_of_it(office: Office) -> None:
    life = told(Life(office))
    shown = set(strings(life.stream("reg")))
    assert shown > {INTERNAL, "ana", "dora", "dan", "rev", "dina", "act-proposed.v1", "proposal-rejected.v1"}
    assert set(strings(life.view("aud"))) > {"ana", "dora", "proposals"}
    assert len(life.stream("aud")) == life.view("aud")["version"]


def test_a_holder_sees_its_own_stream_in_order_page_by_page(office: Office) -> None:
    life = told(Life(office))
    whole = life.stream("holder")
    hidden = {"act-proposed.v1", "proposal-rejected.v1"}
    assert [each["version"] for each in whole] == [
        each["version"] for each in life.stream("aud") if each["type"] not in hidden
    ]
    pages, cursor = [], None
    while cursor is not None or not pages:
        page = answered(office.get(f"/certificates/{life.id}/events", "holder", limit=5, cursor=cursor))
        pages += page["items"]
        cursor = page["next"]
    assert pages == whole


def test_a_holder_is_not_told_what_staff_have_to_propose(office: Office) -> None:
    life = life_at(office, "suspended").proposes("withdrawals", {"reasons": reasons("mark_misused")})
    life.appealed(against=1)
    office.house.catch_up()
    kinds = {person: kinds_due(office, person) for person in ("aud", "holder")}
    assert kinds["aud"] == {"visit", "renewal", "withdrawal_proposal", "proposal", "appeal_decision"}
    assert kinds["holder"] == {"visit", "renewal", "appeal_decision"}
    asked = {"by": "2030-01-01", "kind": "proposal", "limit": 1}
    assert answered(office.get("/deadlines", "aud", **asked))["next"]
    assert answered(office.get("/deadlines", "holder", **asked)) == {"items": [], "next": None}


def kinds_due(office: Office, person: str) -> set[str]:
    return {row["kind"] for row in answered(office.get("/deadlines", person, by="2030-01-01"))["items"]}


def test_an_applicant_lists_its_own_organisation_alone(office: Office) -> None:
    lives = {holder: Life(office, holder).issued() for holder in HOLDERS}
    office.house.catch_up()
    for path, by in (("/certificates", {}), ("/deadlines", {"by": "2030-01-01"})):
        for holder, life in lives.items():
            listed = {row["certificate_id"] for row in answered(office.get(path, holder, **by))["items"]}
            assert listed == {life.id}
        assert len({row["certificate_id"] for row in answered(office.get(path, "aud", **by))["items"]}) == 3


def test_an_applicant_applies_for_its_own_organisation_and_certificates_alone(office: Office) -> None:
    life = life_at(office, "active")
    foreign = life.application(organisation=str(office.organisations["holder"]))
    refused(office.post("/applications", "stranger", foreign), 404, "organisation_unknown")
    renewal = life.application("renewal", organisation=str(office.organisations["stranger"]))
    refused(office.post("/applications", "stranger", renewal), 404, "certificate_unknown")
    refused(office.post("/applications", "reg", renewal | {"request_sha256": SHA}), 404, "certificate_unknown")


def test_a_key_of_an_applicant_names_its_organisation_and_no_other_key_does(office: Office) -> None:
    register = office.house.register
    for role, organisation, refusal in (
        ("applicant", None, Malformed),
        ("auditor", office.organisations["holder"], Malformed),
        ("applicant", register.person("ana").id, OrganisationUnknown),
    ):
        with office.recording_nothing(), pytest.raises(refusal):
            register.issue_key(FOUNDER, c.IssueKey(person="ana", role=role, organisation=organisation))


def test_nothing_public_holds_a_person_a_reason_a_score_a_proposal_or_an_appeal(office: Office) -> None:
    lives = [told(Life(office)), *(life_at(office, stage) for stage in STAGES if stage != "nothing")]
    office.house.catch_up()
    for life in lives:
        for content in public_answers(office, life):
            assert INTERNAL.encode() not in content
            assert not {key for key in office.keys.values() if key.encode() in content}
            texts = set(strings(json.loads(content)))
            assert not texts & STAFF.keys()
            assert not texts & PRIVATE_WORDS
            assert not {text for text in texts if "/100" in text or "mark_misused" in text or "holder_request" in text}


PRIVATE_WORDS = {
    "score", "because", "marks", "reasons", "by", "signed_by", "proposal", "proposals", "digest", "team", "grounds",
    "appeal", "cases", "case", "cause", "organisation", "certificate_id", "address", "events", "key", "due",
}  # fmt: skip
PUBLIC_MEMBERS = {
    "certificate_number", "holder", "scheme", "edition", "certification_type", "level", "stars", "scope", "status",
    "status_since", "valid_from", "valid_until", "suspended_until", "first_certified_on", "superseded_by",
    "status_list", "on", "known_at", "position", "complete_until", "stale", "simulation", "computed_at", "expires_at",
}  # fmt: skip


def public_answers(office: Office, life: Life) -> Iterator[bytes]:
    number = life.number or "CSP-S01-2024-09999"
    for path in (
        f"/status/{number}", f"/status/{number}?on=2024-01-15", f"/status/{number}?on=2023-12-31",
        f"/status?number={number}&number=CSP-S01-2024-00001", "/status/not-a-number", "/healthz", "/readyz",
        f"/certificates/{life.id}", f"/certificates/{life.id}/events", "/certificates", "/deadlines",
    ):  # fmt: skip
        yield office.get(path).content


def test_the_public_answer_has_these_members_and_no_other(office: Office) -> None:
    shown = office.status(life_at(office, "active").number)
    assert shown.keys() == PUBLIC_MEMBERS


def test_a_conformity_certificate_shows_no_score_anywhere_public(office: Office) -> None:
    life = Life(office).applies(certification_type="star", accepts_conformity=True).accepted().planned()
    life.assessed(lost=40).reviewed().decided("grant")
    life.number = life.does("issuances", "reg")["certificate_number"]
    shown: Json = office.status(life.number)
    assert (shown["level"], shown["stars"], shown["certification_type"]) == ("conformity", None, "conformity")
    assert "60" not in set(strings(shown))
