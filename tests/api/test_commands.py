"""Every command over HTTP: its happy path, its main refusal, its idempotency key, its version, its dry run."""

from typing import Any
from uuid import uuid4

import pytest

from lifecycle import keys, scheme
from tests.api.life import CSP, SHA, Json, Life, life_at, reasons, resting_at
from tests.api.office import Office, answered, refused
from tests.api.requests import LAWFUL, Lawful, life_for, resting_for

every_command = pytest.mark.parametrize("lawful", LAWFUL, ids=lambda lawful: lawful.name)
commands_on_certificates = pytest.mark.parametrize(
    "lawful", [lawful for lawful in LAWFUL if lawful.about_certificate], ids=lambda lawful: lawful.name
)


def stored(office: Office) -> list[tuple[str, str]]:
    """Stream and topic of everything recorded, in order."""
    with office.house.register.recorder.connection() as connection:
        query = "SELECT originator_id::text, topic FROM certlife.events ORDER BY position"
        return connection.execute(query).fetchall()


def subject_of(answer: Json) -> str:
    return next(answer[name] for name in ("certificate_id", "organisation_id", "person_stream") if name in answer)


@every_command
def test_a_lawful_command_is_recorded_and_answered(shared_office: Office, lawful: Lawful) -> None:
    life = life_for(shared_office, lawful)
    before = stored(shared_office)
    response = lawful.sent(life)
    answer = answered(response, lawful.status)
    new = [topic for id, topic in stored(shared_office)[len(before) :] if id == subject_of(answer)]
    assert new == [f"{topic}.v1" for topic in lawful.records]
    assert [event["type"] for event in answer["events"]] == new
    assert answer["version"] == answer["events"][-1]["version"]
    assert answer["position"] == shared_office.position
    assert response.headers["etag"] == f'"{answer["version"]}"'
    assert response.headers["cache-control"] == "no-store"
    assert ({"proposal", "digest", "expires_at"} <= answer.keys()) == (lawful.status == 202)


@every_command
def test_the_same_key_and_body_again_give_the_same_answer_and_do_nothing(shared_office: Office, lawful: Lawful) -> None:
    life, key = life_for(shared_office, lawful), uuid4().hex
    body = lawful.body(life)
    first = lawful.sent(life, key=key, body=body)
    with shared_office.recording_nothing():
        again = lawful.sent(life, key=key, body=body)
    assert (again.status_code, again.content) == (first.status_code, first.content)


@every_command
def test_the_same_key_with_another_body_is_refused(shared_office: Office, lawful: Lawful) -> None:
    life, key = life_for(shared_office, lawful), uuid4().hex
    body = lawful.body(life)
    answered(lawful.sent(life, key=key, body=body), lawful.status)
    with shared_office.recording_nothing():
        other = body | {"effective_on": shared_office.today.isoformat()}
        if "digest" in body or "reason" in body:
            other = {name: value[::-1] if isinstance(value, str) else value for name, value in body.items()}
        refused(lawful.sent(life, key=key, body=other), 422, "idempotency_key_reused")


@every_command
def test_a_command_without_an_idempotency_key_is_refused(shared_office: Office, lawful: Lawful) -> None:
    life = resting_for(shared_office, lawful)
    with shared_office.recording_nothing():
        for key in ("", "a key", "k" * 101):
            refused(lawful.sent(life, headers={"Idempotency-Key": key}), 422, "malformed")


@every_command
def test_a_dry_run_records_nothing_and_answers_what_the_real_call_then_answers(
    shared_office: Office, lawful: Lawful
) -> None:
    life, key = life_for(shared_office, lawful), uuid4().hex
    body = lawful.body(life)
    with shared_office.recording_nothing():
        rehearsed = lawful.sent(life, key=key, body=body, params={"dry_run": "true"})
    shown = answered(rehearsed, lawful.status)
    assert shown.pop("dry_run") is True
    real = answered(lawful.sent(life, key=key, body=body), lawful.status)
    del real["position"]
    if lawful.address == "/applications":  # the certificate to be has no id before it is recorded
        del real["certificate_id"], shown["certificate_id"]
    assert shown == real


@every_command
def test_a_dry_run_is_refused_as_the_real_call_is(shared_office: Office, lawful: Lawful) -> None:
    life = resting_for(shared_office, lawful)
    body = lawful.body(life) | {"surplus": 1}
    with shared_office.recording_nothing():
        rehearsed = lawful.sent(life, body=body, params={"dry_run": "true"})
        real = lawful.sent(life, body=body)
    assert (rehearsed.status_code, rehearsed.content) == (real.status_code, real.content)
    refused(real, 422, "malformed")


@commands_on_certificates
def test_a_stale_version_is_refused_and_the_current_one_accepted(shared_office: Office, lawful: Lawful) -> None:
    life = life_for(shared_office, lawful)
    version = life.view()["version"]
    with shared_office.recording_nothing():
        for stale in (version - 1, version + 1):
            refused(lawful.sent(life, headers={"If-Match": f'"{stale}"'}), 412, "stale_version")
        for malformed in (str(version), "*", '"1", "2"', f'W/"{version}"'):
            refused(lawful.sent(life, headers={"If-Match": malformed}), 422, "malformed")
    answered(lawful.sent(life, headers={"If-Match": f'"{version}"'}), lawful.status)


def test_two_persons_may_use_the_same_idempotency_key(office: Office) -> None:
    first, second = life_at(office, "accepted"), life_at(office, "graded")
    answered(first.in_case("plan", "reg", first.site() | {"team": ["ana"]}, key="k"))
    answered(second.in_case("decision", "dora", {"outcome": "grant"}, key="k"), 202)
    assert (first.types[-1], second.types[-1]) == ("assessment-planned", "act-proposed")


def test_one_person_uses_a_key_once_whatever_the_address(office: Office) -> None:
    first, second = life_at(office, "opened"), life_at(office, "opened")
    answered(first.in_case("review", "reg", {"outcome": "accepted"}, key="k"))
    refused(second.in_case("review", "reg", {"outcome": "accepted"}, key="k"), 422, "idempotency_key_reused")


def test_the_order_of_members_does_not_make_another_body(office: Office) -> None:
    life = life_at(office, "opened")
    first = life.in_case("review", "reg", b'{"outcome": "rejected", "reasons": [{"code": "outside_scheme"}]}', key="k")
    again = life.in_case("review", "reg", b'{"reasons":[{"code":"outside_scheme"}],"outcome":"rejected"}', key="k")
    assert answered(first) == answered(again)


def test_a_command_refused_may_be_sent_again_under_its_key(office: Office) -> None:
    life = life_at(office, "opened")
    refused(life.in_case("plan", "reg", life.site() | {"team": ["ana"]}, key="k"), 409, "not_allowed_at_stage")
    life.accepted()
    answered(life.in_case("plan", "reg", life.site() | {"team": ["ana"]}, key="k"))


def _in(**body: Any) -> Json:
    return body


MAIN_REFUSALS: dict[str, tuple[str, str, str, Json, int, str]] = {
    # the stage, the command, by whom, the body, and the refusal
    "acceptance twice": ("accepted", "cases/1/review", "reg", _in(outcome="accepted"), 409, "not_allowed_at_stage"),
    "withdrawal of a decided application": ("active", "cases/1/withdrawal", "holder", {}, 409, "not_allowed_at_stage"),
    "assessment before its plan": ("accepted", "cases/1/assessment", "ana", {}, 409, "not_allowed_at_stage"),
    "closing what is not open": (
        "assessed", "cases/1/nonconformity-closures", "ana", _in(element="5.2.1"), 422, "nonconformity_unknown"),
    "review before the assessment": (
        "planned", "cases/1/assessment-review", "rev", _in(recommendation="x"), 409, "not_allowed_at_stage"),
    "decision before the review": (
        "assessed", "cases/1/decision", "dora", _in(outcome="grant"), 409, "not_allowed_at_stage"),
    "grant with an open nonconformity": (
        "nonconforming", "cases/1/decision", "dora", _in(outcome="grant"), 409, "not_allowed_at_stage"),
    "outcome of what is no dispute": (
        "active", "cases/1/outcome", "dina", _in(upheld=True, grounds="x"), 409, "not_allowed_at_stage"),
    "case unknown": ("active", "cases/99/outcome", "dina", _in(upheld=True, grounds="x"), 404, "case_unknown"),
    "issue before the decision": ("graded", "issuances", "reg", {}, 409, "not_allowed_at_stage"),
    "issue twice": ("active", "issuances", "reg", {}, 409, "not_allowed_in_status"),
    "re-issue of nothing": ("active", "reissues", "reg", _in(reasons=reasons("name_changed")), 422, "nothing_reissued"),
    "re-issue for no listed reason": (
        "active", "reissues", "reg", _in(reasons=reasons("boredom"), holder="x"), 422, "reason_unknown"),
    "notice of nothing": (
        "active", "notices", "reg", _in(of=99, served_on="2024-01-15", proof_sha256="0" * 64), 422, "fact_unknown"),
    "a second visit": ("visit_opened", "visits", "reg", _in(grounds="x"), 409, "case_already_open"),
    "suspension of a suspended one": (
        "suspended", "suspensions", "dora", _in(reasons=reasons("mark_misused")), 409, "not_allowed_in_status"),
    "suspension too long": (
        "active", "suspensions", "dora", _in(reasons=reasons("mark_misused"), ends_on="2025-01-15"), 409,
        "suspension_too_long"),
    "extension of no suspension": (
        "active", "suspension-extensions", "dora", _in(reasons=reasons("mark_misused"), ends_on="2024-03-01"), 409,
        "not_allowed_in_status"),
    "extension to an earlier day": (
        "suspended", "suspension-extensions", "dora", _in(reasons=reasons("mark_misused"), ends_on="2024-01-20"), 409,
        "suspension_end_not_later"),
    "reinstatement of a valid one": ("active", "reinstatements", "dora", _in(grounds="x"), 409, "not_allowed_in_status"),
    "reinstatement with open reasons": (
        "suspended", "reinstatements", "dora", _in(grounds="x"), 409, "suspension_reasons_open"),
    "a second withdrawal proceeding": (
        "withdrawal_open", "withdrawal-proceedings", "dora", _in(step="open", reasons=reasons("mark_misused")), 409,
        "withdrawal_already_open"),
    "dropping no withdrawal": (
        "active", "withdrawal-proceedings", "dora", _in(step="drop", grounds="x"), 409, "no_withdrawal_open"),
    "withdrawal of a cancelled one": (
        "cancelled", "withdrawals", "dora", _in(reasons=reasons("mark_misused")), 409, "not_allowed_in_status"),
    "cancellation while a withdrawal is open": (
        "withdrawal_open", "cancellations", "holder", _in(reasons=reasons("holder_request")), 409,
        "withdrawal_open_blocks_cancellation"),
    "correction of what cannot be": (
        "active", "corrections", "reg", _in(target=1, reason="x", changes=[{"path": "/by"}]), 422, "not_correctable"),
    "correction of another state": (
        "active", "corrections", "reg",
        _in(target=1, reason="x", changes=[{"path": "/holder", "old": "Another", "new": "Mine"}]), 409,
        "corrected_value_differs"),
    "appeal against nothing": ("active", "appeals", "holder", _in(against=99, grounds="x"), 422, "fact_unknown"),
    "approval of nothing": ("active", "proposals/9/approvals", "dan", _in(digest="0" * 64), 404, "proposal_unknown"),
    "approval of something else": (
        "proposed", "proposals/{proposal}/approvals", "dan", _in(digest="0" * 64), 409, "digest_differs"),
    "rejection of nothing": ("active", "proposals/9/rejections", "dan", _in(reason="x"), 404, "proposal_unknown"),
    "an act of tomorrow by one person": (
        "active", "visits", "reg", _in(grounds="x", effective_on="2024-01-16"), 422, "day_in_future"),
    "an act before the first": (
        "active", "visits", "reg", _in(grounds="x", effective_on="2024-01-14"), 409, "not_allowed_in_status"),
}  # fmt: skip


@pytest.mark.parametrize("refusal", MAIN_REFUSALS)
def test_what_the_state_forbids_is_refused_and_records_nothing(shared_office: Office, refusal: str) -> None:
    at, what, by, body, status, code = MAIN_REFUSALS[refusal]
    life = resting_at(shared_office, at)
    if what.endswith("assessment"):
        body = life.assessment()
    with shared_office.recording_nothing():
        refused(life.post(what.format(**life.proposed), by, body), status, code)


def test_applications_are_refused_for_what_stands_against_them(office: Office) -> None:
    life = Life(office)
    for given, status, code in (
        ({"scheme": "CSP-X"}, 422, "scheme_unknown"),
        ({"certification_type": "gold"}, 422, "certification_type_unknown"),
        ({"kind": "renewal"}, 422, "malformed"),
        ({"kind": "renewal", "certificate_id": str(uuid4())}, 404, "certificate_unknown"),
        ({"organisation": str(uuid4())}, 404, "organisation_unknown"),
    ):
        with office.recording_nothing():
            refused(office.post("/applications", "holder", life.application(**given)), status, code)
    life_at(office, "withdrawn")
    former = Life(office, "former")
    refused(office.post("/applications", "former", former.application()), 409, "barred")


def test_what_is_no_organisation_is_taken_for_none_though_its_stream_exists(office: Office) -> None:
    certificate = life_at(office, "active")
    person, editions = office.house.register.person("ana").id, scheme.id_of(CSP)
    for id in (certificate.id, str(person), str(editions), str(keys.REGISTER)):
        application = Life(office).application(organisation=id, request_sha256=SHA)
        conflict = {"organisation": id, "grounds": "x"}
        with office.recording_nothing():
            refused(office.post("/applications", "reg", application), 404, "organisation_unknown")
            refused(office.post("/persons/ana/conflicts", "reg", conflict), 404, "organisation_unknown")


def test_persons_and_organisations_are_registered_once(office: Office) -> None:
    taken = {"unified_code": "91110108000000001" + "X", "name": "x", "address": "x"}
    problem = refused(office.post("/organisations", "reg", taken), 422, "unified_code_malformed")
    right = problem["detail"].rsplit("expected ", 1)[1][0]
    taken["unified_code"] = "91110108000000001" + right
    refused(office.post("/organisations", "reg", taken), 409, "organisation_known")
    refused(office.post("/persons", "adm", {"person": "ana"}), 409, "person_known")
    stranger = str(office.organisations["stranger"])
    conflict = {"organisation": stranger, "grounds": "x"}
    refused(office.post("/persons/nobody/conflicts", "reg", conflict), 404, "person_unknown")
    conflict["organisation"] = str(uuid4())
    refused(office.post("/persons/ana/conflicts", "reg", conflict), 404, "organisation_unknown")


def test_a_proposal_is_approved_or_rejected_once(office: Office) -> None:
    approved, rejected = life_at(office, "proposed"), life_at(office, "proposed")
    answered(approved.approves())
    refused(approved.approves("dina"), 409, "proposal_closed")
    answered(rejected.post(f"proposals/{rejected.proposed['proposal']}/rejections", "dora", {"reason": "mistaken"}))
    refused(rejected.approves(), 409, "proposal_closed")
    assert rejected.types[-1] == "proposal-rejected"


def test_a_proposal_lapses_and_one_for_a_later_day_waits_for_it(office: Office) -> None:
    lapsing, waiting = life_at(office, "proposed"), life_at(office, "active")
    waiting.proposes("suspensions", {"reasons": reasons("mark_misused"), "effective_on": "2024-02-01"})
    refused(waiting.approves(), 409, "proposal_not_yet")
    assert lapsing.proposed["expires_at"] == "2024-02-14T16:00:00Z"
    office.moves_to("2024-02-15")
    refused(lapsing.approves(), 409, "proposal_lapsed")
    answered(waiting.approves())
    assert waiting.status(on="2024-01-31") == "valid"
    assert waiting.status(on="2024-02-01") == "suspended"


def test_an_approval_decides_again_on_the_state_of_that_moment(office: Office) -> None:
    life = life_at(office, "active").proposes("suspensions", {"reasons": reasons("mark_misused")})
    life.cancelled()
    with office.recording_nothing():
        refused(life.approves(), 409, "not_allowed_in_status")


def test_an_act_back_dated_past_the_limit_needs_a_second_person(office: Office) -> None:
    life = life_at(office, "active")
    office.moves_to("2024-02-15")
    back_dated = {"grounds": "x", "effective_on": "2024-01-15"}
    life.proposes("visits", back_dated, "reg")
    refused(life.approves("reg"), 403, "second_person_needed")
    refused(life.approves("dan"), 403, "role_not_allowed")
    office.employs("rita", "registrar")
    answered(life.approves("rita"))
    recorded = life.stream()[-1]
    assert (recorded["type"], recorded["signed_by"]) == ("surveillance-requested.v1", ["reg", "rita"])
    assert recorded["effective_on"] == "2024-01-15"
