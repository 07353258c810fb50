"""The audit of duties finds who published, approved or adopted an edition without being the one who may."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import msgspec
import pytest

from lifecycle import errors
from lifecycle import events as e
from lifecycle.audit import separation_of_editions as editions
from lifecycle.audit.breach import NotAsProposed, OtherSigners
from lifecycle.audit.persons_known import Known
from lifecycle.audit.separation import breaches
from lifecycle.events import Recorded
from lifecycle.persons.person import id_of
from lifecycle.rules import shipped_editions
from lifecycle.scheme import id_of as scheme_id
from tests.lifecycle.made_up import NEW, TEXT
from tests.lifecycle.story import CSP, EDITION, ORGANISATION, ROLES, Story
from tests.lifecycle.test_adoption import BANDS, REHEARSAL, adopted, edition, told

SAM, SUE = e.By("sam", "scheme_manager", "k-sam"), e.By("sue", "scheme_manager", "k-sue")
DORA, ANA = e.By("dora", "decision_maker", "k-dora"), e.By("ana", "decision_maker", "k-ana2")
Refusal = type[errors.Refusal]


def said(fact: type[e.Fact], by: e.By, **fields: Any) -> e.Fact:
    stamp = {"effective_on": Story().today, "by": by, "cause": e.Cause("request", "r"), "edition": NEW}
    return fact(**(stamp | fields))


def approval(by: e.By) -> e.Fact:
    return said(e.RehearsalApproved, by, digest="0" * 64, log_position=9)


def known(*approvals: e.Fact, more: Sequence[Recorded] = ()) -> Known:
    """Everybody is registered; the edition is sam's."""
    persons = [Recorded(id_of(p), 1, said(e.PersonRegistered, SAM, person=p), 0) for p in (*ROLES, "sam", "sue")]
    made = Known([*persons, *more, *(Recorded(REHEARSAL, n, fact, 0) for n, fact in enumerate(approvals, 3))])
    made.editions, made.authors = {**shipped_editions(), NEW: edition()}, {NEW: "sam"}
    return made


def found(history: Sequence[Recorded], facts: Known) -> set[Refusal]:
    return {type(each.refusal) for each in breaches(history, facts)}


# ---- a certificate that adopted --------------------------------------------------------------------------------------


def taken(kind: type[e.Fact] | None = None, **fields: Any) -> list[Recorded]:
    """A history with an adoption that changed the grade; of one kind of fact the last is rewritten."""
    story = told("6").on("2024-09-01")
    adopted(story, edition(*BANDS["93"], grade="changed"))
    at = story.version_of(kind) if kind else 0
    return [
        msgspec.structs.replace(r, fact=msgspec.structs.replace(r.fact, **fields)) if r.version == at else r
        for r in story.history
    ]


def without_the_adoption() -> list[Recorded]:
    """A grade changed on the pretext of a rehearsal."""
    kept = [each.fact for each in taken() if not isinstance(each.fact, e.EditionAdopted)]
    return [Recorded(UUID(int=1), version, fact, version) for version, fact in enumerate(kept, 1)]


BOTH = (approval(SUE), approval(DORA))
INTEREST = Recorded(id_of("dora"), 2, said(e.ConflictDeclared, SAM, organisation=ORGANISATION, grounds="shares"), 1)
ADOPTIONS: dict[str, tuple[Refusal, Callable[[], list[Recorded]], Known]] = {
    "somebody else is said to have signed": (
        OtherSigners, lambda: taken(e.EditionAdopted, signed_by=("sue", "dan")), known(*BOTH)),
    "the document was signed by somebody else": (
        OtherSigners, lambda: taken(e.CertificateReissued, signed_by=("sue", "dan")), known(*BOTH)),
    "nobody had approved": (OtherSigners, taken, known()),
    "one had approved": (OtherSigners, taken, known(approval(SUE))),
    "two of one role had approved": (OtherSigners, taken, known(approval(SUE), approval(SAM))),
    "who assessed had approved": (
        OtherSigners, lambda: taken(e.EditionAdopted, signed_by=("sue", "ana")), known(approval(SUE), approval(ANA))),
    "who has an interest had approved": (OtherSigners, taken, known(*BOTH, more=[INTEREST])),
    "an auditor had it done": (
        errors.RoleNotAllowed, lambda: taken(e.EditionAdopted, by=e.By("aud", "auditor", "k")), known(*BOTH)),
    "a grade without the edition": (errors.SecondPersonNeeded, without_the_adoption, known(*BOTH)),
}  # fmt: skip


def test_a_certificate_that_adopted_has_no_breach() -> None:
    assert found(taken(), known(*BOTH)) == set()


@pytest.mark.parametrize("name", ADOPTIONS)
def test_each_breach_of_an_adoption_is_found(name: str) -> None:
    refusal, history, facts = ADOPTIONS[name]
    assert refusal in found(history(), facts)


# ---- an edition on its way -------------------------------------------------------------------------------------------

PROPOSED = said(e.EditionProposed, SAM, scheme=CSP, proposed=NEW, digest="1" * 64, text=TEXT, expires_on=Story().today)
PUBLISHED = said(
    e.EditionPublished, SUE, scheme=CSP, published=NEW, digest="1" * 64, text=TEXT, proposal=1,
    signed_by=("sam", "sue"),
)  # fmt: skip
REJECTED = said(e.ProposalRejected, SUE, proposal=1, reason="no")
AUDITOR = e.By("aud", "auditor", "k")


def but(fact: e.Fact, **fields: Any) -> e.Fact:
    return msgspec.structs.replace(fact, **fields)


EDITIONS: dict[str, tuple[Refusal, tuple[e.Fact, ...]]] = {
    "its author published it": (errors.SecondPersonNeeded, (PROPOSED, but(PUBLISHED, by=SAM))),
    "one person alone": (errors.SecondPersonNeeded, (PROPOSED, but(PUBLISHED, proposal=None))),
    "somebody else is said to have signed": (OtherSigners, (PROPOSED, but(PUBLISHED, signed_by=("sam", "sol")))),
    "it was never proposed": (NotAsProposed, (PROPOSED, but(PUBLISHED, proposal=7))),
    "another text was proposed": (NotAsProposed, (but(PROPOSED, digest="2" * 64), PUBLISHED)),
    "an auditor proposed it": (errors.RoleNotAllowed, (but(PROPOSED, by=AUDITOR), PUBLISHED)),
    "an auditor published it": (errors.RoleNotAllowed, (PROPOSED, but(PUBLISHED, by=AUDITOR))),
    "an auditor rejected it": (errors.RoleNotAllowed, (PROPOSED, but(REJECTED, by=AUDITOR))),
    "an auditor approved the rehearsal": (errors.RoleNotAllowed, (approval(AUDITOR),)),
    "its author approved the rehearsal": (errors.AuthorMayNotApprove, (approval(SAM),)),
}


def stream(facts: Sequence[e.Fact]) -> list[Recorded]:
    return [Recorded(scheme_id(CSP), version, fact, version) for version, fact in enumerate(facts, 1)]


@pytest.mark.parametrize("facts", [(PROPOSED, PUBLISHED), (PROPOSED, REJECTED), BOTH])
def test_an_edition_published_or_rejected_by_two_has_no_breach(facts: tuple[e.Fact, ...]) -> None:
    assert found(stream(facts), known()) == set()


def test_what_ships_is_published_by_nobodys_act() -> None:
    shipped = shipped_editions()[EDITION]
    fact = said(e.EditionPublished, AUDITOR, scheme=CSP, published=EDITION, digest=shipped.digest, text=shipped.text)
    assert found(stream([fact]), known()) == set()


@pytest.mark.parametrize("name", EDITIONS)
def test_each_breach_of_an_edition_is_found(name: str) -> None:
    refusal, facts = EDITIONS[name]
    assert refusal in found(stream(facts), known())


@pytest.mark.parametrize("rule", [editions.held_role, *editions.BY_TWO], ids=lambda rule: rule.__name__)
def test_an_audit_without_one_of_its_rules_misses_something(rule: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutants."""
    monkeypatch.setattr(editions, "BY_TWO", tuple(each for each in editions.BY_TWO if each is not rule))
    if rule is editions.held_role:
        monkeypatch.setattr(editions, "held_role", lambda recorded: None)
    looked_at = [(refusal, history(), facts) for refusal, history, facts in ADOPTIONS.values()]
    looked_at += [(refusal, stream(facts), known()) for refusal, facts in EDITIONS.values()]
    assert any(refusal not in found(history, facts) for refusal, history, facts in looked_at)
