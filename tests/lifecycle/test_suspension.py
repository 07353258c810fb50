"""Suspended, extended, reinstated (domain.md, section 5, cases 7 and 8; "After ends_on")."""

from datetime import date

import pytest

from lifecycle import commands as c
from lifecycle import errors
from lifecycle import events as e
from tests.lifecycle.story import Story, around, day, reasons


def suspended(from_day: str = "2024-07-15", until: str | None = None) -> Story:
    story = Story().issued().on(from_day)
    story.suspended(ends_on=day(until) if until else None)
    return story


def extended(story: Story, until: str) -> None:
    story.both(c.ExtendSuspension(reasons=reasons("mark_misused"), ends_on=day(until)))


@pytest.mark.parametrize(
    ("starts", "limit"),
    [("2024-07-15", "2025-01-15"), ("2024-08-31", "2025-02-28"), ("2024-02-29", "2024-08-29")],
)
def test_a_suspension_lasts_at_most_six_months_and_its_end_is_a_last_day(starts: str, limit: str) -> None:
    before, the_day, after = around(limit)
    story = Story().issued().on(starts)
    with story.refusing(errors.SuspensionTooLong, ends_on=after, limit_on=the_day):
        story.suspended(ends_on=after)
    story.suspended()
    assert story.last.ends_on == the_day, "left out, it is the longest allowed"
    for ends_on in (before, the_day):
        other = Story().issued().on(starts)
        other.suspended(ends_on=ends_on)
        assert other.certificate.status == "suspended"


def test_a_suspension_does_not_end_after_the_last_valid_day() -> None:
    story = Story().issued().on("2026-12-01")
    _, the_day, after = around("2027-01-14")
    with story.refusing(errors.SuspensionTooLong, ends_on=after, limit_on=the_day):
        story.suspended(ends_on=after)
    story.suspended()
    assert story.last.ends_on == the_day


def test_a_suspension_does_not_end_before_it_begins() -> None:
    story = Story().issued()
    with story.refusing(errors.DaysOutOfOrder):
        story.suspended(ends_on=day("2024-01-14"))
    story.suspended(ends_on=day("2024-01-15"))


def test_a_suspension_gives_a_reason_of_the_edition() -> None:
    story = Story().issued()
    with story.refusing(errors.ReasonUnknown, reason="dislike", act="suspension"):
        story.suspended(reasons=reasons("mark_misused", "dislike"))


def test_an_extension_is_later_leaves_the_start_and_stays_within_six_months_in_all() -> None:
    story = suspended(until="2024-10-15").on("2024-09-01")
    with story.refusing(errors.SuspensionEndNotLater, ends_now_on=day("2024-10-15")):
        extended(story, "2024-10-15")
    with story.refusing(errors.SuspensionTooLong, limit_on=day("2025-01-15")):
        extended(story, "2025-01-16")
    extended(story, "2024-10-16")
    extended(story, "2025-01-15")
    standing = story.certificate.standing_on(story.today)
    assert (standing.since, standing.suspended_until) == (day("2024-07-15"), day("2025-01-15"))
    assert story.certificate.suspended_from == day("2024-07-15")


def test_before_an_extension_the_old_end_was_told() -> None:
    story = suspended(until="2024-10-15").on("2024-09-01")
    extended(story, "2024-12-31")
    ends = [story.shown(on=on).suspended_until for on in around("2024-09-01")]
    assert ends == [day("2024-10-15"), day("2024-12-31"), day("2024-12-31")]


def test_the_end_of_a_suspension_is_no_reinstatement() -> None:
    story = suspended(until="2024-10-15").on("2024-12-01")
    story.ticks()
    for on in (*around("2024-10-15"), story.today):
        shown = story.shown(on=on)
        assert (shown.status, shown.suspended_until) == ("suspended", day("2024-10-15"))


def test_after_its_end_a_suspension_is_extended_only_to_a_day_that_is_not_past() -> None:
    before, today, _ = around("2024-12-01")
    story = suspended(until="2024-10-15").on(today)
    with story.refusing(errors.SuspensionEndNotLater, today=today):
        story.both(c.ExtendSuspension(reasons=reasons("mark_misused"), ends_on=before))
    extended(story, "2024-12-01")
    assert story.shown().suspended_until == today


@pytest.mark.parametrize("act", ["reinstated", "withdrawn", "cancelled"])
def test_after_its_end_a_suspended_certificate_is_reinstated_withdrawn_or_cancelled(act: str) -> None:
    story = suspended(until="2024-10-15").on("2024-12-01")
    getattr(story, act)()
    assert story.certificate.status == {"reinstated": "active"}.get(act, act)


def test_a_suspended_certificate_still_expires_and_then_is_expired() -> None:
    story = suspended("2026-12-01").on("2027-01-15")
    assert [story.status_on(on) for on in around("2027-01-14")] == ["suspended", "suspended", "expired"]
    with story.refusing(errors.NotAllowedInStatus, status="expired", since=day("2027-01-15")):
        story.reinstated()
    assert [type(fact) for fact in story.ticks()][-1] is e.CertificateExpired
    assert story.shown().status == "expired"


def test_a_reinstatement_takes_effect_on_the_day_of_decision_and_leaves_valid_until_alone() -> None:
    story = suspended().on("2024-09-10")
    before, today, after = around("2024-09-10")
    with story.refusing(errors.ReinstatementDayFixed, on=before, today=today):
        story.reinstated(effective_on=before)
    story.reinstated()
    assert [story.status_on(on) for on in (before, today, after)] == ["suspended", "active", "active"]
    assert story.certificate.valid_until == day("2027-01-14")
    assert story.shown().status_since == today


def test_a_reinstatement_answers_each_reason_of_the_suspension() -> None:
    story = Story().issued().on("2024-07-15")
    story.suspended(reasons=reasons("mark_misused", "obligations_unmet"))
    with story.refusing(errors.SuspensionReasonsOpen, reasons="obligations_unmet"):
        story.reinstated(closed=reasons("mark_misused"))
    story.reinstated(closed=reasons("mark_misused", "obligations_unmet"))


@pytest.mark.parametrize("on", around("2026-01-15"))
def test_the_surveillance_clock_runs_on_and_an_overdue_visit_bars_reinstatement(on: date) -> None:
    story = suspended("2025-12-01").on(on)
    if on <= day("2026-01-15"):
        story.reinstated()
        return
    with story.refusing(errors.SurveillanceOverdueBlocksReinstatement, due_on=day("2026-01-15")):
        story.reinstated()
    story.visited()
    story.reinstated()
    assert story.certificate.status == "active"


def test_due_and_overdue_are_recorded_while_suspended() -> None:
    story = suspended("2025-10-01").on("2026-02-01")
    assert [(type(fact), fact.effective_on) for fact in story.ticks()] == [
        (e.SurveillanceDue, day("2025-10-17")),
        (e.SurveillanceOverdue, day("2026-01-16")),
    ]


def test_a_nonconformity_found_at_a_visit_bars_reinstatement_until_it_is_closed() -> None:
    story = Story().issued().on("2024-07-15")
    case = _visit_with_nonconformity(story)
    story.suspended(reasons=reasons("nonconformity_open"))
    with story.refusing(errors.NonconformityOpen, elements="4.2.1"):
        story.reinstated()
    story.does("ana", c.CloseNonconformity(case=case, element="4.2.1"))
    story.reinstated()


def test_a_nonconformity_of_a_visit_decided_by_suspension_is_put_right_by_a_later_check() -> None:
    """Its case is decided, so it can be closed there no more: without this it would bar reinstatement for ever."""
    story = Story().issued().on("2024-07-15")
    case = _visit_with_nonconformity(story)
    story.suspended(case=case, reasons=reasons("nonconformity_open"))
    with story.refusing(errors.NonconformityOpen, elements="4.2.1"):
        story.reinstated()
    recheck = story.on("2024-09-01").visit_opened()
    story.planned(recheck, draw=tuple(story.edition.elements)[:12])
    story.assessed(recheck, story.findings(elements=story.certificate.cases[recheck].draw))
    story.reinstated()
    assert story.certificate.status == "active"


def test_a_visit_that_finds_it_again_bars_reinstatement_again() -> None:
    story = Story().issued().on("2024-07-15")
    case = _visit_with_nonconformity(story)
    story.suspended(case=case, reasons=reasons("nonconformity_open"))
    recheck = story.on("2024-09-01").visit_opened()
    story.planned(recheck, draw=tuple(story.edition.elements)[:12])
    draw = story.certificate.cases[recheck].draw
    story.assessed(recheck, story.findings(elements=draw, nonconforming=("4.2.1",)))
    with story.refusing(errors.NonconformityOpen, elements="4.2.1"):
        story.reinstated()


def test_suspended_again_after_reinstatement_is_a_new_episode() -> None:
    story = suspended().on("2024-09-10")
    story.reinstated()
    story.on("2024-10-01").suspended()
    assert story.last.ends_on == day("2025-04-01")
    assert story.shown().status_since == day("2024-10-01")


def test_while_a_withdrawal_is_open_the_holder_cannot_cancel() -> None:
    story = suspended()
    opened = c.ProceedToWithdrawal(step="open", reasons=reasons("requirements_not_met"))
    story.does("dora", opened)
    with story.refusing(errors.WithdrawalAlreadyOpen, since=story.today):
        story.does("dora", opened)
    with story.refusing(errors.WithdrawalOpenBlocksCancellation, since=story.today):
        story.cancelled()
    story.does("dora", c.ProceedToWithdrawal(step="drop", grounds="put right"))
    story.cancelled()


@pytest.mark.parametrize(
    ("command", "refusal"),
    [
        (c.ProceedToWithdrawal(step="open"), errors.Malformed),
        (c.ProceedToWithdrawal(step="open", reasons=reasons("dislike")), errors.ReasonUnknown),
        (c.ProceedToWithdrawal(step="drop", grounds="x"), errors.NoWithdrawalOpen),
    ],
)
def test_a_withdrawal_is_opened_for_a_reason_and_dropped_only_if_open(command: c.Command, refusal: type) -> None:
    story = Story().issued()
    with story.refusing(refusal):
        story.does("dora", command)


def test_a_withdrawal_is_dropped_on_grounds() -> None:
    story = Story().issued()
    story.does("dora", c.ProceedToWithdrawal(step="open", reasons=reasons("requirements_not_met")))
    with story.refusing(errors.Malformed):
        story.does("dora", c.ProceedToWithdrawal(step="drop"))


def test_a_withdrawal_need_not_be_opened_first_and_closes_what_was_open() -> None:
    story = Story().issued()
    story.does("dora", c.ProceedToWithdrawal(step="open", reasons=reasons("requirements_not_met")))
    story.withdrawn()
    assert story.certificate.withdrawal_since is None
    other = Story().issued()
    other.withdrawn()
    assert other.certificate.status == "withdrawn"


def _visit_with_nonconformity(story: Story) -> int:
    case = story.visit_opened()
    story.planned(case, draw=tuple(story.edition.elements)[:6])
    story.assessed(case, story.findings(elements=story.certificate.cases[case].draw, nonconforming=("4.2.1",)))
    return case
