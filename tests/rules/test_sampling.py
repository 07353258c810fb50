"""Quota and coverage hold for every number of elements and interval, by a draw that everybody can repeat."""

from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from math import ceil
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecycle.periods import add_months, years_between_rounded_up
from lifecycle.rules import Edition

EditionOf = Callable[[int], Edition]
CERTIFICATE = UUID("6f1b1d6e-6d0a-4b7e-9c39-2f1a1e1c0f55")
ISSUED = date(2024, 3, 31)
LEAP_DAY = date(2024, 2, 29)
FROZEN_DRAW = ("4.2.2", "4.2.3", "5.2.1", "5.4.1", "5.4.3", "6")
YEARLY, TWO_YEARLY = "four_star", "five_star"


@pytest.mark.parametrize(
    ("count", "quotas"), [(23, (6, 12, 18, 23)), (24, (6, 12, 18, 24)), (26, (7, 13, 20, 26)), (1, (1, 1, 1, 1))]
)
def test_the_quota_is_a_quarter_for_each_begun_year(count: int, quotas: tuple[int, ...], edition_of: EditionOf) -> None:
    edition = edition_of(count)
    for years, quota in enumerate(quotas, 1):
        last = add_months(LEAP_DAY, 12 * years)
        assert edition.quota(LEAP_DAY, last) == quota
        assert edition.quota(LEAP_DAY, last + timedelta(days=1)) == quotas[min(years, 3)]
    assert edition.quota(LEAP_DAY, LEAP_DAY) == quotas[0]
    assert edition.quota(LEAP_DAY, LEAP_DAY + timedelta(days=4000)) == count


def test_a_visit_after_24_months_takes_at_least_half(csp: Edition) -> None:
    assert csp.quota(date(2024, 3, 31), date(2026, 3, 31)) == 12


def test_the_draw_of_a_certificate_is_the_same_for_ever(csp: Edition) -> None:
    checks = dict.fromkeys(csp.elements, ISSUED)
    drawn = csp.draw(CERTIFICATE, 1, ISSUED, date(2025, 2, 28), YEARLY, checks)
    assert drawn == FROZEN_DRAW
    assert csp.draw(CERTIFICATE, 1, ISSUED, date(2025, 2, 28), YEARLY, dict(reversed(checks.items()))) == drawn


def test_another_certificate_cycle_or_edition_draws_others(csp: Edition, edition_with: Callable[..., Edition]) -> None:
    checks, on = dict.fromkeys(csp.elements, ISSUED), date(2025, 2, 28)
    other_edition = edition_with(('id = "CSP-S01-001:2021"', 'id = "CSP-S01-001:2022"'))
    draws = {
        csp.draw(CERTIFICATE, 1, ISSUED, on, YEARLY, checks),
        csp.draw(CERTIFICATE, 2, ISSUED, on, YEARLY, checks),
        csp.draw(UUID(int=1), 1, ISSUED, on, YEARLY, checks),
        other_edition.draw(CERTIFICATE, 1, ISSUED, on, YEARLY, checks),
    }
    assert len(draws) == 4


def test_no_element_is_drawn_much_more_often_than_another(csp: Edition) -> None:
    checks, on = dict.fromkeys(csp.elements, ISSUED), date(2025, 2, 28)
    draws = Counter(element for n in range(1000) for element in csp.draw(UUID(int=n), 1, ISSUED, on, YEARLY, checks))
    assert set(draws) == set(csp.elements)
    assert all(200 < times < 300 for times in draws.values()), "250 on the average, and always the same"


def test_the_oldest_checks_are_drawn_first(csp: Edition) -> None:
    elements = list(csp.elements)
    checks = {element: ISSUED + timedelta(days=index) for index, element in enumerate(elements)}
    assert csp.draw(CERTIFICATE, 3, ISSUED, date(2025, 2, 28), YEARLY, checks) == tuple(elements[:6])


def covers_whole(edition: Edition, checks: dict[str, date], until: date) -> bool:
    """Whether no element goes unchecked for longer than the coverage before the day, reckoned for itself."""
    return all(add_months(checked, 48) >= until for checked in checks.values())


@settings(max_examples=60, deadline=None)
@given(
    count=st.sampled_from([23, 24, 26]),
    level=st.sampled_from([YEARLY, TWO_YEARLY]),
    issued=st.dates(date(2024, 1, 1), date(2028, 12, 31)),
    early_days=st.lists(st.integers(-150, 200), min_size=9, max_size=9),
    certificate=st.uuids(),
)
def test_quota_and_coverage_hold_over_the_years_with_every_draw(
    edition_of: EditionOf, count: int, level: str, issued: date, early_days: list[int], certificate: UUID
) -> None:
    edition = edition_of(count)
    anchor, checks = issued, dict.fromkeys(edition.elements, issued)
    for cycle, early in enumerate(early_days, 1):
        due = edition.due(anchor, level, checks)
        on = due.visit_on - timedelta(days=early)  # negative: late
        drawn = edition.draw(certificate, cycle, anchor, on, level, checks)
        assert len(drawn) >= ceil(count * min(4, years_between_rounded_up(anchor, on)) / 4)
        assert list(drawn) == [element for element in edition.elements if element in drawn]
        checks, anchor = {**checks, **dict.fromkeys(drawn, on)}, on
        next_due_on = edition.due(anchor, level, checks).visit_on
        assert edition.coverage_gaps(checks, next_due_on) == ()
        assert covers_whole(edition, checks, next_due_on)


@pytest.mark.parametrize("count", [23, 24, 26])
@pytest.mark.parametrize(("level", "visits"), [(YEARLY, 4), (TWO_YEARLY, 2)])
def test_punctual_visits_take_every_element_within_48_months(
    count: int, level: str, visits: int, edition_of: EditionOf
) -> None:
    edition = edition_of(count)
    issued, checks, taken = date(2024, 8, 31), dict.fromkeys(edition.elements, date(2024, 8, 31)), set[str]()
    anchor = issued
    for cycle in range(1, visits + 1):
        on = edition.due(anchor, level, checks).visit_on
        drawn = edition.draw(CERTIFICATE, cycle, anchor, on, level, checks)
        assert len(drawn) == edition.quota(anchor, on), "coverage forces no more than the quota"
        checks, anchor = {**checks, **dict.fromkeys(drawn, on)}, on
        taken |= set(drawn)
    assert taken == set(edition.elements)
    assert anchor <= add_months(issued, 48)


def always_the_first_six(edition: Edition) -> tuple[str, ...]:
    """The mutant: the quota alone, and the same elements each year."""
    return tuple(edition.elements)[:6]


def test_the_quota_alone_leaves_gaps_that_coverage_names(csp: Edition) -> None:
    anchor, checks = ISSUED, dict.fromkeys(csp.elements, ISSUED)
    gaps: list[tuple[str, ...]] = []
    for years in range(1, 5):
        on = add_months(ISSUED, 12 * years)
        assert len(always_the_first_six(csp)) >= csp.quota(anchor, on)
        checks, anchor = checks | dict.fromkeys(always_the_first_six(csp), on), on
        gaps.append(csp.coverage_gaps(checks, add_months(on, 12)))
    assert gaps == [(), (), (), tuple(csp.elements)[6:]]


def test_coverage_forces_more_than_the_quota_where_it_must(csp: Edition) -> None:
    on, elements = add_months(ISSUED, 48), tuple(csp.elements)
    checks = dict.fromkeys(elements, ISSUED) | dict.fromkeys(elements[:6], add_months(ISSUED, 36))
    assert csp.quota(add_months(ISSUED, 36), on) == 6
    assert csp.draw(CERTIFICATE, 4, add_months(ISSUED, 36), on, YEARLY, checks) == elements[6:]


def test_coverage_runs_out_the_day_after_48_months(csp: Edition) -> None:
    checks = dict.fromkeys(csp.elements, date(2026, 1, 1)) | {"5.2.1": date(2024, 2, 29), "6": date(2024, 3, 1)}
    assert csp.coverage_gaps(checks, date(2028, 2, 29)) == ()
    assert csp.coverage_gaps(checks, date(2028, 3, 1)) == ("5.2.1",)
    assert csp.coverage_gaps(checks, date(2028, 3, 2)) == ("5.2.1", "6")


def test_an_element_never_checked_is_drawn_and_is_a_gap_until_then(csp: Edition) -> None:
    checks = dict.fromkeys([code for code in csp.elements if code != "6"], ISSUED)
    on = add_months(ISSUED, 12)
    assert csp.coverage_gaps(checks, on) == ("6",)
    assert csp.due(ISSUED, YEARLY, checks).coverage_on == on
    assert "6" in csp.draw(CERTIFICATE, 1, ISSUED, on, YEARLY, checks)


def test_an_element_of_another_edition_does_not_count(csp: Edition) -> None:
    checks = dict.fromkeys([*csp.elements, "9.9"], ISSUED) | {"9.9": date(1999, 1, 1)}
    assert csp.due(ISSUED, YEARLY, checks).coverage_on == date(2028, 3, 31)
    assert "9.9" not in csp.draw(CERTIFICATE, 1, ISSUED, add_months(ISSUED, 12), YEARLY, checks)
