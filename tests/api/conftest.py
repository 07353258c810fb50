"""What the tests of the HTTP service share."""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import pytest

from tests.api.life import Life
from tests.api.office import FIRST_DAY, Office, office_of
from tests.databases import Database, Databases


class Staffed(NamedTuple):
    """A register in which everybody is employed, to be copied, and the office that employed them."""

    register: Database
    office: Office
    keys: Path


@pytest.fixture(scope="session")
def staffed(databases: Databases) -> Generator[Staffed]:
    with databases.register("simulation") as database, TemporaryDirectory() as keys:
        with office_of(database, FIRST_DAY - timedelta(hours=1)) as office:
            office.employs_everybody()
            copytree(office.house.settings.keys_folder, keys, dirs_exist_ok=True)
        yield Staffed(database, office, Path(keys))


@contextmanager
def staffed_office(database: Database, staffed: Staffed, **settings: Any) -> Generator[Office]:
    """An office over a copy of the register."""
    with office_of(database, keys=staffed.keys, **settings) as office:
        office.employs_as(staffed.office)
        yield office


@pytest.fixture
def database(databases: Databases, staffed: Staffed) -> Generator[Database]:
    """A register of the test's own, everybody employed."""
    with databases.copy_of(staffed.register) as database:
        yield database


@pytest.fixture
def office(database: Database, staffed: Staffed) -> Generator[Office]:
    """An office of the test's own."""
    with staffed_office(database, staffed) as office:
        yield office


@pytest.fixture(scope="module")
def shared_office(databases: Databases, staffed: Staffed) -> Generator[Office]:
    """An office for all tests of a module that leave no trace another could stumble over."""
    with databases.copy_of(staffed.register) as database, staffed_office(database, staffed) as office:
        yield office


@pytest.fixture
def life(office: Office) -> Life:
    """A certificate of the office's holder, nothing of it told yet."""
    return Life(office)
