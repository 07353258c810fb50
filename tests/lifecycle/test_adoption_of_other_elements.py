"""A certificate takes an edition that judges other elements: what carries over exactly does, and nothing is made up."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import msgspec
import pytest

from lifecycle import commands as c
from lifecycle import errors
from lifecycle import events as e
from lifecycle.amendment import amend
from lifecycle.decisions.adoption import NotAdopted
from lifecycle.decisions.clock import owed
from lifecycle.evidence.traces import judgements
from lifecycle.history import history_of
from lifecycle.rehearsal.comparison import Comparing
from lifecycle.rehearsal.same import changed, kept
from lifecycle.rehearsal.views import three_views
from lifecycle.rules import Edition, load_edition
from tests.lifecycle.made_up import NEW, TEXT, line, stream
from tests.lifecycle.other_elements import ADDED, ROWS, WITHOUT_MARKS, with_other_elements
from tests.lifecycle.story import EDITION, Story, day, reasons
from tests.lifecycle.test_adoption import SUCCESSION, adopted, edition, told

ISSUED, VISITED, ADOPTED = "2024-01-15", "2025-01-10", "2025-06-02"
DRAWN = ("4.2.1", "4.2.2", "5.1.1", "5.2.1", "5.2.2", "5.2.3", "5.2.4", "6")


def other(grade: str = "kept", *replaced: tuple[str, str]) -> Edition:
    text = with_other_elements(TEXT).replace(f'id = "{EDITION}"', f'id = "{NEW}"')
    for old, new in replaced:
        assert old in text, old
        text = text.replace(old, new)
    return load_edition(text + SUCCESSION.format(grade=grade) + ROWS, file=f"{NEW}.toml")


def visited(drawn: tuple[str, ...] = DRAWN) -> Story:
    """Issued, and visited a year later."""
    story = told(on=ISSUED).on(VISITED)
    case = story.visit_opened()
    story.planned(case, draw=drawn)
    story.assessed(case, story.findings(elements=drawn))
    story.decided(case, "maintain")
    return story


def after_adoption(grade: str = "kept") -> Story:
    story = visited().on(ADOPTED)
    adopted(story, other(grade))
    return story


def carried(story: Story) -> dict[str, e.ElementCarried]:
    return {each.element: each for each in story.history[story.version_of(e.EditionAdopted) - 1].fact.carried}


# ---- what is recorded ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("element", "of", "checked_on", "stands"),
    [
        ("7", ("6",), VISITED, True),  # the same, under another code
        ("5.2.2", ("5.2.2",), VISITED, True),  # the same, visited
        ("5.2.1a", ("5.2.1",), VISITED, False),  # split: the check is that of the whole, the marks are nobody's
        ("5.1.1", ("5.1.1", "5.5"), ISSUED, False),  # merged: only one of the two was visited
        ("4.2.2", ("4.2.2",), VISITED, False),  # weighs otherwise
        ("8", (), None, False),  # new
        ("5.4.1", ("5.4.1",), ISSUED, True),
    ],
)
def test_an_adoption_records_what_each_element_takes_over(element: str, of, checked_on, stands: bool) -> None:
    found = carried(after_adoption())[element]
    assert (found.of, found.stands) == (of, stands)
    assert found.checked_on == (day(checked_on) if checked_on else None)


def test_every_element_of_the_edition_is_accounted_for_and_the_dropped_one_is_gone() -> None:
    story = after_adoption()
    assert tuple(carried(story)) == tuple(story.edition.elements)
    assert set(story.certificate.checks) == set(story.edition.elements) - {ADDED}
    assert set(story.certificate.findings) == set(story.edition.elements) - set(WITHOUT_MARKS)


def test_where_the_elements_are_the_same_nothing_is_carried() -> None:
    story = told().on("2024-09-01")
    adopted(story, edition())
    assert story.last.carried == ()


def test_a_new_element_is_due_with_the_next_visit() -> None:
    due = after_adoption().certificate.due
    assert (due.visit_on, due.coverage_on) == (day("2027-01-10"), day("2027-01-10"))


# ---- what follows under the new elements -----------------------------------------------------------------------------


def test_the_next_visit_draws_of_the_new_elements_and_takes_what_was_never_checked() -> None:
    story = after_adoption().on("2025-12-01")
    case = story.visit_opened()
    story.planned(case)
    drawn = story.certificate.cases[case].draw
    assert ADDED in drawn
    assert set(drawn) <= set(story.edition.elements)
    assert len(drawn) >= story.certificate.cases[case].quota
    story.assessed(case, story.findings(elements=drawn))
    story.decided(case, "maintain")
    assert set(story.certificate.checks) == set(story.edition.elements)
    assert story.certificate.due.coverage_on > story.certificate.due.visit_on


def test_a_visit_that_leaves_the_new_element_out_is_refused() -> None:
    story = after_adoption().on("2025-12-01")
    case = story.visit_opened()
    without = tuple(code for code in story.edition.elements if code != ADDED)
    with story.refusing(errors.CoverageNotMet, elements=ADDED):
        story.planned(case, draw=without)
    with story.refusing(errors.ElementUnknown, element="6"):
        story.planned(case, draw=(*story.edition.elements, "6"))


def test_after_a_visit_the_grade_is_not_lowered_while_marks_are_not_known() -> None:
    story = after_adoption().on("2025-12-01")
    case = story.visit_recorded()
    drawn = story.certificate.cases[case].draw
    lacking = ", ".join(code for code in WITHOUT_MARKS if code not in drawn)
    assert lacking
    with story.refusing(errors.MarksNotKnown, elements=lacking, edition=NEW):
        story.decided(case, "change_grade")
    story.decided(case, "maintain")


def test_once_they_are_assessed_again_a_visit_lowers_it_to_the_level_of_each_elements_last_mark() -> None:
    story = after_adoption().on("2025-12-01")
    case = story.visit_opened()
    drawn = (*WITHOUT_MARKS, "5.2.2", "5.2.3", "5.3.1", "5.3.2", "5.4.1", "5.4.2")
    story.planned(case, draw=drawn)
    story.assessed(case, story.findings("6", elements=drawn))
    story.decided(case, "change_grade")
    regraded = story.history[story.version_of(e.GradeChanged) - 1].fact
    assert (regraded.level, regraded.score) == ("four_star", "94/1")


def test_a_regrade_case_under_the_new_elements_changes_the_grade() -> None:
    story = after_adoption().on("2025-09-01")
    story.regraded(story.findings("6"))
    assert story.certificate.levels.last == "four_star"
    assert set(story.certificate.findings) == set(story.edition.elements)


def test_a_renewal_is_assessed_by_the_new_elements() -> None:
    story = after_adoption().on("2026-11-01")
    story.renewed(story.findings("6"))
    assert story.last.level == "four_star"


def test_a_nonconformity_of_a_split_element_is_put_right_by_a_check_of_each_part() -> None:
    """A suspended holder whose visit found 5.2.1 wrong; the other open element, 4.2.1, is asked by nobody any more."""
    story = told(on=ISSUED).on(VISITED)
    case = story.visit_opened()
    story.planned(case, draw=DRAWN)
    story.assessed(case, story.findings(elements=DRAWN, nonconforming=("5.2.1", "4.2.1")))
    story.both(c.Suspend(case=case, reasons=reasons("requirements_not_met")))
    with story.refusing(errors.NonconformityOpen, elements="4.2.1, 5.2.1"):
        story.reinstated()
    adopted(story.on("2025-02-03"), other())
    for part, still_open in (("5.2.1a", "5.2.1a, 5.2.1b"), ("5.2.1b", "5.2.1b")):
        with story.refusing(errors.NonconformityOpen, elements=still_open):
            story.reinstated()
        story.on(story.today.replace(day=story.today.day + 7))
        case = story.visit_opened()
        drawn = (part, ADDED, "5.1.1", "5.1.2", "5.2.2", "5.4.1", "5.4.2")
        story.planned(case, draw=drawn)
        story.assessed(case, story.findings(elements=drawn))
        story.decided(case, "maintain")
    story.reinstated()
    assert story.certificate.status == "active"


# ---- who waits -------------------------------------------------------------------------------------------------------


def _planned(story: Story) -> None:
    story.planned(story.visit_opened(), draw=DRAWN)


def _recorded(story: Story) -> None:
    story.visit_recorded()


def _assessed(story: Story) -> None:
    case = story.applies("regrade")
    story.accepted(case)
    story.planned(case)
    story.assessed(case)


def _graded(story: Story) -> None:
    story.graded("renewal")


@pytest.mark.parametrize("done", [_planned, _recorded, _assessed, _graded])
def test_what_was_drawn_or_judged_under_the_old_edition_is_decided_under_it_first(done) -> None:
    story = told(on=ISSUED).on(VISITED)
    done(story)
    with pytest.raises(NotAdopted) as refused:
        adopted(story, other())
    assert refused.value.why == "undecided"


def test_a_regrade_that_is_planned_is_assessed_under_the_new_elements() -> None:
    story = told(on=ISSUED).on(VISITED)
    case = story.applies("regrade")
    story.accepted(case)
    story.planned(case)
    adopted(story, other())
    with story.refusing(errors.FindingsRefused):
        story.assessed(case, told().findings())
    story.assessed(case, story.findings("6"))
    story.reviewed(case)
    story.decided(case, "change_grade")
    assert story.certificate.levels.last == "four_star"


BANDS = (
    ('at_least = { value = "95"', 'at_least = { value = "98"'),
    ('below = { value = "95"', 'below = { value = "98"'),
)
REWEIGHED = (('"4.2.2", zh = "前端部分要求", en = "front end", value = "4"',
              '"4.2.2", zh = "前端部分要求", en = "front end", value = "5"'),
             ('"4.2.3", zh = "服务中心要求", en = "service centre", value = "4"',
              '"4.2.3", zh = "服务中心要求", en = "service centre", value = "3"'))  # fmt: skip


def test_a_level_that_cannot_be_judged_stays_at_adoption() -> None:
    story, new = told("3").on("2024-09-01"), other("changed", *BANDS)
    assert line(story, new).after.level is None, "the new element was never judged"
    assert [type(fact) for fact in adopted(story, new)] == [e.EditionAdopted]
    assert story.certificate.levels.last == "five_star"


def test_a_level_is_given_at_adoption_only_where_every_mark_stands() -> None:
    """97 marks are four stars by their shares; but under other weights nobody gave them."""
    story, new = told("3").on("2024-09-01"), edition(*BANDS, *REWEIGHED, grade="changed")
    assert line(story, new).after.level == "four_star"
    with pytest.raises(NotAdopted) as refused:
        adopted(story, new)
    assert refused.value.why == "not_judged"


def test_a_level_is_given_where_an_element_has_but_another_code() -> None:
    text = (
        TEXT.replace(f'id = "{EDITION}"', f'id = "{NEW}"').replace('code = "6"', 'code = "7"').replace('"95"', '"93"')
    )
    renamed = '[[succession.elements]]\nkind = "same"\nold = ["6"]\nnew = ["7"]\nstatus = "assumed"\n'
    story = told("6").on("2024-09-01")
    facts = adopted(story, load_edition(text + SUCCESSION.format(grade="changed") + renamed, file="renamed.toml"))
    assert [type(fact) for fact in facts] == [e.EditionAdopted, e.GradeChanged, e.CertificateReissued]
    assert (facts[1].level, facts[1].score) == ("five_star", "94/1")


def test_an_edition_whose_elements_come_from_another_one_is_not_adopted() -> None:
    story = told().on("2024-09-01")
    stray = replace(other(), succession=replace(other().succession, of="CSP-S01-001:1999"))
    with pytest.raises(NotAdopted) as refused:
        adopted(story, stray)
    assert refused.value.why == "not_followed"


# ---- replay and corrections ------------------------------------------------------------------------------------------


def _grown_old(story: Story) -> Story:
    story.on("2025-12-01").given(*owed(story.certificate, story.today))
    story.visited()
    return story


def test_replay_reproduces_every_outcome_of_such_a_history() -> None:
    story = _grown_old(after_adoption())
    one = kept(story.certificate.id, story.history, {}, story.editions)
    assert list(changed(one, story.editions)) == []


def test_a_check_forgotten_at_adoption_is_found_by_replay() -> None:
    story = after_adoption()
    at = story.version_of(e.EditionAdopted) - 1
    fact = story.history[at].fact
    wrong = tuple(each for each in fact.carried if each.element != "7")
    story.history[at] = e.Recorded(UUID(int=1), at + 1, msgspec.structs.replace(fact, carried=wrong))
    one = kept(story.certificate.id, story.history, {}, story.editions)
    assert [each.rule for each in changed(one, story.editions)] == ["/carried"]


def test_a_corrected_day_of_a_visit_moves_the_checks_that_were_carried_and_what_follows() -> None:
    story = _grown_old(after_adoption())
    at = min(recorded.version for recorded in story.history if isinstance(recorded.fact, e.SurveillanceRecorded))
    story.corrected(
        at, e.Change("/on_site_from", VISITED, "2025-01-08"), e.Change("/on_site_to", VISITED, "2025-01-08")
    )
    found = {(each.version, each.path) for each in story.last.recomputed}
    assert (story.version_of(e.EditionAdopted), "/carried") in found
    again = story.certificate
    assert again.checks["5.2.2"] == day("2025-01-08") or again.checks["5.2.2"] == day("2025-12-01")
    one = kept(again.id, story.history, {}, story.editions)
    assert list(changed(one, story.editions)) == []


def test_a_mark_corrected_before_the_adoption_is_the_one_that_stands_after_it() -> None:
    story = after_adoption()
    target = story.version_of(e.AssessmentRecorded)
    story.corrected(target, e.Change("/findings/5.4.1/marks", "3", "1"))
    assert story.certificate.findings["5.4.1"].marks == "1"
    story.corrected(story.version_of(e.SurveillanceRecorded), e.Change("/findings/6/marks", "4", "2"))
    assert story.certificate.findings["7"].marks == "2"
    assert story.last.unsupported == ()


def test_a_grade_left_without_support_is_decided_again_only_where_the_marks_are_known() -> None:
    story = after_adoption()
    story.corrected(story.version_of(e.AssessmentRecorded), e.Change("/findings/5.3.1/marks", "5", "0"),
                    e.Change("/findings/5.3.2/marks", "5", "4"))  # fmt: skip
    assert story.last.unsupported
    with story.refusing(errors.MarksNotKnown, elements=", ".join(WITHOUT_MARKS)):
        story.decided(1, "change_grade")
    story.on("2025-07-01").regraded(story.findings("6"))
    assert story.certificate.unsupported == {}


def test_a_visit_that_is_voided_takes_its_check_out_of_what_was_carried() -> None:
    story = visited().on("2025-03-03")
    story.editions = {**story.editions, NEW: other()}
    adopted(story, other())
    story.corrected(story.version_of(e.SurveillanceRecorded), void=True)
    assert {each.checked_on for each in _amended(story).carried if each.of} == {day(ISSUED)}
    assert story.certificate.due.anchor_on == day(ISSUED)


def _amended(story: Story) -> e.EditionAdopted:
    return next(r.fact for r in amend(story.history) if isinstance(r.fact, e.EditionAdopted))


def test_marks_that_a_voided_visit_had_given_leave_the_change_of_grade_without_support() -> None:
    story = after_adoption().on("2025-12-01")
    case = story.visit_opened()
    drawn = (*WITHOUT_MARKS, "5.2.2", "5.2.3", "5.3.1", "5.3.2", "5.4.1", "5.4.2")
    story.planned(case, draw=drawn)
    story.assessed(case, story.findings(elements=drawn))
    first = story.version_of(e.SurveillanceRecorded)
    story.decided(case, "maintain")
    story.on("2026-01-05")
    again = story.visit_opened()
    story.planned(again)
    story.assessed(again, story.findings("6", elements=story.certificate.cases[again].draw))
    story.decided(again, "change_grade")
    story.corrected(first, void=True)
    assert story.version_of(e.GradeChanged) in story.last.unsupported


def test_a_trace_shows_what_was_carried_and_finds_it_again() -> None:
    story = _grown_old(after_adoption())
    found = judgements(story.certificate.id, story.history, story.editions)
    (asked,) = (each for each in found if each.question == "carried")
    assert (asked.edition, asked.equal) == (NEW, True)
    assert {each.rule for each in asked.criteria} == {"succession.merged_elements", "succession.new_elements"}
    assert all(each.equal in (True, None) for each in found)


def test_three_views_tell_the_checks_that_were_carried_over() -> None:
    story = after_adoption()
    views = {row.path: row.then for row in three_views(*stream(story), Comparing(other(), story.editions, story.today))}
    assert "8 -" in views["/carried"]
    assert "7 2025-01-10" in views["/carried"]


# ---- from edition to edition -----------------------------------------------------------------------------------------


def test_elements_are_followed_through_an_edition_between() -> None:
    """A third edition follows the second; who is still on the first goes straight to it."""
    third = "CSP-S01-001:2028"
    back = "".join(
        f'[[succession.elements]]\nkind = "{kind}"\n{sides}status = "assumed"\n'
        for kind, sides in (("same", 'old = ["7"]\nnew = ["6"]\n'), ("same", 'old = ["8"]\nnew = ["7"]\n'))
    )
    text = with_other_elements(TEXT).replace('code = "7"', 'code = "six"').replace('code = "8"', 'code = "7"')
    text = text.replace('code = "six"', 'code = "6"').replace(f'id = "{EDITION}"', f'id = "{third}"')
    newest = load_edition(text + SUCCESSION.format(grade="kept").replace(EDITION, NEW) + back, file="2028.toml")
    story = visited().on(ADOPTED)
    story.editions = {**story.editions, NEW: other()}
    adopted(story, newest)
    found = {each.element: each for each in story.last.carried}
    assert (found["6"].of, found["6"].stands) == (("6",), True)
    assert (found["7"].of, found["7"].checked_on) == ((), None), "the seven of the third is the new one of the second"
    assert found["5.2.1b"].of == ("5.2.1",)


def test_under_the_adopted_edition_itself_the_history_is_answered_as_recorded_from_there_on() -> None:
    story = _grown_old(after_adoption())
    asked = Comparing(story.edition, story.editions, story.today).line(history_of(*stream(story)))
    assert [each.problem for each in asked.not_judged] == ["no_finding"], "the grade, of which the new element is part"
    assert asked.flips == ()
