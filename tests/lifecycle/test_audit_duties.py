"""The audit of duties finds each breach in the log alone, whoever wrote it there, and none in a lawful history."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

import msgspec
import pytest

from lifecycle import commands as c
from lifecycle import errors
from lifecycle import events as e
from lifecycle.audit import separation
from lifecycle.audit.persons_known import TOLD_BY, Known
from lifecycle.audit.separation import RULES, breaches
from lifecycle.events import Recorded
from lifecycle.persons.person import id_of
from lifecycle.rules import shipped_editions
from lifecycle.upcast import recorded
from tests.clock.world import in_memory
from tests.lifecycle.story import ORGANISATION, ROLES, Story, reasons

ADMINISTRATOR = e.By("adm", "administrator", "key-adm")
Tampering = Callable[[Story], list[Recorded]]


def story() -> Story:
    """Issued, a visit announced, suspended and reinstated twice, disputed, corrected, a withdrawal begun."""
    told = Story().issued().on("2024-03-01")
    told.does("holder", c.LodgeComplaint(grounds="nobody answers"))
    told.does("dina", c.DecideDispute(case=told.case("complaint"), upheld=False, grounds="looked into"))
    for _ in range(2):
        told.suspended()
        told.reinstated()
    told.appealed(told.version_of(e.CertificateSuspended))
    told.corrected(told.version_of(e.CertificateIssued), e.Change("/holder", "Example Alarm Ltd", "Example Ltd"))
    told.on("2025-12-01").visited()
    told.does("dora", c.ProceedToWithdrawal(step="open", reasons=reasons("requirements_not_met")))
    return told


def said(fact: type[e.Fact], **fields: Any) -> e.Fact:
    stamp = {"effective_on": Story().today, "by": ADMINISTRATOR, "cause": e.Cause("request", "r")}
    return fact(**(stamp | fields))


def known(*facts: tuple[UUID, e.Fact]) -> Known:
    """Everybody registered before anything else, and what is said of them besides."""
    registered = [(id_of(person), said(e.PersonRegistered, person=person)) for person in ROLES]
    made = Known(Recorded(id, 1, fact, 0) for id, fact in [*registered, *facts])
    made.editions = shipped_editions()
    return made


def changed(told: Story, kind: type[e.Fact], place: int = -1, **fields: Any) -> list[Recorded]:
    """The history with a fact rewritten: the last of that kind unless another is meant."""
    version = [r.version for r in told.history if isinstance(r.fact, kind)][place]
    return [
        msgspec.structs.replace(r, fact=msgspec.structs.replace(r.fact, **fields)) if r.version == version else r
        for r in told.history
    ]


def both_changed(told: Story, kind: type[e.Fact], proposer: e.By, **fields: Any) -> list[Recorded]:
    """The last such fact and the proposal that it rests on rewritten."""
    history = changed(told, kind, **fields)
    number = next(r.fact.proposal for r in reversed(history) if isinstance(r.fact, kind))
    return [
        msgspec.structs.replace(r, fact=msgspec.structs.replace(r.fact, by=proposer)) if r.version == number else r
        for r in history
    ]


def by(person: str, role: e.Role = "decision_maker", key: str = "") -> e.By:
    return e.By(person, role, key or f"key-{person}")


def first_proposal(told: Story, act: str) -> int:
    return next(r.version for r in told.history if isinstance(r.fact, e.ActProposed) and r.fact.act == act)


BREACHES: dict[str, tuple[type[errors.Refusal], Tampering]] = {
    "the proposer approved": (
        errors.SecondPersonNeeded,
        lambda s: changed(s, e.CertificateSuspended, by=by("dora"), signed_by=("dora", "dora")),
    ),
    "the proposer approved with another key": (
        errors.SecondPersonNeeded,
        lambda s: changed(s, e.CertificateReinstated, by=by("dora", key="second"), signed_by=("dora", "dan")),
    ),
    "one person alone": (
        errors.SecondPersonNeeded,
        lambda s: changed(s, e.CertificationMaintained, proposal=None, signed_by=()),
    ),
    "the author of a correction approved it": (
        errors.SecondPersonNeeded,
        lambda s: changed(s, e.RecordCorrected, by=by("dora"), signed_by=("dora", "dora")),
    ),
    "back-dated by one person": (
        errors.SecondPersonNeeded,
        lambda s: changed(s, e.WithdrawalOpened, effective_on=s.today - timedelta(days=31)),
    ),
    "who assessed approved": (
        errors.StoodOnTeam,
        lambda s: changed(s, e.CertificationGranted, by=by("ana"), signed_by=("dora", "ana")),
    ),
    "who assessed proposed": (
        errors.StoodOnTeam,
        lambda s: both_changed(s, e.CertificationGranted, by("ana"), signed_by=("ana", "dan")),
    ),
    "who visited decided on the visit": (
        errors.StoodOnTeam,
        lambda s: changed(s, e.CertificationMaintained, by=by("ana"), signed_by=("dora", "ana")),
    ),
    "who assessed suspended": (
        errors.StoodOnTeam,
        lambda s: changed(s, e.CertificateSuspended, by=by("ana"), signed_by=("dora", "ana")),
    ),
    "who visited opened the withdrawal": (errors.StoodOnTeam, lambda s: changed(s, e.WithdrawalOpened, by=by("ana"))),
    "who assessed reviewed": (
        errors.StoodOnTeam,
        lambda s: changed(s, e.AssessmentReviewed, by=by("ana", "assessor")),
    ),
    "who was not on the team assessed": (
        errors.NotOnTeam,
        lambda s: changed(s, e.AssessmentRecorded, by=by("bob", "assessor")),
    ),
    "who signed handled the appeal": (errors.InvolvedInAppealed, lambda s: changed(s, e.AppealDecided, by=by("dan"))),
    "who assessed handled the appeal": (errors.InvolvedInAppealed, lambda s: changed(s, e.AppealDecided, by=by("ana"))),
    "who signed handled the complaint": (
        errors.InvolvedInAppealed,
        lambda s: changed(s, e.ComplaintDecided, by=by("dora")),
    ),
    "an auditor approved": (
        errors.RoleNotAllowed,
        lambda s: changed(s, e.CertificateSuspended, by=by("dan", "auditor")),
    ),
    "an assessor proposed": (
        errors.RoleNotAllowed,
        lambda s: both_changed(s, e.CertificateSuspended, by("dora", "assessor")),
    ),
    "the holder issued": (
        errors.RoleNotAllowed,
        lambda s: changed(s, e.CertificateIssued, by=by("holder", "applicant")),
    ),
    "nobody knows who approved": (
        errors.PersonUnknown,
        lambda s: changed(s, e.CertificationGranted, by=by("ghost"), signed_by=("dora", "ghost")),
    ),
    "it was never proposed": (
        separation.NotAsProposed,
        lambda s: changed(s, e.CertificateSuspended, proposal=999),
    ),
    "something else was proposed": (
        separation.NotAsProposed,
        lambda s: changed(s, e.CertificateSuspended, proposal=first_proposal(s, "decide")),
    ),
    "it had been approved before": (
        separation.NotAsProposed,
        lambda s: changed(s, e.CertificateSuspended, proposal=first_proposal(s, "suspend")),
    ),
    "somebody else is said to have signed": (
        separation.OtherSigners,
        lambda s: changed(s, e.CertificateSuspended, signed_by=("dora", "dina")),
    ),
    "a person played the clock": (
        separation.NotByTheClock,
        lambda s: changed(s, e.SurveillanceDue, by=by("reg", "registrar")),
    ),
    "an act that is none": (separation.NotJudged, lambda s: changed(s, e.ActProposed, act="sing")),
}


def found(history: Sequence[Recorded], facts: Known) -> set[type[errors.Refusal]]:
    return {type(breach.refusal) for breach in breaches(history, facts)}


def test_a_story_told_through_the_decisions_has_no_breach() -> None:
    assert list(breaches(story().history, known())) == []


@pytest.mark.parametrize("name", BREACHES)
def test_each_breach_is_found(name: str) -> None:
    refusal, tampering = BREACHES[name]
    listed = list(breaches(tampering(story()), known()))
    assert refusal in {type(breach.refusal) for breach in listed}
    for breach in listed:
        assert breach.refusal.message("en") != breach.refusal.message("zh")


def test_an_interest_declared_before_is_a_breach_and_one_declared_later_is_none() -> None:
    told = story()
    granted = told.version_of(e.CertificationGranted)
    declared = said(e.ConflictDeclared, organisation=ORGANISATION, grounds="shares")
    for position, breached in ((granted - 1, True), (granted, False)):
        facts = known()
        facts._persons[id_of("dan")].append(Recorded(id_of("dan"), 2, declared, position))
        conflicts = [
            b.version for b in breaches(told.history, facts) if isinstance(b.refusal, errors.ConflictOfInterest)
        ]
        assert (granted in conflicts) == breached


KEYS: dict[str, tuple[tuple[UUID, e.Fact], ...]] = {
    "of another person": ((UUID(int=1), said(e.KeyIssued, key="key-dan", person="dora", role="decision_maker")),),
    "of another role": ((UUID(int=1), said(e.KeyIssued, key="key-dan", person="dan", role="auditor")),),
    "revoked": (
        (UUID(int=1), said(e.KeyIssued, key="key-dan", person="dan", role="decision_maker")),
        (UUID(int=1), said(e.KeyRevoked, key="key-dan")),
    ),
}


@pytest.mark.parametrize("name", KEYS)
def test_a_key_that_was_not_that_persons_in_that_role_is_a_breach(name: str) -> None:
    assert separation.NotOfThatKey in found(story().history, known(*KEYS[name]))
    lawful = (UUID(int=1), said(e.KeyIssued, key="key-dan", person="dan", role="decision_maker"))
    assert found(story().history, known(lawful)) == set()


def test_whoever_acts_after_being_erased_is_a_breach_and_before_it_is_none() -> None:
    told = story()
    granted = told.version_of(e.CertificationGranted)
    for position, breached in ((granted - 1, True), (granted, False)):
        erased = said(e.PersonErased, person="dan", grounds="consent_withdrawn")
        facts = known()
        facts._erased["dan"] = Known([Recorded(id_of("dan"), 2, erased, position)])._erased["dan"]
        listed = [b.version for b in breaches(told.history, facts) if isinstance(b.refusal, separation.NotOfThatKey)]
        assert (granted in listed) == breached


def test_a_team_planned_with_somebody_erased_is_a_breach() -> None:
    facts = known()
    facts._erased["ana"] = 0
    assert errors.PersonErased in {type(each.refusal) for each in breaches(story().history, facts)}


@pytest.mark.parametrize(
    ("by_whom", "breach"),
    [(ADMINISTRATOR, None), (by("dan"), errors.RoleNotAllowed), (by("ana", "administrator"), separation.ErasedOneself)],
)
def test_a_person_is_erased_by_another_an_administrator(by_whom: e.By, breach: type[errors.Refusal] | None) -> None:
    erased = said(e.PersonErased, person="ana", grounds="unlawful", by=by_whom)
    listed = list(breaches([Recorded(id_of("ana"), 2, erased, 7)], known()))
    assert [type(each.refusal) for each in listed] == ([breach] if breach else [])


def test_a_role_that_somebody_gave_to_himself_is_listed() -> None:
    own = said(e.KeyIssued, key="k-1", person="adm", role="decision_maker")
    other = said(e.KeyIssued, key="k-2", person="dan", role="decision_maker")
    history = [Recorded(UUID(int=1), version, fact, version) for version, fact in enumerate((other, own), 1)]
    (breach,) = breaches(history, Known(history))
    assert (breach.version, type(breach.refusal)) == (2, separation.RoleGivenToOneself)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_an_audit_without_one_of_its_rules_misses_something(rule: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutants."""
    monkeypatch.setattr(separation, "RULES", tuple(each for each in RULES if each is not rule))
    histories = [(refusal, tampering(story()), known()) for refusal, tampering in BREACHES.values()]
    histories += [(separation.NotOfThatKey, story().history, known(*facts)) for facts in KEYS.values()]
    assert any(refusal not in found(history, facts) for refusal, history, facts in histories)


@pytest.mark.parametrize("seed", range(6))
def test_a_lawful_world_has_no_breach(seed: int) -> None:
    log = in_memory(seed=seed).lives(900).register.recorder.log
    told = [recorded(f.position, f.originator_id, f.originator_version, f.topic, f.state, f.recorded_at) for f in log]
    facts = Known(each for each in told if isinstance(each.fact, TOLD_BY))
    assert len(told) > 100
    assert [breach for stream in streams(told) for breach in breaches(stream, facts)] == []


def streams(told: Iterable[Recorded]) -> Iterable[list[Recorded]]:
    ordered = sorted(told, key=lambda each: (each.originator_id, each.version))
    return (list(stream) for _, stream in groupby(ordered, key=lambda each: each.originator_id))
