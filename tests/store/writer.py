"""A process that carries out commands one after the other, for ever: python -m tests.store.writer URL NAME FIRST.

It prints each command's number when it is acknowledged. A fourth argument seeds the fault of a receipt that is written
in a transaction of its own; the process then dies between the two, now and then.
"""

import os
import random
import signal
import sys
from collections.abc import Sequence
from itertools import count
from typing import Any

from eventsourcing.persistence import StoredEvent

from lifecycle.store import NewReceipt, Recorder
from tests.store.patient import Caller


class ReceiptApart(Recorder):
    """The seeded fault."""

    def insert_events(self, stored_events: Sequence[StoredEvent], *, receipt: NewReceipt, **others: Any) -> list[int]:
        positions = super().insert_events(stored_events, **others)
        if random.random() < 0.2:
            os.kill(os.getpid(), signal.SIGKILL)
        row = receipt._asdict() | {"position": positions[-1]}
        statement = "SELECT receipt_apart(%(person)s, %(key)s, %(body_sha256)s, %(response)s, %(position)s)"
        self._connections.read(statement, row)
        return positions


def main(url: str, name: str, first: str, fault: str = "") -> None:
    caller = Caller(name, ReceiptApart(url) if fault else Recorder(url))
    for number in count(int(first)):
        caller.carry_out(number)
        print(number, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
