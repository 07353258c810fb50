"""Corrected days, and due dates that a correction moves into the past ("Correctable")."""

import pytest

from lifecycle import commands as c
from lifecycle import events as e
from lifecycle.amendment import amend
from tests.lifecycle.story import Story, around, day, reasons


def reads(story: Story, version: int) -> e.Fact:
    """The fact as it reads with every correction."""
    return next(recorded.fact for recorded in amend(story.history) if recorded.version == version)


def test_a_corrected_day_of_issue_moves_validity_first_date_and_the_next_visit() -> None:
    story = Story()
    story.decided(story.graded(), "grant")
    story.on("2024-02-01").does("reg", c.Issue())
    issued = story.version_of(e.CertificateIssued)
    story.on("2024-03-01").corrected(issued, e.Change("/effective_on", "2024-02-01", "2024-01-20"))
    document = reads(story, issued)
    assert (document.valid_from, document.valid_until) == (day("2024-01-20"), day("2027-01-19"))
    assert (document.first_certified_on, document.due.visit_on) == (day("2024-01-20"), day("2026-01-20"))
    assert [story.status_on(on) for on in around("2024-01-20")] == ["none", "active", "active"]


def test_a_corrected_end_of_the_old_validity_moves_the_renewal() -> None:
    story = Story("2024-01-10")
    story.decided(story.graded(), "grant")
    story.on("2024-02-01").does("reg", c.Issue())
    story.on("2026-11-01").renewed()
    story.corrected(story.version_of(e.CertificateIssued), e.Change("/effective_on", "2024-02-01", "2024-01-20"))
    renewed = reads(story, story.version_of(e.CertificateRenewed))
    assert (renewed.valid_from, renewed.valid_until) == (day("2027-01-20"), day("2030-01-19"))


def test_a_corrected_on_site_day_moves_the_next_visit() -> None:
    story = Story().issued().on("2024-07-15").visited().on("2024-08-15")
    target = story.version_of(e.SurveillanceRecorded)
    story.corrected(
        target,
        e.Change("/on_site_from", "2024-07-15", "2024-07-01"),
        e.Change("/on_site_to", "2024-07-15", "2024-07-02"),
    )
    due = story.certificate.due
    assert (due.anchor_on, due.visit_on, due.grace_until) == (day("2024-07-02"), day("2026-07-02"), None)
    assert reads(story, target).quota == 6


def test_a_corrected_suspension_is_shown_with_its_right_days() -> None:
    story = Story().issued().on("2024-05-10")
    story.suspended()
    target = story.version_of(e.CertificateSuspended)
    story.on("2024-05-20").corrected(
        target,
        e.Change("/effective_on", "2024-05-10", "2024-05-05"),
        e.Change("/ends_on", "2024-11-10", "2024-09-30"),
        e.Change("/reasons", [{"code": "mark_misused"}], [{"code": "holder_request"}]),
    )
    assert [story.status_on(on) for on in around("2024-05-05")] == ["active", "suspended", "suspended"]
    assert story.shown().suspended_until == day("2024-09-30")
    assert story.certificate.suspension_reasons == reasons("holder_request")


# ---- a due date moved into the past ----------------------------------------------------------------------------------


def visit_a_year_late() -> Story:
    """Four stars; a visit recorded as of 20 June 2025, today is 1 September."""
    story = Story()
    story.issued(story.findings("10")).on("2025-01-10").visited()
    story.on("2025-06-20").visited()
    return story.on("2026-02-01")


def test_a_due_date_moved_into_the_past_is_due_on_the_day_of_recording_with_the_grace() -> None:
    story = visit_a_year_late()
    assert story.certificate.due.visit_on == day("2026-06-20")
    story.corrected(story.version_of(e.SurveillanceRecorded), void=True)
    due = story.certificate.due
    assert (due.anchor_on, due.visit_on) == (day("2025-01-10"), day("2026-02-01"))
    assert (due.notice_on, due.overdue_on) == (day("2026-02-01"), day("2026-05-03"))


def test_the_clock_then_announces_the_new_due_date_and_later_that_it_is_overdue() -> None:
    story = visit_a_year_late()
    story.corrected(story.version_of(e.SurveillanceRecorded), void=True)
    story.on("2026-05-03").ticks()
    last = [(type(fact), fact.effective_on, fact.due_on) for fact in story.clock_facts[-2:]]
    assert last == [
        (e.SurveillanceDue, day("2026-02-01"), day("2026-02-01")),
        (e.SurveillanceOverdue, day("2026-05-03"), day("2026-02-01")),
    ]


@pytest.mark.parametrize("on", around("2026-06-20"))
def test_a_correction_excuses_nothing_that_was_overdue_already(on) -> None:
    """Due on 20 June; a correction of the visit's day to 1 June finds it in the past before, or only then."""
    story = visit_a_year_late().on(on)
    change = e.Change("/on_site_to", "2025-06-20", "2025-06-01")
    story.corrected(
        story.version_of(e.SurveillanceRecorded), e.Change("/on_site_from", "2025-06-20", "2025-06-01"), change
    )
    due = story.certificate.due
    if on <= day("2026-06-20"):
        assert (due.visit_on, due.overdue_on) == (on, on + 91 * e.ONE_DAY)
    else:
        assert (due.visit_on, due.overdue_on) == (day("2026-06-01"), day("2026-06-02"))


def test_a_further_correction_of_something_else_gives_no_further_grace() -> None:
    story = visit_a_year_late()
    story.corrected(story.version_of(e.SurveillanceRecorded), void=True)
    due = story.certificate.due
    for on in ("2026-03-01", "2026-06-01"):
        story.on(on).corrected(1, e.Change("/scope", reads(story, 1).scope, f"patrols {on}"))
        assert story.certificate.due == due
        assert story.last.recomputed == ()


def test_a_due_date_moved_to_a_later_day_needs_no_grace() -> None:
    story = visit_a_year_late()
    change = e.Change("/on_site_from", "2025-01-10", "2025-01-09")
    target = min(r.version for r in story.history if isinstance(r.fact, e.SurveillanceRecorded))
    story.corrected(target, change)
    assert story.certificate.due.grace_until is None
