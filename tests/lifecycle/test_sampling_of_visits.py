"""How much a visit takes: quota and coverage, two independent rules (domain.md, section 5, case 6)."""

import dataclasses
from datetime import date
from fractions import Fraction
from math import ceil

import pytest

from lifecycle import errors
from lifecycle import events as e
from lifecycle.rules import Edition
from lifecycle.rules.scheme_terms import Element
from tests.lifecycle.story import EDITION, Story, around, day

ELEMENTS = tuple(Story().edition.elements)


def four_stars() -> Story:
    story = Story()
    return story.issued(story.findings("10"))


def with_elements(count: int) -> Edition:
    """The first scheme with another number of elements, for conformity certificates."""
    edition = Story().edition
    extra = {f"X{i}": Element(f"X{i}", "要素", "element", Fraction(1), None) for i in range(count)}
    kept = list((dict(edition.elements) | extra).items())[:count]
    return dataclasses.replace(edition, elements=dict(kept))


@pytest.mark.parametrize("count", [23, 24, 26])
@pytest.mark.parametrize(
    ("on", "years"),
    [
        ("2024-02-15", 1),
        *[(on.isoformat(), 1 if on <= day("2025-01-15") else 2) for on in around("2025-01-15")],
        *[(on.isoformat(), 2 if on <= day("2026-01-15") else 3) for on in around("2026-01-15")],
    ],
)
def test_a_visit_takes_a_quarter_of_the_elements_for_each_year_begun_since_the_last(
    count: int, on: str, years: int
) -> None:
    edition = with_elements(count)
    story = Story(editions={EDITION: edition})
    story.issued(story.findings(scored=False), certification_type="conformity")
    quota = ceil(Fraction(count * years, 4))
    story.on(on)
    case = story.visit_opened()
    too_few = tuple(edition.elements)[: quota - 1]
    with story.refusing(errors.QuotaNotMet, drawn=quota - 1, quota=quota):
        story.planned(case, draw=too_few)
    story.planned(case)
    assert len(story.last.draw) == story.last.quota == quota
    story.assessed(case, story.findings(elements=story.last.draw, scored=False))
    assert story.last.quota == quota


def test_after_24_months_half_of_the_elements_are_taken_and_a_day_later_three_quarters() -> None:
    for on, quota in zip(around("2026-01-15"), (12, 12, 18), strict=True):
        story = Story().issued().on(on)
        story.planned(story.visit_opened())
        assert story.last.quota == quota


def test_the_quota_is_that_of_the_day_on_which_the_visit_was_made() -> None:
    story = four_stars().on("2025-01-10")
    case = story.visit_opened()
    story.planned(case)
    draw = story.certificate.cases[case].draw
    assert len(draw) == 6
    with story.on("2025-01-16").refusing(errors.QuotaNotMet, drawn=6, quota=12):
        story.assessed(case, story.findings(elements=draw))
    story.assessed(case, story.findings(elements=draw), on=day("2025-01-15"))


def test_the_quota_is_never_more_than_all_elements() -> None:
    story = Story()
    story.editions[EDITION] = dataclasses.replace(story.editions[EDITION], validity_months=120, coverage_months=240)
    story.issued().on("2030-06-01")
    story.planned(story.visit_opened())
    assert story.last.quota == len(story.last.draw) == 24


def test_a_visit_that_would_leave_an_element_unchecked_for_over_48_months_is_refused() -> None:
    """Every year the same six elements hold the quota; the fourth visit would leave the others behind."""
    story = Story()
    story.editions[EDITION] = dataclasses.replace(story.editions[EDITION], validity_months=72)
    story.issued(story.findings("10"))
    same = ELEMENTS[:6]
    for year in ("2025", "2026", "2027"):
        case = story.on(f"{year}-01-15").visit_opened()
        story.planned(case, draw=same)
        story.assessed(case, story.findings(elements=same))
        story.decided(case, "maintain")
    case = story.on("2028-01-15").visit_opened()
    with story.refusing(
        errors.CoverageNotMet, months=48, next_due_on=day("2029-01-15"), elements=", ".join(ELEMENTS[6:])
    ):
        story.planned(case, draw=same)
    story.planned(case)
    assert set(story.last.draw) >= set(ELEMENTS[6:])


@pytest.mark.parametrize("on", around("2027-01-15"))
def test_coverage_reaches_to_the_next_due_date_and_not_a_day_less(on: date) -> None:
    """Checked on 15 January 2024, covered until 15 January 2028; the visit after one on 15 January 2027 is due then."""
    story = Story()
    story.editions[EDITION] = dataclasses.replace(story.editions[EDITION], validity_months=72)
    story.issued(story.findings("10")).on("2026-06-01").visited()
    recent = [element for element, checked in story.certificate.checks.items() if checked == day("2026-06-01")][:6]
    case = story.on(on).visit_opened()
    if on <= day("2027-01-15"):
        story.planned(case, draw=tuple(recent))
        return
    with story.refusing(errors.CoverageNotMet, next_due_on=day("2028-01-16")):
        story.planned(case, draw=tuple(recent))


def test_coverage_is_asked_again_when_the_visit_is_recorded() -> None:
    story = Story()
    story.editions[EDITION] = dataclasses.replace(story.editions[EDITION], validity_months=72)
    story.issued(story.findings("10")).on("2026-06-01").visited()
    recent = [element for element, checked in story.certificate.checks.items() if checked == day("2026-06-01")][:6]
    case = story.on("2027-01-15").visit_opened()
    story.planned(case, draw=tuple(recent))
    with story.on("2027-01-16").refusing(errors.CoverageNotMet, next_due_on=day("2028-01-16")):
        story.assessed(case, story.findings(elements=recent))
    story.assessed(case, story.findings())


def test_an_element_drawn_twice_counts_once_for_coverage_and_each_time_for_quota() -> None:
    story = four_stars()
    same = ELEMENTS[:6]
    for on in ("2024-06-01", "2025-06-01"):
        case = story.on(on).visit_opened()
        story.planned(case, draw=same)
        story.assessed(case, story.findings(elements=same))
        story.decided(case, "maintain")
    checks = story.certificate.checks
    assert {checks[element] for element in same} == {day("2025-06-01")}
    assert {checks[element] for element in ELEMENTS[6:]} == {day("2024-01-15")}


def test_an_element_named_twice_in_one_draw_is_drawn_once() -> None:
    story = four_stars().on("2024-06-01")
    case = story.visit_opened()
    with story.refusing(errors.QuotaNotMet, drawn=5, quota=6):
        story.planned(case, draw=(*ELEMENTS[:5], ELEMENTS[0]))


def test_the_draw_names_elements_of_the_edition() -> None:
    story = four_stars().on("2024-06-01")
    case = story.visit_opened()
    with story.refusing(errors.ElementUnknown, element="9.9", edition=EDITION):
        story.planned(case, draw=(*ELEMENTS[:6], "9.9"))


def test_the_draw_left_out_is_the_same_for_everybody_who_asks() -> None:
    first, second = four_stars().on("2024-06-01"), four_stars().on("2024-06-01")
    for story in (first, second):
        story.planned(story.visit_opened())
    assert first.last.draw == second.last.draw
    assert len(set(first.last.draw)) == 6


def test_a_record_covers_the_draw_and_may_hold_more() -> None:
    story = four_stars().on("2024-06-01")
    case = story.visit_opened()
    story.planned(case, draw=ELEMENTS[:6])
    with story.refusing(errors.FindingsRefused, element=ELEMENTS[5]):
        story.assessed(case, story.findings(elements=(*ELEMENTS[:5], *ELEMENTS[6:9])))
    with story.refusing(errors.Malformed):
        story.assessed(case, story.findings(elements=ELEMENTS[:6]), deductions=(e.Deduction("x"),))
    story.assessed(case, story.findings(elements=ELEMENTS[:8]))
    assert story.last.drawn == ELEMENTS[:6]
    assert {e for e, on in story.certificate.checks.items() if on == story.today} == set(ELEMENTS[:8])
