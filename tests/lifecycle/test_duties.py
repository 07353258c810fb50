"""Who may sign what: persons are compared, never keys or roles, and who ever stood on a team stands there for ever."""

import dataclasses
from itertools import product

import pytest

from lifecycle import commands as c
from lifecycle import errors
from lifecycle import events as e
from lifecycle.duties import DUTIES
from tests.lifecycle.story import EDITION, ORGANISATION, Story, day, reasons

PERSONS = ("p1", "p2", "p3", "p4")
PARTS = ("assessor", "reviewer", "proposer", "approver", "handler")


def told(parts: dict[str, str], *, reviewer_may_sign: bool) -> str:
    """The first act that was refused, or "" if a certificate was granted and an appeal against the grant decided.

    Each person acts with another key, and in the role that the act needs.
    """
    story = Story()
    story.editions[EDITION] = dataclasses.replace(story.editions[EDITION], reviewer_may_sign=reviewer_may_sign)
    story.conflicts |= dict.fromkeys(PERSONS, frozenset())
    case = story.applies()
    story.accepted(case)
    story.planned(case, team=(parts["assessor"],))
    record = c.RecordAssessment(case=case, on_site_from=story.today, on_site_to=story.today, findings=story.findings())
    story.does(parts["assessor"], record, role="assessor", key="k1")
    grant = c.Decide(case=case, outcome="grant")
    act = "review"
    try:
        story.does(parts["reviewer"], c.ReviewAssessment(case=case, recommendation="x"), role="assessor", key="k2")
        act = "propose"
        number = story.proposes(parts["proposer"], grant, role="decision_maker", key="k3")
        act = "approve"
        story.approves(parts["approver"], number, role="decision_maker", key="k4")
        act = "handle"
        story.does("holder", c.LodgeAppeal(against=len(story.history), grounds="we differ"))
        settle = c.DecideDispute(case=story.case("appeal"), upheld=True, grounds="x")
        story.does(parts["handler"], settle, role="decision_maker", key="k5")
    except (errors.StoodOnTeam, errors.ReviewedCase, errors.SecondPersonNeeded, errors.InvolvedInAppealed):
        return act
    return ""


def lawful_until(parts: dict[str, str], *, reviewer_may_sign: bool) -> str:
    """The same, from domain.md, section 4, "Two persons"."""
    if parts["reviewer"] == parts["assessor"]:
        return "review"
    barred = {parts["assessor"]} | (set() if reviewer_may_sign else {parts["reviewer"]})
    if parts["proposer"] in barred:
        return "propose"
    if parts["approver"] in barred | {parts["proposer"]}:
        return "approve"
    if parts["handler"] in {parts["assessor"], parts["proposer"], parts["approver"]}:
        return "handle"
    return ""


@pytest.mark.parametrize("reviewer_may_sign", [True, False])
@pytest.mark.parametrize("assessor", PERSONS)
def test_of_all_assignments_of_four_persons_only_the_lawful_ones_pass(assessor: str, reviewer_may_sign: bool) -> None:
    passed = 0
    for others in product(PERSONS, repeat=4):
        parts = dict(zip(PARTS, (assessor, *others), strict=True))
        refused_at = told(parts, reviewer_may_sign=reviewer_may_sign)
        assert refused_at == lawful_until(parts, reviewer_may_sign=reviewer_may_sign), parts
        passed += not refused_at
    assert passed == (18 if reviewer_may_sign else 6), "of 256"


def two_by_two(story: Story, command: c.Command, persons: tuple[str, ...] = PERSONS) -> set[tuple[str, str]]:
    """The pairs of proposer and approver who may sign the act."""
    passed, start = set(), list(story.history)
    for pair in product(persons, repeat=2):
        story.history = list(start)
        try:
            number = story.proposes(pair[0], command, role="decision_maker")
            story.approves(pair[1], number, role="decision_maker")
        except errors.Refusal:
            continue
        passed.add(pair)
    story.history = start
    return passed


FREE = {("p3", "p4"), ("p4", "p3")}
"""Who may sign where p1 and p2 stood on the team."""

CASELESS = {
    "suspend": c.Suspend(reasons=reasons("mark_misused")),
    "withdraw": c.Withdraw(reasons=reasons("requirements_not_met")),
    "reinstate": c.Reinstate(grounds="x", closed=reasons("mark_misused")),
    "extend": c.ExtendSuspension(reasons=reasons("mark_misused"), ends_on=day("2024-09-01")),
}


def visited_by(*team: str, replanned: tuple[str, ...] = (), recorded: tuple[str, ...] | None = None) -> Story:
    """A certificate with a visit recorded by the first of the team planned last."""
    story = Story().issued().on("2024-07-15")
    story.conflicts |= dict.fromkeys(PERSONS, frozenset())
    case = story.visit_opened()
    story.planned(case, team=team)
    if replanned:
        story.planned(case, team=replanned)
    record = c.RecordAssessment(
        case=case, on_site_from=story.today, on_site_to=story.today, findings=story.findings(), team=recorded
    )
    story.does((replanned or team)[0], record, role="assessor")
    return story


@pytest.mark.parametrize(
    "story",
    [
        visited_by("p1", "p2"),
        visited_by("p1", replanned=("p2",)),
        visited_by("p1", recorded=("p2",)),
        visited_by("p1", replanned=("p2",), recorded=("p2",)),
    ],
    ids=["team of two", "replanned", "another team recorded", "replanned and recorded"],
)
def test_who_ever_stood_on_a_team_signs_no_act_of_that_case(story: Story) -> None:
    case = story.case("visit")
    assert two_by_two(story, c.Decide(case=case, outcome="maintain")) == FREE
    assert two_by_two(story, c.Suspend(case=case, reasons=reasons("mark_misused"))) == FREE
    assert two_by_two(story, c.Withdraw(case=case, reasons=reasons("requirements_not_met"))) == FREE


@pytest.mark.parametrize("act", CASELESS)
def test_leaving_the_case_out_is_no_way_round(act: str) -> None:
    for story in (visited_by("p1", "p2"), visited_by("p1", replanned=("p2",))):
        if act in ("reinstate", "extend"):
            story.suspended(ends_on=day("2024-08-01"))
        assert two_by_two(story, CASELESS[act]) == FREE, "the visit is open"
        story.decided(story.case("visit"), "maintain")
        assert two_by_two(story, CASELESS[act]) == FREE, "it is decided, and still the last"


def test_the_team_of_a_planned_visit_signs_no_suspension() -> None:
    story = Story().issued().on("2024-07-15")
    story.conflicts |= dict.fromkeys(PERSONS, frozenset())
    story.planned(story.visit_opened(), team=("p1", "p2"))
    assert two_by_two(story, CASELESS["suspend"]) == FREE


def test_the_case_assessed_last_counts_not_the_case_opened_last() -> None:
    story = Story().issued().on("2024-07-15")
    story.conflicts |= dict.fromkeys(PERSONS, frozenset())
    regrade = story.applies("regrade")
    story.accepted(regrade)
    story.planned(regrade, team=("ana", "p1", "p2"))
    story.visited()
    story.on("2024-08-15").assessed(regrade, story.findings("10"))
    story.reviewed(regrade)
    story.decided(regrade, "change_grade")
    assert two_by_two(story, CASELESS["suspend"]) == FREE


def test_who_stood_on_the_team_signs_no_correction_of_its_record() -> None:
    story = visited_by("p1", "p2")
    change = e.Change("/findings/6/marks", "4", "3")
    correct = c.Correct(target=story.version_of(e.SurveillanceRecorded), reason="a slip", changes=(change,))
    assert two_by_two(story, correct) == FREE


def test_who_made_a_visit_that_was_voided_still_stood_on_its_team() -> None:
    story = visited_by("p1", recorded=("p1", "p2"))
    story.corrected(story.version_of(e.SurveillanceRecorded), void=True)
    assert two_by_two(story, CASELESS["suspend"]) == FREE


def test_a_reviewer_was_not_on_the_team_even_if_replanned_since() -> None:
    story = Story()
    case = story.applies()
    story.accepted(case)
    story.planned(case, team=("rev", "bob"))
    story.planned(case, team=("ana",))
    story.assessed(case)
    for person in ("rev", "bob", "ana"):
        with story.refusing(errors.StoodOnTeam, person=person):
            story.does(person, c.ReviewAssessment(case=case, recommendation="x"), role="assessor")
    story.reviewed(case, by="dina")


def test_only_the_planned_team_records_and_closes() -> None:
    story = Story()
    case = story.applies()
    story.accepted(case)
    story.planned(case, team=("ana",))
    with story.refusing(errors.NotOnTeam, person="bob", team="ana"):
        story.assessed(case, by="bob")
    story.assessed(case, story.findings(nonconforming=("6",)))
    with story.refusing(errors.NotOnTeam, person="bob"):
        story.does("bob", c.CloseNonconformity(case=case, element="6"))


def test_both_who_signed_a_back_dated_review_are_its_reviewers() -> None:
    story = Story()
    story.editions[EDITION] = dataclasses.replace(story.editions[EDITION], reviewer_may_sign=False)
    case = story.applies()
    story.accepted(case)
    story.planned(case)
    story.assessed(case)
    review = c.ReviewAssessment(case=case, recommendation="x", effective_on=story.today)
    story.on("2024-03-15").both(review, persons=("rev", "dina"))
    for person in ("rev", "dina"):
        with story.refusing(errors.ReviewedCase, person=person, edition=EDITION):
            story.proposes(person, c.Decide(case=case, outcome="grant"))
    story.decided(case, "grant")


@pytest.mark.parametrize("part", ["plan", "record", "review", "propose", "approve", "handle"])
def test_who_has_an_interest_in_the_organisation_takes_no_part(part: str) -> None:
    story = Story()
    case = story.applies()
    story.accepted(case)
    person = {"plan": "ana", "record": "bob", "review": "rev", "propose": "dora", "approve": "dan", "handle": "dina"}[
        part
    ]
    story.conflicts[person] = frozenset({ORGANISATION})
    refused = story.refusing(errors.ConflictOfInterest, person=person)
    if part == "plan":
        with refused:
            story.planned(case)
        return
    story.planned(case)
    if part == "record":
        with refused:
            story.assessed(case, team=("ana", "bob"))
        return
    story.assessed(case)
    if part == "review":
        with refused:
            story.reviewed(case)
        return
    story.reviewed(case)
    if part == "propose":
        with refused:
            story.proposes("dora", c.Decide(case=case, outcome="grant"))
        return
    number = story.proposes("dora", c.Decide(case=case, outcome="grant"))
    if part == "approve":
        with refused:
            story.approves("dan", number)
        return
    story.approves("dan", number)
    story.does("holder", c.LodgeAppeal(against=len(story.history), grounds="x"))
    with refused:
        story.does("dina", c.DecideDispute(case=story.case("appeal"), upheld=True, grounds="x"))


def test_an_unregistered_person_takes_no_part() -> None:
    story = Story()
    case = story.applies()
    story.accepted(case)
    with story.refusing(errors.PersonUnknown, person="nobody"):
        story.planned(case, team=("nobody",))


def test_an_event_keeps_the_role_and_the_key_of_its_time() -> None:
    story = Story().issued()
    number = story.proposes("dora", CASELESS["suspend"], key="k-1")
    story.approves("dan", number, key="k-2")
    assert story.last.by == e.By("dan", "decision_maker", "k-2")
    assert story.certificate.proposals[number].proposed.by == e.By("dora", "decision_maker", "k-1")


@pytest.mark.parametrize("command", c.COMMANDS.values(), ids=c.COMMANDS)
def test_an_auditor_and_the_clock_do_nothing(command: type[c.Command]) -> None:
    duty = DUTIES[command]
    assert not {"auditor", "clock"} & (duty.by | duty.approved_by)


@pytest.mark.parametrize("command", c.COMMANDS.values(), ids=c.COMMANDS)
def test_a_scheme_manager_makes_rules_and_decides_about_no_certificate(command: type[c.Command]) -> None:
    of_rules = {c.PublishEdition, c.Rehearse, c.ApproveRehearsal, c.Adopt}
    assert ("scheme_manager" in DUTIES[command].by) == (command in of_rules)


@pytest.mark.parametrize("step", ["open", "drop"])
def test_who_stood_on_the_last_team_takes_no_step_of_a_withdrawal(step: str) -> None:
    story = Story().issued()
    if step == "drop":
        story.does("dora", c.ProceedToWithdrawal(step="open", reasons=reasons("requirements_not_met")))
    command = c.ProceedToWithdrawal(step=step, reasons=reasons("requirements_not_met"), grounds="remedied")
    with pytest.raises(errors.StoodOnTeam):
        story.does("ana", command, role="decision_maker", key="another")
