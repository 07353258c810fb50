"""Adopters killed at any moment, and two at once: each certificate takes the edition once, whole or not at all."""

from __future__ import annotations

import threading
from collections.abc import Callable
from uuid import UUID

import pytest

from lifecycle import events as e
from lifecycle.rehearsal.run import rehearsal
from tests.api.adopting import BY, RUNS, adopting, copies, starts
from tests.api.life import Life
from tests.api.office import Office
from tests.api.rehearsing import Rehearsing, edition_text
from tests.clock.killed import Killed, a_moment

ONCE = [e.EditionAdopted, e.GradeChanged, e.CertificateReissued]


@pytest.fixture
def signed(office: Office, life: Life, database) -> Callable[[int], tuple[Rehearsing, list[UUID]]]:
    """A rehearsal over so many certificates, signed and in force, of an edition that raises each of them."""

    def of(certificates: int) -> tuple[Rehearsing, list[UUID]]:
        life.issued(lost=6)
        ids = [UUID(life.id), *copies(database, UUID(life.id), certificates - 1)]
        rehearsing = Rehearsing.at(office).publishes(edition_text(grade="changed")).rehearses().approved().in_force()
        starts(office.house.register, UUID(rehearsing.id))
        return rehearsing, ids

    return of


def wrong(rehearsing: Rehearsing, ids: list[UUID]) -> list[str]:
    """Which certificates did not take the edition exactly once and whole, each with a number of its own."""
    register, numbers, found = rehearsing.office.house.register, set(), []
    for id in ids:
        facts = [each.fact for each in register.certificate(id).history]
        own = [fact for fact in facts if fact.cause.kind == "rehearsal"]
        numbers |= {fact.number for fact in own if isinstance(fact, e.CertificateReissued)}
        if list(map(type, own)) != ONCE:
            found.append(f"{id}: {[e.topic_of(fact) for fact in own]}")
    if len(numbers) < len(ids) and not found:
        found.append(f"{len(numbers)} numbers for {len(ids)}")
    return found


def adopted(rehearsing: Rehearsing) -> int:
    with rehearsing.office.house.register.recorder.connection() as connection:
        statement = "SELECT count(*) FROM certlife.events WHERE topic = 'edition-adopted.v1'"
        return connection.execute(statement).fetchone()[0]


def kill_again_and_again(rehearsing: Rehearsing, kind: str, kills: int) -> None:
    """Each time at another moment after one more certificate took the edition; then one goes on to the end."""
    house = rehearsing.office.house
    given = kind, house.addresses.service, house.present.instant(), UUID(rehearsing.id)
    for _ in range(kills):
        before, adopter = adopted(rehearsing), Killed(adopting, *given).start()
        while adopted(rehearsing) == before and not adopter.ended:
            pass
        a_moment(400_000)
        adopter.kill()
    adopting(*given)


@pytest.mark.parametrize("kills", [10, pytest.param(100, marks=pytest.mark.figures)])
def test_an_adoption_killed_at_any_moment_goes_on_and_does_nothing_twice(signed, kills: int) -> None:
    rehearsing, ids = signed(kills * 15)
    kill_again_and_again(rehearsing, "Run", kills)
    assert wrong(rehearsing, ids) == []
    finished = rehearsal(rehearsing.office.house.register, UUID(rehearsing.id)).finished
    assert (finished.adopted, finished.not_in_force, finished.set_aside) == (len(ids), 0, ())


def test_an_adoption_in_two_transactions_is_found_out(signed) -> None:
    rehearsing, ids = signed(400)
    kill_again_and_again(rehearsing, "InTwo", 30)
    assert wrong(rehearsing, ids)


def two_at_once(rehearsing: Rehearsing, kind: str) -> None:
    id, register = UUID(rehearsing.id), rehearsing.office.house.register
    together = threading.Barrier(2)

    def run() -> None:
        one = RUNS[kind].of(register, id, BY)
        together.wait()
        for _ in one.adopt():
            pass

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_two_adopters_at_once_give_each_certificate_the_edition_once(signed) -> None:
    rehearsing, ids = signed(60)
    two_at_once(rehearsing, "Run")
    assert wrong(rehearsing, ids) == []
    history = rehearsing.office.house.register.events.get(UUID(rehearsing.id))
    assert sum(isinstance(each.fact, e.AdoptionFinished) for each in history) == 1


def test_an_adopter_that_does_not_decide_again_is_found_out(signed) -> None:
    rehearsing, ids = signed(60)
    two_at_once(rehearsing, "Headstrong")
    assert wrong(rehearsing, ids)
