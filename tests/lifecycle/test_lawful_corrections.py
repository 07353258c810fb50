"""With a correction the stream is lawful and in order of dates, else the first fact that would not be is named."""

import pytest

from lifecycle import commands as c
from lifecycle import errors
from lifecycle import events as e
from tests.lifecycle.story import Story, around, day, reasons


def suspended_and_back() -> Story:
    """Suspended on 1 March, reinstated on 10 March, suspended again on 20 March."""
    story = Story().issued().on("2024-03-01")
    story.suspended(ends_on=day("2024-04-30"))
    story.on("2024-03-10").reinstated()
    story.on("2024-03-20").suspended(ends_on=day("2024-04-30"))
    return story.on("2024-04-01")


def versions(story: Story, fact: type[e.Fact]) -> list[int]:
    return [recorded.version for recorded in story.history if isinstance(recorded.fact, fact)]


@pytest.mark.parametrize("to", around("2024-03-10"))
def test_a_status_act_is_not_moved_past_the_next_one(to) -> None:
    story = suspended_and_back()
    first, reinstated = versions(story, e.CertificateSuspended)[0], versions(story, e.CertificateReinstated)[0]
    change = e.Change("/effective_on", "2024-03-01", to.isoformat())
    if to <= day("2024-03-10"):
        story.corrected(first, change)
        return
    with story.refusing(errors.CorrectionMakesIllegal, version=reinstated, topic="certificate-reinstated.v1"):
        story.corrected(first, change)


@pytest.mark.parametrize("to", around("2024-03-10"))
def test_a_status_act_is_not_moved_before_the_last_one(to) -> None:
    story = suspended_and_back()
    second = versions(story, e.CertificateSuspended)[1]
    change = e.Change("/effective_on", "2024-03-20", to.isoformat())
    if to >= day("2024-03-10"):
        story.corrected(second, change)
        return
    with story.refusing(errors.CorrectionMakesIllegal, version=second):
        story.corrected(second, change)


def test_a_suspension_that_was_ended_is_not_voided_from_under_its_end() -> None:
    story = suspended_and_back()
    first, second = versions(story, e.CertificateSuspended)
    reinstated = versions(story, e.CertificateReinstated)[0]
    with story.refusing(errors.CorrectionMakesIllegal, version=reinstated, topic="certificate-reinstated.v1"):
        story.corrected(first, void=True)
    story.corrected(second, void=True)
    assert story.certificate.status == "active"


@pytest.mark.parametrize("after", ["cancelled", "withdrawn"])
def test_a_suspension_is_not_moved_past_the_end_of_the_certificate(after: str) -> None:
    story = Story().issued().on("2024-03-01")
    story.suspended()
    getattr(story.on("2024-03-10"), after)()
    end = len(story.history)
    with story.on("2024-04-01").refusing(errors.CorrectionMakesIllegal, version=end):
        change = e.Change("/effective_on", "2024-03-01", "2024-03-11")
        story.corrected(story.version_of(e.CertificateSuspended), change)


@pytest.mark.parametrize("to", around("2027-01-14"))
def test_an_act_is_not_moved_past_the_last_valid_day(to) -> None:
    story = Story().issued().on("2026-12-01")
    story.suspended()
    story.on("2027-03-01").ticks()
    target = story.version_of(e.CertificateSuspended)
    change = e.Change("/effective_on", "2026-12-01", to.isoformat())
    if to <= day("2027-01-14"):
        story.corrected(target, change)
        return
    with story.refusing(errors.Refusal):
        story.corrected(target, change)


def test_validity_is_not_moved_away_from_under_what_was_done_in_it() -> None:
    """Issued a month earlier, it would have been expired when it was suspended; the suspension is named."""
    story = Story("2024-01-15")
    story.decided(story.graded(), "grant")
    story.on("2024-03-01").does("reg", c.Issue())
    story.on("2027-02-20").suspended()
    issued, suspended = story.version_of(e.CertificateIssued), story.version_of(e.CertificateSuspended)
    with story.refusing(errors.CorrectionMakesIllegal, version=suspended):
        story.corrected(issued, e.Change("/effective_on", "2024-03-01", "2024-02-01"))


def test_a_certificate_that_has_expired_is_not_issued_later_by_correction() -> None:
    """Its expiry stands on the day after its last valid day; that day cannot move away from under it."""
    story = Story("2024-01-10")
    story.decided(story.graded(), "grant")
    story.on("2024-01-15").does("reg", c.Issue())
    story.on("2027-02-01").ticks()
    expired = story.version_of(e.CertificateExpired)
    with story.refusing(errors.CorrectionMakesIllegal, version=expired, topic="certificate-expired.v1"):
        story.corrected(story.version_of(e.CertificateIssued), e.Change("/effective_on", "2024-01-15", "2024-01-20"))


@pytest.mark.parametrize("to", around("2024-09-01"))
def test_a_corrected_suspension_ends_within_six_months(to) -> None:
    story = Story().issued().on("2024-03-01")
    story.suspended(ends_on=day("2024-05-01"))
    target = story.version_of(e.CertificateSuspended)
    change = e.Change("/ends_on", "2024-05-01", to.isoformat())
    if to <= day("2024-09-01"):
        story.corrected(target, change)
        return
    with story.refusing(errors.CorrectionMakesIllegal, version=target):
        story.corrected(target, change)


def test_a_suspension_moved_earlier_takes_its_longest_end_along() -> None:
    story = Story().issued().on("2024-03-10")
    story.suspended()
    target = story.version_of(e.CertificateSuspended)
    earlier = e.Change("/effective_on", "2024-03-10", "2024-03-01")
    with story.refusing(errors.CorrectionMakesIllegal, version=target):
        story.corrected(target, earlier)
    story.corrected(target, earlier, e.Change("/ends_on", "2024-09-10", "2024-09-01"))


def test_a_corrected_end_is_not_later_than_the_extension_that_followed() -> None:

    story = Story().issued().on("2024-03-01")
    story.suspended(ends_on=day("2024-05-01"))
    story.both(c.ExtendSuspension(reasons=reasons("mark_misused"), ends_on=day("2024-06-01")))
    target, extended = story.version_of(e.CertificateSuspended), story.version_of(e.SuspensionExtended)
    with story.refusing(errors.CorrectionMakesIllegal, version=extended):
        story.corrected(target, e.Change("/ends_on", "2024-05-01", "2024-06-01"))
    story.corrected(target, e.Change("/ends_on", "2024-05-01", "2024-05-31"))


def test_acts_of_a_case_stay_in_order() -> None:
    story = Story("2024-01-15")
    case = story.applies()
    story.on("2024-01-20").accepted(case)
    story.on("2024-01-25").planned(case)
    planned = story.version_of(e.AssessmentPlanned)
    with story.refusing(errors.CorrectionMakesIllegal, version=planned, topic="assessment-planned.v1"):
        story.corrected(planned, e.Change("/effective_on", "2024-01-25", "2024-01-19"))
    story.corrected(planned, e.Change("/effective_on", "2024-01-25", "2024-01-20"))


def test_a_visit_is_not_voided_from_under_the_closing_of_its_nonconformity() -> None:
    story = Story().issued().on("2024-07-15")
    case = story.visit_opened()
    story.planned(case)
    drawn = story.certificate.cases[case].draw
    story.assessed(case, story.findings(elements=drawn, nonconforming=drawn[:1]))
    story.does("ana", c.CloseNonconformity(case=case, element=drawn[0]))
    closed = story.version_of(e.NonconformityClosed)
    with story.refusing(errors.CorrectionMakesIllegal, version=closed, problem="the visit case would be planned"):
        story.corrected(story.version_of(e.SurveillanceRecorded), void=True)


def test_after_a_decided_visit_was_voided_other_records_can_still_be_corrected() -> None:
    story = Story().issued().on("2024-07-15").visited()
    story.corrected(story.version_of(e.SurveillanceRecorded), void=True)
    story.corrected(1, e.Change("/scope", "alarm operation", "patrols"))
