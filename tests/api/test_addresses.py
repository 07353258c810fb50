"""Addresses, methods and parameters that are none."""

import json
from uuid import uuid4

import pytest

from tests.api.life import later, reasons, resting_at
from tests.api.office import Office, problem_of, refused


@pytest.mark.parametrize(
    "id", ["x", "0", "%00", "%F0%A0%AE%B7", "a" * 1000, "00000000-0000-0000-0000-00000000000g", "..%2f..", "%2e%2e"]
)
def test_an_address_that_is_none_is_refused(shared_office: Office, id: str) -> None:
    with shared_office.recording_nothing():
        other = f"/certificates/{uuid4()}"
        for method, path in (
            ("GET", f"/certificates/{id}"), ("GET", f"/certificates/{id}/events"),
            ("POST", f"/certificates/{id}/visits"), ("POST", f"{other}/cases/{id}/plan"),
            ("POST", f"{other}/proposals/{id}/approvals"),
        ):  # fmt: skip
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
    for method, path in (
        ("DELETE", "/certificates"), ("PUT", "/persons"), ("POST", "/healthz"), ("GET", "/applications"),
        ("PATCH", "/status/x"), ("TRACE", "/readyz"), ("X" * 100, "/readyz"),
    ):  # fmt: skip
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
