"""A process that carries out commands one after the other until it is killed."""

import os
import random
import signal
from collections.abc import Sequence
from itertools import count
from multiprocessing.connection import Connection
from typing import Any

from eventsourcing.persistence import StoredEvent

from lifecycle.store import NewReceipt, Recorder
from tests.store.patient import Caller


def write(answers: Connection, url: str, name: str, first: int) -> None:
    """Tells each command's number when it is acknowledged."""
    _write(answers, Caller(name, Recorder(url)), first)


def write_with_receipts_apart(answers: Connection, url: str, name: str, first: int) -> None:
    """The same with a seeded fault."""
    _write(answers, Caller(name, ReceiptApart(url)), first)


def _write(answers: Connection, caller: Caller, first: int) -> None:
    for number in count(first):
        caller.carry_out(number)
        answers.send(number)


class ReceiptApart(Recorder):
    """The seeded fault: a receipt is written in a transaction of its own. The process dies in between, now and then."""

    def insert_events(self, stored_events: Sequence[StoredEvent], *, receipt: NewReceipt, **others: Any) -> list[int]:
        positions = super().insert_events(stored_events, **others)
        if random.random() < 0.2:
            os.kill(os.getpid(), signal.SIGKILL)
        row = receipt._asdict() | {"position": positions[-1]}
        statement = "SELECT receipt_apart(%(person)s, %(key)s, %(body_sha256)s, %(response)s, %(position)s)"
        self._connections.read(statement, row)
        return positions
