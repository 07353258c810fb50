"""A production register takes its instants from the database, a simulation from its process."""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest

from lifecycle import log
from lifecycle.store import ClockRefused, DayTurned, Recorder
from tests.databases import Database
from tests.store.facts import receipt, stored

NOON = datetime(2031, 5, 3, 4, 0, 0, 123456, tzinfo=UTC)  # 12:00 in Shanghai


@pytest.fixture
def simulated(database: Database) -> Recorder:
    return Recorder(database.service_url)


def test_production_refuses_an_instant_from_its_process(recorder: Recorder) -> None:
    for ask in (
        lambda: recorder.insert_events([stored()], now=NOON, receipt=receipt()),
        lambda: recorder.present(NOON),
        lambda: recorder.begin_command("person-1", "key-1", uuid4(), NOON),
    ):
        with pytest.raises(ClockRefused, match="from the database"):
            ask()
    assert recorder.last_event() is None


def test_a_simulation_wants_an_instant_from_its_process(simulated: Recorder) -> None:
    for ask in (
        lambda: simulated.insert_events([stored()], receipt=receipt()),
        simulated.present,
        lambda: simulated.begin_command("person-1", "key-1", uuid4()),
    ):
        with pytest.raises(ClockRefused, match="from its process"):
            ask()
    assert simulated.last_event() is None


def test_a_simulation_records_the_instant_it_was_given_to_the_microsecond(simulated: Recorder) -> None:
    stream = uuid4()
    simulated.insert_events([stored(stream), stored(stream, 2)], now=NOON, receipt=receipt())

    assert {fact.recorded_at for fact in simulated.select_events(stream)} == {NOON}
    assert simulated.present(NOON) == NOON
    assert simulated.begin_command("person-1", "key-1", uuid4(), NOON).receipt.recorded_at == NOON


def test_an_instant_before_the_last_event_counts_as_the_last_events(simulated: Recorder) -> None:
    stream, earlier = uuid4(), NOON - timedelta(days=3)
    simulated.insert_events([stored(stream)], now=NOON)
    simulated.insert_events([stored(stream, 2)], now=earlier)

    assert simulated.select_events(stream)[-1].recorded_at == NOON
    assert simulated.present(earlier) == NOON


@pytest.mark.parametrize(
    ("now", "day"),
    [
        (datetime(2031, 5, 3, 15, 59, 59, 999999, tzinfo=UTC), date(2031, 5, 3)),
        (datetime(2031, 5, 3, 16, 0, tzinfo=UTC), date(2031, 5, 4)),
    ],
)
def test_the_legal_day_turns_at_midnight_in_shanghai(simulated: Recorder, now: datetime, day: date) -> None:
    assert simulated.insert_events([stored()], now=now, decided_on=day)
    with pytest.raises(DayTurned):
        simulated.insert_events([stored()], now=now, decided_on=day - timedelta(days=1))
    with pytest.raises(DayTurned):
        simulated.insert_events([stored()], now=now, decided_on=day + timedelta(days=1))


def test_settled_follows_the_same_clock(simulated: Recorder, database: Database) -> None:
    (position,) = simulated.insert_events([stored()], now=NOON)
    with log.psycopg.connect(database.engine_url, autocommit=True) as engine:
        assert log.settled(engine, NOON + timedelta(hours=1)) == (position, NOON + timedelta(hours=1))
        assert log.settled(engine, NOON - timedelta(hours=1)) == (position, NOON)
