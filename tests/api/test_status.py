"""The current-status look-up over HTTP: right for the asked day from dates alone, whatever clock and engine did."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from lifecycle.periods import day_start
from tests.api.life import SHA, Json, Life, later, life_at, reasons
from tests.api.office import Office, answered, refused

FULL_WIDTH = str.maketrans({chr(code): chr(code + 0xFEE0) for code in range(0x21, 0x7F)})


def shown_on(life: Life, day: str | date, person: str | None = None) -> Json:
    return answered(life.office.get(f"/status/{life.number}", person, on=str(day)))


# ---- dates, with the clock stopped -----------------------------------------------------------------------------------


@pytest.fixture
def stopped(office: Office) -> Life:
    """A certificate issued on 15 January 2024, valid until 14 January 2027. The engine has seen it; then it stands
    still, and no clock ever runs."""
    life = life_at(office, "active")
    office.house.catch_up()
    return life


@pytest.mark.parametrize(
    ("today", "status"),
    [("2024-02-15", "valid"), ("2027-01-14", "valid"), ("2027-01-15", "expired"), ("2027-02-15", "expired")],
)
def test_a_status_is_right_though_no_clock_has_run(stopped: Life, today: str, status: str) -> None:
    stopped.office.moves_to(today)
    shown = answered(stopped.office.get(f"/status/{stopped.number}"))
    assert (shown["status"], shown["on"], shown["stale"]) == (status, today, True)
    assert shown["status_since"] == ("2024-01-15" if status == "valid" else "2027-01-15")
    assert stopped.view()["status"] == {"valid": "active"}.get(status, status)
    listed = answered(stopped.office.get("/certificates", "aud"))["items"]
    assert [row["status"] for row in listed] == [{"valid": "active"}.get(status, status)]


def test_a_suspension_past_its_end_is_still_a_suspension_and_expires(office: Office) -> None:
    life = life_at(office, "suspended")
    office.house.catch_up()
    for today, status, until in (
        ("2024-02-14", "suspended", "2024-02-14"),
        ("2024-03-14", "suspended", "2024-02-14"),
        ("2027-01-14", "suspended", "2024-02-14"),
        ("2027-01-15", "expired", None),
    ):
        office.moves_to(today)
        shown = answered(office.get(f"/status/{life.number}"))
        assert (shown["status"], shown["suspended_until"]) == (status, until)


ACTS: dict[str, tuple[str, str, str, Json]] = {
    "suspend": ("active", "suspensions", "dora", {"reasons": reasons("mark_misused")}),
    "extend": (
        "suspended", "suspension-extensions", "dora", {"reasons": reasons("mark_misused"), "ends_on": "2024-04-01"}),
    "reinstate": ("suspended", "reinstatements", "dora", {"grounds": "x", "closed": reasons("mark_misused")}),
    "withdraw": ("active", "withdrawals", "dora", {"reasons": reasons("mark_misused")}),
    "withdraw a suspended one": ("suspended", "withdrawals", "dora", {"reasons": reasons("mark_misused")}),
    "open a withdrawal": (
        "active", "withdrawal-proceedings", "dora", {"step": "open", "reasons": reasons("mark_misused")}),
    "drop a withdrawal": ("withdrawal_open", "withdrawal-proceedings", "dora", {"step": "drop", "grounds": "x"}),
    "cancel": ("active", "cancellations", "holder", {"reasons": reasons("holder_request")}),
    "re-issue": ("active", "reissues", "reg", {"reasons": reasons("name_changed"), "holder": "New"}),
    "wish a visit": ("active", "visits", "reg", {"grounds": "x"}),
    "plan a visit": ("visit_opened", "cases/{case}/plan", "reg", {"team": ["ana"]}),
    "record a visit": ("visit_planned", "cases/{case}/assessment", "ana", {"findings": []}),
}  # fmt: skip


@pytest.mark.parametrize("act", ACTS)
def test_no_act_on_an_expired_certificate_is_done_though_no_clock_has_run(office: Office, act: str) -> None:
    at, what, by, body = ACTS[act]
    life = life_at(office, at)
    office.moves_to("2027-02-15")
    if "team" in body or "findings" in body:
        body = life.site() | body | ({"findings": life.findings()} if "findings" in body else {})
    with office.recording_nothing():
        problem = refused(life.post(what.format(case=life.case), by, body), 409, "not_allowed_in_status")
    assert "expired since 2027-01-15" in problem["detail"]


@pytest.mark.parametrize("kind", ["renewal", "regrade"])
def test_nothing_is_applied_for_or_decided_after_expiry_though_no_clock_has_run(office: Office, kind: str) -> None:
    fresh, graded, proposed = life_at(office, "active"), life_at(office, "active"), life_at(office, "active")
    office.moves_to("2027-01-14")
    for life in (graded, proposed):
        life.graded(kind, lost=10)
    outcome = {"outcome": "renew" if kind == "renewal" else "change_grade"}
    proposed.proposes(f"cases/{proposed.case}/decision", outcome)
    office.moves_to("2027-01-15")
    with office.recording_nothing():
        refused(office.post("/applications", "holder", fresh.application(kind)), 409, "not_allowed_in_status")
        refused(graded.in_case("decision", "dora", outcome), 409, "not_allowed_in_status")
        refused(proposed.approves(), 409, "not_allowed_in_status")


def test_the_last_valid_day_is_still_a_day_for_every_act(office: Office) -> None:
    life = life_at(office, "active")
    office.moves_to("2027-01-14")
    life.graded("renewal").decided("renew")
    assert life.view()["periods"][-1] == {"valid_from": "2027-01-15", "valid_until": "2030-01-14"}
    office.moves_to("2027-01-15")
    assert life.status() == "valid"


def test_an_overdue_visit_stands_in_the_way_though_no_clock_has_run(office: Office) -> None:
    life = Life(office).issued(lost=10)
    assert life.view()["due"]["visit_on"] == "2025-01-15"
    office.moves_to("2024-12-01")
    life.suspended()
    reinstatement = {"grounds": "x", "closed": reasons("mark_misused")}
    office.moves_to("2025-01-15")
    life.proposes("reinstatements", reinstatement)
    office.moves_to("2025-01-16")
    refused(life.approves(), 409, "surveillance_overdue_blocks_reinstatement")
    refused(life.post("reinstatements", "dora", reinstatement), 409, "surveillance_overdue_blocks_reinstatement")


# ---- past days, later days, and what was known ---------------------------------------------------------------------------


@pytest.fixture
def long_life(office: Office) -> Life:
    """Suspended on 1 February with effect on 25 January, a grade lowered by regrade on 1 March, withdrawn on 1 April."""
    life = life_at(office, "active")
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
    for person in ("aud", "reg", "holder"):
        for known_at in ("2024-01-31T12:00:00Z", "2024-02-01T12:00:00+08:00", None):
            shown = answered(office.get(f"/status/{number}", person, on="2024-01-28", known_at=known_at))
            known.setdefault(known_at, set()).add(shown["status"])
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
    for person in ("aud", "reg", "ana", "dora", "sam", "holder"):
        answered(office.get(path, person, **query))
    refused(office.get(path, None, **query), 401, "key_missing")
    for person in ("stranger", "adm", "clk"):
        refused(office.get(path, person, **query), 403, "role_not_allowed")
    for person in ("stranger", "holder"):
        refused(office.get("/status/CSP-S01-2024-09999", person, **query), 403, "role_not_allowed")
    if "on" in query:
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


# ---- numbers ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "written", [
        "csp-s01-2024-00001", "CSP-S01-2024-00001".translate(FULL_WIDTH), " CSP-S01-2024-00001 ", "CSP - S01 - 2024 - 00001",
        "CSP\u3000S01".replace("\u3000", "\u3000-") + "-2024-00001", "ｃｓｐ-ｓ01-２０２４-00001", "CSP-S01-2024-00001\u00a0",
    ],
)  # fmt: skip
def test_a_number_is_found_however_it_is_written(office: Office, written: str) -> None:
    life_at(office, "active")
    office.house.catch_up()
    for response in (office.client.get(f"/status/{_quoted(written)}"), office.get("/status", number=[written])):
        shown = answered(response)
        (answer,) = shown.get("answers", [shown])
        assert (answer["certificate_number"], answer["status"]) == ("CSP-S01-2024-00001", "valid")


def _quoted(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())


@pytest.mark.parametrize(
    "number", [
        "x", "CSP-S01-2024-0001", "CSP-S01-2024-000011", "CSP-S01-24-00001", "CSP-S01-2024-0000\x00", "CSP-S01-2024-\x0700001",
        "\x1b[2J", "CSP/S01/2024/00001", "../healthz", "%", "?", "#", "𠮷", "a" * 101, "a" * 10_000, "CSP-S01-2024-00001" * 400,
        "CSP-S01-2024-0000١", "CSP-S01-²⁰²⁴-00001\u202e", "';--",
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


def test_many_numbers_are_answered_in_the_order_asked(office: Office) -> None:
    life_at(office, "active")
    office.house.catch_up()
    numbers = ["CSP-S01-2024-00009", "CSP-S01-2024-00001", "nonsense", "csp-s01-2024-00001", "CSP-S01-2024-00009"]
    answers = answered(office.get("/status", number=numbers))["answers"]
    assert [answer["status"] for answer in answers] == ["unknown", "valid", 404, "valid", "unknown"]
    single = answered(office.get("/status/CSP-S01-2024-00001"))
    assert answers[1] | {"computed_at": "", "expires_at": ""} == single | {"computed_at": "", "expires_at": ""}


@pytest.mark.parametrize(("count", "accepted"), [(1, True), (199, True), (200, True), (201, False), (0, False)])
def test_up_to_200_numbers_are_asked_for_at_once(shared_office: Office, count: int, accepted: bool) -> None:
    numbers = [f"CSP-S01-2024-{serial:05d}" for serial in range(count)]
    response = shared_office.get("/status", number=numbers)
    if accepted:
        assert len(answered(response)["answers"]) == count
    else:
        refused(response, 422, "malformed")


# ---- how long an answer holds ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before_midnight", "expected"),
    [(timedelta(hours=1), timedelta(minutes=5)), (timedelta(minutes=3), timedelta(minutes=3))],
)
def test_an_answer_holds_five_minutes_and_never_past_the_day_on_which_it_turns(
    stopped: Life, before_midnight: timedelta, expected: timedelta
) -> None:
    midnight = day_start(date(2027, 1, 15))
    stopped.office.house.present.move_to(midnight - before_midnight)
    shown = stopped.office.status(stopped.number)
    computed, expires = (datetime.fromisoformat(shown[name]) for name in ("computed_at", "expires_at"))
    assert expires == (computed + expected if expected == timedelta(minutes=5) else midnight)
    assert shown["status"] == "valid"
    stopped.office.house.present.move_to(midnight)
    turned = stopped.office.status(stopped.number)
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


# ---- waiting for a position ----------------------------------------------------------------------------------------------------

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


# ---- lists -----------------------------------------------------------------------------------------------------------------------


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
