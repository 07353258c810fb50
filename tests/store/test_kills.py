"""Whatever dies at whatever moment, every command that is sent again with its key has exactly one effect."""

import multiprocessing
import random
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import count
from queue import Empty, SimpleQueue
from threading import Event

import pytest

from api.postgres import Server
from lifecycle.store import Recorder
from tests.databases import Database
from tests.store.patient import Caller, effects
from tests.store.seeded import Owner
from tests.store.writer import write, write_with_receipts_apart

WRITERS = 4
THREADS = 8
READY_MADE = multiprocessing.get_context("forkserver")  # processes that need not import everything first
READY_MADE.set_forkserver_preload(["__main__", "tests.store.writer"])
SUCCESS_WITHIN_SECONDS = 2.0
"""From the moment at which the server is ready again."""


def of_each_size(default: int, figure: int, soak: int) -> list[object]:
    """The three sizes of a fault test."""
    return [
        default,
        pytest.param(figure, marks=pytest.mark.figures),
        pytest.param(soak, marks=pytest.mark.soak),
    ]


class KilledWriter:
    """A writer that is killed again and again, and each time begins with the first command it had no answer to."""

    def __init__(self, name: str, url: str, work: Callable[..., None] = write):
        self.name = name
        self.done = 0
        self._url = url
        self._work = work

    def start(self) -> None:
        self._answers, answers = READY_MADE.Pipe(duplex=False)
        self._process = READY_MADE.Process(target=self._work, args=(answers, self._url, self.name, self.done))
        self._process.start()
        answers.close()

    def kill_at_random(self) -> None:
        """Dead, a moment after some answer."""
        for _ in range(random.randrange(1, 30)):
            self._hear()
        for _ in range(random.randrange(20_000)):  # less than an append takes
            pass
        self._process.kill()
        self.see_it_dead()

    def see_it_dead(self) -> None:
        """All answers that it gave are known."""
        with self._answers, suppress(EOFError):
            while True:
                self._hear()
        self._process.join()
        assert self._process.exitcode == -signal.SIGKILL

    def answered_since(self, recorder: Recorder) -> None:
        """The command in doubt is carried out too."""
        Caller(self.name, recorder).carry_out(self.done)
        self.done += 1

    def _hear(self) -> None:
        assert self._answers.recv() == self.done
        self.done += 1


def commands(writers: list[KilledWriter]) -> Counter[str]:
    """Each command that got an answer, once."""
    return Counter(f"{writer.name}-{number}" for writer in writers for number in range(writer.done))


@pytest.mark.parametrize("kills", of_each_size(20, 200, 2000))
def test_a_killed_writer_loses_and_doubles_nothing(
    recorder: Recorder, production_database: Database, kills: int
) -> None:
    writers = [KilledWriter(f"writer-{n}", production_database.service_url) for n in range(WRITERS)]
    for _ in range(kills // WRITERS):
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.kill_at_random()
    for writer in writers:
        writer.answered_since(recorder)

    assert effects(recorder) == commands(writers)


def test_a_receipt_in_a_transaction_of_its_own_doubles_a_command(
    recorder: Recorder, production_database: Database, owner: Owner
) -> None:
    owner.execute(
        """
        CREATE FUNCTION public.receipt_apart(text, text, bytea, bytea, bigint) RETURNS void
        LANGUAGE sql SECURITY DEFINER
        AS 'INSERT INTO certlife.receipts VALUES ($1, $2, $3, $4, $5, clock_timestamp())'
        """
    )
    writer = KilledWriter("writer", production_database.service_url, work=write_with_receipts_apart)
    writer.start()
    writer.see_it_dead()
    writer.answered_since(recorder)

    assert effects(recorder) - commands([writer]) == Counter({f"writer-{writer.done - 1}": 1})


class Crowd:
    """So many callers, each carrying out its commands in a thread until it is told that it is enough."""

    def __init__(self, recorder: Recorder):
        self.callers = [Caller(f"caller-{n}", recorder) for n in range(THREADS)]
        self._enough = Event()
        self._answers: SimpleQueue[str] = SimpleQueue()

    def work_while(self, disturb: Callable[[], object], times: int) -> Counter[str]:
        """The commands that got an answer while they were disturbed so often, each time with answers in between."""
        with ThreadPoolExecutor(THREADS) as pool:
            futures = [pool.submit(self._work, caller) for caller in self.callers]
            try:
                answered = Counter(answer for _ in range(times) for answer in self._answers_after(disturb))
            finally:
                self._enough.set()
        for future in futures:
            future.result()
        return answered + Counter(self._waiting())

    def _work(self, caller: Caller) -> None:
        for number in count():
            if self._enough.is_set():
                return
            caller.carry_out(number)
            self._answers.put(f"{caller.name}-{number}")

    def _answers_after(self, disturb: Callable[[], object]) -> Iterator[str]:
        yield from self._waiting()
        disturb()
        yield from self._waiting()
        yield self._answers.get(timeout=SUCCESS_WITHIN_SECONDS)

    def _waiting(self) -> Iterator[str]:
        with suppress(Empty):
            while True:
                yield self._answers.get_nowait()


@pytest.mark.parametrize("cuts", of_each_size(20, 100, 1000))
def test_connections_cut_at_random_lose_and_double_nothing(recorder: Recorder, owner: Owner, cuts: int) -> None:
    def cut() -> None:
        owner.rows(
            """
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND usename = 'service_login' ORDER BY random() LIMIT 1
            """
        )

    answered = Crowd(recorder).work_while(cut, cuts)

    assert effects(recorder) == answered


@pytest.mark.parametrize("restarts", of_each_size(1, 5, 50))
def test_a_server_restarted_in_full_work_loses_and_doubles_nothing(durable_server: Server, restarts: int) -> None:
    register = Database(durable_server)
    register.migrate("production")
    recorder = Recorder(register.service_url)
    crowd = Crowd(recorder)

    answered = crowd.work_while(durable_server.restart_immediately, restarts)

    assert effects(recorder) == answered
    assert sum(caller.unavailable for caller in crowd.callers) > 0
    recorder.close()
