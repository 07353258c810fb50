"""Reading the log: its tail, streams as they were known, how far it is settled, and waiting for more."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event, Thread
from uuid import uuid4

import psycopg
import pytest

from lifecycle import log
from lifecycle.store import Recorder
from tests.databases import Database
from tests.store.facts import fact, stored
from tests.store.seeded import Owner

LONG_SECONDS = 30.0
AT_ONCE = 0.0


def test_the_tail_comes_in_commit_order_in_pieces(recorder: Recorder, engine: psycopg.Connection) -> None:
    positions = recorder.insert_events([stored(cause=str(n)) for n in range(5)])

    first = log.tail(engine, 0, 3)
    rest = log.tail(engine, first[-1].position, 3)

    assert [each.position for each in first + rest] == positions
    assert [each.fact.cause.id for each in first + rest] == ["0", "1", "2", "3", "4"]
    assert log.tail(engine, positions[-1], 3) == []


def test_a_stream_is_read_as_it_was_known(recorder: Recorder, engine: psycopg.Connection) -> None:
    stream = uuid4()
    for version in (1, 2, 3):
        recorder.insert_events([stored(stream, version), stored()])
    first, second, third = log.stream(engine, stream)

    assert first.fact == fact()
    assert log.stream(engine, stream, upto_position=second.position) == [first, second]
    assert log.stream(engine, stream, known_at=second.recorded_at) == [first, second]
    assert log.stream(engine, stream, third.position, first.recorded_at) == [first]
    assert log.stream(engine, uuid4()) == []


def test_several_streams_are_read_at_once(recorder: Recorder, engine: psycopg.Connection) -> None:
    one, other, unknown = uuid4(), uuid4(), uuid4()
    recorder.insert_events([stored(one), stored(other), stored(one, 2)])
    (last,) = recorder.insert_events([stored(other, 2)])

    found = log.streams(engine, [one, other, unknown])

    assert {id: [each.version for each in own] for id, own in found.items()} == {one: [1, 2], other: [1, 2]}
    assert [each.version for each in log.streams(engine, [other], last - 1)[other]] == [1]
    assert log.streams(engine, []) == {}


# ---- how far it is settled -------------------------------------------------------------------------------------------


def test_everything_recorded_before_the_settled_instant_stands_at_or_before_the_position(
    recorder: Recorder, engine: psycopg.Connection
) -> None:
    assert log.settled(engine).position == 0
    (before,) = recorder.insert_events([stored()])

    settled = log.settled(engine)
    recorder.insert_events([stored()])

    assert settled.position == before
    assert log.tail(engine, before, 1)[0].recorded_at >= settled.instant


def test_settled_waits_for_the_append_under_way(
    production_database: Database, engine: psycopg.Connection, owner: Owner
) -> None:
    """Its event has a position already, and can be seen by nobody yet."""
    row = stored()
    append = "SELECT certlife.append(array[%s], '{1}', array[%s], array[%s::bytea], NULL, NULL, NULL, NULL, NULL, NULL)"
    with psycopg.connect(production_database.service_url) as slow, ThreadPoolExecutor() as pool:
        slow.execute(append, (row.originator_id, row.topic, row.state))
        asked = pool.submit(log.settled, engine)
        while not owner.rows("SELECT FROM pg_locks WHERE NOT granted AND locktype = 'advisory'"):
            assert not asked.done()
        slow.commit()

        assert asked.result().position == 1


def test_settled_is_not_asked_inside_a_transaction(engine: psycopg.Connection) -> None:
    with engine.transaction(), pytest.raises(ValueError, match="outside a transaction"):
        log.settled(engine)
    with psycopg.connect(engine.info.dsn) as other, pytest.raises(ValueError, match="autocommit"):
        log.settled(other)


# ---- waiting ---------------------------------------------------------------------------------------------------------


def test_a_listener_looks_first_and_is_woken_by_an_append(production_database: Database, recorder: Recorder) -> None:
    with log.Listener(production_database.engine_url) as listener:
        assert listener.wait(LONG_SECONDS)
        assert not listener.wait(AT_ONCE)
        recorder.insert_events([stored()])
        assert listener.wait(LONG_SECONDS)


def test_many_appends_are_one_reason_to_look(production_database: Database, recorder: Recorder) -> None:
    with log.Listener(production_database.engine_url) as listener:
        listener.wait(LONG_SECONDS)
        for _ in range(5):
            recorder.insert_events([stored()])

        assert listener.wait(LONG_SECONDS)
        assert not listener.wait(AT_ONCE)


def test_a_listener_waits_in_its_thread_until_it_is_woken(production_database: Database, recorder: Recorder) -> None:
    listening, woken = Event(), Event()

    def follow() -> None:
        with log.Listener(production_database.engine_url) as listener:
            listener.wait(LONG_SECONDS)
            listening.set()
            if listener.wait(LONG_SECONDS):
                woken.set()

    thread = Thread(target=follow)
    thread.start()
    listening.wait(LONG_SECONDS)
    recorder.insert_events([stored()])
    thread.join()

    assert woken.is_set()


def test_a_listener_whose_connection_was_cut_looks_again(production_database: Database, owner: Owner) -> None:
    with log.Listener(production_database.engine_url) as listener:
        listener.wait(LONG_SECONDS)
        cut = (
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND usename = 'engine_login'"
        )
        assert owner.rows(cut) == [(True,)]

        assert not listener.wait(AT_ONCE)
        assert listener.wait(LONG_SECONDS)


def test_a_listener_without_a_database_pauses_longer_each_time(folder: object) -> None:
    with log.Listener(f"host={folder} user=nobody") as listener:
        for _ in range(8):
            assert not listener.wait(AT_ONCE)
        assert listener._pause_seconds == listener.LONGEST_PAUSE_SECONDS


def test_a_stopped_listener_waits_no_more(production_database: Database) -> None:
    with log.Listener(production_database.engine_url) as listener:
        listener.wait(LONG_SECONDS)
        listener.stop()

        assert not listener.wait(LONG_SECONDS)
