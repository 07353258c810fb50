"""Every recorded question asked again under another edition; nothing is invented."""

from __future__ import annotations

import pytest

from lifecycle import commands as c
from lifecycle import events as e
from lifecycle.events import topic_of
from lifecycle.history import History, history_of
from lifecycle.rehearsal.answers import Period
from lifecycle.rehearsal.comparison import Stands
from lifecycle.rehearsal.narrow import TOPICS
from lifecycle.rehearsal.views import three_views
from lifecycle.rules import shipped_editions
from tests.corpus.boundaries import told
from tests.lifecycle.made_up import comparing, five_stars_from, flip, line, made_up, stream
from tests.lifecycle.story import EDITION, Story, day

OWN = shipped_editions()[EDITION]


def four_stars() -> Story:
    """94 marks, issued on 15 January 2024."""
    return Story().issued(Story().findings("6"))


# ---- what each question answers ----


@pytest.mark.parametrize(
    ("marks", "level"), [("94.000001", "four_star"), ("94", "five_star"), ("93.999999", "five_star")]
)
def test_a_grade_is_asked_again_from_the_findings_exactly(marks: str, level: str) -> None:
    found = line(four_stars(), five_stars_from(marks))
    assert (found.before.level, found.after.level) == ("four_star", level)


def test_a_line_names_the_fact_the_rule_and_the_clause_that_flipped() -> None:
    story = four_stars()
    found = line(story, five_stars_from("93"))
    grade = flip(found, "grade")
    assert (grade.version, grade.topic, grade.on) == (
        story.version_of(e.GradeDetermined), "grade-determined.v1", story.today,
    )  # fmt: skip
    assert (grade.before, grade.after) == ("four_star", "five_star")
    assert (grade.rule, grade.clause) == ("levels[five_star].at_least", "CSP-S01-001:2021, grading")
    assert found.effect == "gains"


def test_the_level_is_carried_on_to_the_interval_and_so_to_each_visit_after() -> None:
    story = four_stars().on("2024-12-20").visited()
    found = line(story, five_stars_from("93"))
    assert (found.before.visit_on, found.after.visit_on) == (day("2025-12-20"), day("2026-12-20"))
    assert flip(found, "visit").version == story.version_of(e.CertificateIssued)
    assert flip(found, "visit").rule == "levels[five_star].interval"


def test_a_falling_grade_loses_and_names_the_criterion_not_met() -> None:
    found = line(Story().issued(Story().findings("4")), five_stars_from("97"))
    assert (found.before.level, found.after.level, found.effect) == ("five_star", "four_star", "loses")
    assert flip(found, "grade").rule == "levels[five_star].at_least"


@pytest.mark.parametrize(
    ("old", "new", "question", "rule"),
    [
        ("validity_months = { value = 36", "validity_months = { value = 48", "validity", "validity_months"),
        ('value = "day_before"', 'value = "same_day"', "validity", "validity_ends"),
        ("notice_window_days = { value = 90", "notice_window_days = { value = 60", "notice", "notice_window_days"),
        ("coverage_months = { value = 48", "coverage_months = { value = 47", "coverage", "coverage_months"),
        ('year = { value = "25"', 'year = { value = "30"', "quota", "sample_percent_each_year"),
        ("suspension_max_months = { value = 6", "suspension_max_months = { value = 5", "suspension",
         "suspension_max_months"),
        ("bar_after_withdrawal_months = { value = 12", "bar_after_withdrawal_months = { value = 13", "bar",
         "bar_after_withdrawal_months"),
    ],
)  # fmt: skip
def test_each_question_has_its_rule(old: str, new: str, question: str, rule: str) -> None:
    story = four_stars().on("2024-12-20").visited()
    story.on("2025-02-01").suspended()
    story.on("2025-03-01").withdrawn()
    found = line(story, made_up((old, new)))
    assert [each.question for each in found.flips] == [question]
    assert found.flips[0].rule == f"parameters.{rule}"


def test_a_shorter_validity_ends_the_status_and_a_longer_one_keeps_it() -> None:
    story = four_stars()
    shorter = made_up(("validity_months = { value = 36", "validity_months = { value = 24"))
    assert [line(story, shorter, on=on).after.status for on in ("2026-01-14", "2026-01-15")] == ["active", "expired"]
    story.on("2027-01-20").ticks()
    longer = made_up(("validity_months = { value = 36", "validity_months = { value = 48"))
    found = line(story, longer)
    assert (found.before.status, found.after.status, found.effect) == ("expired", "active", "gains")


# ---- nothing is invented ----


def test_what_persons_chose_stands_unless_the_edition_forbids_it() -> None:
    """An end chosen within the shorter limit is not moved, nor is one moved to a longer limit."""
    story = four_stars().on("2024-06-01")
    story.suspended(ends_on=day("2024-08-01"))
    for months in (3, 12):
        edition = made_up(("suspension_max_months = { value = 6", f"suspension_max_months = {{ value = {months}"))
        assert not line(story, edition).is_affected


def test_where_no_level_is_earned_nothing_is_issued_and_nothing_falls_due() -> None:
    story = Story().issued(Story().findings("24"), accepts_conformity=False)
    edition = made_up(('"75"', '"80"'))
    found = line(story, edition)
    assert found.after == Stands("none", "none", None, None)
    assert found.effect == "loses"


def test_without_a_level_a_renewal_leaves_what_stood() -> None:
    story = Story().issued(Story().findings("0")).on("2026-11-01")
    story.renewed(story.findings("24"), accepts_conformity=False)
    found = line(story, made_up(('"75"', '"80"')))
    assert (found.before.valid_until, found.after.valid_until) == (day("2030-01-14"), day("2027-01-14"))
    assert found.after.level == "five_star"


NEW_ELEMENT = """
[succession]
of = "CSP-S01-001:2021"
last_decision_on = { value = 2027-06-30, unit = "day", status = "assumed" }
transition_ends_on = { value = 2027-12-31, unit = "day", status = "assumed" }
afterwards = { value = "adoption_due", unit = "choice", status = "assumed" }
grade_at_adoption = { value = "kept", unit = "choice", status = "assumed" }
"""


def split(kind: str, old: str, new: str) -> str:
    sides = "".join(f"{name} = [{codes}]\n" for name, codes in (("old", old), ("new", new)) if codes)
    return f'{NEW_ELEMENT}[[succession.elements]]\nkind = "{kind}"\n{sides}status = "assumed"\n'


TWO = (
    'code = "6", zh = "服务监督管理", en = "supervision", value = "4"',
    'code = "6", zh = "服务监督管理", en = "supervision", value = "1", unit = "marks", status = "assumed" },\n'
    '  { code = "7", zh = "新要素", en = "a new element", value = "3"',
)


def test_a_new_element_without_marks_cannot_be_judged_and_is_not_guessed() -> None:
    found = line(four_stars(), made_up(TWO, more=split("new", "", '"7"')))
    assert (found.after.level, found.after.visit_on) == (None, None)
    assert [(each.topic, each.elements, each.problem) for each in found.not_judged] == [
        ("grade-determined.v1", ("7",), "no_finding")
    ]


def test_a_split_element_carries_its_share_of_the_marks_exactly() -> None:
    story = Story()
    findings = tuple(
        e.Finding(f.element, f.outcome, "3") if f.element == "6" else f for f in story.findings("5")
    )  # 94 marks: five were lost before, one of element 6
    story.issued(findings)
    found = line(story, made_up(TWO, more=split("split", '"6"', '"6", "7"')))
    assert found.not_judged == ()
    assert not found.is_affected


def test_a_period_leaves_what_lies_outside_as_recorded() -> None:
    story = four_stars().on("2024-12-20").visited()
    edition = made_up(('year = { value = "25"', 'year = { value = "50"'), ("value = 36", "value = 24"))
    inside = line(story, edition, period=Period(day("2024-12-01"), None))
    assert [each.question for each in inside.flips] == ["quota"]
    assert comparing(edition, period=Period(None, day("2023-12-31"))).line(history_of(*stream(story))) is None


def test_two_editions_are_compared_with_each_other() -> None:
    found = line(four_stars(), five_stars_from("93"), against=five_stars_from("92"))
    assert not found.is_affected
    assert found.before.level == "five_star"


# ---- the same facts, the same line ----


def test_under_its_own_edition_every_story_is_answered_as_it_is_recorded() -> None:
    for story in told():
        if not any(isinstance(recorded.fact, e.RecordCorrected | e.EditionAdopted) for recorded in story.history):
            found = comparing(OWN, story.today).line(history_of(*stream(story)))
            assert found is None or not found.is_affected, found


def test_the_facts_that_are_left_on_the_server_change_no_line() -> None:
    edition = five_stars_from("93")
    for story in told():
        whole = history_of(*stream(story))
        read = [(version, fact) for version, fact in whole.facts if topic_of(fact) in TOPICS]
        asked = comparing(edition, story.today)
        assert asked.line(History(whole.id, whole.version, read)) == asked.line(whole)


def test_a_digest_is_that_of_what_the_line_says() -> None:
    """A complaint moves the certificate's version, and changes nothing that an edition is asked."""
    story = four_stars()
    before = line(story, OWN)
    story.does("holder", c.LodgeComplaint(grounds="nobody answers"))
    after = line(story, OWN)
    assert before.version < after.version
    assert before.digest == after.digest
    assert line(story, OWN).digest == line(story, OWN).digest != line(story, five_stars_from("93")).digest


def test_three_views_as_decided_then_otherwise_and_had_the_correction_been_known() -> None:
    story = Story().issued().on("2024-11-20")
    story.corrected(story.version_of(e.AssessmentRecorded), e.Change("/findings/5.2.1/marks", "6", "0"))
    asked = three_views(*stream(story), comparing(five_stars_from("93")))
    views = {(row.topic, row.path): (row.then, row.under, row.corrected) for row in asked}
    assert views["grade-determined.v1", "/score"] == ("100/1", "100/1", "94/1")
    assert views["grade-determined.v1", "/level"] == ("five_star", "five_star", "four_star")
