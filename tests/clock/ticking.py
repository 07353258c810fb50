"""A scheduler's process: it brings the projections up to date, asks what is due, and ticks, again and again.

Its own clock jumps. What day it is it asks the register, as the house does; but sometimes it insists on its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from multiprocessing.connection import Connection as Pipe
from random import Random
from typing import Any
from uuid import UUID

from lifecycle.errors import DayInFuture
from lifecycle.periods import legal_day
from lifecycle.scheduler import tick
from lifecycle.service import Register
from projections import deadlines
from projections.engine import Engine, connect
from tests.clock.mutants import Credulous, Forgetful, Headstrong
from tests.projections.tables import projections

KINDS = {kind.__name__: kind for kind in (Register, Forgetful, Headstrong, Credulous)}
JUMP_DAYS = 400


class Shared:
    """The true present, which one process moves and the others read."""

    def __init__(self, seconds: Any) -> None:
        self.seconds = seconds

    def instant(self) -> datetime:
        return datetime.fromtimestamp(self.seconds.value, UTC)


def ticking(kind: str, service_url: str, engine_url: str, seconds: Any, seed: int, told: Pipe) -> None:
    """Ticks for ever; tells after each round the present at which it had begun."""
    present, chance = Shared(seconds), Random(seed)
    register = KINDS[kind]({"CERTLIFE_DATABASE_URL": service_url}, present)
    engine = Engine(engine_url, projections(), present)
    with connect(engine_url) as connection:

        def due(by: date) -> Iterator[list[UUID]]:
            yield from list(deadlines.clock_due(connection, by, chance.choice((50, 500))))

        while True:
            began = seconds.value
            engine.catch_up(connection)
            today = legal_day(present.instant())
            with suppress(DayInFuture):
                tick(register, due, today + timedelta(days=chance.randint(-JUMP_DAYS, JUMP_DAYS)))
            tick(register, due, today)
            told.send(began)
