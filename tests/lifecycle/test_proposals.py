"""Acts of two persons: proposed by one, approved by another, decided again on the state of that moment."""

import pytest

from lifecycle import commands as c
from lifecycle import decide, errors
from lifecycle import events as e
from lifecycle.duties import DUTIES
from tests.lifecycle.asked import CORRECT
from tests.lifecycle.story import Story, around, day, reasons

SUSPEND = c.Suspend(reasons=reasons("mark_misused"))
WITHDRAW = c.Withdraw(reasons=reasons("requirements_not_met"))

TWO_SIGN = {
    "grant": c.Decide(case=1, outcome="grant"),
    "refuse": c.Decide(case=1, outcome="refuse"),
    "maintain": c.Decide(case=1, outcome="maintain"),
    "change of grade": c.Decide(case=1, outcome="change_grade"),
    "renew": c.Decide(case=1, outcome="renew"),
    "suspend": SUSPEND,
    "extend": c.ExtendSuspension(reasons=reasons("mark_misused"), ends_on=day("2024-08-01")),
    "reinstate": c.Reinstate(grounds="put right"),
    "withdraw": WITHDRAW,
    "correct": CORRECT,
}
ONE_SIGNS = {
    "acceptance": c.ReviewApplication(case=1, outcome="accepted"),
    "plan": c.Plan(case=1, team=("ana",), on_site_from=day("2024-01-15"), on_site_to=day("2024-01-15")),
    "review": c.ReviewAssessment(case=1, recommendation="grant"),
    "issue": c.Issue(),
    "re-issue": c.Reissue(reasons=reasons("address_changed"), address="2 Example Road"),
    "cancellation": c.Cancel(reasons=reasons("holder_request")),
    "withdrawal opened": c.ProceedToWithdrawal(step="open", reasons=reasons("requirements_not_met")),
    "withdrawal dropped": c.ProceedToWithdrawal(step="drop", grounds="put right"),
    "notice": c.Notify(of=1, served_on=day("2024-01-15"), proof_sha256="0" * 64),
}


@pytest.mark.parametrize("act", TWO_SIGN)
def test_two_persons_sign(act: str) -> None:
    story = Story().issued()
    assert decide.needs_second(story.certificate, TWO_SIGN[act], story.moment("dora"))
    proposer = next(iter(sorted(DUTIES[type(TWO_SIGN[act])].by)))
    with story.refusing(errors.SecondPersonNeeded, person="dora"):
        story.does("dora", TWO_SIGN[act], role=proposer)


@pytest.mark.parametrize("act", ONE_SIGNS)
def test_one_person_signs(act: str) -> None:
    story = Story().issued()
    assert not decide.needs_second(story.certificate, ONE_SIGNS[act], story.moment("reg"))


def test_a_proposal_changes_nothing_and_its_approval_is_signed_by_both() -> None:
    story = Story().issued()
    number = story.proposes("dora", SUSPEND)
    assert (story.certificate.status, story.certificate.proposals[number].state) == ("active", "open")
    (suspended,) = story.approves("dan", number)
    assert (suspended.signed_by, suspended.proposal, suspended.by.person) == (("dora", "dan"), number, "dan")
    assert (story.certificate.status, story.certificate.proposals[number].state) == ("suspended", "approved")


def test_a_change_of_grade_and_its_re_issue_are_both_signed_by_both() -> None:
    story = Story().issued().on("2024-06-01").regraded(Story().findings("10"))
    assert [recorded.fact.signed_by for recorded in story.history[-2:]] == [("dora", "dan")] * 2


def test_nobody_approves_their_own_proposal_not_even_with_another_key() -> None:
    story = Story().issued()
    number = story.proposes("dora", SUSPEND, key="k-1")
    for key in ("k-1", "k-2"):
        with story.refusing(errors.SecondPersonNeeded, person="dora"):
            story.approves("dora", number, key=key)


@pytest.mark.parametrize("role", ["registrar", "assessor", "applicant", "auditor", "administrator", "clock"])
def test_a_proposal_is_approved_by_a_decision_maker(role: str) -> None:
    story = Story().issued()
    number = story.proposes("dora", SUSPEND)
    with story.refusing(errors.RoleNotAllowed, role=role, act="approve suspend"):
        story.approves("dan", number, role=role)


def test_a_correction_is_proposed_by_a_registrar_or_decision_maker_and_approved_by_a_decision_maker() -> None:
    story = Story().issued()
    with story.refusing(errors.RoleNotAllowed, role="assessor"):
        story.proposes("bob", CORRECT)
    number = story.proposes("reg", CORRECT)
    with story.refusing(errors.RoleNotAllowed, role="registrar"):
        story.approves("dan", number, role="registrar")
    story.approves("dan", number)


def test_an_approval_quotes_the_digest_of_what_is_approved() -> None:
    story = Story().issued()
    number = story.proposes("dora", SUSPEND)
    other = c.digest_of(story.certificate.id, c.Suspend(reasons=reasons("mark_misused"), ends_on=day("2024-03-01")))
    for digest in (other, "0" * 64):
        with story.refusing(errors.DigestDiffers, proposal=number, digest=digest):
            story.approves("dan", number, digest)
    story.approves("dan", number, c.digest_of(story.certificate.id, SUSPEND))


def test_a_digest_is_of_one_certificate_one_act_and_one_body() -> None:
    one, other = Story().certificate.id, Story().certificate.id.__class__(int=7)
    digests = {c.digest_of(id, command) for id in (one, other) for command in (SUSPEND, WITHDRAW, c.Issue())}
    assert len(digests) == 6


def test_a_proposal_is_approved_until_the_day_it_lapses() -> None:
    for today in around("2024-02-14"):
        story = Story().issued()
        number = story.proposes("dora", SUSPEND)
        assert story.last.expires_on == day("2024-02-14"), "30 days"
        story.on(today)
        if today <= day("2024-02-14"):
            story.approves("dan", number)
            continue
        with story.refusing(errors.ProposalLapsed, expires_on=day("2024-02-14")):
            story.approves("dan", number)
        with story.refusing(errors.ProposalLapsed):
            story.rejects("dan", number)


def test_an_act_for_a_later_day_is_a_proposal_that_can_be_approved_from_that_day_on() -> None:
    later = c.Suspend(reasons=reasons("mark_misused"), effective_on=day("2024-03-01"))
    story = Story().issued()
    number = story.proposes("dora", later)
    assert (story.last.act_on, story.last.expires_on) == (day("2024-03-01"), day("2024-03-31"))
    before, the_day, after = around("2024-03-01")
    with story.on(before).refusing(errors.ProposalNotYet, act_on=the_day):
        story.approves("dan", number)
    story.on(after).approves("dan", number)
    assert [story.status_on(on) for on in (before, the_day, after)] == ["active", "suspended", "suspended"]


def test_a_cancellation_for_a_later_day_is_a_proposal_of_the_holders() -> None:
    story = Story().issued()
    with story.refusing(errors.DayInFuture, on=day("2024-03-01")):
        story.cancelled(effective_on=day("2024-03-01"))
    cancel = c.Cancel(reasons=reasons("holder_request"), effective_on=day("2024-03-01"), request_sha256="0" * 64)
    number = story.proposes("holder", cancel)
    story.on("2024-03-01").approves("reg", number)
    assert story.certificate.status == "cancelled"


def test_a_proposal_for_a_day_past_the_last_valid_one_is_refused_when_it_is_made() -> None:
    story = Story().issued().on("2026-12-20")
    with story.refusing(errors.NotAllowedInStatus, status="expired"):
        story.proposes("dora", c.Suspend(reasons=reasons("mark_misused"), effective_on=day("2027-01-15")))


def test_what_would_be_refused_cannot_be_proposed() -> None:
    story = Story().issued()
    with story.refusing(errors.NotAllowedInStatus, status="active"):
        story.proposes("dora", c.Reinstate(grounds="put right"))
    with story.refusing(errors.StoodOnTeam, person="ana"):
        story.proposes("ana", c.Withdraw(reasons=reasons("requirements_not_met")), role="decision_maker")


def test_an_approval_decides_again_on_the_state_of_its_moment() -> None:
    story = Story().issued()
    first, second = story.proposes("dora", SUSPEND), story.proposes("dina", WITHDRAW)
    story.approves("dan", second)
    with story.refusing(errors.NotAllowedInStatus, status="withdrawn"):
        story.approves("dan", first)


def test_an_approval_decides_again_who_may_sign() -> None:
    story = Story().issued().on("2024-07-01")
    case = story.visit_opened()
    number = story.proposes("dora", SUSPEND)
    story.planned(case, team=("dora",))
    with story.refusing(errors.StoodOnTeam, person="dora", case=case):
        story.approves("dan", number)


def test_of_two_proposals_of_one_decision_one_takes_effect_and_the_other_is_refused() -> None:
    story = Story()
    case = story.graded()
    grant, refuse = (
        c.Decide(case=case, outcome="grant"),
        c.Decide(case=case, outcome="refuse", reasons=reasons("evidence_insufficient")),
    )
    first, second = story.proposes("dora", grant), story.proposes("dina", refuse)
    story.approves("dan", second)
    with story.refusing(errors.NotAllowedAtStage, stage="closed"):
        story.approves("dan", first)


def test_the_day_of_an_act_that_names_none_is_the_day_of_its_approval() -> None:
    story = Story().issued()
    number = story.proposes("dora", SUSPEND)
    story.on("2024-01-20").approves("dan", number)
    assert story.last.effective_on == day("2024-01-20")


def test_a_proposal_is_used_once() -> None:
    story = Story().issued()
    number = story.proposes("dora", SUSPEND)
    story.approves("dan", number)
    for again in (story.approves, story.rejects):
        with story.refusing(errors.ProposalClosed, proposal=number, state="approved"):
            again("dina", number)


def test_a_proposal_stays_used_also_if_what_came_of_it_was_voided() -> None:
    story = Story().issued()
    rejected, number = story.proposes("dora", SUSPEND), story.proposes("dora", SUSPEND)
    story.rejects("dan", rejected)
    story.approves("dan", number)
    story.corrected(story.version_of(e.CertificateSuspended), void=True)
    with story.refusing(errors.ProposalClosed, proposal=number, state="approved"):
        story.approves("dina", number)
    with story.refusing(errors.ProposalClosed, proposal=rejected, state="rejected"):
        story.approves("dina", rejected)


def test_a_proposal_is_rejected_by_its_author_or_by_who_might_have_approved_it() -> None:
    for person in ("dora", "dan"):
        story = Story().issued()
        number = story.proposes("dora", SUSPEND)
        story.rejects(person, number)
        assert (type(story.last), story.last.proposal) == (e.ProposalRejected, number)
        with story.refusing(errors.ProposalClosed, state="rejected"):
            story.approves("dina", number)
    story = Story().issued()
    number = story.proposes("dora", SUSPEND)
    with story.refusing(errors.RoleNotAllowed, role="registrar"):
        story.rejects("reg", number)


def test_an_unknown_proposal_is_named_and_so_are_the_open_ones() -> None:
    story = Story().issued()
    with story.refusing(errors.ProposalUnknown, proposal=99, open="none"):
        story.approves("dan", 99, "0" * 64)
    number = story.proposes("dora", SUSPEND)
    with story.refusing(errors.ProposalUnknown, open=str(number)):
        story.rejects("dan", 99)


def test_what_the_clock_owes_comes_before_the_proposal_and_before_the_approval() -> None:
    story = Story().issued().on("2025-10-20")
    number = story.proposes("dora", SUSPEND)
    assert story.names[-2:] == ["SurveillanceDue", "ActProposed"]
    story.on("2025-11-10").approves("dan", number)
    assert story.names[-1] == "CertificateSuspended"
    number = story.proposes("dora", WITHDRAW)
    story.on("2026-01-20")
    number = story.proposes("dora", WITHDRAW)
    assert story.names[-2:] == ["SurveillanceOverdue", "ActProposed"]
    story.rejects("dan", number)
