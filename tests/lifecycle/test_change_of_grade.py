"""Another level: lowered after a visit, changed after a full re-assessment, and what becomes of the next visit
(domain.md, section 5, cases 5 and 17; "Grade after a visit")."""

import dataclasses
from datetime import date

import pytest

from lifecycle import commands as c
from lifecycle import errors
from lifecycle import events as e
from tests.lifecycle.story import EDITION, Story, around, day, reasons

ELEMENTS = tuple(Story().edition.elements)


def visit(story: Story, lost: str = "0", draw: tuple[str, ...] = ELEMENTS[:12], **given) -> int:
    """A visit recorded today, with that many marks lost among the drawn elements."""
    case = story.visit_opened()
    story.planned(case, draw=draw)
    story.assessed(case, story.findings(lost, elements=draw, **given))
    return case


def lowered_on(today: str, issued: str = "2024-01-15") -> Story:
    """Five stars lowered to four on that day, with no check since issue: a decision taken again after a correction."""
    story = Story(issued).issued().on(today)
    target = story.version_of(e.AssessmentRecorded)
    story.corrected(target, e.Change("/findings/5.2.1/marks", "6", "0"))
    story.decided(1, "change_grade")
    return story


# ---- after a visit ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lost", "level"),
    [("5.000001", "four_star"), ("15", "four_star"), ("15.000001", "three_star"), ("25", "three_star")],
)
def test_a_visit_lowers_the_grade_to_the_level_of_each_elements_last_mark(lost: str, level: str) -> None:
    story = Story().issued().on("2024-07-15")
    story.decided(visit(story, lost), "change_grade")
    changed, reissued = (recorded.fact for recorded in story.history[-2:])
    assert (type(changed), changed.level) == (e.GradeChanged, level)
    assert (type(reissued), reissued.level) == (e.CertificateReissued, level)
    assert story.shown().level == level


def test_marks_of_elements_not_drawn_are_those_of_their_last_assessment() -> None:
    """Four lost at the initial assessment outside the draw, and two at the visit: 94."""
    story = Story()
    story.issued(story.findings("4")).on("2024-07-15")
    case = visit(story, "2", draw=ELEMENTS[1:13])
    story.decided(case, "change_grade")
    assert (story.history[-2].fact.score, story.history[-2].fact.level) == ("94/1", "four_star")


def test_marks_of_an_element_seen_twice_are_the_later_ones() -> None:
    story = Story()
    story.issued(story.findings("4")).on("2024-07-15")
    case = visit(story, "0", draw=ELEMENTS[:12])
    with story.refusing(errors.LevelNotLower, level="five_star", current="five_star"):
        story.decided(case, "change_grade")


@pytest.mark.parametrize("lost", ["0", "5", "10"])
def test_a_visit_never_raises_nor_confirms_a_grade(lost: str) -> None:
    story = Story()
    story.issued(story.findings("10")).on("2024-07-15")
    case = visit(story, lost)
    with story.refusing(errors.LevelNotLower, current="four_star"):
        story.decided(case, "change_grade")


def test_a_visit_below_the_lowest_band_lowers_to_conformity_only_if_it_was_accepted() -> None:
    for accepts in (True, False):
        story = Story()
        story.issued(story.findings("10"), accepts_conformity=accepts).on("2024-07-15")
        case = visit(story, "40")
        if accepts:
            story.decided(case, "change_grade")
            assert (story.last.level, story.last.certification_type) == ("conformity", "conformity")
            continue
        with story.refusing(errors.NotGrantable, because="below_lowest_band"):
            story.decided(case, "change_grade")


def test_a_grade_is_not_lowered_with_a_nonconformity_open() -> None:
    story = Story().issued().on("2024-07-15")
    case = visit(story, "10", nonconforming=ELEMENTS[:1])
    with story.refusing(errors.NonconformityOpen, act="change_grade", elements=ELEMENTS[0]):
        story.decided(case, "change_grade")
    story.does("ana", c.CloseNonconformity(case=case, element=ELEMENTS[0]))
    story.decided(case, "change_grade")
    assert story.last.level == "four_star"


def test_what_was_lowered_to_conformity_is_not_lowered_further() -> None:
    """Its visits have no marks, while elements not drawn since still have theirs."""
    story = Story()
    story.issued(story.findings("10"), accepts_conformity=True).on("2024-07-15")
    story.decided(visit(story, "40"), "change_grade")
    case = visit(story.on("2025-07-10"), draw=ELEMENTS[:6], scored=False)
    with story.refusing(errors.LevelNotLower, level="conformity", current="conformity"):
        story.decided(case, "change_grade")
    story.decided(case, "maintain")


def test_without_the_marks_of_every_element_a_grade_is_not_changed_after_a_visit() -> None:
    """A refused re-assessment for conformity left them without marks."""
    story = Story().issued().on("2024-06-01")
    case = story.graded("regrade", story.findings(scored=False), certification_type="conformity")
    story.decided(case, "refuse", "evidence_insufficient")
    case = visit(story.on("2024-07-15"), "10")
    with story.refusing(errors.FindingsRefused, problem="has no marks"):
        story.decided(case, "change_grade")
    story.decided(case, "maintain")


def test_what_does_not_apply_needs_no_marks_when_a_visit_lowers_the_grade() -> None:
    """GB/T 27922 lets elements be not applicable, and scores what was obtained of what applies."""
    story = Story(edition="GBT-27922:2011")
    first, *rest = story.edition.elements
    findings = (e.Finding(first, "not_applicable"), *story.findings(elements=rest))
    story.issued(findings).on("2024-07-15")
    case = visit(story, "9.4", draw=tuple(rest))
    story.decided(case, "change_grade")
    assert (story.history[-2].fact.score, story.last.level) == ("90/1", "four_star")


# ---- after a full re-assessment --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("lost", "level"), [("0", "five_star"), ("20", "three_star")])
def test_a_rise_and_a_fall_need_a_full_re_assessment(lost: str, level: str) -> None:
    story = Story()
    story.issued(story.findings("10")).on("2024-07-15").regraded(story.findings(lost))
    assert story.last.level == level
    assert story.shown().level == level
    assert story.shown(on=day("2024-07-14")).status == "unknown", "it took a new number"


def test_a_re_assessment_with_the_same_result_is_maintained_and_changes_no_grade() -> None:
    story = Story()
    story.issued(story.findings("10")).on("2024-07-15")
    case = story.graded("regrade", story.findings("11"))
    with story.refusing(errors.LevelUnchanged, current="four_star", level="four_star"):
        story.decided(case, "change_grade")
    story.decided(case, "maintain")
    assert story.certificate.cases[case].stage == "decided"


def test_a_re_assessment_with_another_result_is_not_maintained() -> None:
    story = Story()
    story.issued(story.findings("10")).on("2024-07-15")
    for lost, level in (("0", "five_star"), ("20", "three_star")):
        case = story.on(story.today + 30 * e.ONE_DAY).graded("regrade", story.findings(lost))
        with story.refusing(errors.LevelDiffers, current="four_star", level=level):
            story.decided(case, "maintain")
        story.does("holder", c.WithdrawApplication(case=case))


def test_a_re_assessment_graded_none_is_only_refused() -> None:
    story = Story().issued().on("2024-07-15")
    case = story.graded("regrade", story.findings(nonconforming=("6",)))
    with story.refusing(errors.NotGrantable, because="open_nonconformity:6"):
        story.decided(case, "change_grade")
    with story.refusing(errors.NonconformityOpen, act="maintain", elements="6"):
        story.decided(case, "maintain")
    story.decided(case, "refuse", "nonconformity_open")
    assert story.certificate.status == "active"


@pytest.mark.parametrize("to", ["star", "conformity"])
def test_a_regrade_prints_the_type_that_was_applied_for(to: str) -> None:
    story, start = Story(), "conformity" if to == "star" else "star"
    story.issued(story.findings(scored=start == "star"), certification_type=start).on("2024-07-15")
    story.regraded(story.findings(scored=to == "star"), certification_type=to)
    assert story.last.certification_type == to
    assert story.shown().stars == (5 if to == "star" else None)


# ---- a shorter interval: anchor, due, grace --------------------------------------------------------------------------


def test_a_longer_interval_counts_from_the_same_anchor() -> None:
    story = Story()
    story.issued(story.findings("10")).on("2024-07-15").regraded(story.findings())
    due = story.certificate.due
    assert (due.anchor_on, due.visit_on, due.grace_until) == (day("2024-07-15"), day("2026-07-15"), None)


def test_a_visit_that_lowers_the_grade_counts_from_its_own_day() -> None:
    story = Story().issued().on("2025-12-01")
    story.decided(visit(story, "10", draw=ELEMENTS[:18]), "change_grade")
    due = story.certificate.due
    assert (due.visit_on, due.overdue_on) == (day("2026-12-01"), day("2026-12-02"))


@pytest.mark.parametrize(
    ("changed", "visit_on", "overdue_on"),
    [
        ("2024-09-01", "2025-01-15", "2025-01-16"),  # long before: last check + 12 months, which is after the grace
        ("2024-10-16", "2025-01-15", "2025-01-16"),  # the grace would end on 14 January
        ("2024-10-17", "2025-01-15", "2025-01-16"),  # on 15 January, too
        ("2024-10-18", "2025-01-15", "2025-01-17"),  # on 16 January: overdue on the day after
        ("2025-01-14", "2025-01-15", "2025-04-15"),
        ("2025-01-15", "2025-01-15", "2025-04-16"),
        ("2025-01-16", "2025-01-16", "2025-04-17"),  # last check + 12 months is past: due on the day of the change
        ("2025-06-01", "2025-06-01", "2025-08-31"),
    ],
)
def test_a_shortened_interval_keeps_its_anchor_and_gives_90_days_of_grace(
    changed: str, visit_on: str, overdue_on: str
) -> None:
    due = lowered_on(changed).certificate.due
    assert (due.anchor_on, due.visit_on, due.overdue_on) == (day("2024-01-15"), day(visit_on), day(overdue_on))
    assert due.notice_on == max(day(changed), day(visit_on) - 90 * e.ONE_DAY)


@pytest.mark.parametrize("on", around("2025-08-30"))
def test_within_the_grace_nothing_is_overdue_and_the_day_after_it_is(on: date) -> None:
    story = lowered_on("2025-06-01").on(on)
    overdue = [fact for fact in story.ticks() if type(fact) is e.SurveillanceOverdue]
    assert [fact.effective_on for fact in overdue] == ([day("2025-08-31")] if on >= day("2025-08-31") else [])


@pytest.mark.parametrize("on", around("2025-08-30"))
def test_within_the_grace_a_suspended_certificate_can_be_reinstated(on: date) -> None:
    story = lowered_on("2025-06-01")
    story.suspended()
    story.on(on)
    if on <= day("2025-08-30"):
        story.reinstated()
        return
    with story.refusing(errors.SurveillanceOverdueBlocksReinstatement, due_on=day("2025-06-01")):
        story.reinstated()


def test_the_grace_is_not_lost_when_the_grade_is_lowered_once_more() -> None:
    """The interval is the same 12 months then, so nothing is shortened anew; the day once given stands."""
    story = lowered_on("2025-06-01")
    target = story.version_of(e.AssessmentRecorded)
    story.on("2025-07-01").corrected(
        target, e.Change("/findings/5.2.2/marks", "6", "0"), e.Change("/findings/5.2.3/marks", "6", "0")
    )
    story.decided(1, "change_grade")
    due = story.certificate.due
    assert (story.last.level, due.visit_on, due.overdue_on) == ("three_star", day("2025-06-01"), day("2025-08-31"))


def test_a_visit_ends_the_grace() -> None:
    story = lowered_on("2025-06-01").on("2025-08-01").visited()
    due = story.certificate.due
    assert (due.visit_on, due.overdue_on, due.grace_until) == (day("2026-08-01"), day("2026-08-02"), None)


def test_a_scheme_without_grace_is_overdue_the_day_after() -> None:
    story = Story()
    story.editions[EDITION] = dataclasses.replace(story.editions[EDITION], grace_days=0)
    story.issued().on("2025-06-01")
    story.corrected(story.version_of(e.AssessmentRecorded), e.Change("/findings/5.2.1/marks", "6", "0"))
    story.decided(1, "change_grade")
    assert story.certificate.due.overdue_on == day("2025-06-02")


def test_a_decision_that_stands_on_its_record_is_not_taken_again() -> None:
    story = Story().issued()
    with story.refusing(errors.DecisionSupported, case=1):
        story.decided(1, "change_grade")
    story.suspended(reasons=reasons("mark_misused"))
