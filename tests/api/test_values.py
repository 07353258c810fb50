"""Numbers, marks and days that make no sense, also at the ends of what can be written."""

from typing import Any

import pytest

from tests.api.life import EDITION, later, life_at, reasons, resting_at
from tests.api.office import Office, problem_of, refused
from tests.api.requests import LAWFUL, Lawful, resting_for

every_command = pytest.mark.parametrize("lawful", LAWFUL, ids=lambda lawful: lawful.name)


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
    "marks", ["", "-1", "+1", "5", "4.0000001", "1e0", "1e999999", "NaN", "Infinity", "４", "4,0", " 4", "4 ", "0x4",
              "4/1", "04", "9" * 4000, 4, 4.0, None, "4\n"],
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


PATHS = (
    "", "/", "//", "holder", "/holder/x", "/findings", "/findings/", "/findings/5.2.1", "/findings/5.2.1/marks/x",
    "/findings/9.9/marks", "/due/visit_on", "/by/person", "/__class__", "/0", "/-", "~0~1", "/" * 1000, "/𠮷",
    "/effective_on/year",
)  # fmt: skip


@pytest.mark.parametrize("old", [None, "x", 1, [], {}, {"a": [[[]]]}])
def test_a_correction_of_no_such_value_is_refused(shared_office: Office, old: Any) -> None:
    life = resting_at(shared_office, "active")
    for target in (1, life.version_of("assessment-recorded"), life.version_of("certificate-issued")):
        for path in PATHS:
            body = {"target": target, "reason": "x", "changes": [{"path": path, "old": old, "new": old}]}
            with shared_office.recording_nothing():
                assert problem_of(life.post("corrections", "reg", body))["status"] in (409, 422)
