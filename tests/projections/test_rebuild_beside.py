"""A projection made anew beside the one that serves is to the byte what was projected live, and takes its place."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from threading import Event, Thread

import psycopg
import pytest

from lifecycle.certificate import Certificate, evolve
from lifecycle.events import RecordCorrected
from lifecycle.upcast import recorded
from projections import rebuild as room
from projections import register as register_projection
from projections.follower import connect
from projections.rebuild import Progress, RebuildEnded, discard, rebuild
from projections.register import RegisterProjection
from tests.clock.copies import certificate_rows, copied, insert, mixed
from tests.databases import Databases
from tests.projections.conftest import Lived
from tests.projections.tables import STARS, engine, follow, projections, tables, was_rebuilt


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "FACTS_A_PART", 100)


@pytest.fixture
def url(lived: Lived) -> Iterator[str]:
    """Of a register whose tables stay as they were projected live, however often they are made anew."""
    yield lived.database.engine_url
    for projection in projections():
        discard(lived.database.engine_url, projection)
    assert tables(lived.connection) == lived.live


# ---- equal to live ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("facts_a_part", [50, 1_000, 10**6])
def test_it_equals_what_was_projected_live(
    lived: Lived, url: str, facts_a_part: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "FACTS_A_PART", facts_a_part)
    for projection in projections():
        told = [progress for progress in rebuild(url, projection) if tables(lived.connection) == lived.live]
        assert [told[0].doing, told[-1].doing] == ["reading", "done"]
        assert was_rebuilt(lived.connection, projection.name)
        assert tables(lived.connection) == lived.live


@pytest.mark.usefixtures("small_parts")
def test_it_equals_what_was_projected_live_with_many_hands(lived: Lived, url: str) -> None:
    for projection in projections():
        assert [*rebuild(url, projection, hands=2)][-1].doing == "done"
        assert tables(lived.connection) == lived.live


def test_it_projects_what_is_recorded_while_it_is_made(lived: Lived, databases: Databases) -> None:
    """Also a part of a stream that was read in bulk already, and what the engine has not seen yet."""
    facts = list(mixed((copied(certificate_rows(lived.connection), number) for number in range(2)), lived.world.chance))
    with databases.register("simulation") as database, connect(database.engine_url) as connection:
        made = engine(database)
        with psycopg.connect(database.owner_url, autocommit=True) as owner:
            insert(owner, facts[: len(facts) // 2])
            follow(connection, made.followers)
            for place, projection in enumerate(projections(), 3):
                making = rebuild(database.engine_url, projection)
                next(making)
                insert(owner, facts[len(facts) * place // 6 : len(facts) * (place + 1) // 6])
                made.followers[place % 2].advance(connection, 50)
                assert [*making][-1].doing == "done"
            insert(owner, facts[len(facts) * 5 // 6 :])
        follow(connection, made.followers)
        live = tables(connection)
        for projection in projections():
            [*rebuild(database.engine_url, projection)]
        assert tables(connection) == live


def test_facts_that_are_not_read_leave_the_rows_as_they_are(lived: Lived) -> None:
    told = [recorded(*row) for row in certificate_rows(lived.connection)]
    told.sort(key=lambda each: (each.originator_id, each.version))
    seen, passed_over = 0, 0
    for projection in projections():
        for id, stream in groupby(told, key=lambda each: each.originator_id):
            full, part = Certificate(id), Certificate(id)
            for each in stream:
                if isinstance(each.fact, RecordCorrected):
                    break
                seen += 1
                evolve(full, each.version, each.fact)
                if each.fact.__struct_config__.tag in projection.unseen:
                    passed_over += 1
                else:
                    evolve(part, each.version, each.fact)
                part.version = full.version
                assert projection.rows(part) == projection.rows(full)
    assert passed_over > seen / 4


# ---- stopped, and gone on with ---------------------------------------------------------------------------------------


@pytest.mark.usefixtures("small_parts")
def test_one_that_was_stopped_goes_on_where_it_stood(lived: Lived, url: str) -> None:
    for projection in projections():
        stopped = rebuild(url, projection)
        before = next(each for each in stopped if each.done == 3)
        stopped.close()
        again = [*rebuild(url, projection)]
        assert again[0] == before
        assert again[-1].doing == "done"
        assert tables(lived.connection) == lived.live


@pytest.mark.usefixtures("small_parts")
def test_one_that_is_begun_anew_reads_everything_again(url: str) -> None:
    for projection in projections():
        stopped = rebuild(url, projection)
        next(each for each in stopped if each.done == 3)
        discard(url, projection)
        with pytest.raises(RebuildEnded):
            list(stopped)
        assert next(rebuild(url, projection)).done == 0


@pytest.mark.usefixtures("small_parts")
def test_two_at_once_share_the_work_and_both_end(lived: Lived, url: str) -> None:
    for projection in projections():
        both = [rebuild(url, projection), rebuild(url, projection)]
        last: list[Progress | None] = [None, None]
        alive = {0, 1}
        while alive:
            for which in sorted(alive):
                following = next(both[which], None)
                last[which] = following or last[which]
                if following is None:
                    alive.remove(which)
        assert [each and each.doing for each in last] == ["done", "done"]
        assert tables(lived.connection) == lived.live


# ---- readers ---------------------------------------------------------------------------------------------------------


def test_who_asks_is_answered_the_same_all_the_time(lived: Lived, url: str) -> None:
    """With prepared statements, in the service's role."""
    numbers = [line.split("\t")[0] for line in lived.live["register"]]
    stopping, asked, failures = Event(), [], []

    def ask() -> None:
        with psycopg.connect(lived.database.service_url, autocommit=True, prepare_threshold=0) as service:
            expected = register_projection.find(service, numbers)
            while not stopping.is_set():
                asked.append(None)
                try:
                    if register_projection.find(service, numbers) != expected:
                        failures.append("another answer")
                except psycopg.Error as error:
                    failures.append(str(error))

    readers = [Thread(target=ask) for _ in range(3)]
    for reader in readers:
        reader.start()
    for _ in range(4):
        [*rebuild(url, RegisterProjection(STARS))]
    stopping.set()
    for reader in readers:
        reader.join()
    assert not failures
    assert len(asked) > 20


def test_a_reader_in_the_way_is_waited_for_and_keeps_nobody_waiting(lived: Lived, url: str) -> None:
    numbers = [lived.live["register"][0].split("\t")[0]]
    making = rebuild(url, RegisterProjection(STARS))
    with psycopg.connect(lived.database.service_url) as slow, connect(url) as other:
        found = register_projection.find(slow, numbers)
        other.execute("SET statement_timeout = '1s'")
        for progress in making:
            assert register_projection.find(other, numbers) == found
            if progress.doing == "waiting for readers":
                break
        slow.rollback()
        assert [*making][-1].doing == "done"
