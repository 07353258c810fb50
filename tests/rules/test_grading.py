"""A grade is exact, is data, and names the rule that decided."""

from collections.abc import Callable
from fractions import Fraction
from functools import reduce
from operator import add

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecycle.events import Deduction, Finding
from lifecycle.rules import Edition, Grade, MalformedFindings, shipped_editions

Findings = list[Finding]
Build = Callable[..., Findings]
LEAST = Fraction(1, 10**6)
EDITIONS = shipped_editions()
BANDS = [
    (edition.id, level.code, level.at_least)
    for edition in EDITIONS.values()
    for level in edition.levels.values()
    if level.at_least is not None
]


def next_below(edition: Edition, level: str) -> str:
    """The level that a score just under the band earns, without consent to conformity."""
    codes = [each.code for each in edition.levels.values() if each.at_least is not None]
    return [*codes, "none"][codes.index(level) + 1]


@pytest.mark.parametrize(("edition_id", "level", "at_least"), BANDS)
def test_a_band_begins_exactly_at_its_mark(edition_id: str, level: str, at_least: Fraction, scoring: Build) -> None:
    edition = EDITIONS[edition_id]
    before, at, after = (
        edition.grade(scoring(edition, score), (), "star", False)
        for score in (at_least - LEAST, at_least, at_least + LEAST)
    )
    assert (before.level, at.level, after.level) == (next_below(edition, level), level, level)
    assert (before.score, at.score, after.score) == (at_least - LEAST, at_least, at_least + LEAST)
    assert at.because == f"band:{level}"


@pytest.mark.parametrize(
    ("score", "level"),
    [
        ("94.995", "four_star"),
        ("94.999999", "four_star"),
        ("95", "five_star"),
        ("100", "five_star"),
        ("84.995", "three_star"),
        ("85", "four_star"),
        ("74.995", "none"),
        ("75", "three_star"),
        ("0", "none"),
    ],
)
def test_95_85_and_75_are_inside_the_better_band(score: str, level: str, csp: Edition, scoring: Build) -> None:
    assert csp.grade(scoring(csp, score), (), "star", False) == Grade(
        Fraction(score), level, f"band:{level}" if level != "none" else "below_lowest_band"
    )


def test_a_sum_in_floats_would_put_85_marks_into_the_lower_band(csp: Edition) -> None:
    marks = ["3.7", *["3.4"] * 5, *["2.55"] * 3, *["5.1"] * 4, *["4.25"] * 4, *["2.55"] * 5, "3.1", "3.4"]
    assert reduce(add, map(float, marks)) < 85, "the mutant: floats added one by one"
    findings = [
        Finding(element=code, outcome="conforming", marks=mark) for code, mark in zip(csp.elements, marks, strict=True)
    ]
    assert csp.grade(findings, (), "star", False) == Grade(Fraction(85), "four_star", "band:four_star")


def test_below_the_lowest_band_and_all_conforming_is_conformity_where_accepted(csp: Edition, scoring: Build) -> None:
    findings = scoring(csp, "74.999999")
    assert csp.grade(findings, (), "star", True) == Grade(Fraction("74.999999"), "conformity", "conformity:all_conform")
    assert csp.grade(findings, (), "star", False).because == "below_lowest_band"


@pytest.mark.parametrize("score", ["60", "75", "99.5"])
def test_an_open_nonconformity_leaves_nothing_to_grant_whatever_the_score(
    score: str, csp: Edition, scoring: Build
) -> None:
    findings = scoring(csp, score, {"5.2.1": "nonconforming", "6": "nonconforming"})
    assert csp.grade(findings, (), "star", True) == Grade(Fraction(score), "none", "open_nonconformity:5.2.1")


def test_the_first_open_element_is_named_in_the_order_of_the_scheme(csp: Edition, judging: Build) -> None:
    findings = judging(csp, {"6": "nonconforming", "4.2.2": "nonconforming"})
    assert csp.grade(reversed(findings), (), "conformity", True).because == "open_nonconformity:4.2.2"


def test_a_conformity_application_is_judged_without_a_score(csp: Edition, judging: Build) -> None:
    expected = Grade(None, "conformity", "conformity:all_conform")
    assert csp.grade(judging(csp), (), "conformity", False) == expected


@pytest.mark.parametrize("count", range(1, 51))
def test_exactly_one_of_n_elements_fails_and_is_refused_and_named_at_every_place(
    count: int, edition_of: Callable[[int], Edition], scoring: Build, judging: Build
) -> None:
    edition = edition_of(count)
    for element in edition.elements:
        failing = {element: "nonconforming"}
        refused = f"open_nonconformity:{element}"
        assert edition.grade(scoring(edition, 100, failing), (), "star", True) == Grade(Fraction(100), "none", refused)
        assert edition.grade(judging(edition, failing), (), "conformity", True) == Grade(None, "none", refused)
    assert edition.grade(scoring(edition, 100), (), "star", False).level == "five_star"


def test_a_ratio_leaves_out_what_does_not_apply(scoring: Build) -> None:
    edition = EDITIONS["GBT-27922:2011"]  # 5.3.2 weighs 13: 87 marks are applicable
    at = scoring(edition, "82.65", {"5.3.2": "not_applicable"})
    under = scoring(edition, "82.649999", {"5.3.2": "not_applicable"})
    assert edition.grade(at, (), "star", False) == Grade(Fraction(95), "five_star", "band:five_star")
    assert edition.grade(under, (), "star", False).level == "four_star"
    assert edition.grade(scoring(edition, 70, {"5.3.2": "not_applicable"}), (), "star", False).score == Fraction(
        7000, 87
    )


def special(code: str, times: int) -> tuple[Deduction, ...]:
    return (Deduction(code=code),) * times


@pytest.mark.parametrize(("times", "level"), [(0, "five_star"), (1, "four_star"), (5, "four_star"), (6, "three_star")])
def test_each_special_deduction_of_after_sales_service_takes_one_mark(times: int, level: str, scoring: Build) -> None:
    edition = EDITIONS["GBT-27922:2011"]
    grade = edition.grade(scoring(edition, 95), special("special_deduction", times), "star", False)
    assert grade == Grade(Fraction(95 - times), level, f"band:{level}")


def test_bonuses_count_up_to_the_cap(scoring: Build) -> None:
    edition = EDITIONS["GBT-27922:2011"]
    scores = [edition.grade(scoring(edition, 94), special("special_bonus", n), "star", False).score for n in (0, 1, 2)]
    assert scores == [94, 95, 95]


def test_a_nonconforming_element_of_after_sales_service_costs_its_marks_only(scoring: Build) -> None:
    edition = EDITIONS["GBT-27922:2011"]
    grade = edition.grade(scoring(edition, 90, {"5.1.1": "nonconforming"}), (), "star", True)
    assert grade.because == "band:four_star"


def test_a_scheme_without_a_conformity_level_grants_nothing_below_its_lowest_band(scoring: Build) -> None:
    for edition_id, score in (("GBT-27922:2011", 69), ("GAT-594:2006", 59)):
        edition = EDITIONS[edition_id]
        assert edition.grade(scoring(edition, score), (), "star", True) == Grade(
            Fraction(score), "none", "below_lowest_band"
        )


@pytest.mark.parametrize(("times", "level"), [(4, "five_star"), (5, "none"), (6, "none")])
def test_five_special_deductions_fail_a_guarding_service_whatever_the_score(
    times: int, level: str, scoring: Build
) -> None:
    edition = EDITIONS["GAT-594:2006"]
    grade = edition.grade(scoring(edition, 100), special("special_deduction", times), "star", True)
    assert (grade.score, grade.level) == (100, level)
    assert grade.because == ("knock_out:deductions" if level == "none" else "band:five_star")


KNOCK_OUT = """
[scoring.knock_out]
elements = ["5.2.1", "5.2.2", "5.2.3"]
count = { value = 2, unit = "elements", status = "assumed" }

[[certification_types]]
code = "star\""""


@pytest.fixture(scope="session")
def knocking_out(edition_with: Callable[..., Edition]) -> Edition:
    """Nonconformities cost marks only, but two of three elements knock out, and conformity needs them all."""
    return edition_with(
        ("conformity_required = { value = true", "conformity_required = { value = false"),
        ('\n[[certification_types]]\ncode = "star"', KNOCK_OUT),
    )


@pytest.mark.parametrize(
    ("failing", "because"),
    [
        (["5.2.2"], "band:four_star"),
        (["5.2.3", "5.2.2"], "knock_out:5.2.2"),
        (["5.2.1", "6"], "band:four_star"),
    ],
)
def test_a_count_of_failed_elements_knocks_out(
    failing: list[str], because: str, knocking_out: Edition, scoring: Build
) -> None:
    findings = scoring(knocking_out, 90, dict.fromkeys(failing, "nonconforming"))
    assert knocking_out.grade(findings, (), "star", True).because == because


def test_conformity_below_the_bands_needs_every_element_even_where_stars_do_not(
    knocking_out: Edition, scoring: Build
) -> None:
    findings = scoring(knocking_out, 50, {"6": "nonconforming"})
    assert knocking_out.grade(findings, (), "star", True) == Grade(Fraction(50), "none", "open_nonconformity:6")


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_the_score_is_the_exact_sum_in_any_order_of_the_findings(csp: Edition, data: st.DataObject) -> None:
    millionths = [data.draw(st.integers(0, int(element.weight * 10**6))) for element in csp.elements.values()]
    findings = [
        Finding(element=code, outcome="conforming", marks=f"{of // 10**6}.{of % 10**6:06d}")
        for code, of in zip(csp.elements, millionths, strict=True)
    ]
    grade = csp.grade(data.draw(st.permutations(findings)), (), "star", False)
    assert grade.score == Fraction(sum(millionths), 10**6)
    bands = ((95, "five_star"), (85, "four_star"), (75, "three_star"))
    assert grade.level == next((code for least, code in bands if sum(millionths) >= least * 10**6), "none")


# ---- findings that make no sense -------------------------------------------------------------------------------------


def replaced(findings: Findings, element: str, finding: Finding) -> Findings:
    return [finding if each.element == element else each for each in findings]


@pytest.mark.parametrize(
    "marks",
    ["4.000001", "5", "-1", "+1", "1e0", "1E400", "NaN", "Infinity", "", " 1", "1 ", "1.", ".5", "01", "1,5", "1/2",
     "\uff11", "1.0000001", "10000", "9" * 5000, "0x1", "1_0", "1\n", "\x00", "\ud800"],
)  # fmt: skip
def test_marks_that_are_not_an_exact_amount_within_the_weight_are_refused(
    marks: str, csp: Edition, scoring: Build
) -> None:
    wrong = Finding(element="4.2.1", outcome="conforming", marks=marks)
    with pytest.raises(MalformedFindings) as refused:
        csp.check_assessment(replaced(scoring(csp, 90), "4.2.1", wrong), (), "star")
    assert refused.value.element == "4.2.1"
    assert refused.value.accepted == 'a decimal string from "0" to "4", at most 6 decimals'
    assert len(str(refused.value)) < 250


@pytest.mark.parametrize("marks", ["0", "0.0", "4", "4.0", "4.000000", "3.999999", "0.5"])
def test_marks_from_nothing_to_the_weight_are_accepted(marks: str, csp: Edition, scoring: Build) -> None:
    right = Finding(element="4.2.1", outcome="conforming", marks=marks)
    csp.check_assessment(replaced(scoring(csp, 90), "4.2.1", right), (), "star")


def test_every_element_has_exactly_one_finding(csp: Edition, scoring: Build) -> None:
    findings = scoring(csp, 90)
    for index, finding in enumerate(findings):
        with pytest.raises(MalformedFindings, match="has no finding") as missing:
            csp.check_assessment(findings[:index] + findings[index + 1 :], (), "star")
        with pytest.raises(MalformedFindings, match="has two findings") as twice:
            csp.grade([*findings, finding], (), "star", True)
        assert missing.value.element == twice.value.element == finding.element


def test_an_unknown_element_is_refused_and_its_name_cut_short(csp: Edition, scoring: Build) -> None:
    with pytest.raises(MalformedFindings, match="is no element") as refused:
        csp.check_assessment([*scoring(csp, 90), Finding(element="x" * 10_000, outcome="conforming")], (), "star")
    assert refused.value.element == "x" * 40
    assert len(str(refused.value)) < 200


def test_marks_stand_only_where_the_certification_type_is_scored(csp: Edition, scoring: Build, judging: Build) -> None:
    with pytest.raises(MalformedFindings, match="has no marks"):
        csp.check_assessment(judging(csp), (), "star")
    with pytest.raises(MalformedFindings, match="is not scored"):
        csp.check_assessment(scoring(csp, 90), (), "conformity")


def test_what_does_not_apply_is_accepted_only_where_the_scheme_allows_it(csp: Edition, judging: Build) -> None:
    with pytest.raises(MalformedFindings, match="conforming or nonconforming"):
        csp.check_assessment(judging(csp, {"5.5": "not_applicable"}), (), "conformity")


def test_what_does_not_apply_has_no_marks_and_something_must_apply(scoring: Build) -> None:
    edition = EDITIONS["GBT-27922:2011"]
    marked = Finding(element="5.1.1", outcome="not_applicable", marks="1")
    with pytest.raises(MalformedFindings, match="without marks"):
        edition.check_assessment(replaced(scoring(edition, 90), "5.1.1", marked), (), "star")
    with pytest.raises(MalformedFindings, match="nothing applies"):
        edition.grade(scoring(edition, 0, dict.fromkeys(edition.elements, "not_applicable")), (), "star", False)


def test_only_the_scheme_s_own_deductions_are_accepted(csp: Edition, scoring: Build) -> None:
    edition = EDITIONS["GAT-594:2006"]
    with pytest.raises(MalformedFindings, match="no deductions"):
        csp.check_assessment(scoring(csp, 90), special("special_deduction", 1), "star")
    with pytest.raises(MalformedFindings, match="accepted: special_deduction"):
        edition.check_assessment(scoring(edition, 90), special("y" * 1000, 1), "star")


def test_a_sample_has_known_elements_once_and_all_the_drawn_ones(csp: Edition, scoring: Build) -> None:
    findings, drawn = scoring(csp, 90)[:6], tuple(csp.elements)[:6]
    csp.check_sample(findings, drawn[:3], "star")
    with pytest.raises(MalformedFindings, match="was drawn") as refused:
        csp.check_sample(findings[:-1], drawn, "star")
    assert refused.value.element == drawn[-1]
    with pytest.raises(MalformedFindings, match="has two findings"):
        csp.check_sample([*findings, findings[0]], drawn, "star")
    with pytest.raises(MalformedFindings, match="is no element"):
        csp.check_sample([Finding(element="7", outcome="conforming", marks="1")], (), "star")
    with pytest.raises(MalformedFindings, match="is not scored"):
        csp.check_sample(findings, drawn, "conformity")
