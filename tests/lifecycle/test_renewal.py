"""Renewed: a full assessment, a new validity counted from the end of the old ("Renewal")."""

from datetime import date

import pytest

from lifecycle import commands as c
from lifecycle import errors
from lifecycle import events as e
from tests.lifecycle.story import Story, around, day, reasons

LAST_DAY = "2027-01-14"


def before_renewal(today: str = "2026-11-01", lost: str = "0", **given) -> tuple[Story, int]:
    """A certificate whose renewal is graded today."""
    story = Story().issued().on("2025-12-01").visited().on(today)
    return story, story.graded("renewal", story.findings(lost), **given)


@pytest.mark.parametrize("today", around(LAST_DAY))
def test_a_renewal_is_decided_until_the_last_valid_day(today: date) -> None:
    story, case = before_renewal("2027-01-10")
    story.on(today)
    if today <= day(LAST_DAY):
        story.decided(case, "renew")
        assert (story.last.valid_from, story.last.valid_until) == (day("2027-01-15"), day("2030-01-14"))
        return
    with story.refusing(errors.NotAllowedInStatus, status="expired", since=day("2027-01-15")):
        story.decided(case, "renew")


def test_a_renewal_is_not_back_dated_to_the_last_valid_day() -> None:
    story, case = before_renewal("2027-01-10")
    with story.on("2027-01-15").refusing(errors.NotAllowedInStatus, status="expired"):
        story.both(c.Decide(case=case, outcome="renew", effective_on=day(LAST_DAY)))


def test_a_renewal_decided_early_begins_when_the_old_validity_ends_and_both_periods_stand() -> None:
    story, case = before_renewal()
    story.decided(case, "renew")
    for on in around(LAST_DAY)[:2]:
        shown = story.shown(on=on)
        assert (shown.status, shown.valid_from, shown.valid_until) == ("valid", day("2024-01-15"), day(LAST_DAY))
    shown = story.shown(on=day("2027-01-15"))
    assert (shown.status, shown.valid_from, shown.valid_until) == ("valid", day("2027-01-15"), day("2030-01-14"))
    assert [story.status_on(on) for on in around("2030-01-14")] == ["active", "active", "expired"]


def test_a_renewal_keeps_the_number_the_first_date_and_the_day_since_which_it_is_valid() -> None:
    story, case = before_renewal()
    number = story.number
    story.decided(case, "renew")
    shown = story.shown(on=day("2027-06-01"))
    assert (story.number, shown.first_certified_on, shown.status_since) == (
        number,
        day("2024-01-15"),
        day("2024-01-15"),
    )
    assert story.last.document == 2


def test_a_renewal_with_another_level_takes_another_number_from_its_first_day_on() -> None:
    story, case = before_renewal(lost="10")
    old = story.number
    story.decided(case, "renew")
    new = story.number
    assert new != old
    last, first = day(LAST_DAY), day("2027-01-15")
    assert [story.shown(old, on).status for on in (last, first)] == ["valid", "superseded"]
    assert [story.shown(new, on).status for on in (last, first)] == ["unknown", "valid"]
    assert [story.shown(old, last).level, story.shown(new, first).level] == ["five_star", "four_star"]
    assert story.shown(old, first).superseded_by == new


def test_the_next_visit_counts_from_the_assessment_for_renewal() -> None:
    story, case = before_renewal()
    assert (story.certificate.due.anchor_on, story.certificate.due.visit_on) == (day("2026-11-01"), day("2028-11-01"))
    story.on("2026-12-20").decided(case, "renew")
    assert story.certificate.due.visit_on == day("2028-11-01")


def test_a_renewal_at_a_level_with_a_shorter_interval_has_its_grace_from_the_decision() -> None:
    story, case = before_renewal("2026-11-01", lost="10")
    story.on("2026-12-20").decided(case, "renew")
    due = story.certificate.due
    assert (due.visit_on, due.interval_months, due.overdue_on) == (day("2027-11-01"), 12, day("2027-11-02"))


def test_a_renewal_prints_what_was_applied_for_from_its_first_day_on() -> None:
    story, case = before_renewal(holder="New Name Ltd", scope="patrols")
    story.decided(case, "renew")
    before, after = story.shown(on=day(LAST_DAY)), story.shown(on=day("2027-01-15"))
    assert (before.holder, before.scope) == ("Example Alarm Ltd", "alarm operation")
    assert (after.holder, after.scope) == ("New Name Ltd", "patrols")


def test_a_re_issue_between_an_early_renewal_and_its_first_day_changes_what_it_names_and_nothing_else() -> None:
    story, case = before_renewal(holder="New Name Ltd", lost="10")
    old = story.number
    story.decided(case, "renew")
    new = story.number
    story.on("2026-12-01")
    story.does("reg", c.Reissue(reasons=reasons("scope_changed"), scope="patrols"))
    now, then = story.shown(old), story.shown(new, day("2027-01-15"))
    assert (now.holder, now.scope, now.level) == ("Example Alarm Ltd", "patrols", "five_star")
    assert (then.holder, then.scope, then.level) == ("New Name Ltd", "patrols", "four_star")


def test_a_renewal_at_the_level_none_is_only_refused() -> None:
    story, case = before_renewal(lost="40")
    with story.refusing(errors.NotGrantable, because="below_lowest_band"):
        story.decided(case, "renew")
    story.decided(case, "refuse", "below_lowest_band")
    assert story.certificate.valid_until == day(LAST_DAY)


def test_a_suspended_certificate_is_not_renewed() -> None:
    story, case = before_renewal()
    story.suspended()
    with story.refusing(errors.NotAllowedInStatus, status="suspended", allowed="active"):
        story.decided(case, "renew")
    story.on("2026-12-01").reinstated()
    story.decided(case, "renew")


def test_a_renewed_certificate_can_be_suspended_and_withdrawn_in_both_periods() -> None:
    story, case = before_renewal()
    story.decided(case, "renew")
    story.on("2027-01-10").suspended()
    assert story.last.ends_on == day("2027-07-10"), "it stays valid past the old end"
    assert story.status_on(day("2027-01-15")) == "suspended"
    story.on("2027-02-01").withdrawn()
    assert story.status_on(story.today) == "withdrawn"


def test_an_unscored_renewal_is_shown_as_such_from_its_first_day_on() -> None:
    story = Story().issued().on("2026-11-01")
    story.renewed(story.findings(scored=False), certification_type="conformity")
    before, after = (
        story.shown(story.certificate.numbers.at(day(LAST_DAY)), day(LAST_DAY)),
        story.shown(on=day("2027-01-15")),
    )
    assert (before.certification_type, before.stars) == ("star", 5)
    assert (after.certification_type, after.stars) == ("conformity", None)


def test_the_clock_expires_a_renewed_certificate_only_at_its_new_end() -> None:
    story, case = before_renewal()
    story.decided(case, "renew")
    story.on("2027-02-01").ticks()
    assert e.CertificateExpired not in [type(fact) for fact in story.clock_facts]
    story.on("2030-01-15").ticks()
    assert (type(story.last), story.last.effective_on) == (e.CertificateExpired, day("2030-01-15"))


def test_a_level_changed_after_an_early_renewal_stands_for_good() -> None:
    """Renewed at four stars from 2027 on; a regrade in 2026 gives five: the later decision is the one that holds."""
    story, case = before_renewal(lost="10")
    story.decided(case, "renew")
    story.on("2026-12-01").regraded()
    assert [story.certificate.levels.at(on) for on in (story.today, day("2027-01-15"))] == ["five_star", "five_star"]


def test_a_type_changed_after_an_early_renewal_stands_for_good() -> None:
    """Renewed as a star certificate; a regrade for conformity before that period begins: it is none then."""
    story = Story().issued(Story().findings(scored=False), certification_type="conformity").on("2026-10-01")
    story.renewed().on("2026-12-01")
    story.regraded(story.findings(scored=False), certification_type="conformity")
    told = story.shown(on=day("2027-01-15"))
    assert (told.level, told.certification_type, told.stars) == ("conformity", "conformity", None)
