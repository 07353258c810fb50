"""The dates that follow from an edition: validity, the next visit, suspensions, bars."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest

from lifecycle.events import Due
from lifecycle.rules import Edition, edition_in_force, shipped_editions

EditionWith = Callable[..., Edition]
ANCHOR = date(2025, 3, 31)


@pytest.fixture
def checks(csp: Edition) -> dict[str, date]:
    return dict.fromkeys(csp.elements, ANCHOR)


@pytest.mark.parametrize(
    ("valid_from", "valid_until"),
    [
        (date(2024, 1, 15), date(2027, 1, 14)),
        (date(2024, 2, 29), date(2027, 2, 27)),
        (date(2025, 3, 1), date(2028, 2, 29)),
        (date(2025, 1, 1), date(2027, 12, 31)),
    ],
)
def test_validity_ends_the_day_before_the_anniversary(valid_from: date, valid_until: date, csp: Edition) -> None:
    assert csp.validity_end(valid_from) == valid_until


def test_validity_ends_on_the_anniversary_where_the_file_says_so(edition_with: EditionWith) -> None:
    edition = edition_with(('validity_ends = { value = "day_before"', 'validity_ends = { value = "same_day"'))
    assert edition.validity_end(date(2024, 2, 29)) == date(2027, 2, 28)


@pytest.mark.parametrize(
    ("level", "months", "visit_on"),
    [
        ("five_star", 24, date(2027, 3, 31)),
        ("four_star", 12, date(2026, 3, 31)),
        ("three_star", 12, date(2026, 3, 31)),
        ("conformity", 12, date(2026, 3, 31)),
    ],
)
def test_the_next_visit_is_due_an_interval_after_the_anchor(
    level: str, months: int, visit_on: date, csp: Edition, checks: dict[str, date]
) -> None:
    assert csp.due(ANCHOR, level, checks) == Due(
        visit_on=visit_on,
        notice_on=visit_on - timedelta(days=90),
        coverage_on=date(2029, 3, 31),
        anchor_on=ANCHOR,
        interval_months=months,
    )


def test_a_visit_is_overdue_the_day_after_it_was_due(csp: Edition, checks: dict[str, date]) -> None:
    assert csp.due(ANCHOR, "four_star", checks).overdue_on == date(2026, 4, 1)


def test_coverage_runs_from_the_oldest_check(csp: Edition, checks: dict[str, date]) -> None:
    assert csp.due(ANCHOR, "four_star", checks | {"6": date(2023, 8, 31)}).coverage_on == date(2027, 8, 31)


@pytest.mark.parametrize(
    ("changed_on", "visit_on", "notice_on", "grace_until"),
    [
        (date(2025, 6, 1), date(2026, 3, 31), date(2025, 12, 31), date(2026, 3, 31)),
        (date(2025, 12, 31), date(2026, 3, 31), date(2025, 12, 31), date(2026, 3, 31)),
        (date(2026, 1, 1), date(2026, 3, 31), date(2026, 1, 1), date(2026, 4, 1)),
        (date(2026, 3, 31), date(2026, 3, 31), date(2026, 3, 31), date(2026, 6, 29)),
        (date(2026, 10, 1), date(2026, 10, 1), date(2026, 10, 1), date(2026, 12, 30)),
    ],
)
def test_a_shortened_interval_is_due_from_the_change_and_overdue_after_the_grace(
    changed_on: date, visit_on: date, notice_on: date, grace_until: date, csp: Edition, checks: dict[str, date]
) -> None:
    due = csp.due(ANCHOR, "four_star", checks, changed_on=changed_on)
    assert (due.visit_on, due.notice_on, due.grace_until) == (visit_on, notice_on, grace_until)
    assert (due.anchor_on, due.interval_months) == (ANCHOR, 12)
    assert due.overdue_on == max(visit_on, grace_until) + timedelta(days=1)


@pytest.mark.parametrize(
    ("started_on", "limit"),
    [
        (date(2026, 1, 15), date(2026, 7, 15)),
        (date(2026, 8, 31), date(2027, 2, 28)),
        (date(2027, 5, 1), date(2027, 6, 30)),
    ],
)
def test_a_suspension_ends_within_six_months_and_the_validity(started_on: date, limit: date, csp: Edition) -> None:
    assert csp.suspension_limit(started_on, date(2027, 6, 30)) == limit


def test_withdrawal_bars_an_application_for_12_months_and_expiry_does_not(
    csp: Edition, edition_with: EditionWith
) -> None:
    assert csp.bar_until(date(2026, 1, 15)) == date(2027, 1, 15)
    assert csp.bar_until_after_expiry(date(2026, 1, 15)) is None
    barless = edition_with(("bar_after_withdrawal_months = { value = 12", "bar_after_withdrawal_months = { value = 0"))
    assert barless.bar_until(date(2026, 1, 15)) is None


def test_the_edition_in_force_is_the_one_that_took_effect_last(csp: Edition, edition_with: EditionWith) -> None:
    newer = edition_with(
        ('id = "CSP-S01-001:2021"', 'id = "CSP-S01-001:2026"'),
        ("effective_from = { value = 2021-01-01", "effective_from = { value = 2026-07-01"),
    )
    editions = {**shipped_editions(), newer.id: newer}
    days = (date(2020, 12, 31), date(2021, 1, 1), date(2026, 6, 30), date(2026, 7, 1))
    assert [edition_in_force(editions, csp.scheme, day) for day in days] == [None, csp, csp, newer]
    assert edition_in_force(editions, "NO-SCHEME", date(2026, 7, 1)) is None
