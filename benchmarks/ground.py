"""What the benchmarks stand on: a durable register of its own, one certificate's life, and copies of it."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg.conninfo import conninfo_to_dict

from api.demonstration.generate import Acts, Teller
from api.demonstration.staff import register_staff
from api.house import House, embedded, opened
from api.settings import Settings
from lifecycle.sql import load

SQL = load("ground", "benchmarks")
BEGIN = datetime(2024, 1, 15, 1, tzinfo=UTC)
FACTS = 20
"""How many facts the copied certificate has."""


def figure(what: str, ours: float, other: float, unit: str, *, ratio: float | None = None) -> dict[str, Any]:
    """One figure; its ratio is ours to the other unless it is given."""
    shown = ratio if ratio is not None else ours / other
    return {"what": what, "ours": round(ours, 1), "other": round(other, 1), "unit": unit, "ratio": round(shown, 3)}


def middle(measured: list[float]) -> float:
    return median(measured)


@contextmanager
def ground() -> Generator[House]:
    """A house on a durable PostgreSQL of its own: a simulation with its staff, nothing running by itself."""
    with TemporaryDirectory(prefix="certlife-bench-") as folder:
        Path(folder).chmod(0o711)  # an unprivileged account may have to run the server
        settings = Settings(now=BEGIN, keys=Path(folder) / "keys")
        with embedded(Path(folder) / "data", "simulation") as where, opened(where, settings) as house:
            register_staff(house.register)
            yield house


def issued(house: House) -> Acts:
    """A certificate that has just been issued, and whoever acts on it."""
    day = BEGIN.date()
    acts = Acts(Teller(house, 1, 1, day, day), Random(0), 0)
    acts.apply("initial")
    _run(house, acts.to_grade())
    acts.decide("grant")
    acts.issue()
    return acts


def life(house: House) -> UUID:
    """A certificate with FACTS facts: issued, visited, suspended, reinstated, complained about."""
    acts = issued(house)
    house.present.move_to(BEGIN + timedelta(days=300))
    _run(house, acts.visit())
    acts.suspend()
    acts.reinstate()
    while acts.certificate().version < FACTS:
        acts.complain()
    return acts.id


def copies(house: House, of: UUID, count: int, facts: int = 1000) -> list[UUID]:
    """So many certificates with the same facts, at most the first so many, each under an id and a number of its own."""
    certificate = house.register.certificate(of)
    ids = [uuid4() for _ in range(count)]
    with psycopg.connect(house.addresses.owner, autocommit=True) as owner:
        values = {"of": of, "ids": ids, "number": certificate.numbers.last, "facts": facts}
        owner.execute(SQL["copy_stream"], values)
        owner.execute(SQL["analyze"])
    return ids


def library_environment(house: House) -> dict[str, str]:
    """The stock PostgreSQL persistence of the library, in the same database."""
    place = conninfo_to_dict(house.addresses.owner)
    names = {"DBNAME": "dbname", "HOST": "host", "PORT": "port", "USER": "user"}
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_PASSWORD": "",
        **{f"POSTGRES_{name}": str(place[key]) for name, key in names.items()},
    }


def _run(house: House, days: Iterator) -> None:
    for day in days:
        instant = datetime(day.year, day.month, day.day, 1, tzinfo=UTC)
        if instant > house.present.instant():
            house.present.move_to(instant)
