"""Bad input over HTTP: refused clearly or stored exactly, nothing half done, never a word of what is inside."""

import json
from typing import Any
from uuid import uuid4

import pytest

from tests.api.life import EDITION, Json, Life, later, life_at, reasons, resting_at
from tests.api.office import Office, answered, problem_of, refused
from tests.api.requests import LAWFUL, Lawful, resting_for

every_command = pytest.mark.parametrize("lawful", LAWFUL, ids=lambda lawful: lawful.name)

NOT_JSON = {
    "no JSON": b"grounds=x",
    "cut off": b'{"grounds":"x"',
    "more than one": b"{}{}",
    "an array": b"[]",
    "a text": b'"x"',
    "null": b"null",
    "a number": b"1",
    "NaN": b'{"grounds":NaN}',
    "Infinity": b'{"grounds":-Infinity}',
    "a number out of range": b'{"grounds":1e400}',
    "a number of 5,000 digits": b'{"grounds":' + b"9" * 5000 + b"}",
    "half a surrogate pair": rb'{"grounds":"\ud842"}',
    "the halves in the wrong order": rb'{"grounds":"\udfb7\ud842"}',
    "a raw NUL": b'{"grounds":"\x00"}',
    "not UTF-8": b'{"grounds":"\xff"}',
    "an overlong NUL": b'{"grounds":"\xc0\x80"}',
    "a surrogate in UTF-8": b'{"grounds":"\xed\xa1\x82"}',
    "Latin-1": '{"grounds":"é"}'.encode("latin-1"),
    "UTF-16": '{"grounds":"x"}'.encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf{}",
    "nested 9 deep": b'{"grounds":' + b"[" * 9 + b"]" * 9 + b"}",
    "nested 300 deep": b'{"grounds":' + b"[" * 300 + b"]" * 300 + b"}",
    "nested 990 deep": b'{"grounds":' + b"[" * 990 + b"]" * 990 + b"}",
    "nested 30,000 deep": b'{"grounds":' + b"[" * 30_000 + b"]" * 30_000 + b"}",
    "objects nested 10,000 deep": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "open without end": b"[" * 65_000,
    "a name twice": b'{"grounds":"one","grounds":"two"}',
    "a name twice, one escaped": rb'{"grounds":"one","\u0067rounds":"two"}',
    "a name twice, deeper down": b'{"grounds":"x","reasons":[{"code":"a","code":"b"}]}',
}


@pytest.mark.parametrize("body", NOT_JSON)
def test_what_is_not_one_json_object_is_refused(shared_office: Office, body: str) -> None:
    life = resting_at(shared_office, "opened")
    with shared_office.recording_nothing():
        for path, by in (
            (f"/certificates/{life.id}/complaints", "holder"),
            ("/persons", "adm"),
            ("/applications", "holder"),
        ):
            refused(shared_office.post(path, by, NOT_JSON[body]), 422, "malformed")


def test_json_nested_100_000_deep_is_refused(shared_office: Office) -> None:
    with shared_office.recording_nothing():
        refused(shared_office.post("/persons", "adm", b"[" * 100_000 + b"]" * 100_000), 413, "body_too_large")


@every_command
def test_a_body_of_another_shape_is_refused(shared_office: Office, lawful: Lawful) -> None:
    life = resting_for(shared_office, lawful)
    body = lawful.body(life)
    wrong: list[Json] = [body | {"surplus": 1}, body | {"type": "another"}]
    wrong += [body | {name: [value]} for name, value in body.items()]
    wrong += [body | {name: None} for name in body if name != "holder"]  # which may be left out of a re-issue
    with shared_office.recording_nothing():
        for each in wrong:
            refused(lawful.sent(life, body=each), 422, "malformed")


WRONG_TYPES = (
    "application/x-www-form-urlencoded",
    "text/plain",
    "application/xml",
    "multipart/form-data; boundary=x",
    "x",
    "",
)


@pytest.mark.parametrize("content_type", WRONG_TYPES)
def test_a_body_that_is_not_called_json_is_refused(shared_office: Office, content_type: str) -> None:
    life = resting_at(shared_office, "opened")
    with shared_office.recording_nothing():
        response = life.in_case("review", "reg", {"outcome": "accepted"}, headers={"Content-Type": content_type})
        refused(response, 415, "unsupported_media_type")


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8", "Application/JSON"])
def test_a_body_that_is_called_json_is_read(shared_office: Office, content_type: str) -> None:
    life = life_at(shared_office, "opened")
    answered(life.in_case("review", "reg", {"outcome": "accepted"}, headers={"Content-Type": content_type}))


# ---- texts -------------------------------------------------------------------------------------------------------------

FORBIDDEN = {
    "NUL": "\x00", "bell": "\x07", "escape": "\x1b[31m", "vertical tab": "\x0b", "delete": "\x7f",
    "right-to-left override": "\u202egnp.exe", "left-to-right embedding": "\u202a", "isolate": "\u2066", "non-character": "\uffff",
    "another non-character": "\ufffe",
}  # fmt: skip
STORED = {
    "beyond the basic plane": "𠮷野家 \U00020bb7", "traditional": "臺灣保全", "right to left": "شركة الإنذار", "a family": "👨‍👩‍👧",
    "combining": "e\u0301 is not \u00e9", "full width": "ＡＢＣ　１２３", "quotes": """O'Neil "Ltd" <b>&amp;\\n; DROP TABLE""",
    "format": "{act} %s %(x)s ${jndi:ldap://x}", "spaces": "  kept  as  given  ", "lines": "one\ntwo\tthree\r\n",
    "the longest": "𠮷" * 300, "private use": "\ue000", "zero width": "a\u200bb",
}  # fmt: skip


@pytest.mark.parametrize("text", FORBIDDEN)
def test_a_character_that_no_record_may_hold_is_refused_by_its_name(office: Office, text: str) -> None:
    life = Life(office)
    with office.recording_nothing():
        for name in ("holder", "address", "scope", "scheme", "certification_type"):
            given = life.application(**{name: f"Alarm {FORBIDDEN[text]}"})
            problem = refused(office.post("/applications", "holder", given), 422, "malformed")
            assert f"U+{ord(FORBIDDEN[text][0]):04X}" in problem["detail"]
        refused(office.post("/applications", "holder", life.application() | {FORBIDDEN[text]: "x"}), 422, "malformed")


@pytest.mark.parametrize("text", STORED)
def test_every_other_text_is_stored_exactly(office: Office, text: str) -> None:
    name = STORED[text]
    life = Life(office).applies(holder=name, address=name, scope=name)
    life.accepted().planned().assessed().reviewed().decided("grant")
    life.number = life.does("issuances", "reg")["certificate_number"]
    view, shown = life.view(), office.status(life.number)
    assert {view["holder"], view["address"], view["scope"], shown["holder"], shown["scope"]} == {name}
    (listed,) = answered(office.get("/certificates", "aud", holder=name.strip()[:20]))["items"]
    assert listed["holder"] == name
    assert office.get("/deadlines.ics", "aud", by="2030-01-01").status_code == 200


@pytest.mark.parametrize(
    ("name", "longest"),
    [("holder", 300), ("address", 300), ("scope", 2000), ("scheme", 300), ("certification_type", 64)],
)
def test_a_text_is_at_most_so_long(shared_office: Office, name: str, longest: int) -> None:
    life = Life(shared_office)
    with shared_office.recording_nothing():
        for length in (longest + 1, 10_000):
            given = life.application(**{name: "x" * length})
            refused(shared_office.post("/applications", "holder", given), 422, "malformed")
        for text in ("", " ", "\t\n", "\u3000"):
            refused(shared_office.post("/applications", "holder", life.application(**{name: text})), 422, "malformed")
    response = shared_office.post("/applications", "holder", life.application(**{name: "x" * longest}))
    assert response.status_code == 201 or problem_of(response)["code"] in (
        "scheme_unknown",
        "certification_type_unknown",
    )


@pytest.mark.parametrize(
    "code", ["", "x" * 18, "91110108000000001", "9111010800000000１X", "91110108000000001O", "𠮷" * 18, "1" * 300]
)
def test_a_unified_code_that_is_none_is_refused(shared_office: Office, code: str) -> None:
    with shared_office.recording_nothing():
        response = shared_office.post("/organisations", "reg", {"unified_code": code, "name": "x", "address": "x"})
        assert problem_of(response)["code"] in ("unified_code_malformed", "malformed")


@pytest.mark.parametrize("person", ["", " ", "a b", "-a", "é", "a" * 65, "a\n", "../x", "\x00", "𠮷"])
def test_a_persons_id_is_a_plain_name(shared_office: Office, person: str) -> None:
    with shared_office.recording_nothing():
        refused(shared_office.post("/persons", "adm", {"person": person}), 422, "malformed")


# ---- numbers and days ----------------------------------------------------------------------------------------------------

NUMBERS = (0, -1, 2**31, 2**63, 2**64, -(2**70), 10**30, 10**4000)


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: str(number)[:22])
def test_a_number_that_no_event_has_is_refused(shared_office: Office, number: int) -> None:
    life = resting_at(shared_office, "active")
    notice = {"of": number, "served_on": "2024-01-15", "proof_sha256": "0" * 64}
    correction = {"target": number, "reason": "x", "void": True}
    misused = reasons("mark_misused")
    with shared_office.recording_nothing():
        refused(life.post("notices", "reg", notice), 422, "fact_unknown")
        refused(life.post("appeals", "holder", {"against": number, "grounds": "x"}), 422, "fact_unknown")
        refused(life.post("corrections", "reg", correction), 422, "fact_unknown")
        refused(life.post("suspensions", "dora", {"reasons": misused, "case": number}), 404, "case_unknown")
        refused(life.post("withdrawals", "dora", {"reasons": misused, "case": number}), 404, "case_unknown")


@pytest.mark.parametrize("number", [1.0, 1.5, "1", True, None, [], {}, -0.0])
def test_a_number_is_written_as_one(shared_office: Office, number: Any) -> None:
    life = resting_at(shared_office, "active")
    with shared_office.recording_nothing():
        refused(life.post("appeals", "holder", {"against": number, "grounds": "x"}), 422, "malformed")


@pytest.mark.parametrize(
    "marks", ["", "-1", "+1", "5", "4.0000001", "1e0", "1e999999", "NaN", "Infinity", "４", "4,0", " 4", "4 ", "0x4", "4/1", "04",
              "9" * 4000, 4, 4.0, None, "4\n"],
)  # fmt: skip
def test_marks_are_exact_decimal_strings_within_the_weight(shared_office: Office, marks: Any) -> None:
    life = resting_at(shared_office, "planned")
    body = life.assessment()
    body["findings"][0]["marks"] = marks
    with shared_office.recording_nothing():
        assert problem_of(life.in_case("assessment", "ana", body))["code"] in ("findings_refused", "malformed")


def test_findings_name_every_element_once(shared_office: Office) -> None:
    life = resting_at(shared_office, "planned")
    whole = life.findings()
    for findings in ([], whole[1:], [*whole, whole[0]], [*whole[1:], whole[0] | {"element": "9.9"}], whole * 21):
        with shared_office.recording_nothing():
            response = life.in_case("assessment", "ana", life.site() | {"findings": findings})
            assert problem_of(response)["code"] in ("findings_refused", "malformed")
    assert len(whole) == len(shared_office.house.register.editions[EDITION].elements) == 24


DAYS = ("0001-01-01", "0999-12-31", "1582-10-04", "1899-12-31", "9999-12-31", "2024-02-29")
NO_DAYS = (
    "",
    "today",
    "2024-1-1",
    "2023-02-29",
    "2024-01-15T00:00:00Z",
    "20240115",
    "10000-01-01",
    "-001-01-01",
    "２０２４-01-15",
)


@every_command
def test_days_at_the_ends_of_the_calendar_fail_nothing(shared_office: Office, lawful: Lawful) -> None:
    life = resting_for(shared_office, lawful)
    body = lawful.body(life)
    named = [name for name in (*body, "effective_on", "until_on", "ends_on") if name.endswith(("_on", "_from", "_to"))]
    for name in dict.fromkeys(named):
        for day in DAYS:
            response = lawful.sent(life, body=body | {name: day}, params={"dry_run": "true"})
            assert response.status_code < 500, (name, day, response.text)
            if response.status_code >= 400:
                problem_of(response)


@every_command
def test_a_day_that_is_none_is_refused(shared_office: Office, lawful: Lawful) -> None:
    life = resting_for(shared_office, lawful)
    body = lawful.body(life)
    with shared_office.recording_nothing():
        for day in (*NO_DAYS, 20240115, 1.5, True, [], {}):
            refused(lawful.sent(life, body=body | {"effective_on": day}), 422, "malformed")


def test_a_plan_for_the_end_of_the_calendar_fails_nothing(shared_office: Office) -> None:
    assessment, visit = resting_at(shared_office, "accepted"), resting_at(shared_office, "visit_opened")
    for life in (assessment, visit):
        for first, last in (("2024-01-15", "9999-12-31"), ("9999-12-31", "9999-12-31"), ("0001-01-01", "2024-01-15"),
                            ("0001-01-01", "0001-01-01"), ("2024-01-16", "2024-01-15")):  # fmt: skip
            body = {"on_site_from": first, "on_site_to": last, "team": ["ana"]}
            response = life.in_case("plan", "reg", body, params={"dry_run": "true"})
            assert response.status_code < 500, (first, last, response.text)


def test_a_correction_to_the_end_of_the_calendar_fails_nothing(office: Office) -> None:
    life = life_at(office, "active").visit_opened()
    office.moves_to(later(life, 1))
    life.visited()
    stream = {event["type"]: event for event in life.stream()}
    for topic, paths in {
        "assessment-recorded.v1": ("/on_site_to", "/on_site_from", "/effective_on"),
        "surveillance-recorded.v1": ("/on_site_to", "/on_site_from", "/effective_on"),
        "certificate-issued.v1": ("/effective_on",),
    }.items():
        for path in paths:
            for new in (*DAYS, *NO_DAYS, None, 5, [], {"a": {"b": {"c": []}}}):
                change = {"path": path, "old": stream[topic][path[1:]], "new": new}
                body = {"target": stream[topic]["version"], "reason": "x", "changes": [change]}
                response = life.post("corrections", "reg", body, params={"dry_run": "true"})
                assert response.status_code < 500, (topic, path, new, response.text)


PATHS = ("", "/", "//", "holder", "/holder/x", "/findings", "/findings/", "/findings/5.2.1", "/findings/5.2.1/marks/x", "/findings/9.9/marks",
         "/due/visit_on", "/by/person", "/__class__", "/0", "/-", "~0~1", "/" * 1000, "/𠮷", "/effective_on/year")  # fmt: skip


@pytest.mark.parametrize("old", [None, "x", 1, [], {}, {"a": [[[]]]}])
def test_a_correction_of_no_such_value_is_refused(shared_office: Office, old: Any) -> None:
    life = resting_at(shared_office, "active")
    for target in (1, life.version_of("assessment-recorded"), life.version_of("certificate-issued")):
        for path in PATHS:
            body = {"target": target, "reason": "x", "changes": [{"path": path, "old": old, "new": old}]}
            with shared_office.recording_nothing():
                assert problem_of(life.post("corrections", "reg", body))["status"] in (409, 422)


# ---- addresses -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "id", ["x", "0", "%00", "%F0%A0%AE%B7", "a" * 1000, "00000000-0000-0000-0000-00000000000g", "..%2f..", "%2e%2e"]
)
def test_an_address_that_is_none_is_refused(shared_office: Office, id: str) -> None:
    with shared_office.recording_nothing():
        for method, path in (("GET", f"/certificates/{id}"), ("GET", f"/certificates/{id}/events"),
                             ("POST", f"/certificates/{id}/visits"), ("POST", f"/certificates/{uuid4()}/cases/{id}/plan"),
                             ("POST", f"/certificates/{uuid4()}/proposals/{id}/approvals")):  # fmt: skip
            headers = shared_office.bearing("aud" if method == "GET" else "reg") | {"Idempotency-Key": "k"}
            response = shared_office.client.request(method, path, headers=headers)
            assert problem_of(response)["status"] in (404, 405, 422), (method, path)


@pytest.mark.parametrize("case", ["-1", "+1", "1.0", "1e1", "01x", "%D9%A1", "9999999999", "1_0", " 1"])
def test_a_case_is_a_whole_number(shared_office: Office, case: str) -> None:
    life = resting_at(shared_office, "opened")
    body = {"outcome": "accepted"}
    refused(life.post(f"cases/{case}/review", "reg", body), 422, "malformed")
    refused(life.post("cases/0/review", "reg", body), 404, "case_unknown")
    refused(life.post("cases/999999999/review", "reg", body), 404, "case_unknown")


def test_the_case_stands_in_the_address_alone(shared_office: Office) -> None:
    life = resting_at(shared_office, "opened")
    refused(life.in_case("review", "reg", {"outcome": "accepted", "case": 2}), 422, "malformed")


def test_an_address_that_does_not_exist_and_a_method_that_is_not_meant_are_problems(shared_office: Office) -> None:
    client = shared_office.client
    for path in ("/nothing", "/certificates/x/y/z", "/status", "/%00", "/docs/x", "/favicon.ico"):
        problem_of(client.get(path, headers=shared_office.bearing("aud")))
    for method, path in (("DELETE", "/certificates"), ("PUT", "/persons"), ("POST", "/healthz"), ("GET", "/applications"),
                         ("PATCH", "/status/x"), ("TRACE", "/readyz"), ("X" * 100, "/readyz")):  # fmt: skip
        response = client.request(method, path)
        refused(response, 405, "method_not_allowed")
        assert response.headers["allow"]


@pytest.mark.parametrize("given", ["yes", "1", "True", "", "true,true"])
def test_a_dry_run_is_true_or_false(shared_office: Office, given: str) -> None:
    life = resting_at(shared_office, "opened")
    with shared_office.recording_nothing():
        refused(life.in_case("review", "reg", {"outcome": "accepted"}, params={"dry_run": given}), 422, "malformed")


def test_a_refusal_holds_the_facts_as_members(shared_office: Office) -> None:
    life = resting_at(shared_office, "suspended")
    body = {"reasons": reasons("mark_misused"), "ends_on": "2024-01-20"}
    problem = refused(life.post("suspension-extensions", "dora", body), 409, "suspension_end_not_later")
    assert (problem["ends_on"], problem["ends_now_on"]) == ("2024-01-20", later(life, 30))
    assert problem["instance"] == f"/certificates/{life.id}/suspension-extensions"
    assert json.loads(json.dumps(problem)) == problem
