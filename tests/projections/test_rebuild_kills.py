"""Killed at any moment, while somebody writes and engines follow, a rebuild loses and doubles nothing."""

from __future__ import annotations

import random
from time import monotonic

import pytest
from psycopg import Connection

from projections import rebuild as room
from projections.follower import connect
from projections.rebuild import Rebuild, rebuild
from tests.clock.killed import Killed, a_moment
from tests.databases import Database
from tests.projections.following import PartReadFirst, PositionAfterwards, follow, make_anew
from tests.projections.tables import projections
from tests.projections.test_kills import Load, differing, load

__all__ = ["load"]


def kill_again_and_again(
    load: Load, database: Database, kills: int, mutant: type[Rebuild] = Rebuild
) -> tuple[list[str], int]:
    """The tables in which a kill left other lines than the log makes, none if all is well; how often tables were made.

    Two make everything anew all the time, one follows the log; one of the three is killed.
    """
    load.append(100)
    following = Killed(follow, database.engine_url, False).start()
    makers = [Killed(make_anew, database.engine_url, mutant).start() for _ in range(2)]
    wrong, made = [], set()
    with connect(database.engine_url) as connection:
        for _ in range(kills):
            load.append(random.randrange(8))
            if not comes_to_an_end(connection, made, random.randrange(2)):
                wrong = ["nothing comes to its end any more"]
                break
            a_moment(400_000)
            one = random.choice([*makers, following])
            one.kill()
            if wrong := differing(connection):
                break
            one.start()
        for one in [*makers, following]:
            one.kill()
        return wrong or differing(connection), len(made)


def comes_to_an_end(connection: Connection, made: set[object], more: int) -> bool:
    """Whether so many tables more are made in good time."""
    wanted, deadline = len(made) + more, monotonic() + 20
    while len(made) < wanted and monotonic() < deadline:
        made |= makes(connection)
    return len(made) >= wanted


def makes(connection: Connection) -> set[object]:
    """By which rebuilds the tables that serve were made."""
    names = [projection.name for projection in projections()]
    return {connection.execute(room.SQL["select_last_rebuild"], {"projection": name}).fetchone() for name in names}


@pytest.mark.parametrize("kills", [20, pytest.param(200, marks=pytest.mark.figures)])
def test_a_rebuild_killed_at_any_moment_loses_and_doubles_nothing(load: Load, database: Database, kills: int) -> None:
    wrong, made = kill_again_and_again(load, database, kills)
    assert wrong == []
    assert made > kills / 4
    for projection in projections():
        assert [*rebuild(database.engine_url, projection)][-1].doing == "done"
    with connect(database.engine_url) as connection:
        assert differing(connection) == []


@pytest.mark.parametrize("mutant", [PartReadFirst, PositionAfterwards])
def test_a_step_in_two_transactions_is_found_out(load: Load, database: Database, mutant: type[Rebuild]) -> None:
    wrong, _ = kill_again_and_again(load, database, 200, mutant)
    assert wrong
