"""What the store's tests share: a recorder as the service has it, and the faults to seed."""

from collections.abc import Generator

import psycopg
import pytest

from lifecycle.store import Recorder
from tests.databases import Database
from tests.store.seeded import Owner


@pytest.fixture
def recorder(production_database: Database) -> Generator[Recorder]:
    """The store of a production register."""
    recorder = Recorder(production_database.service_url)
    yield recorder
    recorder.close()


@pytest.fixture
def owner(production_database: Database) -> Generator[Owner]:
    """The production register's owner, who may do what nobody else may."""
    with psycopg.connect(production_database.owner_url, autocommit=True) as connection:
        yield Owner(connection)


@pytest.fixture
def engine(production_database: Database) -> Generator[psycopg.Connection]:
    """The engine's connection to the production register."""
    with psycopg.connect(production_database.engine_url, autocommit=True) as connection:
        yield connection
