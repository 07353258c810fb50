"""What the tests share: a real PostgreSQL for each worker, and a fresh register for each test."""

from collections.abc import Generator
from pathlib import Path

import pytest

from api.postgres import Server, running
from tests.databases import Database, Databases
from tests.scratch import folder_in_memory, folder_on_disk

# Nothing here survives a power cut. Fault tests, which are about that, use `durable_server`.
QUICK = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@pytest.fixture(scope="session")
def server() -> Generator[Server]:
    """The worker's server, shared by its tests: not to be stopped or killed."""
    with folder_in_memory() as folder, running(folder, settings=QUICK) as server:
        yield server


@pytest.fixture(scope="session")
def databases(server: Server) -> Databases:
    """Fresh databases on the worker's server, as many as a test wants."""
    return Databases(server)


@pytest.fixture
def database(databases: Databases) -> Generator[Database]:
    """A fresh simulated register."""
    with databases.register("simulation") as database:
        yield database


@pytest.fixture
def production_database(databases: Databases) -> Generator[Database]:
    """A fresh production register."""
    with databases.register("production") as database:
        yield database


@pytest.fixture
def empty_database(databases: Databases) -> Generator[Database]:
    """A fresh database that was never migrated."""
    with databases.empty() as database:
        yield database


@pytest.fixture
def folder() -> Generator[Path]:
    """An empty folder with a short path, which any account may pass through."""
    with folder_in_memory() as folder:
        yield folder


@pytest.fixture
def durable_server() -> Generator[Server]:
    """The test's own server, on the disk, as durable as in production: to be stopped, killed and started at will."""
    with folder_on_disk() as folder, running(folder) as server:
        yield server


@pytest.fixture
def durable_database(durable_server: Server) -> Database:
    """A simulated register on the test's own durable server."""
    database = Database(durable_server)
    database.migrate()
    return database
