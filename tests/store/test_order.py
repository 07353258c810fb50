"""Positions follow the order of commits, and instants follow positions: a reader that tails the log misses nothing.

Each test runs against the append as it is, and against one with a seeded fault, which it must find.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from itertools import pairwise
from uuid import uuid4

import psycopg
import pytest

from lifecycle import log
from lifecycle.sql import load
from lifecycle.store import Recorder
from tests.databases import Database
from tests.store.facts import receipt, stored
from tests.store.seeded import NO_LOCK, STAMPED_OUTSIDE_THE_LOCK, Fault, Owner

WRITERS = 8


class TailReader:
    """Reads on from where it stands, as the engine does."""

    def __init__(self, connection: psycopg.Connection):
        self._connection = connection
        self.seen: list[tuple[int, datetime]] = []

    def read_on(self) -> None:
        after = self.seen[-1][0] if self.seen else 0
        rows = log.tail_rows(self._connection, after, limit=500)
        self.seen += [(row[0], row[-1]) for row in rows]

    def missed(self, recorder: Recorder) -> set[int]:
        """The positions that were recorded and never seen."""
        recorded = {n.id for n in recorder.select_notifications(None, limit=1_000_000)}
        return recorded - {position for position, _ in self.seen}

    def out_of_order(self) -> list[tuple[datetime, datetime]]:
        """The instants that do not follow their positions."""
        instants = [instant for _, instant in self.seen]
        return [(a, b) for a, b in pairwise(instants) if a > b]


@pytest.fixture
def reader(engine: psycopg.Connection) -> TailReader:
    return TailReader(engine)


class OpenAppend:
    """An append of which the transaction has begun and is committed when the test says so."""

    def __init__(self, database: Database):
        self._connection = psycopg.connect(database.service_url)
        self._connection.execute("SELECT transaction_timestamp()")

    def append(self) -> None:
        row = stored()
        facts = {"id": row.originator_id, "version": 1, "topic": row.topic, "state": row.state}
        nothing = dict.fromkeys(("person", "key", "body_sha256", "response", "decided_on", "now"))
        self._connection.execute(load("append")["append_fact"], facts | nothing)

    def commit(self) -> None:
        self._connection.commit()
        self._connection.close()


def until_done_or_waiting(other: Future[object], owner: Owner) -> None:
    """The other has finished, or waits for a lock."""
    while not other.done():
        if owner.rows("SELECT FROM pg_locks WHERE NOT granted AND locktype = 'advisory'"):
            return


@pytest.mark.parametrize(("fault", "missed"), [(None, 0), (NO_LOCK, 1)], ids=["as it is", "without the lock"])
def test_a_later_append_is_not_seen_before_an_earlier_one(
    production_database: Database,
    recorder: Recorder,
    owner: Owner,
    reader: TailReader,
    fault: Fault | None,
    missed: int,
) -> None:
    owner.spoil_append(fault)
    slow = OpenAppend(production_database)
    slow.append()
    with ThreadPoolExecutor() as pool:
        quick = pool.submit(recorder.insert_events, [stored()])
        until_done_or_waiting(quick, owner)
        reader.read_on()
        slow.commit()
    reader.read_on()

    assert len(reader.missed(recorder)) == missed


@pytest.mark.parametrize(
    ("fault", "wrong"), [(None, 0), (STAMPED_OUTSIDE_THE_LOCK, 1)], ids=["as it is", "stamped outside the lock"]
)
def test_a_transaction_that_began_earlier_is_not_stamped_earlier_than_its_place(
    production_database: Database,
    recorder: Recorder,
    owner: Owner,
    reader: TailReader,
    fault: Fault | None,
    wrong: int,
) -> None:
    owner.spoil_append(fault)
    early = OpenAppend(production_database)
    recorder.insert_events([stored()])
    early.append()
    early.commit()
    reader.read_on()

    assert len(reader.out_of_order()) == wrong


def test_a_clock_that_is_set_back_does_not_set_back_the_log(recorder: Recorder, owner: Owner) -> None:
    ahead = ("coalesce(now, clock_timestamp())", "clock_timestamp() + interval '1 hour'")
    owner.spoil_append(ahead)
    recorder.insert_events([stored()])
    owner.spoil_append(ahead[::-1])

    recorder.insert_events([stored()])

    ((first,), (second,)) = owner.rows("SELECT recorded_at FROM certlife.events ORDER BY position")
    assert first == second == recorder.present()


def all_at_once(writers: int, work: Callable[[int], object], meanwhile: Callable[[], object]) -> None:
    """So many do the work at the same time; raises what any of them raised."""
    with ThreadPoolExecutor(writers) as pool:
        futures = [pool.submit(work, number) for number in range(writers)]
        while not all(future.done() for future in futures):
            meanwhile()
    for future in futures:
        future.result()


def hammer(recorder: Recorder, reader: TailReader, events: int) -> None:
    """Many write at once, one to three events each time, while one reads on."""

    def write(_: int) -> None:
        stream, version = uuid4(), 0
        for number in range(events // (2 * WRITERS)):
            size = number % 3 + 1
            facts = [stored(stream, version + step) for step in range(1, size + 1)]
            recorder.insert_events(facts, receipt=receipt(f"{stream}-{number}"))
            version += size

    all_at_once(WRITERS, write, meanwhile=reader.read_on)
    reader.read_on()


@pytest.mark.parametrize(
    "events",
    [
        pytest.param(960),
        pytest.param(9_600, marks=pytest.mark.figures),
        pytest.param(96_000, marks=pytest.mark.soak),
    ],
)
def test_a_tail_reader_beside_eight_writers_misses_nothing(
    recorder: Recorder, reader: TailReader, owner: Owner, events: int
) -> None:
    hammer(recorder, reader, events)

    assert reader.missed(recorder) == set()
    assert reader.out_of_order() == []
    assert len(reader.seen) == owner.rows("SELECT count(*) FROM certlife.events")[0][0] >= events * 0.9


def test_a_tail_reader_beside_eight_writers_without_the_lock_misses_events(
    recorder: Recorder, reader: TailReader, owner: Owner
) -> None:
    owner.spoil_append(NO_LOCK)

    def misses(_: int) -> bool:
        hammer(recorder, reader, 960)
        return bool(reader.missed(recorder))

    assert any(map(misses, range(20)))  # nearly always at once; what happens for certain stands above
