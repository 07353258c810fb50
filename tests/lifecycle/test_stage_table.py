"""Every (kind of case, stage, fact): what domain.md allows happens, what it does not is refused and records nothing."""

from collections.abc import Callable
from functools import cache
from itertools import product

import msgspec
import pytest

from lifecycle import commands as c
from lifecycle import decide, errors
from lifecycle import events as e
from lifecycle.certificate import Case, Certificate, evolve
from lifecycle.transitions import STAGE
from tests.lifecycle.expected import CASES, FACTS_OF_A_CASE, KINDS, STAGES
from tests.lifecycle.freeze import example
from tests.lifecycle.story import SHA, Story, day, reasons

FACTS = {cls.__name__: cls for cls in e.FACTS.values()}
TODAY, CASE = day("2024-06-01"), 60
BEFORE_ISSUE = ("CertificationGranted", "CertificateIssued")
ALL_DRAWN = tuple(Story().edition.elements)

Asking = Callable[[Story], c.Command]


def _decide(outcome: str, *because: str) -> Asking:
    return lambda story: c.Decide(case=CASE, outcome=outcome, reasons=reasons(*because))


def _plan(story: Story) -> c.Command:
    return c.Plan(case=CASE, team=("ana",), on_site_from=TODAY, on_site_to=TODAY)


def _record(story: Story) -> c.Command:
    return c.RecordAssessment(case=CASE, on_site_from=TODAY, on_site_to=TODAY, findings=story.findings())


def _settle(story: Story) -> c.Command:
    return c.DecideDispute(case=CASE, upheld=True, grounds="looked into")


NO_VISIT = tuple(kind for kind in KINDS if kind != "visit")
NO_COMPLAINT = tuple(kind for kind in KINDS if kind != "complaint")

ASKED: dict[str, tuple[tuple[str, ...], str, Asking]] = {
    "ApplicationAccepted": (KINDS, "reg", lambda _: c.ReviewApplication(case=CASE, outcome="accepted")),
    "ApplicationRejected": (
        KINDS, "reg", lambda _: c.ReviewApplication(case=CASE, outcome="rejected", reasons=reasons("outside_scheme"))
    ),
    "ApplicationWithdrawn": (KINDS, "holder", lambda _: c.WithdrawApplication(case=CASE)),
    "AssessmentPlanned": (NO_VISIT, "reg", _plan),
    "SurveillancePlanned": (("visit",), "reg", _plan),
    "AssessmentRecorded": (NO_VISIT, "ana", _record),
    "SurveillanceRecorded": (("visit",), "ana", _record),
    "NonconformityClosed": (KINDS, "ana", lambda _: c.CloseNonconformity(case=CASE, element="6", evidence=(SHA,))),
    "AssessmentReviewed": (KINDS, "rev", lambda _: c.ReviewAssessment(case=CASE, recommendation="grant")),
    "CertificationGranted": (KINDS, "dora", _decide("grant")),
    "CertificationRefused": (KINDS, "dora", _decide("refuse", "evidence_insufficient")),
    "CertificationMaintained": (KINDS, "dora", _decide("maintain")),
    "GradeChanged": (KINDS, "dora", _decide("change_grade")),
    "CertificateRenewed": (KINDS, "dora", _decide("renew")),
    "CertificateIssued": (("initial",), "reg", lambda _: c.Issue()),
    "CertificateSuspended": (KINDS, "dora", lambda _: c.Suspend(case=CASE, reasons=reasons("requirements_not_met"))),
    "CertificateWithdrawn": (KINDS, "dora", lambda _: c.Withdraw(case=CASE, reasons=reasons("requirements_not_met"))),
    "AppealDecided": (NO_COMPLAINT, "dina", _settle),
    "ComplaintDecided": (("complaint",), "dina", _settle),
}  # fmt: skip
"""For each fact that a command asks for in a case: the kinds of case in which it can be asked for, by whom, and how."""

TRIPLES = list(product(KINDS, STAGES, FACTS_OF_A_CASE))
ASKABLE = [(kind, stage, fact) for kind, stage, fact in TRIPLES if fact in ASKED and kind in ASKED[fact][0]]


def test_the_table_of_stages_is_the_domains() -> None:
    assert {(kind, stage, fact.__name__): after for (kind, stage, fact), after in STAGE.items()} == CASES


def test_what_no_command_asks_for_in_a_case_comes_with_another_fact_or_from_the_clock() -> None:
    assert set(FACTS_OF_A_CASE) - set(ASKED) == {"GradeDetermined", "CertificateReissued", "SurveillanceDue"}


@pytest.mark.parametrize(("kind", "stage", "fact"), TRIPLES)
def test_reading_a_fact_moves_a_case_on_only_where_the_domain_says_so(kind: str, stage: str, fact: str) -> None:
    certificate = standing_at(kind, stage, fact).certificate
    evolve(certificate, CASE + 1, msgspec.structs.replace(example(FACTS[fact]), case=CASE, proposal=None))
    assert certificate.cases[CASE].stage == CASES.get((kind, stage, fact), stage)


@pytest.mark.parametrize(("kind", "stage", "fact"), [triple for triple in ASKABLE if triple in CASES])
def test_a_fact_happens_at_every_stage_the_domain_names(kind: str, stage: str, fact: str) -> None:
    at = standing_at(kind, stage, fact)
    facts = at.carries_out(ASKED[fact])
    assert FACTS[fact] in [type(each) for each in facts]
    after = at.after(facts).cases[CASE].stage
    assert after == ("graded" if fact == "AssessmentReviewed" else CASES[kind, stage, fact]), "graded with the review"


@pytest.mark.parametrize(("kind", "stage", "fact"), [triple for triple in ASKABLE if triple not in CASES])
def test_a_fact_happens_at_no_other_stage(kind: str, stage: str, fact: str) -> None:
    at = standing_at(kind, stage, fact)
    with pytest.raises(errors.NotAllowedAtStage) as refused:
        at.carries_out(ASKED[fact])
    assert refused.value.facts["stage"] == stage
    assert set(refused.value.facts["allowed"].split(", ")) == (_stages_of(kind, fact) or {"none"})


class At:
    """A certificate with one case, of a kind and at a stage."""

    def __init__(self, story: Story, certificate: Certificate) -> None:
        self.story, self.certificate = story, certificate

    def carries_out(self, asked: tuple[tuple[str, ...], str, Asking]) -> list[e.Fact]:
        """What the command records, by one person or by two."""
        _, person, command = asked
        moment = self.story.moment(person)
        if not decide.needs_second(self.certificate, command(self.story), moment):
            return decide.decide(self.certificate, command(self.story), moment)
        (proposed,) = decide.propose(self.certificate, command(self.story), moment)
        evolve(self.certificate, number := self.certificate.version + 1, proposed)
        return decide.approve(self.certificate, number, proposed.digest, self.story.moment("dan"))

    def after(self, facts: list[e.Fact]) -> Certificate:
        for fact in facts:
            evolve(self.certificate, self.certificate.version + 1, fact)
        return self.certificate


def standing_at(kind: str, stage: str, fact: str) -> At:
    """The fact would be lawful in that case for every reason but, perhaps, its kind and stage."""
    story = Story()
    story.history = list((_applied if fact in BEFORE_ISSUE else _issued)())
    certificate = story.on(TODAY).certificate
    application = certificate.cases[1].application
    lost = "10" if fact == "GradeChanged" else "0"
    nonconforming = ("6",) if fact == "NonconformityClosed" else ()
    findings = {found.element: found for found in story.findings(lost, nonconforming)}
    certificate.cases = {
        CASE: Case(
            kind, CASE, TODAY, stage,
            last_on=TODAY, team=frozenset({"ana"}), planned_team=("ana",), reviewers=frozenset({"rev"}),
            application=application, draw=ALL_DRAWN, quota=1, assessment=1, on_site_to=TODAY, findings=findings,
            grade=_grade("four_star" if fact == "GradeChanged" else "five_star"), against=1,
        )
    }  # fmt: skip
    certificate.findings, certificate.version = findings, CASE
    certificate.unsupported = {1: TODAY}
    return At(story, certificate)


@cache
def _applied() -> tuple:
    story = Story()
    story.applies()
    return tuple(story.history)


@cache
def _issued() -> tuple:
    return tuple(Story().issued().history)


def _grade(level: str) -> e.GradeDetermined:
    return msgspec.structs.replace(example(e.GradeDetermined), level=level)


def _stages_of(kind: str, fact: str) -> set[str]:
    return {stage for k, stage, f in CASES if (k, f) == (kind, fact)}
