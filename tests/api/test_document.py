"""The OpenAPI document: what it tells is so, and the service keeps to it under generated data."""

from typing import Any

import httpx2
import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from jsonschema_rs import Draft202012Validator
from schemathesis import GenerationMode

from lifecycle.decide import DECISIONS
from tests.api.office import Office, problem_of
from tests.api.reading import page_of
from tests.api.requests import LAWFUL, Lawful, resting_for
from tests.api.test_roles import (
    ALLOWED,
    EVIDENCE,
    KEYLESS,
    PAGES,
    PAPERS,
    PERSONS,
    PERSONS_ROOM,
    PUBLIC,
    PUBLISHED,
    QUESTIONS,
    REHEARSALS,
)

Json = dict[str, Any]
COUNT, TAKING_NOTHING = 71, 7
"""Operations; some take nothing, so that nothing unfitting can be sent to them."""

every_lawful = pytest.mark.parametrize("lawful", LAWFUL, ids=lambda lawful: lawful.name)


@pytest.fixture(scope="module")
def document(shared_office: Office) -> Json:
    shared_office.house.catch_up()
    return shared_office.client.get("/openapi.json").json()


def operations(document: Json) -> dict[tuple[str, str], Json]:
    return {
        (method, path): operation
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }


def test_the_document_tells_every_address(document: Json) -> None:
    told = operations(document)
    questions = {path.replace(":path", "") for path in {*QUESTIONS, *PUBLIC, *KEYLESS, *PAGES} if "openapi" not in path}
    expected = {("post", path) for path in ALLOWED} | {("get", path) for path in questions if "docs" not in path}
    others = REHEARSALS | EVIDENCE | PAPERS | PERSONS_ROOM
    assert told.keys() == expected | {(method.lower(), path) for method, path in others}
    assert len(told) == COUNT


def test_the_document_tells_who_may_do_what(document: Json) -> None:
    for (method, path), operation in operations(document).items():
        if method == "post" and path in ALLOWED and "{proposal}" not in path:
            assert set(operation["x-roles"]) == ALLOWED[path]
        elif method == "get" and path in QUESTIONS:
            assert set(operation["x-roles"]) == QUESTIONS[path]
        assert ("security" in operation) == (path not in KEYLESS | PUBLISHED and "pages" not in operation["tags"])


def test_every_shape_in_the_document_is_one_and_is_used(document: Json) -> None:
    raw = msgspec.json.encode(document).decode()
    for name, schema in document["components"]["schemas"].items():
        Draft202012Validator(schema | {"components": document["components"]})
        assert f'"#/components/schemas/{name}"' in raw, f"{name} is not used"


@every_lawful
def test_a_body_is_accepted_by_the_document_exactly_if_by_the_service(
    shared_office: Office, document: Json, lawful: Lawful
) -> None:
    schema = operations(document)["post", lawful.address]["requestBody"]["content"]["application/json"]["schema"]
    validator = Draft202012Validator(schema | {"components": document["components"]}, validate_formats=True)
    life = resting_for(shared_office, lawful)
    body = lawful.body(life)
    assert validator.is_valid(body)
    for name in [*body, "surplus"]:
        for value in (None, 5, "", "x" * 3000, [], [[]], {}, {"code": 1}, True, "2024-02-30"):
            bent = body | {name: value}
            response = lawful.sent(life, body=bent, params={"dry_run": "true"})
            malformed = response.status_code == 422 and response.json()["code"] == "malformed"
            if not validator.is_valid(bent):
                assert malformed, (bent, response.text)


def test_what_needs_a_second_signature_is_told_by_the_proposals_answers(document: Json) -> None:
    signed = {lawful.address for lawful in LAWFUL if lawful.status == 202}
    for path in signed:
        assert "202" in operations(document)["post", path]["responses"]
    assert len(DECISIONS) == len(ALLOWED) - 5  # all but organisations, persons, conflicts, approvals and rejections


@pytest.fixture(scope="module")
def generating(document: Json) -> list[schemathesis.APIOperation]:
    """The operations, those last that take nothing."""
    every = [each.ok() for each in schemathesis.openapi.from_dict(document).get_all_operations()]
    return sorted(every, key=takes_nothing)


def takes_nothing(operation: schemathesis.APIOperation) -> bool:
    return not [*operation.iter_parameters(), *operation.body]


@pytest.mark.parametrize(
    ("mode", "number"),
    [
        *((GenerationMode.POSITIVE, number) for number in range(COUNT)),
        *((GenerationMode.NEGATIVE, number) for number in range(COUNT - TAKING_NOTHING)),
    ],
)
@pytest.mark.parametrize(
    "examples", [5, pytest.param(280, marks=pytest.mark.figures), pytest.param(2800, marks=pytest.mark.soak)]
)
def test_generated_requests_are_answered_as_the_document_tells(
    shared_office: Office, generating: list[schemathesis.APIOperation], number: int, mode: GenerationMode, examples: int
) -> None:
    """Each answer is held to the document by ``fitting``; what generates knows of the service the document alone."""

    @settings(
        max_examples=examples, derandomize=True, database=None, deadline=None, suppress_health_check=[*HealthCheck]
    )
    @given(case=generating[number].as_strategy(generation_mode=mode))
    def answer(case: schemathesis.Case) -> None:
        response = sent(shared_office, case, mode)
        assert response.status_code < 500, (response.request.url, response.request.content, response.text)
        if "pages" in case.operation.definition.raw["tags"]:
            page_of(response, response.status_code)
        elif response.status_code >= 400:
            problem_of(response)

    answer()


def sent(office: Office, case: schemathesis.Case, mode: GenerationMode) -> httpx2.Response:
    """The answer to a generated request of somebody who may; a fitting one is about a certificate that exists."""
    generated = case.as_transport_kwargs(base_url="http://testserver")
    path = case.operation.path
    if mode == GenerationMode.POSITIVE and case.method == "POST":
        lawful = next((each for each in LAWFUL if each.address == path), None)
        generated["url"] = lawful.path(resting_for(office, lawful)) if lawful else generated["url"]
    roles = case.operation.definition.raw.get("x-roles", ["auditor"])
    headers = {name: str(value) for name, value in generated["headers"].items() if name != "Authorization"}
    raw = {
        name: value.encode("latin-1", "replace")
        for name, value in (headers | office.bearing(PERSONS[roles[-1]])).items()
    }
    params = {name: value for name, value in (generated.get("params") or {}).items() if name != "min_position"}
    content = msgspec.json.encode(generated["json"], enc_hook=str) if "json" in generated else generated.get("data")
    return office.client.request(case.method, generated["url"], params=_flat(params), headers=raw, content=content)


def _flat(params: Json) -> list[tuple[str, str]]:
    return [
        (name, str(each)) for name, value in params.items() for each in (value if isinstance(value, list) else [value])
    ]
