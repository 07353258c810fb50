"""A certificate takes another edition: what is recorded, what is set aside, and that replay reproduces it."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from lifecycle import commands as c
from lifecycle import events as e
from lifecycle.decisions.adoption import Cited, NotAdopted, adopt, may_adopt
from lifecycle.decisions.clock import owed
from lifecycle.rehearsal.same import changed, kept
from lifecycle.rules import Edition
from tests.corpus.boundaries import editions
from tests.lifecycle.made_up import BELOW_FIVE, FIVE, NEW, line, made_up
from tests.lifecycle.story import EDITION, Story, day, reasons

REHEARSAL = UUID(int=7)
SUCCESSION = """
[succession]
of = "CSP-S01-001:2021"
last_decision_on = {{ value = 2027-06-30, unit = "day", status = "assumed" }}
transition_ends_on = {{ value = 2027-12-31, unit = "day", status = "assumed" }}
afterwards = {{ value = "adoption_due", unit = "choice", status = "assumed" }}
grade_at_adoption = {{ value = "{grade}", unit = "choice", status = "assumed" }}
"""
EVERY_18 = ("value = 24", "value = 18")
BANDS = {marks: ((FIVE, FIVE.replace("95", marks)), (BELOW_FIVE, BELOW_FIVE.replace("95", marks)))
         for marks in ("93", "97")}  # fmt: skip


def edition(*replaced: tuple[str, str], grade: str = "kept", more: str = "") -> Edition:
    return made_up(*replaced, more=SUCCESSION.format(grade=grade) + more)


def adopted(story: Story, new: Edition) -> list[e.Fact]:
    """The story's certificate takes the edition today, signed by two."""
    cited = Cited(REHEARSAL, judged := line(story, new), judged.digest)
    story.editions = {**story.editions, new.id: new}
    moment = replace(story.moment("sam", role="scheme_manager"), signed_by=("sue", "dora"))
    moment = replace(moment, cause=e.Cause("rehearsal", str(REHEARSAL), cited.sha256))
    facts = adopt(story.certificate, new, cited, moment)
    story.given(*facts)
    return facts


def told(*lost: str, on: str = "2024-01-15") -> Story:
    story = Story(on, editions=editions())
    return story.issued(story.findings(*lost))


def test_an_adoption_cites_its_rehearsal_and_the_line_it_rests_on() -> None:
    story = told().on("2024-09-01")
    digest = line(story, edition()).digest
    (fact,) = adopted(story, edition())
    assert (fact.old, fact.new, fact.edition) == (EDITION, NEW, NEW)
    assert (fact.rehearsal, fact.line_sha256, fact.cause.body_sha256) == (REHEARSAL, digest, digest)
    assert fact.signed_by == ("sue", "dora")


@pytest.mark.parametrize(
    ("on", "visit_on", "overdue_on"),
    [
        ("2024-09-01", "2025-07-15", "2025-07-16"),  # long before: last check + 18 months
        ("2025-05-01", "2025-07-15", "2025-07-31"),  # the day of the change + 90 days
        ("2025-09-01", "2025-09-01", "2025-12-01"),  # later than 18 months: due that day
    ],
)
def test_a_shorter_interval_keeps_the_anchor_and_gives_its_grace(on: str, visit_on: str, overdue_on: str) -> None:
    story = told().on(on)
    (fact,) = adopted(story, edition(EVERY_18))
    assert (fact.due.anchor_on, fact.due.visit_on) == (day("2024-01-15"), day(visit_on))
    assert fact.due.overdue_on == day(overdue_on)


def test_a_longer_interval_moves_the_visit_without_a_grace() -> None:
    story = told().on("2024-09-01")
    (fact,) = adopted(story, edition(("value = 24", "value = 30")))
    assert (fact.due.visit_on, fact.due.grace_until) == (day("2026-07-15"), None)


def test_the_same_interval_takes_the_editions_window_and_keeps_the_day() -> None:
    story = told().on("2024-09-01")
    (fact,) = adopted(story, edition(("notice_window_days = { value = 90", "notice_window_days = { value = 30")))
    assert (fact.due.visit_on, fact.due.notice_on) == (day("2026-01-15"), day("2025-12-16"))


def test_a_grace_that_was_given_before_stands() -> None:
    story = told().on("2025-09-01")
    first = edition(EVERY_18)
    adopted(story, first)
    again = made_up(EVERY_18, id="CSP-S01-001:2028", more=SUCCESSION.format(grade="kept").replace(EDITION, NEW))
    known = {**story.editions, first.id: first}
    moment = replace(story.moment("sam", role="scheme_manager"), editions=known)
    (fact,) = adopt(story.certificate, again, Cited(REHEARSAL, line(told(), again), "0" * 64), moment)
    assert (fact.due.visit_on, fact.due.grace_until) == (day("2025-09-01"), day("2025-11-30"))


@pytest.mark.parametrize(("lost", "marks", "level"), [("6", "93", "five_star"), ("4", "97", "four_star")])
def test_where_the_transition_says_so_the_level_changes_with_its_document(lost: str, marks: str, level: str) -> None:
    story = told(lost).on("2024-09-01")
    digest = line(story, edition(*BANDS[marks], grade="changed")).digest
    facts = adopted(story, edition(*BANDS[marks], grade="changed"))
    assert [type(fact) for fact in facts] == [e.EditionAdopted, e.GradeChanged, e.CertificateReissued]
    _, regraded, printed = facts
    assert (regraded.level, printed.level, regraded.case) == (level, level, 1)
    assert {(fact.cause.kind, fact.cause.body_sha256) for fact in facts} == {("rehearsal", digest)}
    assert printed.number != story.certificate.numbers.values[0]
    assert story.shown(on=story.today).level == level
    assert story.certificate.due == printed.due


@pytest.mark.parametrize(("lost", "grade"), [("6", "kept"), ("0", "changed")])
def test_the_level_stays_where_it_is_kept_or_the_same(lost: str, grade: str) -> None:
    story = told(lost).on("2024-09-01")
    assert len(adopted(story, edition(*BANDS["93"], grade=grade))) == 1


def test_a_level_lowered_after_a_visit_is_judged_by_each_elements_last_mark() -> None:
    story = told().on("2024-12-01")
    case = story.visit_opened()
    story.planned(case)
    drawn = story.certificate.cases[case].draw
    story.assessed(case, story.findings("6", elements=drawn))
    story.decided(case, "change_grade")
    assert story.certificate.levels.last == "four_star"
    facts = adopted(story.on("2025-02-01"), edition(*BANDS["93"], grade="changed"))
    assert (facts[1].level, facts[1].score, facts[1].case) == ("five_star", "94/1", case)


def _renewed_early() -> Story:
    story = told("6").on("2026-10-20")
    return story.renewed(story.findings("6"))


@pytest.mark.parametrize(
    ("story", "new", "why"),
    [
        (_renewed_early, lambda: edition(*BANDS["93"], grade="changed"), "renewed_early"),
        (told, lambda: edition(('code = "five_star"', 'code = "diamond"')), "level_unknown"),
        (told, lambda: edition(('code = "star"', 'code = "stars"')), "type_unknown"),
        (lambda: told("24"), lambda: edition(("75", "80"), grade="changed"), "no_level"),
    ],
    ids=["renewed_early", "level_unknown", "type_unknown", "no_level"],
)  # fmt: skip
def test_what_one_cannot_adopt_is_set_aside_with_its_reason(story, new, why: str) -> None:
    certificate = story()
    certificate.on(max(certificate.today, day("2024-09-01")))
    with pytest.raises(NotAdopted) as refused:
        adopted(certificate, new())
    assert refused.value.why == why


@pytest.mark.parametrize("how", ["withdrawn", "cancelled", "expired"])
def test_an_ended_certificate_never_gets_another_edition(how: str) -> None:
    story = told().on("2024-09-01")
    if how == "expired":
        story.on("2027-01-15")  # and no clock has run
    else:
        getattr(story, how)()
    assert not may_adopt(story.certificate, story.moment("sam", role="scheme_manager"))


def test_a_suspended_certificate_adopts_too() -> None:
    story = told("6").on("2024-09-01")
    story.suspended()
    assert may_adopt(story.certificate, story.moment("sam", role="scheme_manager"))
    assert len(adopted(story, edition(*BANDS["93"], grade="changed"))) == 3
    assert story.shown(on=story.today).status == "suspended"


@pytest.mark.parametrize("lost", ["0", "4", "6", "12"])
@pytest.mark.parametrize("on", ["2024-09-01", "2025-09-01"])
@pytest.mark.parametrize("marks", BANDS)
def test_replay_reproduces_every_outcome_of_an_adopted_history(lost: str, on: str, marks: str) -> None:
    story = told(lost).on(on)
    adopted(story, edition(EVERY_18, *BANDS[marks], grade="changed"))
    for later in ("2026-03-01", "2026-09-01"):
        story.on(later).given(*owed(story.certificate, story.today))
    story.visited()
    one = kept(story.certificate.id, story.history, {}, story.editions)
    assert list(changed(one, story.editions)) == []


def test_a_correction_after_an_adoption_asks_each_decision_of_its_own_edition() -> None:
    """What was granted under one edition and what was given at the adoption of another are judged each by its own."""
    story = told("4").on("2024-09-01")
    adopted(story, edition(EVERY_18, *BANDS["97"], grade="changed"))
    story.corrected(story.version_of(e.AssessmentRecorded), e.Change("/findings/5.2.1/marks", "6", "5"))
    assert story.last.unsupported == (), "95 marks are five stars of the old edition, and four of the new one"
    story.corrected(story.version_of(e.AssessmentRecorded), e.Change("/findings/5.2.2/marks", "6", "0"))
    assert {story.history[v - 1].fact.__class__ for v in story.last.unsupported} == {e.CertificationGranted}


def test_work_goes_on_under_the_adopted_edition() -> None:
    story = told("6").on("2024-09-01")
    adopted(story, edition(*BANDS["93"], grade="changed"))
    story.on("2025-01-10").visited()
    assert story.history[story.version_of(e.SurveillanceRecorded) - 1].fact.edition == NEW
    story.both(c.Suspend(reasons=reasons("mark_misused")))
    assert story.certificate.status == "suspended"
