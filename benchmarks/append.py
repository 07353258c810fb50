"""The store alone: one event and its receipt in one commit; ours beside raw psycopg and the library's stock recorder.

All write rows of the same size to one durable server, ours and the raw ones into the very same tables. They take turns
in short rounds, forwards and backwards, so that a machine that is slow for a while is slow for all.
"""

from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from threading import Barrier, Thread, local
from time import perf_counter
from typing import Any, LiteralString, NamedTuple
from uuid import UUID, uuid4

import psycopg
from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from psycopg.conninfo import conninfo_to_dict
from psycopg.types.numeric import Int4

from api.postgres import Server, running
from lifecycle import events as e
from lifecycle.periods import legal_day
from lifecycle.sql import load
from lifecycle.store import NewReceipt, Recorder, migrate

SQL = load("append", "benchmarks")
ROUNDS = 21
EVENTS = 12_600
"""How many events each writes, in all rounds together."""
MANY = 8
WARM_UP = 30
"""How many each thread writes before: its connection is open, and every plan of its session made."""

FACT = e.CertificateSuspended(
    effective_on=date(2026, 3, 1),
    by=e.By("person-104", "decision_maker", "key-17"),
    cause=e.Cause("request", "5f0c7c1e-7a1e-4a35-9f3e-6c2f7f1f0a11", sha256(b"body").hexdigest()),
    signed_by=("person-104", "person-221"),
    proposal=14,
    case=11,
    edition="CSP-S01-001:2021",
    reasons=(e.Reason("surveillance-refused", "No date was agreed for the visit due on 2026-02-28."),),
    ends_on=date(2026, 9, 1),
    notice="by registered letter",
)
TOPIC, STATE = e.topic_of(FACT), e.encode(FACT)
BODY_SHA256 = sha256(b"body").digest()
RESPONSE = b'{"id":"5f0c7c1e-7a1e-4a35-9f3e-6c2f7f1f0a11","version":15,"events":[{"type":"%b","version":15}]}'

Write = Callable[[UUID, str], object]
"""Writes one event of a new stream, and a receipt under a new key."""


class Contender(NamedTuple):
    name: str
    threads: int
    write: Write


def run(events: int | None) -> tuple[int, list[dict[str, Any]]]:
    """The number of rounds, and the four figures. ``events`` is how many each contender writes in all rounds."""
    with TemporaryDirectory(prefix="certlife-append-") as folder, ExitStack() as stack:
        Path(folder).chmod(0o711)  # an unprivileged account may have to run the server
        server = stack.enter_context(running(Path(folder) / "data"))
        return ROUNDS, _figures(_rates(stack.enter_context(_contenders(server)), (events or EVENTS) // ROUNDS))


def _figures(rates: dict[str, float]) -> list[dict[str, Any]]:
    pairs = {
        "one_thread_vs_raw": ("ours", "raw"),
        "eight_threads_vs_ordered_raw": ("ours, eight threads", "ordered raw, eight threads"),
        "vs_library_default": ("ours", "library"),
        "eight_threads_vs_raw": ("ours, eight threads", "raw, eight threads"),
    }
    return [_figure(what, rates[ours], rates[other]) for what, (ours, other) in pairs.items()]


def _figure(what: str, ours: float, other: float) -> dict[str, Any]:
    return {"what": what, "ours": ours, "other": other, "unit": "commits/s", "ratio": round(ours / other, 3)}


def _rates(contenders: list[Contender], events: int) -> dict[str, float]:
    """The median of each one's commits a second, in rounds of so many events."""
    measured: dict[str, list[float]] = {contender.name: [] for contender in contenders}
    for number in range(ROUNDS):
        for contender in contenders if number % 2 else reversed(contenders):
            measured[contender.name].append(_rate(contender, events))
    return {name: round(median(rates), 1) for name, rates in measured.items()}


def _rate(contender: Contender, events: int) -> float:
    start = Barrier(contender.threads + 1)
    share = max(1, events // contender.threads)

    def work(rows: list[tuple[UUID, str]]) -> None:
        for _ in range(WARM_UP):
            contender.write(uuid4(), str(uuid4()))
        start.wait()
        for id, key in rows:
            contender.write(id, key)

    shares = [[(uuid4(), str(uuid4())) for _ in range(share)] for _ in range(contender.threads)]
    threads = [Thread(target=work, args=(rows,)) for rows in shares]
    for thread in threads:
        thread.start()
    start.wait()
    began = perf_counter()
    for thread in threads:
        thread.join()
    return share * contender.threads / (perf_counter() - began)


@contextmanager
def _contenders(server: Server) -> Generator[list[Contender]]:
    migrate(server.url())
    with psycopg.connect(server.url(), autocommit=True) as owner:
        owner.execute(SQL["create_service_login"])
        owner.execute(SQL["create_insert_in_order"])
    recorder, library = Recorder(server.url(user="service_login")), _library(server)
    raw, ordered = (_raw(server.url(), SQL[name]) for name in ("insert_both", "insert_in_order"))
    yield [
        Contender("raw", 1, raw),
        Contender("ours", 1, _ours(recorder)),
        Contender("library", 1, _stock(library)),
        Contender("raw, eight threads", MANY, raw),
        Contender("ours, eight threads", MANY, _ours(recorder)),
        Contender("ordered raw, eight threads", MANY, ordered),
    ]
    recorder.close()
    library.datastore.close()


def _ours(recorder: Recorder) -> Write:
    """As the service does it, through the library's interface."""
    today = legal_day(datetime.now(UTC))

    def write(id: UUID, key: str) -> object:
        receipt = NewReceipt("person-104", key, BODY_SHA256, RESPONSE)
        return recorder.insert_events([StoredEvent(id, 1, TOPIC, STATE)], receipt=receipt, decided_on=today)

    return write


def _raw(url: str, statement: LiteralString) -> Write:
    """One prepared statement with binary parameters, on a connection that the thread keeps."""
    own = local()

    def write(id: UUID, key: str) -> object:
        if not hasattr(own, "cursor"):
            own.cursor = psycopg.connect(url, autocommit=True).cursor(binary=True)
        row = {"id": id, "version": Int4(1), "topic": TOPIC, "state": STATE}
        row |= {"person": "person-104", "key": key, "body_sha256": BODY_SHA256, "response": RESPONSE}
        return own.cursor.execute(statement, row, prepare=True).fetchone()

    return write


def _library(server: Server) -> PostgresApplicationRecorder:
    """The library's recorder as it comes."""
    place = conninfo_to_dict(server.url())
    where = (str(place[name]) for name in ("dbname", "host", "port", "user"))
    recorder = PostgresApplicationRecorder(PostgresDatastore(*where, password=""))
    recorder.create_table()
    return recorder


def _stock(recorder: PostgresApplicationRecorder) -> Write:
    return lambda stream, _: recorder.insert_events([StoredEvent(stream, 1, TOPIC, STATE)])
