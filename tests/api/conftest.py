"""What the tests of the HTTP service share."""

from collections.abc import Generator

import pytest

from tests.api.life import Life
from tests.api.office import Office, office_of
from tests.databases import Database, Databases


@pytest.fixture
def office(database: Database) -> Generator[Office]:
    """An office of the test's own."""
    with office_of(database) as office:
        yield office


@pytest.fixture(scope="module")
def shared_office(databases: Databases) -> Generator[Office]:
    """An office for all tests of a module that leave no trace another could stumble over."""
    with databases.register("simulation") as database, office_of(database) as office:
        yield office


@pytest.fixture
def life(office: Office) -> Life:
    """A certificate of the office's holder, nothing of it told yet."""
    return Life(office)
