"""Decisions that exclude each other, at the same moment: one lawful outcome, and no unlawful state at any time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import Any

import pytest

from lifecycle import commands as c
from lifecycle import errors
from lifecycle import events as e
from lifecycle.service import Answer
from tests.clock.acts import Act
from tests.clock.laws import unlawful
from tests.clock.mutants import Overriding
from tests.clock.told import Told
from tests.clock.world import Present, World
from tests.databases import Database

MISUSE = (e.Reason("mark_misused"),)
UNMET = (e.Reason("requirements_not_met"),)
ASKED = (e.Reason("holder_request"),)
Race = Callable[[Told], list[Act]]


def suspend_and_renew(told: Told) -> list[Act]:
    told.issued()
    told.present.move(days=900)
    renew = c.Decide(case=told.graded("renewal"), outcome="renew")
    return [told.proposes(c.Suspend(reasons=MISUSE)), told.proposes(renew)]


def withdraw_and_cancel(told: Told) -> list[Act]:
    told.issued()
    return [told.proposes(c.Withdraw(reasons=UNMET)), Act("holder", c.Cancel(reasons=ASKED))]


def open_a_withdrawal_and_cancel(told: Told) -> list[Act]:
    told.issued()
    return [Act("dan", c.ProceedToWithdrawal(step="open", reasons=UNMET)), Act("holder", c.Cancel(reasons=ASKED))]


def two_deciders(told: Told) -> list[Act]:
    grant = c.Decide(case=told.graded(), outcome="grant")
    return [told.proposes(grant), told.proposes(grant, "rev")]


def grant_and_refuse(told: Told) -> list[Act]:
    case = told.graded()
    refuse = c.Decide(case=case, outcome="refuse", reasons=(e.Reason("evidence_insufficient"),))
    return [told.proposes(c.Decide(case=case, outcome="grant")), told.proposes(refuse)]


def two_approvals_of_one_proposal(told: Told) -> list[Act]:
    told.issued()
    first = told.proposes(c.Suspend(reasons=MISUSE))
    return [first, first._replace(person="rev")]


def approval_and_rejection(told: Told) -> list[Act]:
    told.issued()
    approval = told.proposes(c.Suspend(reasons=MISUSE))
    return [approval, Act("rev", c.Reject(reason="not so"), approval.proposal)]


def two_issues(told: Told) -> list[Act]:
    told.granted()
    return [Act("reg", c.Issue()), Act("reg", c.Issue())]


def reinstate_and_withdraw(told: Told) -> list[Act]:
    told.issued().suspended()
    reinstate = c.Reinstate(grounds="put right", closed=MISUSE)
    return [told.proposes(reinstate), told.proposes(c.Withdraw(reasons=UNMET))]


EXCLUSIVE: list[Race] = [
    withdraw_and_cancel,
    open_a_withdrawal_and_cancel,
    two_deciders,
    two_approvals_of_one_proposal,
    approval_and_rejection,
    two_issues,
]
"""After either the other is not lawful any more."""

IN_ONE_ORDER: list[Race] = [suspend_and_renew, reinstate_and_withdraw, grant_and_refuse]
"""One is lawful after the other; the other way round it is not."""


def at_once(acts: Sequence[Callable[[], Any]]) -> list[Any]:
    """What each answers or is refused with, all asked in threads of their own at the same moment."""
    barrier = Barrier(len(acts))

    def ask(act: Callable[[], Any]) -> Any:
        barrier.wait()
        try:
            return act()
        except errors.Refusal as refusal:
            return refusal

    with ThreadPoolExecutor(len(acts)) as threads:
        return list(threads.map(ask, acts))


ROUNDS = [
    pytest.param(3, id="few"),
    pytest.param(25, id="many", marks=pytest.mark.figures),
]


@pytest.mark.parametrize("rounds", ROUNDS)
@pytest.mark.parametrize("race", [*EXCLUSIVE, *IN_ONE_ORDER])
def test_of_two_decisions_at_once_one_wins_and_nothing_is_unlawful(world: World, race: Race, rounds: int) -> None:
    for _ in range(rounds):
        told = Told(world, world.new_organisation())
        acts = race(told)
        before = told.certificate.version
        answers = at_once([partial(told.does, *act) for act in acts])
        won = [answer for answer in answers if isinstance(answer, Answer)]
        lost = [answer for answer in answers if isinstance(answer, errors.Refusal)]
        assert len(won) == 1 or (race in IN_ONE_ORDER and len(won) == 2)
        assert all(refusal.kind in ("state", "conflict") for refusal in lost)
        assert told.certificate.version == before + sum(len(answer.events) for answer in won)
        assert list(unlawful(told.certificate.history)) == []


@pytest.mark.parametrize("rounds", ROUNDS)
def test_certificates_issued_at_once_have_different_numbers(world: World, rounds: int) -> None:
    for _ in range(rounds):
        four = [Told(world).granted() for _ in range(4)]
        answers = at_once([partial(told.does, "reg", c.Issue()) for told in four])
        assert len({answer.certificate_number for answer in answers}) == 4


@pytest.mark.parametrize("rounds", ROUNDS)
def test_a_withdrawal_and_an_application_of_one_holder_do_not_cross(world: World, rounds: int) -> None:
    """Either the application was first, or the bar stands in its way."""
    for _ in range(rounds):
        organisation = world.new_organisation()
        held, new = Told(world, organisation).issued(), Told(world, organisation)
        withdrawal = held.proposes(c.Withdraw(reasons=UNMET))
        withdrawn, applied = at_once([partial(held.does, *withdrawal), new.applied])
        assert isinstance(withdrawn, Answer)
        entries = [type(recorded.fact) for recorded in world.register.events.get(organisation)][2:]
        if isinstance(applied, errors.Refusal):
            assert isinstance(applied, errors.Barred)
            assert entries == [e.BarImposed]
        else:
            assert entries == [e.ApplicationEntered, e.BarImposed]


def test_a_service_that_appends_what_it_decided_before_a_conflict_is_found_out(
    world: World, database: Database, present: Present
) -> None:
    world.register = Overriding({"CERTLIFE_DATABASE_URL": database.service_url}, present)
    world.register.open()
    assert any(unlawful_together(Told(world)) for _ in range(50))
    world.register.close()


def unlawful_together(told: Told) -> list[str]:
    at_once([partial(told.does, *act) for act in two_deciders(told)])
    return list(unlawful(told.certificate.history))
