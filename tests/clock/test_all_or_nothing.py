"""Whatever row of a command fails, nothing of it is recorded; and whenever its process dies, it has one effect."""

from __future__ import annotations

import random
from collections.abc import Callable, Generator
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from eventsourcing.persistence import PersistenceError

from lifecycle import commands as c
from lifecycle import events as e
from lifecycle.sql import load
from tests.clock.acts import Act
from tests.clock.killed import FORK, Killed, a_moment
from tests.clock.serving import application, serve
from tests.clock.told import Told
from tests.clock.world import World, asked, carry_out
from tests.databases import Database

SQL = load("faults", "tests.clock")


# ---- a row that fails ----


class Faults:
    """The owner, who can make any row fail."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection
        connection.execute(SQL["create_fault"])

    def refuse(self, place: int) -> None:
        """The row with that place among those written from now on is refused; 0 refuses none."""
        self.connection.execute(SQL["restart_counting"])
        self.connection.execute(SQL["set_fault"], {"at": place})

    def everything(self) -> list[tuple[str, ...]]:
        return self.connection.execute(SQL["select_everything"]).fetchall()


@pytest.fixture
def faults(database: Database) -> Generator[Faults]:
    with psycopg.connect(database.owner_url, autocommit=True) as connection:
        yield Faults(connection)


def applying(told: Told) -> Act:
    return Act("holder", application(told.organisation))


def review(told: Told) -> Act:
    case = told.applied()
    today = told.present.today
    told.does("reg", c.ReviewApplication(case=case, outcome="accepted"))
    told.does("reg", c.Plan(case=case, team=("ana",), on_site_from=today, on_site_to=today))
    told.does("ana", told.findings(case, told.register.editions["CSP-S01-001:2021"].elements, 0))
    return Act("rev", c.ReviewAssessment(case=case, recommendation="as found"))


def issue(told: Told) -> Act:
    told.granted()
    return Act("reg", c.Issue())


def withdrawal(told: Told) -> Act:
    return told.issued().proposes(c.Withdraw(reasons=(e.Reason("requirements_not_met"),)))


def regrade(told: Told) -> Act:
    told.issued()
    told.present.move(days=30)
    return told.proposes(c.Decide(case=told.graded("regrade", lost=10), outcome="change_grade"))


def suspension_long_due(told: Told) -> Act:
    """The clock has facts to record first."""
    told.issued()
    told.present.move(days=800)
    return Act("dora", c.Suspend(reasons=(e.Reason("mark_misused"),)))


ROWS: dict[Callable[[Told], Act], int] = {
    applying: 3,  # certificate, organisation, receipt
    review: 3,  # two facts, receipt
    issue: 4,  # certificate, series, claim, receipt
    withdrawal: 3,  # certificate, organisation's bar, receipt
    regrade: 5,  # change of grade, re-issue, series, claim, receipt
    suspension_long_due: 4,  # due, overdue, proposal, receipt
}


@pytest.mark.parametrize("thought_of", ROWS)
def test_whatever_row_fails_nothing_of_the_command_is_recorded(
    world: World, faults: Faults, thought_of: Callable[[Told], Act]
) -> None:
    told = Told(world)
    act = thought_of(told)
    request = asked(act.person, act.command, "the same each time")
    before = faults.everything()
    for place in range(1, ROWS[thought_of] + 1):
        faults.refuse(place)
        with pytest.raises(PersistenceError):
            carry_out(told.register, request, told.id, act)
        assert faults.everything() == before
    faults.refuse(ROWS[thought_of] + 1)
    answer = carry_out(told.register, request, told.id, act)
    assert len(faults.everything()) == len(before) + ROWS[thought_of]
    assert carry_out(told.register, request, told.id, act) == answer


# ---- a process that dies ----


@pytest.mark.parametrize("commands", [50, pytest.param(500, marks=pytest.mark.figures)])
def test_so_many_commands_killed_on_their_way_have_as_many_effects(
    world: World, database: Database, commands: int
) -> None:
    organisation, recorded = world.new_organisation(), 0
    command = application(organisation)
    for number in range(commands):
        id, request = uuid4(), asked("holder", command, f"application-{number}")
        kill_on_its_way(database, organisation, id, request.idempotency_key)
        recorded += world.register.recorder.find_receipt("holder", request.idempotency_key) is not None
        answer = world.register.execute(request, command, id)
        assert world.register.execute(request, command, id) == answer
        assert world.register.certificate(id).version == 1
    entered = [r.fact for r in world.register.events.get(organisation) if isinstance(r.fact, e.ApplicationEntered)]
    assert len(entered) == commands
    assert 0 < recorded < commands, "some died before their effect, and some after"


def kill_on_its_way(database: Database, organisation: UUID, id: UUID, key: str) -> None:
    """The process is dead, a moment after it was asked."""
    here, there = FORK.Pipe()
    process = Killed(serve, database.service_url, organisation, id, key, there)
    process.start()
    there.close()
    here.recv()
    here.send("go")
    a_moment(2 ** random.randrange(8, 24))  # from a blink to longer than a command takes on a busy machine
    process.kill()
