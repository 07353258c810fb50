"""What an assessment earns, and what can be granted on it (domain.md, section 5, cases 1 and 2; "Grading")."""

import pytest

from lifecycle import commands as c
from lifecycle import errors
from lifecycle import events as e
from tests.lifecycle.story import Story, reasons

ELEMENTS = tuple(Story().edition.elements)


@pytest.mark.parametrize(
    ("lost", "score", "level"),
    [
        ("0", "100/1", "five_star"),
        ("4.999999", "95000001/1000000", "five_star"),
        ("5", "95/1", "five_star"),
        ("5.000001", "94999999/1000000", "four_star"),
        ("14.999999", "85000001/1000000", "four_star"),
        ("15", "85/1", "four_star"),
        ("15.000001", "84999999/1000000", "three_star"),
        ("15.005", "16999/200", "three_star"),
        ("24.999999", "75000001/1000000", "three_star"),
        ("25", "75/1", "three_star"),
        ("25.000001", "74999999/1000000", "conformity"),
    ],
)
def test_a_boundary_is_inside_the_better_band_and_a_millionth_below_is_not(lost: str, score: str, level: str) -> None:
    story = Story()
    story.issued(story.findings(lost), accepts_conformity=True)
    grade = next(r.fact for r in story.history if isinstance(r.fact, e.GradeDetermined))
    assert (grade.score, grade.level) == (score, level)
    assert story.last.level == level


def test_84_995_is_three_stars_and_its_score_is_kept_exactly() -> None:
    story = Story()
    story.graded(findings=story.findings("15.005"))
    assert (story.last.score, story.last.level, story.last.because) == ("16999/200", "three_star", "band:three_star")


def test_below_the_lowest_band_conformity_is_given_only_to_those_who_accept_it() -> None:
    story = Story()
    case = story.graded(findings=story.findings("30"))
    assert (story.last.level, story.last.because) == ("none", "below_lowest_band")
    with story.refusing(errors.NotGrantable, case=case, because="below_lowest_band"):
        story.decided(case, "grant")
    accepting = Story().issued(story.findings("30"), accepts_conformity=True)
    assert (accepting.last.level, accepting.last.certification_type) == ("conformity", "conformity")


def test_a_star_application_with_an_open_nonconformity_is_not_grantable_until_it_is_closed() -> None:
    story = Story()
    case = story.applies()
    story.accepted(case)
    story.planned(case)
    story.assessed(case, story.findings(nonconforming=("5.2.1",)))
    closed = len(story.history)
    story.reviewed(case)
    assert (story.last.level, story.last.because) == ("none", "open_nonconformity:5.2.1")
    with story.refusing(errors.NotGrantable, because="open_nonconformity:5.2.1"):
        story.decided(case, "grant")

    del story.history[closed:]
    story.does("ana", c.CloseNonconformity(case=case, element="5.2.1"))
    story.reviewed(case)
    story.decided(case, "grant")
    assert story.last.level == "five_star"


def test_what_was_graded_none_ends_only_by_refusal_or_withdrawal_of_the_application() -> None:
    refused = Story()
    case = refused.graded(findings=refused.findings("30"))
    refused.decided(case, "refuse", "below_lowest_band")
    assert (refused.names[-1], refused.certificate.cases[case].stage) == ("CertificationRefused", "closed")
    withdrawn = Story()
    case = withdrawn.graded(findings=withdrawn.findings("30"))
    withdrawn.does("holder", c.WithdrawApplication(case=case))
    assert withdrawn.certificate.cases[case].stage == "closed"


def test_a_nonconformity_is_closed_once_and_only_where_there_is_one() -> None:
    story = Story()
    case = story.applies()
    story.accepted(case)
    story.planned(case)
    story.assessed(case, story.findings(nonconforming=("6",)))
    with story.refusing(errors.NonconformityUnknown, element="5.5", open="6"):
        story.does("ana", c.CloseNonconformity(case=case, element="5.5"))
    story.does("ana", c.CloseNonconformity(case=case, element="6"))
    with story.refusing(errors.NonconformityUnknown, element="6", open="none"):
        story.does("ana", c.CloseNonconformity(case=case, element="6"))


def test_for_conformity_nothing_is_scored() -> None:
    story = Story()
    story.graded(findings=story.findings(scored=False), certification_type="conformity")
    assert (story.last.score, story.last.level, story.last.because) == (None, "conformity", "conformity:all_conform")


@pytest.mark.parametrize("harm", ["left out", "twice", "unknown", "no marks", "too many marks"])
def test_an_assessment_has_every_element_once_with_marks_up_to_its_weight(harm: str) -> None:
    story = Story()
    case = story.applies()
    story.accepted(case)
    story.planned(case)
    first, *rest = story.findings()
    findings = {
        "left out": rest,
        "twice": [first, first, *rest],
        "unknown": [e.Finding("9.9", "conforming", "1"), first, *rest],
        "no marks": [e.Finding(first.element, "conforming"), *rest],
        "too many marks": [e.Finding(first.element, "conforming", "4.000001"), *rest],
    }[harm]
    with story.refusing(errors.FindingsRefused):
        story.assessed(case, tuple(findings))


@pytest.mark.parametrize("element", ELEMENTS)
@pytest.mark.parametrize("certification_type", ["star", "conformity"])
def test_exactly_one_nonconforming_element_is_never_grantable_and_is_named(
    element: str, certification_type: str
) -> None:
    """Each of the 24: with full marks elsewhere, whether or not the applicant accepts conformity."""
    scored = certification_type == "star"
    for accepts in (True, False):
        story = Story()
        findings = story.findings(nonconforming=(element,), scored=scored)
        case = story.graded(findings=findings, certification_type=certification_type, accepts_conformity=accepts)
        with story.refusing(errors.NotGrantable, because=f"open_nonconformity:{element}"):
            story.decided(case, "grant")
        with story.refusing(errors.NotAllowedAtStage, stage="graded"):
            story.does("reg", c.Issue())


@pytest.mark.parametrize("left_open", ELEMENTS)
def test_all_but_one_of_24_nonconformities_closed_is_not_grantable(left_open: str) -> None:
    story = Story()
    case = story.applies()
    story.accepted(case)
    story.planned(case)
    story.assessed(case, story.findings(nonconforming=ELEMENTS))
    for element in ELEMENTS:
        if element != left_open:
            story.does("ana", c.CloseNonconformity(case=case, element=element))
    story.reviewed(case)
    with story.refusing(errors.NotGrantable, because=f"open_nonconformity:{left_open}"):
        story.decided(case, "grant")


def test_the_review_and_the_grade_are_recorded_together() -> None:
    story = Story()
    story.graded()
    assert story.names[-2:] == ["AssessmentReviewed", "GradeDetermined"]
    assert story.last.assessment == story.version_of(e.AssessmentRecorded)


def test_an_application_can_be_rejected_only_for_a_reason_of_the_edition() -> None:
    story = Story()
    case = story.applies()
    with story.refusing(errors.Malformed):
        story.does("reg", c.ReviewApplication(case=case, outcome="rejected"))
    with story.refusing(errors.ReasonUnknown, reason="dislike", act="rejection"):
        story.does("reg", c.ReviewApplication(case=case, outcome="rejected", reasons=reasons("dislike")))
    story.does("reg", c.ReviewApplication(case=case, outcome="rejected", reasons=reasons("outside_scheme")))
    assert story.certificate.cases[case].stage == "closed"


def test_a_refusal_gives_a_reason_of_the_edition() -> None:
    story = Story()
    case = story.graded()
    with story.refusing(errors.Malformed):
        story.decided(case, "refuse")
    with story.refusing(errors.ReasonUnknown, reason="dislike", act="refusal"):
        story.decided(case, "refuse", "dislike")
