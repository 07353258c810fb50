"""A database that is gone, frozen, busy or read-only is told within three seconds, and if an append is in doubt."""

from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from uuid import uuid4

import psycopg
import pytest
from eventsourcing.persistence import DatabaseError

from api.postgres import Server
from lifecycle.sql.connection import Connections
from lifecycle.store import Recorder, StoreUnavailable
from tests.databases import Database
from tests.processes import holding_still
from tests.store.facts import new_key, receipt, stored
from tests.store.seeded import Owner

AT_MOST_SECONDS = 3.0

QUESTIONS: list[Callable[[Recorder], object]] = [
    lambda recorder: recorder.present(),
    lambda recorder: recorder.begin_command("person-1", "key-1", uuid4()),
    lambda recorder: recorder.select_events(uuid4()),
    lambda recorder: recorder.key_by_hash(b"?" * 32),
]
THE_SERVICES_BACKENDS = (
    "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND usename = 'service_login'"
)


def unavailable(ask: Callable[[], object]) -> StoreUnavailable:
    """What is told, in time."""
    began = monotonic()
    with pytest.raises(StoreUnavailable) as refused:
        ask()
    assert monotonic() - began < AT_MOST_SECONDS
    return refused.value


@pytest.fixture
def durable(durable_server: Server) -> Generator[Recorder]:
    """The store of a production register on a server of its own."""
    register = Database(durable_server)
    register.migrate("production")
    recorder = Recorder(register.service_url)
    yield recorder
    recorder.close()


def backends(owner: Owner) -> list[int]:
    return [pid for (pid,) in owner.rows(THE_SERVICES_BACKENDS)]


@pytest.mark.parametrize("used_before", [True, False])
def test_a_stopped_server_is_told_and_nothing_is_in_doubt(
    durable: Recorder, durable_server: Server, used_before: bool
) -> None:
    if used_before:
        durable.insert_events([stored()])
    durable_server.stop()

    for ask in QUESTIONS:
        unavailable(lambda ask=ask: ask(durable))
    assert not unavailable(lambda: durable.insert_events([stored()], receipt=receipt())).in_doubt


def test_a_server_that_comes_back_is_used_at_once(durable: Recorder, durable_server: Server) -> None:
    durable.insert_events([stored()])
    durable_server.stop()
    unavailable(lambda: durable.insert_events([stored()], receipt=receipt()))

    durable_server.start()

    assert durable.insert_events([stored()], receipt=receipt())
    assert all(ask(durable) is not Ellipsis for ask in QUESTIONS)


def test_a_question_to_a_frozen_server_is_given_up(recorder: Recorder, owner: Owner) -> None:
    recorder.present()
    with holding_still(*backends(owner)):
        assert "no answer" in unavailable(recorder.present).reason

    assert recorder.present()


def test_an_append_that_is_given_up_is_in_doubt_and_its_receipt_tells(recorder: Recorder, owner: Owner) -> None:
    recorder.insert_events([stored()])
    (pid,) = backends(owner)
    with holding_still(pid):
        assert unavailable(lambda: recorder.insert_events([stored()], receipt=receipt())).in_doubt
    while pid in backends(owner):  # it goes on, and finds nobody at the other end
        pass

    assert recorder.find_receipt("person-1", "key-1") is not None


def test_a_server_that_lets_nobody_in_is_given_up(recorder: Recorder, production_database: Database) -> None:
    with holding_still(production_database.server.pid or 0):
        assert not unavailable(lambda: recorder.insert_events([stored()])).in_doubt
        unavailable(recorder.present)

    assert recorder.insert_events([stored()])


def test_an_append_that_waits_too_long_for_its_turn_is_refused_and_not_in_doubt(
    recorder: Recorder, production_database: Database, owner: Owner
) -> None:
    with psycopg.connect(production_database.service_url) as other:
        other.execute("SELECT pg_advisory_xact_lock(4851, 2)")
        assert not unavailable(lambda: recorder.insert_events([stored()], receipt=receipt())).in_doubt

    assert owner.everything()["events"] == []
    assert recorder.insert_events([stored()], receipt=receipt())


def test_a_connection_that_was_cut_while_nobody_asked_is_not_noticed(recorder: Recorder, owner: Owner) -> None:
    for ask in (recorder.present, lambda: recorder.insert_events([stored()])):
        ask()
        cut = f"SELECT pg_terminate_backend(pid, 5000) FROM ({THE_SERVICES_BACKENDS}) AS backend"
        assert owner.rows(cut) == [(True,)]

        assert ask()


def test_a_question_whose_connection_is_cut_is_asked_once_more(production_database: Database, owner: Owner) -> None:
    owner.execute("CREATE SEQUENCE public.asked; GRANT USAGE ON public.asked TO certlife_service")
    cut_first = "SELECT CASE nextval('public.asked') WHEN 1 THEN pg_terminate_backend(pg_backend_pid(), 5000) END"
    connections = Connections(production_database.service_url)

    assert connections.read(cut_first) == [(None,)]
    unavailable(lambda: connections.read("SELECT pg_terminate_backend(pg_backend_pid(), 5000)"))
    connections.close()


def test_an_append_whose_connection_is_cut_is_in_doubt(recorder: Recorder, owner: Owner) -> None:
    owner.spoil_append(("NOTIFY certlife_events;", "PERFORM pg_terminate_backend(pg_backend_pid(), 5000);"))

    assert unavailable(lambda: recorder.insert_events([stored()], receipt=receipt())).in_doubt
    assert unavailable(lambda: recorder.insert_events([stored()], also=[("revoke_key", {"key": "k"})])).in_doubt
    assert owner.everything()["events"] == []


def test_a_server_that_takes_no_writes_is_unavailable_for_them(
    recorder: Recorder, production_database: Database, owner: Owner
) -> None:
    owner.execute(f"ALTER DATABASE {production_database.name} SET default_transaction_read_only = on")

    assert not unavailable(lambda: recorder.insert_events([stored()])).in_doubt
    assert recorder.present()


def test_a_database_that_was_never_migrated_is_another_matter(empty_database: Database) -> None:
    recorder = Recorder(empty_database.owner_url)
    for ask in (recorder.present, lambda: recorder.insert_events([stored()])):
        with pytest.raises(DatabaseError, match="certlife"):
            ask()
    recorder.close()


def test_a_threads_connection_is_closed_when_the_thread_ends(recorder: Recorder, owner: Owner) -> None:
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: recorder.insert_events([stored()]), range(12)))

    while backends(owner):
        assert not recorder._connections._all


def test_an_answer_of_nothing_is_no_answer(recorder: Recorder) -> None:
    recorder.present()
    connection = recorder._connections._current(monotonic())

    with pytest.raises(psycopg.OperationalError, match="nothing"):
        connection._result()


# ---- the connection lent to other rooms ------------------------------------------------------------------------------


def test_a_lent_connection_answers_other_rooms_questions_until_the_deadline(recorder: Recorder, owner: Owner) -> None:
    with recorder.connection() as connection:
        assert connection.execute("SELECT 42").fetchall() == [(42,)]
        with holding_still(*backends(owner)):
            unavailable(lambda: _ask_on_a_lent_connection(recorder))
    with recorder.connection() as connection:
        assert connection.execute("SELECT 42").fetchall() == [(42,)]


def _ask_on_a_lent_connection(recorder: Recorder) -> None:
    with recorder.connection() as connection:
        connection.execute("SELECT 42")


def test_a_refused_question_on_a_lent_connection_is_told_in_words(recorder: Recorder) -> None:
    with pytest.raises(DatabaseError, match="no_such_table"), recorder.connection() as connection:
        connection.execute("SELECT FROM no_such_table")


def test_appends_go_on_after_another_rooms_transaction_was_rolled_back(recorder: Recorder) -> None:
    """psycopg lets the server forget all prepared statements then, the append's too."""
    for also in ([], [new_key()]):
        recorder.insert_events([stored()])
        with recorder.connection() as connection, connection.transaction(force_rollback=True):
            connection.execute("SELECT 42", prepare=True)
        recorder.present()  # now they are forgotten

        assert recorder.insert_events([stored()], also=also)
