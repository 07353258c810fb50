"""Certificate numbers as people write them, one or many at once, and what is none."""

import pytest

from tests.api.life import life_at
from tests.api.office import Office, answered, refused


@pytest.fixture(scope="module")
def issued(shared_office: Office) -> Office:
    """An office that has issued CSP-S01-2024-00001, and no other."""
    life_at(shared_office, "active")
    shared_office.house.catch_up()
    return shared_office


FULL_WIDTH = str.maketrans({chr(code): chr(code + 0xFEE0) for code in range(0x21, 0x7F)})


@pytest.mark.parametrize(
    "written", [
        "csp-s01-2024-00001", "CSP-S01-2024-00001".translate(FULL_WIDTH), " CSP-S01-2024-00001 ",
        "CSP - S01 - 2024 - 00001",
        "CSP\u3000-S01-2024-00001", "ｃｓｐ-ｓ01-２０２４-00001", "CSP-S01-2024-00001\u00a0",
    ],
)  # fmt: skip
def test_a_number_is_found_however_it_is_written(issued: Office, written: str) -> None:
    for response in (issued.client.get(f"/status/{_quoted(written)}"), issued.get("/status", number=[written])):
        shown = answered(response)
        (answer,) = shown.get("answers", [shown])
        assert (answer["certificate_number"], answer["status"]) == ("CSP-S01-2024-00001", "valid")


def _quoted(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())


@pytest.mark.parametrize(
    "number", [
        "x", "CSP-S01-2024-0001", "CSP-S01-2024-000011", "CSP-S01-24-00001", "CSP-S01-2024-0000\x00",
        "CSP-S01-2024-\x0700001", "\x1b[2J", "CSP/S01/2024/00001", "../healthz", "%", "?", "#", "𠮷", "a" * 101,
        "a" * 10_000, "CSP-S01-2024-00001" * 400, "CSP-S01-2024-0000١", "CSP-S01-²⁰²⁴-00001\u202e", "';--",
    ],
)  # fmt: skip
def test_what_is_no_number_of_this_register_is_not_found(shared_office: Office, number: str) -> None:
    refused(shared_office.client.get(f"/status/{_quoted(number)}"), 404, "number_not_of_this_register")
    if len(number) < 2000:
        told = answered(shared_office.get("/status", number=[number]))["answers"]
        assert [(each["status"], each["code"]) for each in told] == [(404, "number_not_of_this_register")]


def test_a_number_never_issued_is_answered_as_unknown(shared_office: Office) -> None:
    shown = shared_office.status("CSP-S01-2031-54321")
    assert (shown["certificate_number"], shown["status"]) == ("CSP-S01-2031-54321", "unknown")
    assert (shown["position"], shown["simulation"]) == (shared_office.position, True)


def test_many_numbers_are_answered_in_the_order_asked(issued: Office) -> None:
    numbers = ["CSP-S01-2024-00009", "CSP-S01-2024-00001", "nonsense", "csp-s01-2024-00001", "CSP-S01-2024-00009"]
    answers = answered(issued.get("/status", number=numbers))["answers"]
    assert [answer["status"] for answer in answers] == ["unknown", "valid", 404, "valid", "unknown"]
    single = answered(issued.get("/status/CSP-S01-2024-00001"))
    assert answers[1] | {"computed_at": "", "expires_at": ""} == single | {"computed_at": "", "expires_at": ""}


@pytest.mark.parametrize(("count", "accepted"), [(1, True), (199, True), (200, True), (201, False), (0, False)])
def test_up_to_200_numbers_are_asked_for_at_once(shared_office: Office, count: int, accepted: bool) -> None:
    numbers = [f"CSP-S01-2024-{serial:05d}" for serial in range(count)]
    response = shared_office.get("/status", number=numbers)
    if accepted:
        assert len(answered(response)["answers"]) == count
    else:
        refused(response, 422, "malformed")
