"""Visits: when they are due, and what follows (domain.md, section 5, case 4; "Anchor")."""

from datetime import date

import pytest

from lifecycle import commands as c
from lifecycle import errors
from lifecycle import events as e
from tests.lifecycle.story import Story, around, day, reasons

ELEMENTS = tuple(Story().edition.elements)


def four_stars(issued: str = "2024-01-15") -> Story:
    story = Story(issued)
    return story.issued(story.findings("10"))


# ---- when ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("on", around("2024-10-17"))
def test_the_notice_window_opens_90_days_before_the_visit_is_due(on: date) -> None:
    story = four_stars().on(on)
    facts = story.ticks()
    assert bool(facts) is (on >= day("2024-10-17"))
    if facts:
        (fact,) = facts
        assert (type(fact), fact.effective_on, fact.due_on) == (e.SurveillanceDue, day("2024-10-17"), day("2025-01-15"))
        assert (fact.anchor_on, fact.interval_months) == (day("2024-01-15"), 12)
        assert story.certificate.cases[fact.case].kind == "visit"


@pytest.mark.parametrize("on", around("2025-01-16"))
def test_a_visit_is_overdue_from_the_day_after_it_was_due(on: date) -> None:
    story = four_stars().on(on)
    overdue = [fact for fact in story.ticks() if type(fact) is e.SurveillanceOverdue]
    assert [fact.effective_on for fact in overdue] == ([day("2025-01-16")] if on >= day("2025-01-16") else [])


def test_the_next_visit_counts_from_the_last_on_site_day_never_from_the_plan() -> None:
    story = four_stars().on("2024-11-01")
    case = story.visit_opened()
    story.does("reg", c.Plan(case=case, team=("ana",), on_site_from=day("2024-11-11"), on_site_to=day("2024-11-12")))
    draw = story.certificate.cases[case].draw
    story.on("2024-12-01")
    record = c.RecordAssessment(
        case=case, on_site_from=day("2024-11-20"), on_site_to=day("2024-11-22"), findings=story.findings(elements=draw)
    )
    story.does("ana", record)
    assert (story.last.due.anchor_on, story.last.due.visit_on) == (day("2024-11-22"), day("2025-11-22"))


def test_an_early_visit_brings_the_next_one_forward_and_a_late_one_pushes_it_back() -> None:
    early = four_stars().on("2024-06-30").visited()
    assert early.certificate.due.visit_on == day("2025-06-30")
    late = four_stars().on("2025-03-31").visited()
    assert late.certificate.due.visit_on == day("2026-03-31")


def test_a_decision_to_maintain_does_not_move_the_next_visit() -> None:
    story = four_stars().on("2024-11-22")
    case = story.visit_recorded()
    due = story.certificate.due
    story.on("2024-12-20").decided(case, "maintain")
    assert story.certificate.due == due


def test_intervals_are_counted_from_the_anchor_and_never_chained() -> None:
    """29 February 2024 + 12 months is 28 February 2025; a visit then counts from its own day."""
    story = four_stars("2024-02-29")
    assert story.certificate.due.visit_on == day("2025-02-28")
    story.on("2024-12-31").visited()
    assert story.certificate.due.visit_on == day("2025-12-31")
    five = Story("2024-02-29").issued()
    assert five.certificate.due.visit_on == day("2026-02-28")


def test_a_full_re_assessment_counts_as_a_visit_and_as_a_check_of_every_element_whatever_is_decided() -> None:
    story = four_stars().on("2024-09-10")
    case = story.graded("regrade", story.findings("10"))
    assert story.certificate.due.anchor_on == day("2024-09-10")
    assert set(story.certificate.checks.values()) == {day("2024-09-10")}
    story.decided(case, "refuse", "evidence_insufficient")
    assert story.certificate.due.visit_on == day("2025-09-10")


def test_the_clock_announces_each_due_date_once() -> None:
    story = four_stars()
    for on in ("2024-10-17", "2024-10-18", "2025-01-16", "2025-01-17", "2025-06-01"):
        story.on(on).ticks()
    assert story.names.count("SurveillanceDue") == story.names.count("SurveillanceOverdue") == 1
    story.visited()
    story.on("2026-05-01").ticks()
    assert [fact.due_on for fact in story.clock_facts if type(fact) is e.SurveillanceDue] == [
        day("2025-01-15"),
        day("2026-06-01"),
    ]


def test_a_visit_falling_due_joins_a_visit_that_is_wished_or_planned_already() -> None:
    story = four_stars().on("2024-10-01")
    wished = story.visit_opened()
    story.on("2024-10-17").ticks()
    assert story.last.case == wished
    story.planned(wished)
    planned = four_stars().on("2024-10-01")
    case = planned.visit_opened()
    planned.planned(case)
    planned.on("2024-10-17").ticks()
    assert planned.certificate.cases[case].stage == "planned"
    with planned.refusing(errors.CaseAlreadyOpen, case=case):
        planned.does("reg", c.RequestVisit(grounds="x"))


def test_a_visit_is_not_recorded_before_it_was_made_nor_before_the_last_check() -> None:
    story = four_stars().on("2024-06-10")
    case = story.visit_opened()
    story.planned(case)
    findings = story.findings()
    with story.refusing(errors.DayInFuture, what="on_site_to"):
        story.assessed(case, findings, on=day("2024-06-11"))
    for on in around("2024-01-15")[:2]:
        with story.refusing(errors.VisitNotAfterLast, last_on=day("2024-01-15")):
            story.assessed(case, findings, on=on)
    story.assessed(case, findings, on=day("2024-01-16"))


def test_nothing_is_due_after_the_last_valid_day() -> None:
    story = four_stars().on("2026-03-01").visited()
    assert story.certificate.due.visit_on == day("2027-03-01")
    story.on("2027-04-01").ticks()
    later = [(type(fact), fact.effective_on) for fact in story.clock_facts if fact.effective_on > day("2026-03-01")]
    assert later == [(e.SurveillanceDue, day("2026-12-01")), (e.CertificateExpired, day("2027-01-15"))]


# ---- what follows ----------------------------------------------------------------------------------------------------


def test_a_certificate_is_not_maintained_with_a_nonconformity_open() -> None:
    story = four_stars().on("2024-06-01")
    case = story.visit_opened()
    story.planned(case, draw=ELEMENTS[:6])
    story.assessed(case, story.findings(elements=ELEMENTS[:6], nonconforming=ELEMENTS[:2]))
    with story.refusing(errors.NonconformityOpen, act="maintain", elements=", ".join(ELEMENTS[:2])):
        story.decided(case, "maintain")
    for element in ELEMENTS[:2]:
        story.does("ana", c.CloseNonconformity(case=case, element=element))
    story.decided(case, "maintain")


@pytest.mark.parametrize("outcome", ["suspended", "withdrawn"])
def test_a_visit_may_end_in_suspension_or_withdrawal(outcome: str) -> None:
    story = four_stars().on("2024-06-01")
    case = story.visit_recorded()
    getattr(story, outcome)(case=case)
    assert story.certificate.status == outcome
    assert story.certificate.cases[case].stage == "decided"


def test_a_visit_is_decided_once() -> None:
    story = four_stars().on("2024-06-01").visited()
    with story.refusing(errors.NotAllowedAtStage, stage="decided"):
        story.decided(story.case("visit"), "maintain")
    with story.refusing(errors.NotAllowedAtStage, stage="decided"):
        story.suspended(case=story.case("visit"))


def test_a_suspension_names_a_case_that_exists_and_can_lead_to_it() -> None:
    story = four_stars()
    with story.refusing(errors.CaseUnknown, case=99):
        story.suspended(case=99)
    with story.refusing(errors.NotAllowedAtStage, kind="initial", allowed="none"):
        story.suspended(case=story.case("initial"))


def test_a_visit_can_be_planned_anew_until_it_is_made() -> None:
    story = four_stars().on("2024-06-01")
    case = story.visit_opened()
    story.planned(case, team=("ana",), draw=ELEMENTS[:6])
    story.planned(case, team=("bob",), draw=ELEMENTS[6:12])
    with story.refusing(errors.NotOnTeam, person="ana", team="bob"):
        story.assessed(case, story.findings(elements=ELEMENTS[6:12]))
    story.assessed(case, story.findings(elements=ELEMENTS[6:12]), by="bob")


def test_a_visit_made_while_suspended_counts() -> None:
    story = four_stars().on("2024-06-01")
    story.suspended()
    story.on("2024-08-01").visited()
    assert story.certificate.due.visit_on == day("2025-08-01")
    assert story.certificate.status == "suspended"


def test_another_case_is_planned_recorded_and_reviewed_as_its_kind_asks() -> None:
    story = four_stars()
    story.does("holder", c.LodgeComplaint(grounds="x"))
    case = story.case("complaint")
    with story.refusing(errors.NotAllowedAtStage, kind="complaint"):
        story.planned(case)
    with story.refusing(errors.NotAllowedAtStage, kind="complaint"):
        story.both(c.Suspend(case=case, reasons=reasons("complaint_founded")))
