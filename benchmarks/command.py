"""A whole command on a certificate with 20 events: receipt looked up, history loaded, decided, saved.

Beside it the library as it comes: an aggregate with 20 events of the same size got from the stock repository, one
method called, saved; and a raw insert of the same two rows. They take turns in short rounds.
"""

from collections.abc import Callable
from contextlib import ExitStack
from time import perf_counter
from typing import Any
from uuid import UUID, uuid4

import psycopg
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from psycopg.types.numeric import Int4

from api.demonstration.generate import COMPLAINT
from api.demonstration.staff import STAFF
from api.house import House
from benchmarks.ground import FACTS, copies, figure, ground, library_environment, life, middle
from lifecycle import events as e
from lifecycle.service import Request
from lifecycle.sql import load

RAW = load("append", "benchmarks")
ROUNDS = 15
EVENTS = 900
WARM_UP = 20

Act = Callable[[], object]


class Dossier(Aggregate):
    """As many events of the same size, kept as the library keeps them."""

    @event("Opened")
    def __init__(self, text: str) -> None:
        self.texts = [text]

    @event("Noted")
    def note(self, text: str) -> None:
        self.texts.append(text)


def run(events: int | None) -> tuple[int, list[dict[str, Any]]]:
    """The number of rounds and the figures; ``events`` is how many commands each carries out in all rounds."""
    share = max(1, (events or EVENTS) // ROUNDS)
    with ExitStack() as stack:
        house = stack.enter_context(ground())
        certificate = life(house)
        text = _typical(house, certificate)
        acts = {
            "ours": _ours(house, copies(house, certificate, share * ROUNDS + WARM_UP)),
            "library": _library(stack, house, text, share * ROUNDS + WARM_UP),
            "raw": _raw(stack, house, text),
        }
        for act in acts.values():
            for _ in range(WARM_UP):
                act()
        rates: dict[str, list[float]] = {name: [] for name in acts}
        for number in range(ROUNDS):
            for name in acts if number % 2 else reversed(acts):
                rates[name].append(_rate(acts[name], share))
    ours, library, raw = (middle(rates[name]) for name in ("ours", "library", "raw"))
    return ROUNDS, [
        figure("vs_library_default", ours, library, "commands/s"),
        figure("vs_raw_insert", ours, raw, "commands/s"),
    ]


def _rate(act: Act, count: int) -> float:
    began = perf_counter()
    for _ in range(count):
        act()
    return count / (perf_counter() - began)


def _ours(house: House, ids: list[UUID]) -> Act:
    by = e.By("registrar", STAFF["registrar"], "k-benchmark")
    waiting = iter(ids)

    def act() -> object:
        request = Request(by, str(uuid4()), "00" * 32)
        return house.register.execute(request, COMPLAINT, next(waiting))

    return act


def _library(stack: ExitStack, house: House, text: str, count: int) -> Act:
    application = stack.enter_context(Application(library_environment(house)))
    ids = []
    for _ in range(count):
        dossier = Dossier(text)
        for _ in range(FACTS - 1):
            dossier.note(text)
        application.save(dossier)
        ids.append(dossier.id)
    waiting = iter(ids)

    def act() -> object:
        dossier = application.repository.get(next(waiting))
        dossier.note(text)
        return application.save(dossier)

    return act


def _raw(stack: ExitStack, house: House, text: str) -> Act:
    connection = stack.enter_context(psycopg.connect(house.addresses.owner, autocommit=True))
    cursor = connection.cursor(binary=True)
    state = text.encode()

    def act() -> object:
        row = {"id": uuid4(), "version": Int4(1), "topic": "complaint-lodged.v1", "state": state}
        row |= {"person": "raw", "key": str(uuid4()), "body_sha256": bytes(32), "response": state}
        return cursor.execute(RAW["insert_both"], row, prepare=True).fetchone()

    return act


def _typical(house: House, certificate: UUID) -> str:
    """A text of the mean size of the certificate's facts."""
    sizes = [len(e.encode(recorded.fact)) for recorded in house.register.certificate(certificate).history]
    return "x" * (sum(sizes) // len(sizes))
