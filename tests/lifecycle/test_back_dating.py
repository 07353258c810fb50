"""Days of effect: never in the future, never before the last status act, and past 30 days not by one person alone."""

import pytest

from lifecycle import commands as c
from lifecycle import decide, errors
from lifecycle.duties import DUTIES
from tests.lifecycle.story import CSP, ORGANISATION, SHA, Story, around, day, reasons

APPLICATION = c.SubmitApplication(
    kind="initial", organisation=ORGANISATION, scheme=CSP, certification_type="star", holder="Example Alarm Ltd",
    address="1 Example Road", scope="alarm operation", effective_on=day("2024-05-01"), request_sha256=SHA,
)  # fmt: skip


@pytest.mark.parametrize("on", around("2024-05-16"))
def test_an_act_back_dated_by_more_than_30_days_needs_a_second_person(on) -> None:
    story = Story().issued().on("2024-06-15")
    reissue = c.Reissue(reasons=reasons("address_changed"), address="2 Example Road", effective_on=on)
    alone = on >= day("2024-05-16")
    assert decide.needs_second(story.certificate, reissue, story.moment("reg")) is not alone
    if alone:
        story.does("reg", reissue)
        return
    with story.refusing(errors.SecondPersonNeeded, person="reg"):
        story.does("reg", reissue)
    number = story.proposes("reg", reissue)
    story.approves("dan", number, role="registrar")
    assert story.last.effective_on == on
    assert story.last.signed_by == ("reg", "dan")


def test_a_back_dated_application_needs_a_second_person_too() -> None:
    story = Story("2024-06-15")
    with story.refusing(errors.SecondPersonNeeded):
        story.applies(effective_on=day("2024-05-15"))
    story.applies(effective_on=day("2024-05-16"))


def test_an_application_back_dated_past_30_days_is_opened_by_its_approval() -> None:
    story = Story("2024-06-15")
    number = story.proposes("holder", APPLICATION)
    story.approves("reg", number)
    assert (story.last.case, story.last.effective_on) == (2, day("2024-05-01"))
    assert story.certificate.open_case("initial").version == 2


def test_no_act_takes_effect_in_the_future() -> None:
    story = Story().issued()
    with story.refusing(errors.DayInFuture, what="effective_on", on=day("2024-01-16"), today=day("2024-01-15")):
        story.does("reg", c.RequestVisit(grounds="x", effective_on=day("2024-01-16")))


@pytest.mark.parametrize("turn", ["suspended", "withdrawn", "renewed"])
def test_no_act_takes_effect_before_the_last_status_act(turn: str) -> None:
    story = Story().issued().on("2024-06-10")
    getattr(story, turn)()
    story.on("2024-06-15")
    with story.refusing(errors.BeforeLastStatusAct, last_on=day("2024-06-10")):
        story.does("holder", c.LodgeComplaint(grounds="x", effective_on=day("2024-06-09")))
    story.does("holder", c.LodgeComplaint(grounds="x", effective_on=day("2024-06-10")))


def test_on_equal_days_the_version_decides() -> None:
    story = Story().issued().on("2024-06-10")
    story.suspended()
    story.reinstated()
    story.suspended()
    assert story.status_on(story.today) == "suspended"
    assert [story.status_on(on) for on in around("2024-06-10")] == ["active", "suspended", "suspended"]


def test_no_act_of_a_case_takes_effect_before_the_assessment_it_rests_on() -> None:
    story = Story()
    case = story.applies()
    story.accepted(case)
    story.planned(case)
    story.on("2024-02-10").assessed(case)
    story.on("2024-02-20")
    with story.refusing(errors.BeforeItsGround, ground_on=day("2024-02-10")):
        story.does("rev", c.ReviewAssessment(case=case, recommendation="x", effective_on=day("2024-02-09")))
    story.does("rev", c.ReviewAssessment(case=case, recommendation="x", effective_on=day("2024-02-10")))
    with story.refusing(errors.BeforeItsGround, ground_on=day("2024-02-10")):
        story.both(c.Decide(case=case, outcome="grant", effective_on=day("2024-02-09")))


def test_a_record_takes_effect_on_the_last_on_site_day_or_later() -> None:
    story = Story()
    case = story.applies()
    story.accepted(case)
    story.planned(case)
    story.on("2024-02-20")
    with story.refusing(errors.BeforeItsGround, ground="on_site_to", ground_on=day("2024-02-10")):
        story.assessed(case, on=day("2024-02-10"), effective_on=day("2024-02-09"))
    story.assessed(case, on=day("2024-02-10"), effective_on=day("2024-02-10"))


def test_a_suspension_decided_on_a_visit_takes_effect_after_it() -> None:
    story = Story().issued().on("2024-07-10")
    case = story.visit_recorded()
    story.on("2024-07-20")
    with story.refusing(errors.BeforeItsGround, ground_on=day("2024-07-10")):
        story.suspended(case=case, effective_on=day("2024-07-09"))
    story.suspended(case=case, effective_on=day("2024-07-10"))


def test_a_back_dated_act_is_judged_on_both_days() -> None:
    """Suspended on the 5th, today is the 10th: what needs an active certificate is refused for either day."""
    story = Story().issued().on("2024-06-05")
    story.suspended()
    story.on("2024-06-10")
    for on in around("2024-06-05")[1:]:
        with story.refusing(errors.NotAllowedInStatus, status="suspended"):
            story.suspended(effective_on=on)


ACTS_PAST_VALIDITY = {
    "apply": lambda story: story.applies("renewal", effective_on=day("2027-01-14")),
    "request a visit": lambda story: story.does("reg", c.RequestVisit(grounds="x", effective_on=day("2027-01-14"))),
    "suspend": lambda story: story.suspended(effective_on=day("2027-01-14")),
    "withdraw": lambda story: story.withdrawn(effective_on=day("2027-01-14")),
    "cancel": lambda story: story.cancelled(effective_on=day("2027-01-14")),
    "re-issue": lambda story: story.does(
        "reg", c.Reissue(reasons=reasons("address_changed"), address="x", effective_on=day("2027-01-14"))
    ),
    "open a withdrawal": lambda story: story.does(
        "dora",
        c.ProceedToWithdrawal(step="open", reasons=reasons("requirements_not_met"), effective_on=day("2027-01-14")),
    ),
}


@pytest.mark.parametrize("act", ACTS_PAST_VALIDITY)
def test_past_valid_until_nothing_is_back_dated_into_validity(act: str) -> None:
    story = Story().issued().on("2027-01-15")
    with story.refusing(errors.NotAllowedInStatus, status="expired", since=day("2027-01-15")):
        ACTS_PAST_VALIDITY[act](story)


@pytest.mark.parametrize(
    "command",
    [
        c.Cancel(reasons=reasons("holder_request"), effective_on=day("2024-05-01")),
        c.LodgeAppeal(against=1, grounds="x"),
        c.LodgeComplaint(grounds="x"),
        c.Issue(),
    ],
)
def test_while_an_application_waits_for_its_approval_there_is_no_certificate(command: c.Command) -> None:
    """Its stream has a proposal and no edition, so no other act could be judged."""
    story = Story("2024-06-15")
    story.proposes("holder", APPLICATION)
    role = min(DUTIES[type(command)].by)
    for ask in (story.does, story.proposes):
        with story.refusing(errors.CertificateUnknown):
            ask("holder", command, role=role)
