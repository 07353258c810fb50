"""Legal dates are the same on every machine, at every hour, for every month end."""

import os
import time
from calendar import monthrange
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecycle.periods import add_months, day_start, last_day_of_months, legal_day, years_between_rounded_up

MACHINE_ZONES = ("UTC", "Asia/Shanghai", "America/Los_Angeles", "Pacific/Kiritimati", "Asia/Kathmandu")
MONTH_ENDS = [date(year, month, monthrange(year, month)[1]) for year in range(2024, 2033) for month in range(1, 13)]
AROUND_16_UTC = [timedelta(hours=16, microseconds=step) for step in (-1, 0, 1)] + [timedelta(hours=16, minutes=30)]
PERIODS = (1, 2, 3, 6, 11, 12, 13, 24, 36, 48)
DAYS = st.dates(date(2000, 1, 1), date(2100, 12, 31))


@pytest.fixture(params=MACHINE_ZONES)
def machine_zone(request: pytest.FixtureRequest) -> Iterator[str]:
    before = os.environ.get("TZ")
    os.environ["TZ"] = request.param
    time.tzset()
    yield request.param
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()


def naive_add_months(anchor: date, months: int) -> date:
    """An independent reckoning."""
    year, month = divmod(anchor.year * 12 + anchor.month - 1 + months, 12)
    return date(year, month + 1, min(anchor.day, monthrange(year, month + 1)[1]))


def chained_add_months(anchor: date, months: int) -> date:
    """The mutant: month after month."""
    for _ in range(months):
        anchor = naive_add_months(anchor, 1)
    return anchor


def month_end_answers(months_after: Callable[[date, int], date] = add_months) -> list[date]:
    return [months_after(end, months) for end in MONTH_ENDS for months in PERIODS]


def test_every_month_end_has_the_same_legal_dates_in_every_zone_of_the_machine(machine_zone: str) -> None:
    assert month_end_answers() == [naive_add_months(end, months) for end in MONTH_ENDS for months in PERIODS]


def test_months_added_step_by_step_would_be_noticed() -> None:
    assert month_end_answers(chained_add_months) != month_end_answers()


def test_around_16_utc_of_every_month_end_the_legal_day_turns_in_every_zone_of_the_machine(machine_zone: str) -> None:
    for end in MONTH_ENDS:
        midnight = datetime(end.year, end.month, end.day, tzinfo=UTC)
        turned = [legal_day(midnight + after) for after in AROUND_16_UTC]
        assert turned == [end, *[end + timedelta(days=1)] * 3]
        assert legal_day((midnight + AROUND_16_UTC[0]).astimezone()) == end, "the machine's own zone changes nothing"


def test_a_day_starts_at_16_utc_of_the_day_before(machine_zone: str) -> None:
    for end in MONTH_ENDS:
        assert day_start(end) == datetime(end.year, end.month, end.day, tzinfo=UTC) - timedelta(hours=8)
        assert day_start(end).tzinfo is UTC


@settings(max_examples=100)
@given(DAYS)
def test_a_legal_day_runs_from_its_start_to_the_start_of_the_next(day: date) -> None:
    start, next_start = day_start(day), day_start(day + timedelta(days=1))
    assert legal_day(start) == legal_day(next_start - timedelta(microseconds=1)) == day
    assert legal_day(start - timedelta(microseconds=1)) == day - timedelta(days=1)


def test_an_instant_without_a_zone_has_no_legal_day() -> None:
    with pytest.raises(ValueError, match="needs a zone"):
        legal_day(datetime(2026, 1, 1))


@pytest.mark.parametrize(
    ("anchor", "months", "day"),
    [
        (date(2025, 1, 31), 1, date(2025, 2, 28)),
        (date(2024, 1, 31), 1, date(2024, 2, 29)),
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
        (date(2024, 2, 29), 48, date(2028, 2, 29)),
        (date(2026, 1, 31), 2, date(2026, 3, 31)),
        (date(2026, 8, 31), 6, date(2027, 2, 28)),
    ],
)
def test_months_are_clamped_to_the_last_day_of_a_shorter_month(anchor: date, months: int, day: date) -> None:
    assert add_months(anchor, months) == day


def test_six_months_from_15_january_end_on_15_july() -> None:
    assert last_day_of_months(date(2026, 1, 15), 6) == date(2026, 7, 15)


@pytest.mark.parametrize(
    ("day", "years"),
    [
        (date(2024, 12, 1), 1),
        (date(2025, 3, 31), 1),
        (date(2026, 3, 30), 1),
        (date(2026, 3, 31), 1),
        (date(2026, 4, 1), 2),
        (date(2027, 3, 31), 2),
        (date(2027, 4, 1), 3),
    ],
)
def test_twelve_months_are_one_year_and_a_day_more_is_two(day: date, years: int) -> None:
    assert years_between_rounded_up(date(2025, 3, 31), day) == years


def test_a_year_from_29_february_ends_on_28_february() -> None:
    assert years_between_rounded_up(date(2024, 2, 29), date(2025, 2, 28)) == 1
    assert years_between_rounded_up(date(2024, 2, 29), date(2025, 3, 1)) == 2


@settings(max_examples=200)
@given(DAYS, DAYS)
def test_the_years_reach_the_day_and_a_year_less_does_not(anchor: date, day: date) -> None:
    years = years_between_rounded_up(anchor, day)
    assert add_months(anchor, 12 * years) >= day
    assert years == 1 or add_months(anchor, 12 * (years - 1)) < day
