"""Lists of certificates and deadlines, page by page, and waiting for a position."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

from tests.api.life import later, life_at, reasons
from tests.api.office import Office, answered, refused

QUESTIONS = (
    "/status/{number}", "/status?number={number}", "/certificates", "/certificates/{id}", "/certificates/{id}/events",
    "/deadlines",
)  # fmt: skip


def test_a_question_waits_for_the_position_it_names(office: Office) -> None:
    life = life_at(office, "active")
    paths = [path.format(number=life.number, id=life.id) for path in QUESTIONS]
    reading_the_log = [path for path in paths if life.id in path]
    for path in reading_the_log:
        answered(asked(office, path, office.position))
    with ThreadPoolExecutor(len(paths)) as threads:
        late = [*threads.map(lambda path: asked(office, path, office.position), sorted({*paths} - {*reading_the_log}))]
        later_still = [*threads.map(lambda path: asked(office, path, office.position + 1), paths)]
    for response in (*late, *later_still):
        problem = refused(response, 503, "projection_late")
        assert problem["position"] < problem["wanted"]
    office.house.catch_up()
    for path in paths:
        answered(asked(office, path, office.position))


def asked(office: Office, path: str, min_position: int):
    separator = "&" if "?" in path else "?"
    return office.client.get(f"{path}{separator}min_position={min_position}", headers=office.bearing("aud"))


@pytest.mark.parametrize("position", ["-1", "x", "1.5", "", str(2**63), str(10**30), "NaN"])
def test_a_position_that_is_none_is_refused(shared_office: Office, position: str) -> None:
    for path in ("/certificates", "/deadlines", "/status/CSP-S01-2024-00001", f"/certificates/{UUID(int=1)}"):
        response = shared_office.client.get(f"{path}?min_position={position}", headers=shared_office.bearing("aud"))
        refused(response, 422, "malformed")


def test_certificates_are_listed_by_what_stands_today(office: Office) -> None:
    lives = {stage: life_at(office, stage) for stage in ("opened", "active", "suspended", "cancelled", "withdrawn")}
    office.house.catch_up()
    for status, stage in (("none", "opened"), ("active", "active"), ("suspended", "suspended"),
                          ("cancelled", "cancelled"), ("withdrawn", "withdrawn")):  # fmt: skip
        listed = answered(office.get("/certificates", "aud", status=status))["items"]
        assert [row["certificate_id"] for row in listed] == [lives[stage].id]
    by_level = answered(office.get("/certificates", "aud", level="five_star"))["items"]
    assert {row["certificate_id"] for row in by_level} == {
        life.id for stage, life in lives.items() if stage != "opened"
    }
    assert len(answered(office.get("/certificates", "aud", holder="example ALARM"))["items"]) == 5
    assert answered(office.get("/certificates", "aud", holder="%"))["items"] == []
    due = answered(office.get("/certificates", "aud", due_by="2026-01-15"))["items"]
    assert {row["certificate_id"] for row in due} == {lives["active"].id, lives["suspended"].id}
    assert answered(office.get("/certificates", "aud", due_by="2026-01-14"))["items"] == []


@pytest.mark.parametrize("filter", ["status=valid", "status=", "status=x%00", "level=%00", "holder=%00"])
def test_a_filter_that_no_record_can_meet_is_refused(shared_office: Office, filter: str) -> None:
    response = shared_office.client.get(f"/certificates?{filter}", headers=shared_office.bearing("aud"))
    refused(response, 422, "malformed")


def test_lists_are_paged_without_gap_or_repetition(office: Office) -> None:
    ids = sorted(life_at(office, "opened").id for _ in range(5))
    office.house.catch_up()
    for limit in (1, 2, 5, 6):
        found, cursor = [], None
        while True:
            page = answered(office.get("/certificates", "aud", limit=limit, cursor=cursor))
            found += [row["certificate_id"] for row in page["items"]]
            if (cursor := page["next"]) is None:
                break
        assert found == ids


@pytest.mark.parametrize(
    ("limit", "accepted"), [(1, True), (199, True), (200, True), (201, False), (0, False), (-1, False)]
)
def test_a_page_has_at_most_200_rows(shared_office: Office, limit: int, accepted: bool) -> None:
    life = life_at(shared_office, "opened")
    for path in ("/certificates", "/deadlines", f"/certificates/{life.id}/events"):
        response = shared_office.get(path, "aud", limit=limit)
        if accepted:
            assert len(answered(response)["items"]) <= limit
        else:
            refused(response, 422, "malformed")


@pytest.mark.parametrize(
    "cursor", ["", "x", "AAAA", "W10", "WzFd", "WyJ4Il0", "bnVsbA", "é", "a" * 400, "a" * 401, "%00", "W1tbW1td"]
)
def test_a_cursor_that_no_page_gave_is_refused(shared_office: Office, cursor: str) -> None:
    life = life_at(shared_office, "opened")
    for path in ("/certificates", "/deadlines"):
        refused(shared_office.get(path, "aud", cursor=cursor), 422, "malformed")
    if cursor != "WzFd":  # [1], a place in a stream
        refused(shared_office.get(f"/certificates/{life.id}/events", "aud", cursor=cursor), 422, "malformed")


def test_deadlines_are_listed_oldest_first_and_say_what_is_overdue(office: Office) -> None:
    life = life_at(office, "suspended").proposes("withdrawals", {"reasons": reasons("mark_misused")})
    office.house.catch_up()
    assert answered(office.get("/deadlines", "aud"))["items"] == []
    office.moves_to(later(life, 31))
    rows = answered(office.get("/deadlines", "aud", by="2030-01-01"))["items"]
    assert [(row["kind"], row["due_on"], row["overdue"]) for row in rows] == [
        ("proposal", "2024-02-14", True), ("withdrawal_proposal", "2024-02-15", False),
        ("visit", "2026-01-15", False), ("renewal", "2027-01-14", False),
    ]  # fmt: skip
    only = answered(office.get("/deadlines", "aud", by="2030-01-01", kind="visit"))["items"]
    assert [row["kind"] for row in only] == ["visit"]
    calendar = office.get("/deadlines.ics", "aud", by="2030-01-01")
    assert calendar.headers["content-type"].startswith("text/calendar")
    assert calendar.text.count("BEGIN:VEVENT") == 4
