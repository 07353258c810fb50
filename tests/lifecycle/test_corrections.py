"""A mistaken record put right by a further fact (domain.md, section 4, "Corrections"; section 5, case 11)."""

import dataclasses

import pytest

from lifecycle import commands as c
from lifecycle import errors
from lifecycle import events as e
from lifecycle.amendment import amend, value_at
from lifecycle.replay import replay
from tests.lifecycle.story import EDITION, Story, around, day, reasons

ELEMENTS = tuple(Story().edition.elements)
LOST_6 = e.Change("/findings/5.2.1/marks", "6", "0")


def reads(story: Story, version: int) -> e.Fact:
    """The fact as it reads with every correction."""
    return next(recorded.fact for recorded in amend(story.history) if recorded.version == version)


def mistaken() -> Story:
    """Five stars, of which six marks turn out, ten months later, to have been a slip."""
    story = Story().issued().on("2024-11-20")
    story.corrected(story.version_of(e.AssessmentRecorded), LOST_6)
    return story


# ---- what follows is computed again; what persons decided stands -----------------------------------------------------


def test_a_corrected_mark_changes_the_score_and_the_level_that_follow_from_it() -> None:
    story = mistaken()
    grade = story.version_of(e.GradeDetermined)
    assert {(r.version, r.path, r.old, r.value) for r in story.last.recomputed} == {
        (grade, "/score", "100/1", "94/1"),
        (grade, "/level", "five_star", "four_star"),
        (grade, "/because", "band:five_star", "band:four_star"),
    }
    assert (reads(story, grade).score, reads(story, grade).level) == ("94/1", "four_star")


def test_a_level_changes_only_by_a_new_decision() -> None:
    story = mistaken()
    granted = story.version_of(e.CertificationGranted)
    assert story.last.unsupported == (granted,)
    assert story.certificate.unsupported == {granted: story.today}
    assert (story.certificate.levels.last, story.shown().level) == ("five_star", "five_star")
    assert reads(story, granted).level == "five_star"

    story.on("2024-11-25").decided(1, "change_grade")
    assert story.certificate.unsupported == {}
    assert [story.certificate.levels.at(on) for on in around("2024-11-25")] == ["five_star", "four_star", "four_star"]
    with story.refusing(errors.DecisionSupported, case=1):
        story.decided(1, "change_grade")


@pytest.mark.parametrize("meanwhile", ["maintained", "suspended"])
def test_a_level_left_unsupported_waits_until_a_level_is_decided(meanwhile: str) -> None:
    """Keeping the certificate after a visit, or suspending it, does not say which level it has earned."""
    story = mistaken()
    waiting = story.certificate.unsupported
    story.on("2025-06-01").visited() if meanwhile == "maintained" else story.suspended()
    assert story.certificate.unsupported == waiting
    story.decided(1, "change_grade")
    assert story.certificate.unsupported == {}


@pytest.mark.parametrize("settles", ["re-assessed", "renewed", "withdrawn", "cancelled", "expired"])
def test_a_level_left_unsupported_is_settled_by_another_level_or_by_the_end(settles: str) -> None:
    story = mistaken()
    match settles:
        case "re-assessed":
            story.decided(story.on("2025-06-01").graded("regrade"), "maintain")
        case "renewed":
            story.on("2026-11-01").renewed()
        case "expired":
            story.on("2027-02-01").ticks()
        case _:
            getattr(story, settles)()
    assert story.certificate.unsupported == {}


def test_the_fact_itself_stands_as_recorded_and_what_was_known_on_each_day_stays() -> None:
    story = mistaken()
    target = story.version_of(e.AssessmentRecorded)
    marks = {finding.element: finding.marks for finding in story.certificate.fact(target).findings}
    assert marks["5.2.1"] == "6"
    grade = story.version_of(e.GradeDetermined)
    before, the_day, _ = (story.known_on(on).cases[1].grade.score for on in around("2024-11-20"))
    assert (before, the_day) == ("100/1", "94/1")
    assert story.certificate.fact(grade).score == "100/1"


def test_a_corrected_mark_that_changes_no_level_leaves_every_decision_supported() -> None:
    story = Story().issued().on("2024-11-20")
    story.corrected(story.version_of(e.AssessmentRecorded), e.Change("/findings/4.2.1/marks", "4", "2.5"))
    assert {r.path for r in story.last.recomputed} == {"/score"}
    assert (story.last.unsupported, story.certificate.unsupported) == ((), {})


def test_a_corrected_outcome_that_opens_a_nonconformity_leaves_the_grant_unsupported() -> None:
    story = Story().issued().on("2024-11-20")
    change = e.Change("/findings/6/outcome", "conforming", "nonconforming")
    story.corrected(story.version_of(e.AssessmentRecorded), change)
    assert story.last.unsupported == (story.version_of(e.CertificationGranted),)
    with story.refusing(errors.NotGrantable, because="open_nonconformity:6"):
        story.decided(1, "change_grade")


def test_a_corrected_visit_may_leave_its_maintenance_unsupported() -> None:
    story = Story().issued().on("2024-07-15").visited()
    element = reads(story, story.version_of(e.SurveillanceRecorded)).findings[0].element
    change = e.Change(f"/findings/{element}/outcome", "conforming", "nonconforming")
    story.corrected(story.version_of(e.SurveillanceRecorded), change)
    assert story.last.unsupported == (story.version_of(e.CertificationMaintained),)
    story.suspended()
    assert story.certificate.unsupported == {}


def test_a_corrected_mark_of_a_visit_may_leave_its_change_of_grade_unsupported() -> None:
    story = Story().issued().on("2024-07-15")
    case = story.visit_opened()
    story.planned(case, draw=ELEMENTS[:6])
    story.assessed(case, story.findings("6", elements=ELEMENTS[:6]))
    story.decided(case, "change_grade")
    story.on("2024-08-15").corrected(
        story.version_of(e.SurveillanceRecorded), e.Change("/findings/4.2.1/marks", "0", "4")
    )
    assert story.last.unsupported == (story.version_of(e.GradeChanged),)
    assert story.certificate.levels.last == "four_star"


def test_a_corrected_assessment_for_renewal_may_leave_the_renewal_unsupported() -> None:
    story = Story().issued().on("2026-11-01").renewed().on("2026-12-01")
    story.corrected(story.version_of(e.AssessmentRecorded), LOST_6)
    assert story.last.unsupported == (story.version_of(e.CertificateRenewed),)
    story.decided(story.case("renewal"), "change_grade")
    assert story.last.level == "four_star"


def test_a_refused_re_assessment_that_is_corrected_leaves_nothing_unsupported() -> None:
    story = Story().issued().on("2024-06-01")
    story.decided(story.graded("regrade", story.findings("10")), "refuse", "evidence_insufficient")
    story.corrected(story.version_of(e.AssessmentRecorded), LOST_6)
    assert story.last.unsupported == ()


def test_a_maintained_re_assessment_is_unsupported_once_it_shows_another_level() -> None:
    story = Story().issued().on("2024-06-01")
    story.decided(story.graded("regrade"), "maintain")
    story.corrected(story.version_of(e.AssessmentRecorded), LOST_6)
    assert story.last.unsupported == (story.version_of(e.CertificationMaintained),)


def test_outcomes_are_computed_again_under_the_edition_of_the_fact() -> None:
    """A later edition has other bands; the certificate was graded under its own."""
    old = Story().edition
    stricter = {code: dataclasses.replace(level, at_least=None) for code, level in old.levels.items()}
    later = dataclasses.replace(old, id="CSP-S01-001:2025", effective_from=day("2024-06-01"), levels=stricter)
    story = Story(editions={EDITION: old, later.id: later}).issued().on("2024-11-20")
    story.corrected(story.version_of(e.AssessmentRecorded), LOST_6)
    assert reads(story, story.version_of(e.GradeDetermined)).level == "four_star"


# ---- void ------------------------------------------------------------------------------------------------------------


def test_a_voided_suspension_never_was() -> None:
    story = Story().issued().on("2024-05-10")
    story.suspended()
    story.on("2024-05-20").corrected(story.version_of(e.CertificateSuspended), void=True)
    assert [story.status_on(on) for on in around("2024-05-10")] == ["active"] * 3
    assert story.shown().status_since == day("2024-01-15")
    assert story.known_on(day("2024-05-19")).status == "suspended"


def test_a_voided_suspension_that_decided_a_visit_leaves_the_visit_to_be_decided() -> None:
    story = Story().issued().on("2024-05-10")
    case = story.visit_recorded()
    story.suspended(case=case)
    story.corrected(story.version_of(e.CertificateSuspended), void=True)
    story.decided(case, "maintain")


def test_a_voided_re_issue_gives_back_what_stood() -> None:
    story = Story().issued().on("2024-05-10")
    story.does("reg", c.Reissue(reasons=reasons("name_changed"), holder="New Ltd"))
    story.corrected(story.version_of(e.CertificateReissued), void=True)
    assert story.shown().holder == "Example Alarm Ltd"
    assert story.certificate.document == 1


def test_a_voided_visit_is_made_again_and_what_was_decided_on_it_is_unsupported() -> None:
    story = Story().issued().on("2024-07-15").visited()
    case = story.case("visit")
    story.on("2024-08-15").corrected(story.version_of(e.SurveillanceRecorded), void=True)
    assert story.last.unsupported == (story.version_of(e.CertificationMaintained),)
    due = story.certificate.due
    assert (due.anchor_on, due.visit_on) == (day("2024-01-15"), day("2026-01-15"))
    story.assessed(case, story.findings())
    assert story.certificate.cases[case].stage == "assessed"
    assert story.certificate.due.anchor_on == day("2024-08-15")


def test_a_suspension_decided_on_a_visit_that_is_voided_is_unsupported() -> None:
    story = Story().issued().on("2024-07-15")
    story.suspended(case=story.visit_recorded())
    story.corrected(story.version_of(e.SurveillanceRecorded), void=True)
    assert story.last.unsupported == (story.version_of(e.CertificateSuspended),)
    assert story.certificate.status == "suspended"


def test_a_change_of_grade_decided_on_a_visit_that_is_voided_is_unsupported_and_stands() -> None:
    story = Story().issued().on("2024-07-15")
    case = story.visit_opened()
    story.planned(case, draw=ELEMENTS[:6])
    story.assessed(case, story.findings("6", elements=ELEMENTS[:6]))
    story.decided(case, "change_grade")
    story.on("2024-08-15").corrected(story.version_of(e.SurveillanceRecorded), void=True)
    assert story.last.unsupported == (story.version_of(e.GradeChanged),)
    assert story.shown().level == "four_star"
    story.assessed(case, story.findings())
    story.decided(case, "maintain")


def test_what_stands_at_a_path_is_told_or_that_there_is_none() -> None:
    story = Story().issued()
    assessed = story.certificate.fact(story.version_of(e.AssessmentRecorded))
    assert value_at(assessed, "/findings/5.2.1/marks") == "6"
    assert value_at(assessed, "/deductions") is None
    for path in ("/nothing", "/findings/5.2.1/nothing", "/findings/9.9/marks", "/by/person/name"):
        with pytest.raises(KeyError):
            value_at(assessed, path)


def test_an_imported_grade_without_its_assessment_is_left_as_it_is() -> None:
    story = Story()
    case = story.applies()
    moment = story.moment("reg")
    grade = e.GradeDetermined(
        **moment.stamp(story.today, case=case, edition=EDITION),
        assessment=0,
        score="90/1",
        level="four_star",
        because="x",
    )
    found = replay(story.certificate.id, story.given(grade).history, story.editions)
    assert found.differences == []
    assert found.certificate.cases[case].grade == grade


# ---- corrected again -------------------------------------------------------------------------------------------------


def test_the_last_change_of_each_path_wins() -> None:
    story = mistaken()
    target = story.version_of(e.AssessmentRecorded)
    story.corrected(target, e.Change("/findings/5.2.1/marks", "0", "5"), e.Change("/findings/4.2.1/marks", "4", "1"))
    story.corrected(target, e.Change("/findings/5.2.1/marks", "5", "3"))
    marks = {finding.element: finding.marks for finding in reads(story, target).findings}
    assert (marks["5.2.1"], marks["4.2.1"], marks["5.2.2"]) == ("3", "1", "6")
    assert reads(story, story.version_of(e.GradeDetermined)).score == "94/1"


def test_a_correction_taken_back_makes_the_decision_supported_again() -> None:
    story = mistaken()
    story.corrected(story.version_of(e.AssessmentRecorded), e.Change("/findings/5.2.1/marks", "0", "6"))
    assert reads(story, story.version_of(e.GradeDetermined)).level == "five_star"
    assert story.last.unsupported == ()
    with story.refusing(errors.Refusal):
        story.decided(1, "change_grade")


def test_reading_a_prefix_applies_only_the_corrections_in_it() -> None:
    story = mistaken()
    for version in range(1, len(story.history) + 1):
        prefix = amend(story.history[:version])
        marks = [f.marks for r in prefix if isinstance(r.fact, e.AssessmentRecorded) for f in r.fact.findings]
        assert ("0" in marks) is (version == len(story.history))


@pytest.mark.parametrize("ended", ["withdrawn", "cancelled", "expired"])
def test_an_ended_certificate_is_still_corrected(ended: str) -> None:
    story = Story().issued().on("2024-07-15")
    story.on("2027-02-01").ticks() if ended == "expired" else getattr(story, ended)()
    story.corrected(
        story.version_of(e.CertificateIssued), e.Change("/holder", "Example Alarm Ltd", "Example Alarms Ltd")
    )
    assert story.shown().holder == "Example Alarms Ltd"


def test_a_record_that_was_not_scored_is_corrected_too() -> None:
    story = Story()
    story.issued(story.findings(scored=False), certification_type="conformity")
    recorded = story.version_of(e.AssessmentRecorded)
    change = e.Change("/findings/5.2.1/outcome", "conforming", "nonconforming")
    story.both(c.Correct(target=recorded, reason="the wrong box was ticked", changes=(change,)))
    assert story.last.unsupported == (story.version_of(e.CertificationGranted),)
