"""The current-status look-up: for a past day, a later day, as known then; and how long an answer holds."""

from datetime import UTC, date, datetime, timedelta

import pytest

from lifecycle.periods import day_start
from tests.api.life import SHA, Json, Life, life_at
from tests.api.office import Office, answered, refused


def shown_on(life: Life, day: str | date, person: str | None = None) -> Json:
    return answered(life.office.get(f"/status/{life.number}", person, on=str(day)))


@pytest.fixture(scope="module")
def long_life(shared_office: Office) -> Life:
    """Suspended on 1 February with effect on 25 January, another grade on 1 March, withdrawn on 1 April."""
    office, life = shared_office, Life(shared_office, "former").issued()
    office.moves_to("2024-02-01")
    life.suspended(effective_on="2024-01-25")
    office.moves_to("2024-02-20")
    life.reinstated()
    office.moves_to("2024-03-01")
    life.graded("regrade", lost=10).decided("change_grade")
    office.moves_to("2024-04-01")
    life.withdrawn()
    office.house.catch_up()
    return life


@pytest.mark.parametrize(
    ("on", "status"),
    [
        ("2024-01-14", "unknown"), ("2024-01-15", "valid"), ("2024-01-24", "valid"), ("2024-01-25", "suspended"),
        ("2024-02-19", "suspended"), ("2024-02-20", "valid"), ("2024-02-29", "valid"), ("2024-03-01", "superseded"),
        ("2024-04-01", "superseded"),
    ],
)  # fmt: skip
def test_a_past_day_is_answered_as_it_was(long_life: Life, on: str, status: str) -> None:
    shown = shown_on(long_life, on)
    assert (shown["status"], shown["on"]) == (status, on)
    assert (shown["superseded_by"] is not None) == (status == "superseded")


def test_a_number_replaced_names_the_one_that_took_its_place(long_life: Life) -> None:
    successor = shown_on(long_life, "2024-03-01")["superseded_by"]
    assert successor == "CSP-S01-2024-00002"
    expected = {"2024-02-29": "unknown", "2024-03-01": "valid", "2024-03-31": "valid", "2024-04-01": "withdrawn"}
    for on, status in expected.items():
        assert answered(long_life.office.get(f"/status/{successor}", on=on))["status"] == status
    assert shown_on(long_life, "2024-02-29")["level"] == "five_star"
    assert answered(long_life.office.get(f"/status/{successor}"))["level"] == "four_star"


def test_what_was_known_then_and_what_is_known_now_are_two_answers(long_life: Life) -> None:
    office, number = long_life.office, long_life.number
    known = {}
    for person in ("aud", "reg", "former"):
        for known_at in ("2024-01-31T12:00:00Z", "2024-02-01T12:00:00+08:00", None):
            shown = answered(office.get(f"/status/{number}", person, on="2024-01-28", known_at=known_at))
            known.setdefault(known_at, set()).add(shown["status"])
            (many,) = answered(office.get("/status", person, number=number, on="2024-01-28", known_at=known_at))[
                "answers"
            ]
            assert (many["status"], many["known_at"]) == (shown["status"], shown["known_at"])
    assert known == {
        "2024-01-31T12:00:00Z": {"valid"}, "2024-02-01T12:00:00+08:00": {"suspended"}, None: {"suspended"},
    }  # fmt: skip


def test_what_was_known_before_anything_was_is_unknown(long_life: Life) -> None:
    office = long_life.office
    for known_at in ("2024-01-14T00:00:00Z", "0001-01-01T00:00:00+14:00"):
        shown = answered(office.get(f"/status/{long_life.number}", "aud", known_at=known_at))
        assert (shown["status"], shown["holder"]) == ("unknown", None)


@pytest.mark.parametrize("query", [{"on": "2024-04-02"}, {"known_at": "2024-02-01T00:00:00Z"}])
def test_later_days_and_past_knowledge_are_for_staff_and_the_holder(long_life: Life, query: Json) -> None:
    office, path = long_life.office, f"/status/{long_life.number}"
    for person in ("aud", "reg", "ana", "dora", "sam", "former"):
        answered(office.get(path, person, **query))
    refused(office.get(path, None, **query), 401, "key_missing")
    for person in ("stranger", "adm", "clk"):
        refused(office.get(path, person, **query), 403, "role_not_allowed")
    for person in ("stranger", "former"):
        refused(office.get("/status/CSP-S01-2024-09999", person, **query), 403, "role_not_allowed")
    refused(office.get("/status", None, number=long_life.number, **query), 401, "key_missing")
    refused(office.get("/status", "stranger", number=long_life.number, **query), 403, "role_not_allowed")


def test_what_will_be_known_is_not_known(long_life: Life) -> None:
    path = f"/status/{long_life.number}"
    refused(long_life.office.get(path, "aud", known_at="2024-04-01T02:30:00Z"), 422, "day_in_future")
    refused(long_life.office.get(path, "aud", known_at="9999-12-31T23:59:59-12:00"), 422, "day_in_future")


@pytest.mark.parametrize(
    "on", ["", "today", "2024-1-15", "2024-02-30", "20240115", "1705276800", "2024-01-15T00:00:00", "２０２４-01-15",
           "+2024-01-15", "-001-01-01", "10000-01-01", "2024-01-15\x00", "2024-01-15 "],
)  # fmt: skip
def test_a_day_that_is_none_is_refused(shared_office: Office, on: str) -> None:
    for path in ("/status/CSP-S01-2024-00001", "/status?number=CSP-S01-2024-00001"):
        refused(shared_office.client.get(path, params={"on": on} | _numbers(path)), 422, "malformed")
    for path, name in (("/deadlines", "by"), ("/deadlines.ics", "by"), ("/certificates", "due_by")):
        refused(shared_office.get(path, "aud", **{name: on}), 422, "malformed")


def _numbers(path: str) -> Json:
    return {"number": "CSP-S01-2024-00001"} if "?" in path else {}


@pytest.mark.parametrize(
    "known_at", ["", "now", "2024-01-15", "2024-01-15T00:00:00", "1705276800", "1705276800.5", "2024-01-15T25:00:00Z",
                 "2024-01-15T00:00:00+99:00", "2024-01-15 00:00:00Z\x00"],
)  # fmt: skip
def test_an_instant_that_is_none_is_refused(shared_office: Office, known_at: str) -> None:
    refused(shared_office.get("/status/CSP-S01-2024-00001", "aud", known_at=known_at), 422, "malformed")


def test_the_ends_of_the_calendar_are_days_like_others(shared_office: Office) -> None:
    life = life_at(shared_office, "active")
    shared_office.house.catch_up()
    assert shown_on(life, "0001-01-01")["status"] == "unknown"
    assert shown_on(life, "9999-12-31", "aud")["status"] == "expired"


@pytest.mark.parametrize(
    ("before_midnight", "expected"),
    [(timedelta(hours=1), timedelta(minutes=5)), (timedelta(minutes=3), timedelta(minutes=3))],
)
def test_an_answer_holds_five_minutes_and_never_past_the_day_on_which_it_turns(
    office: Office, before_midnight: timedelta, expected: timedelta
) -> None:
    life = life_at(office, "active")
    midnight = day_start(date(2027, 1, 15))
    office.house.present.move_to(midnight - before_midnight)
    shown = office.status(life.number)
    computed, expires = (datetime.fromisoformat(shown[name]) for name in ("computed_at", "expires_at"))
    assert expires == (computed + expected if expected == timedelta(minutes=5) else midnight)
    assert shown["status"] == "valid"
    office.house.present.move_to(midnight)
    turned = office.status(life.number)
    assert (turned["status"], turned["on"]) == ("expired", "2027-01-15")


def test_an_answer_says_how_far_the_register_had_come(office: Office) -> None:
    life = life_at(office, "active")
    fresh = office.status(life.number)
    assert (fresh["position"], fresh["stale"]) == (office.position, False)
    complete_until = datetime.fromisoformat(fresh["complete_until"])
    office.house.present.move_to(complete_until + timedelta(minutes=4))
    assert answered(office.get(f"/status/{life.number}"))["stale"] is False
    office.house.present.move_to(complete_until + timedelta(minutes=6))
    assert answered(office.get(f"/status/{life.number}"))["stale"] is True


def test_the_tag_of_an_answer_changes_with_what_it_says_and_with_nothing_else(office: Office) -> None:
    life = life_at(office, "active")
    office.house.catch_up()
    first = office.get(f"/status/{life.number}")
    life.does("complaints", "reg", {"grounds": "x", "request_sha256": SHA})
    office.house.catch_up()
    second = office.get(f"/status/{life.number}")
    life.suspended()
    office.house.catch_up()
    third = office.get(f"/status/{life.number}")
    assert first.headers["etag"] == second.headers["etag"] != third.headers["etag"]
    for response in (first, second, third):
        assert response.headers["etag"].startswith('W/"')
        assert (response.headers["cache-control"], response.headers["vary"]) == ("no-cache", "Accept")


def test_instants_are_told_in_utc(office: Office) -> None:
    shown = office.status(life_at(office, "active").number)
    for name in ("computed_at", "expires_at", "complete_until"):
        assert shown[name].endswith("Z")
        assert datetime.fromisoformat(shown[name]).tzinfo == UTC
