"""Appeals, complaints, notices (domain.md, section 5, case 16; "Appeal and complaint periods")."""

from datetime import timedelta

import pytest

from lifecycle import commands as c
from lifecycle import errors
from lifecycle import events as e
from tests.lifecycle.story import CERTIFICATE, SHA, Story, around, day


def withdrawn(today: str = "2024-07-15") -> Story:
    story = Story().issued().on(today)
    story.withdrawn()
    return story


def told(story: Story, of: int, served_on: str) -> None:
    story.does("reg", c.Notify(of=of, served_on=day(served_on), proof_sha256=SHA))


def lodged(story: Story, against: int) -> int:
    story.does("holder", c.LodgeAppeal(against=against, grounds="we differ"))
    return story.case("appeal")


def settled(story: Story, case: int, *, upheld: bool, by: str = "dina") -> None:
    story.does(by, c.DecideDispute(case=case, upheld=upheld, grounds="looked into"))


def test_an_appeal_leaves_the_decision_in_force_until_and_after_it_is_decided() -> None:
    story = withdrawn()
    case = lodged(story, story.version_of(e.CertificateWithdrawn))
    assert story.certificate.status == "withdrawn"
    settled(story, case, upheld=True)
    assert story.certificate.status == "withdrawn"
    assert story.shown().status == "withdrawn"


def test_an_upheld_appeal_acts_through_a_reinstatement_that_cites_it() -> None:
    story = withdrawn().on("2024-08-10")
    appeal = story.appealed(story.version_of(e.CertificateWithdrawn))
    with story.refusing(errors.AppealNotUpheld, appeal=None):
        story.reinstated()
    story.reinstated(appeal=appeal)
    assert (story.last.appeal, story.certificate.status) == (appeal, "active")
    assert [story.status_on(on) for on in around("2024-08-10")] == ["withdrawn", "active", "active"]


def test_an_upheld_appeal_acts_through_a_void_that_cites_it() -> None:
    story = withdrawn().on("2024-08-10")
    target = story.version_of(e.CertificateWithdrawn)
    with story.refusing(errors.VoidNeedsAppeal):
        story.corrected(target, void=True)
    appeal = story.appealed(target)
    story.corrected(target, void=True, appeal=appeal)
    assert [story.status_on(on) for on in around("2024-07-15")] == ["active", "active", "active"]


def test_an_appeal_that_was_not_upheld_or_not_decided_or_is_no_appeal_orders_nothing() -> None:
    story = withdrawn()
    target = story.version_of(e.CertificateWithdrawn)
    refused, waiting = story.appealed(target, upheld=False), lodged(story, target)
    story.does("holder", c.LodgeComplaint(grounds="too slow"))
    complaint = story.case("complaint")
    settled(story, complaint, upheld=True)
    for appeal in (refused, waiting, complaint, 999):
        with story.refusing(errors.AppealNotUpheld, appeal=appeal):
            story.reinstated(appeal=appeal)
        with story.refusing(errors.AppealNotUpheld, appeal=appeal):
            story.corrected(target, void=True, appeal=appeal)


def test_an_appeal_decided_before_a_withdrawal_does_not_undo_it() -> None:
    story = withdrawn()
    first = story.appealed(story.version_of(e.CertificateWithdrawn))
    story.reinstated(appeal=first)
    story.withdrawn()
    with story.refusing(errors.AppealNotUpheld, appeal=first):
        story.reinstated(appeal=first)
    with story.refusing(errors.AppealNotUpheld, appeal=first):
        story.corrected(story.version_of(e.CertificateWithdrawn), void=True, appeal=first)
    story.reinstated(appeal=story.appealed(story.version_of(e.CertificateWithdrawn)))


def test_an_upheld_appeal_ends_a_suspension_whatever_its_reasons() -> None:
    story = Story().issued().on("2024-07-15")
    story.suspended()
    story.reinstated(closed=(), appeal=story.appealed(story.version_of(e.CertificateSuspended)))
    assert story.certificate.status == "active"


def test_what_was_cancelled_is_reinstated_only_on_an_upheld_appeal() -> None:
    story = Story().issued().on("2024-07-15")
    story.cancelled()
    with story.refusing(errors.AppealNotUpheld):
        story.reinstated()
    story.reinstated(appeal=story.appealed(story.version_of(e.CertificateCancelled)))
    assert story.certificate.status == "active"


@pytest.mark.parametrize("ended", ["withdrawn", "cancelled"])
def test_nothing_is_reinstated_after_its_last_valid_day(ended: str) -> None:
    """Not even on an upheld appeal: what would be reinstated has expired."""
    last_day, after = day("2027-01-14"), day("2027-01-15")
    for today in (last_day, after):
        story = Story().issued().on("2025-12-01").visited().on("2026-12-01")
        getattr(story, ended)()
        ends = {"withdrawn": e.CertificateWithdrawn, "cancelled": e.CertificateCancelled}[ended]
        appeal = story.appealed(story.version_of(ends))
        story.on(today)
        if today == last_day:
            story.reinstated(appeal=appeal)
            continue
        with story.refusing(errors.NotAllowedInStatus, status="expired", since=after):
            story.reinstated(appeal=appeal)


def test_a_withdrawal_voided_after_the_last_valid_day_leaves_the_certificate_expired() -> None:
    story = Story().issued().on("2026-12-01")
    story.withdrawn()
    appeal = story.appealed(story.version_of(e.CertificateWithdrawn))
    story.on("2027-02-01").corrected(story.version_of(e.CertificateWithdrawn), void=True, appeal=appeal)
    assert [story.status_on(on) for on in around("2027-01-14")] == ["active", "active", "expired"]
    assert type(story.ticks()[-1]) is e.CertificateExpired


def test_an_appeal_is_lodged_within_30_days_from_the_day_after_notice_was_served() -> None:
    story = withdrawn()
    target = story.version_of(e.CertificateWithdrawn)
    told(story.on("2024-07-20"), target, "2024-07-20")
    last_day = day("2024-08-19")
    assert last_day == day("2024-07-20") + timedelta(days=30)
    for today in around("2024-08-19")[:2]:
        lodged(story.on(today), target)
    with story.on(last_day + e.ONE_DAY).refusing(errors.AppealTooLate, until_on=last_day):
        lodged(story, target)


def test_where_no_notice_was_served_the_time_to_appeal_does_not_run() -> None:
    story = withdrawn().on("2026-07-15")
    lodged(story, story.version_of(e.CertificateWithdrawn))


def test_an_appeal_is_to_be_decided_within_60_days_a_complaint_too() -> None:
    story = withdrawn()
    lodged(story, story.version_of(e.CertificateWithdrawn))
    assert story.last.decide_by == day("2024-09-13") == story.today + timedelta(days=60)
    story.does("holder", c.LodgeComplaint(grounds="too slow"))
    assert story.last.decide_by == day("2024-09-13")
    assert story.certificate.cases[story.case("complaint")].decide_by == day("2024-09-13")


def test_an_appeal_names_a_fact_of_the_certificate() -> None:
    story = withdrawn()
    for version in (0, len(story.history) + 1):
        with story.refusing(errors.FactUnknown, version=version):
            lodged(story, version)


def test_an_appeal_may_name_the_event_by_its_id_which_says_of_which_certificate_it_is() -> None:
    story = withdrawn()
    target = story.version_of(e.CertificateWithdrawn)
    story.does("holder", c.LodgeAppeal(against=f"{CERTIFICATE}/{target}", grounds="we differ"))
    assert story.last.against == target
    other = f"22222222-2222-4222-8222-222222222222/{target}"
    with story.refusing(errors.EventOfAnother, event=other):
        story.does("holder", c.LodgeAppeal(against=other, grounds="we differ"))
    with story.refusing(errors.FactUnknown, version=99):
        story.does("holder", c.LodgeAppeal(against=f"{CERTIFICATE}/99", grounds="we differ"))


def test_a_dispute_is_decided_once_and_in_its_own_case() -> None:
    story = withdrawn()
    case = story.appealed(story.version_of(e.CertificateWithdrawn))
    with story.refusing(errors.NotAllowedAtStage, stage="decided"):
        settled(story, case, upheld=False)
    with story.refusing(errors.CaseUnknown, case=999):
        settled(story, 999, upheld=False)


def test_a_notice_tells_of_a_fact_and_is_served_neither_before_it_nor_in_the_future() -> None:
    story = withdrawn()
    target = story.version_of(e.CertificateWithdrawn)
    with story.refusing(errors.FactUnknown, version=999):
        told(story, 999, "2024-07-15")
    with story.refusing(errors.BeforeItsGround, ground_on=day("2024-07-15")):
        told(story, target, "2024-07-14")
    with story.refusing(errors.DayInFuture, what="served_on"):
        told(story, target, "2024-07-16")
    told(story, target, "2024-07-15")


@pytest.mark.parametrize("handler", ["ana", "rev", "dora", "dan", "dina"])
def test_an_appeal_against_the_grant_is_handled_by_one_who_neither_assessed_nor_decided(handler: str) -> None:
    """Whichever fact of the decision the appeal names: the grant, or the document that was issued on it."""
    for against in (e.CertificationGranted, e.CertificateIssued, e.GradeDetermined):
        story = Story().issued()
        story.does("holder", c.LodgeAppeal(against=story.version_of(against), grounds="we differ"))
        command = c.DecideDispute(case=story.case("appeal"), upheld=True, grounds="looked into")
        involved = handler in ("ana", "dora", "dan") or (handler == "rev" and against is e.GradeDetermined)
        if involved:
            with story.refusing(errors.InvolvedInAppealed, person=handler):
                story.does(handler, command, role="decision_maker")
        else:
            story.does(handler, command, role="decision_maker")


def test_an_appeal_against_a_suspension_that_names_no_case_is_not_handled_by_who_made_the_visit() -> None:
    story = Story().issued().on("2024-07-15")
    story.visit_recorded()
    story.suspended()
    case = lodged(story, story.version_of(e.CertificateSuspended))
    for person in ("ana", "dora", "dan"):
        with story.refusing(errors.InvolvedInAppealed, person=person):
            story.does(person, c.DecideDispute(case=case, upheld=True, grounds="x"), role="decision_maker")
    settled(story, case, upheld=True)


def test_a_complaint_is_decided_by_one_who_never_assessed_or_signed() -> None:
    story = Story().issued()
    story.does("holder", c.LodgeComplaint(grounds="too slow"))
    for person in ("ana", "dora", "dan"):
        with story.refusing(errors.InvolvedInAppealed, person=person):
            decided = c.DecideDispute(case=story.case("complaint"), upheld=True, grounds="x")
            story.does(person, decided, role="decision_maker")
    settled(story, story.case("complaint"), upheld=False)
