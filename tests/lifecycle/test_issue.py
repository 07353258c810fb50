"""From application to document: valid from when, until when ("Valid from when", "Validity and suspension ends")."""

import dataclasses

import pytest

from lifecycle import commands as c
from lifecycle import errors
from lifecycle import events as e
from tests.lifecycle.story import CSP, EDITION, ORGANISATION, Story, around, day, reasons


def granted(today: str = "2024-01-15") -> Story:
    story = Story(today)
    story.decided(story.graded(), "grant")
    return story


def test_a_certificate_is_valid_from_the_day_of_issue_and_unknown_before() -> None:
    story = granted()
    story.on("2024-02-01").does("reg", c.Issue())
    before, the_day, after = around("2024-02-01")
    assert [story.shown(on=on).status for on in (before, the_day, after)] == ["unknown", "valid", "valid"]
    assert (story.last.valid_from, story.last.first_certified_on) == (the_day, the_day)


def test_a_grant_not_yet_issued_shows_nowhere() -> None:
    story = granted()
    assert story.certificate.status_on(story.today) == "none"
    assert story.certificate.numbers.last is None


def test_a_certificate_is_never_issued_before_the_decision() -> None:
    story = granted("2024-02-10").on("2024-02-15")
    with story.refusing(errors.BeforeItsGround, ground_on=day("2024-02-10")):
        story.does("reg", c.Issue(effective_on=day("2024-02-09")))
    story.does("reg", c.Issue(effective_on=day("2024-02-10")))
    assert story.last.valid_from == day("2024-02-10")


def test_a_grant_not_yet_issued_can_be_taken_back_by_two_persons_as_a_refusal() -> None:
    story = granted()
    case = story.case("initial")
    story.decided(case, "refuse", "grant_taken_back")
    assert story.certificate.cases[case].stage == "closed"
    with story.refusing(errors.NotAllowedAtStage, stage="closed"):
        story.does("reg", c.Issue())


def test_a_certificate_once_issued_is_not_issued_again() -> None:
    story = Story().issued()
    with story.refusing(errors.NotAllowedInStatus, status="active"):
        story.does("reg", c.Issue())


@pytest.mark.parametrize(
    ("issued", "until"),
    [
        ("2024-01-15", "2027-01-14"),
        ("2024-02-28", "2027-02-27"),
        ("2024-02-29", "2027-02-27"),  # 36 months end on 28 February, for want of a 29th; the day before that
        ("2024-03-01", "2027-02-28"),
        ("2025-03-01", "2028-02-29"),
        ("2024-12-31", "2027-12-30"),
    ],
)
def test_validity_ends_36_months_later_on_the_day_before(issued: str, until: str) -> None:
    story = Story(issued).issued()
    before, the_day, after = around(until)
    assert story.last.valid_until == the_day
    assert [story.status_on(on) for on in (before, the_day, after)] == ["active", "active", "expired"]


@pytest.mark.parametrize(("issued", "until"), [("2024-01-15", "2027-01-15"), ("2024-02-29", "2027-02-28")])
def test_a_scheme_may_let_validity_end_on_the_same_day(issued: str, until: str) -> None:
    story = Story(issued)
    story.editions[EDITION] = dataclasses.replace(story.editions[EDITION], validity_ends="same_day")
    assert story.issued().last.valid_until == day(until)


def test_the_first_visit_is_counted_from_the_day_of_issue_never_from_the_assessment() -> None:
    story = granted()
    story.on("2024-03-01").does("reg", c.Issue())
    assert (story.last.due.anchor_on, story.last.due.visit_on) == (day("2024-03-01"), day("2026-03-01"))
    assert set(story.certificate.checks.values()) == {day("2024-03-01")}


@pytest.mark.parametrize(
    ("lost", "visit_on"), [("0", "2026-01-31"), ("10", "2025-01-31"), ("20", "2025-01-31"), ("30", "2025-01-31")]
)
def test_five_stars_are_visited_within_24_months_all_others_within_12(lost: str, visit_on: str) -> None:
    story = Story("2024-01-31")
    story.issued(story.findings(lost), accepts_conformity=True)
    assert story.last.due.visit_on == day(visit_on)


def test_a_visit_due_in_a_month_without_that_day_is_due_on_its_last() -> None:
    story = Story("2024-02-29")
    story.issued(story.findings("10"))
    assert story.last.due.visit_on == day("2025-02-28")


def test_an_assessment_is_not_recorded_before_it_was_made() -> None:
    story = Story()
    case = story.applies()
    story.accepted(case)
    story.planned(case, on=day("2024-01-20"))
    with story.refusing(errors.DayInFuture, what="on_site_to", on=day("2024-01-20")):
        story.assessed(case, on=day("2024-01-20"))
    story.on("2024-01-20").assessed(case)


def test_an_assessment_is_not_made_before_the_application() -> None:
    story = Story()
    case = story.applies()
    story.accepted(case)
    story.planned(case, on=day("2024-01-14"))
    with story.refusing(errors.DaysOutOfOrder):
        story.assessed(case, on=day("2024-01-14"))


@pytest.mark.parametrize(
    "command",
    [
        c.Plan(case=1, team=("ana",), on_site_from=day("2024-01-16"), on_site_to=day("2024-01-15")),
        c.Plan(case=1, team=("ana",), on_site_from=day("2024-01-15"), on_site_to=day("2024-01-15"), draw=("6",)),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(command: c.Plan) -> None:
    story = Story()
    story.accepted(story.applies())
    with story.refusing(errors.Refusal):
        story.does("reg", command)


def test_an_application_takes_the_edition_in_force_on_its_day_and_knows_its_types() -> None:
    story = Story("2020-12-31")
    with story.refusing(errors.SchemeUnknown, scheme=CSP, on=day("2020-12-31")):
        story.applies()
    story.on("2021-01-01").applies()
    assert story.last.edition == EDITION
    with Story().refusing(errors.CertificationTypeUnknown, known="star, conformity"):
        Story().applies(certification_type="gold")


def test_a_second_initial_application_is_another_certificates() -> None:
    """Otherwise it could set another edition, which only a signed adoption may."""
    for story in (Story().issued(), Story()):
        story.history or story.applies()
        with story.refusing(errors.Malformed, problem="an initial application makes a certificate of its own"):
            story.applies()


def test_one_renewal_or_regrade_runs_at_a_time() -> None:
    story = Story().issued()
    case = story.applies("regrade")
    with story.refusing(errors.CaseAlreadyOpen, kind="regrade", case=case):
        story.applies("renewal")
    story.does("holder", c.WithdrawApplication(case=case))
    story.applies("renewal")


def test_a_renewal_is_of_the_certificates_own_scheme() -> None:
    story = Story().issued()
    with story.refusing(errors.SchemeUnknown, known=CSP):
        story.applies("renewal", scheme="GB/T 27922")


def test_a_registrar_acts_for_the_holder_only_with_the_digest_of_its_request() -> None:
    story = Story().issued()
    with story.refusing(errors.Malformed):
        story.does("reg", c.Cancel(reasons=reasons("holder_request")))
    story.does("reg", c.Cancel(reasons=reasons("holder_request"), request_sha256="0" * 64))
    assert story.certificate.status == "cancelled"


def test_the_document_says_what_was_applied_for() -> None:
    story = Story().issued(holder="甲 Ltd", address="2 Road", scope="patrols")
    document: e.CertificateIssued = story.last
    assert (document.holder, document.address, document.scope, document.document) == ("甲 Ltd", "2 Road", "patrols", 1)
    assert story.certificate.organisation == ORGANISATION
