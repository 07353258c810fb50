"""The demonstration: a database of its own, generated certificates, the service, and where to look.

Everything runs in one process in simulated time: the present starts five years ago, moves through the lives of the
generated certificates, and runs on from today. Nothing is left behind afterwards.
"""

import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from api.demonstration.client import Client
from api.demonstration.generate import Progress, generate
from api.demonstration.made_up import made_up
from api.demonstration.staff import register_staff
from api.demonstration.walk import Step, Walk
from api.house import House, embedded, opened
from api.rehearsal.report_text import as_text
from api.server import served
from api.settings import Settings
from lifecycle.log import settled
from lifecycle.rehearsal.comparison import Comparing
from lifecycle.rehearsal.rehearsing import rehearsed
from lifecycle.rehearsal.report import Scope
from projections.register import first_numbers

YEARS = 5


@dataclass(slots=True)
class Demonstration:
    """A demonstration at work."""

    house: House
    client: Client
    now: datetime
    progress: Iterator[Progress]

    def first_numbers(self, count: int = 3) -> list[str]:
        """Some numbers to look up, as soon as the generated lives have come that far."""
        for _ in self.progress:
            with self.house.register.recorder.connection() as connection:
                numbers = first_numbers(connection, count)
            if len(numbers) == count:
                return numbers
        return []

    def fill(self) -> Iterator[Progress]:
        """The rest of the lives, then the present is today's."""
        yield from self.progress
        self.house.present.move_to(max(self.now, self.house.present.instant()))

    def rehearsal(self) -> Iterator[str]:
        """What an edition that nobody published would have done to the certificates generated."""
        edition, editions = made_up(), self.house.register.editions
        comparing = Comparing(edition, editions, self.house.today())
        with self.house.reading() as connection:
            position = settled(connection, self.house.present.instant()).position
            report = rehearsed(connection, comparing, Scope(edition.scheme), position)
        yield from as_text(report, edition, *editions.values(), lines=3)

    def walk(self) -> Iterator[Step]:
        """One certificate through its whole life over HTTP."""
        return Walk(self.house, self.client).steps()


@contextmanager
def demonstration(settings: Settings, certificates: int, seed: int) -> Generator[Demonstration]:
    """Started: database, persons and keys, service and engine; the lives are told as ``fill`` is read."""
    now = settings.starts_at or datetime.now(UTC)
    begin = now - timedelta(days=365 * YEARS + 1)
    with (
        tempfile.TemporaryDirectory(prefix="certlife-", ignore_cleanup_errors=True) as folder,
        embedded(Path(folder) / "pg", "simulation") as where,
        opened(where, settings.model_copy(update={"now": begin, "keys": Path(folder) / "keys"})) as house,
    ):
        secrets = register_staff(house.register)
        house.start(clock=False)
        with served(house, settings.host, settings.port) as url:
            house.publish()
            lives = generate(house, certificates, seed, now, years=YEARS)
            yield Demonstration(house, Client(url, secrets), now, lives)
