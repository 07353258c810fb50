"""With clock and engine standing still every answer and every refusal is right: dates decide, ticks record."""

import pytest

from tests.api.life import Json, Life, life_at, reasons
from tests.api.office import Office, answered, refused


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


@pytest.fixture(scope="module")
def expired(shared_office: Office) -> dict[str, Life]:
    """A certificate for each act, each at its stage on the first day; now they have expired, and no clock has run."""
    lives = {act: life_at(shared_office, at) for act, (at, *_) in ACTS.items()}
    shared_office.moves_to("2027-02-15")
    return lives


@pytest.mark.parametrize("act", ACTS)
def test_no_act_on_an_expired_certificate_is_done_though_no_clock_has_run(expired: dict[str, Life], act: str) -> None:
    _, what, by, body = ACTS[act]
    life = expired[act]
    if "team" in body or "findings" in body:
        body = life.site() | body | ({"findings": life.findings()} if "findings" in body else {})
    with life.office.recording_nothing():
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
