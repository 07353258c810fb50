"""A database is brought to the state that the migration files tell, once, in order, whoever else does it too."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from pathlib import Path

import psycopg
import pytest

from api.postgres import Server
from lifecycle.store import (
    KindDiffers,
    MigrationEdited,
    MigrationOutOfOrder,
    MigrationRefused,
    MigrationUnknown,
    Recorder,
    migrate,
)
from tests.databases import Database

SHIPPED = sorted(file.name for file in files("lifecycle.sql").joinpath("migrations").iterdir())


@pytest.fixture
def folder_of_files(tmp_path: Path) -> Path:
    """The shipped migrations, to be spoilt."""
    return Path(shutil.copytree(str(files("lifecycle.sql") / "migrations"), tmp_path / "migrations"))


def applied(database: Database) -> list[str]:
    with psycopg.connect(database.owner_url) as connection:
        return [name for (name,) in connection.execute("SELECT name FROM certlife.migrations ORDER BY applied_at")]


def test_every_file_is_applied_in_order_and_once(empty_database: Database) -> None:
    assert migrate(empty_database.owner_url) == SHIPPED
    assert migrate(empty_database.owner_url) == []
    assert applied(empty_database) == SHIPPED


def test_a_later_file_is_applied_by_a_later_run(empty_database: Database, folder_of_files: Path) -> None:
    migrate(empty_database.owner_url)
    (folder_of_files / "9000_more.sql").write_text("CREATE TABLE certlife.more ();")

    assert migrate(empty_database.owner_url, folder=folder_of_files) == ["9000_more.sql"]


def test_an_edited_file_that_was_applied_is_refused_by_name(empty_database: Database, folder_of_files: Path) -> None:
    migrate(empty_database.owner_url)
    edited = folder_of_files / SHIPPED[1]
    edited.write_text(edited.read_text() + "\n-- nothing of importance\n")
    (folder_of_files / "9000_more.sql").write_text("CREATE TABLE certlife.more ();")

    with pytest.raises(MigrationEdited, match=SHIPPED[1]) as refused:
        migrate(empty_database.owner_url, folder=folder_of_files)

    assert refused.value.name == SHIPPED[1]
    assert applied(empty_database) == SHIPPED


def test_an_applied_file_that_is_missing_is_refused_by_name(empty_database: Database, folder_of_files: Path) -> None:
    migrate(empty_database.owner_url)
    (folder_of_files / SHIPPED[-1]).unlink()

    with pytest.raises(MigrationUnknown, match=SHIPPED[-1]):
        migrate(empty_database.owner_url, folder=folder_of_files)


def test_a_file_put_before_an_applied_one_is_refused_by_name(empty_database: Database, folder_of_files: Path) -> None:
    migrate(empty_database.owner_url)
    (folder_of_files / "0002_late.sql").write_text("CREATE TABLE certlife.late ();")

    with pytest.raises(MigrationOutOfOrder, match=r"0002_late\.sql"):
        migrate(empty_database.owner_url, folder=folder_of_files)

    assert applied(empty_database) == SHIPPED


def test_a_file_that_fails_leaves_nothing_of_itself_and_the_ones_before_it_stay(
    empty_database: Database, folder_of_files: Path
) -> None:
    broken = folder_of_files / "9000_broken.sql"
    broken.write_text("CREATE TABLE certlife.half (); SELECT 1/0;")
    with pytest.raises(psycopg.errors.DivisionByZero):
        migrate(empty_database.owner_url, folder=folder_of_files)
    assert applied(empty_database) == SHIPPED

    broken.write_text("CREATE TABLE certlife.half ();")
    assert migrate(empty_database.owner_url, folder=folder_of_files) == ["9000_broken.sql"]


def test_runs_at_the_same_time_apply_each_file_once(empty_database: Database) -> None:
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(migrate, [empty_database.owner_url] * 4))

    assert sorted(name for names in done for name in names) == SHIPPED
    assert applied(empty_database) == SHIPPED


def test_several_registers_of_a_new_server_are_made_at_the_same_time(durable_server: Server) -> None:
    """Roles belong to the server: each database's first migration wants to make them."""
    with psycopg.connect(durable_server.url("postgres"), autocommit=True) as connection:
        for number in range(4):
            connection.execute(f"CREATE DATABASE race_{number}")
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(migrate, [durable_server.url(f"race_{number}") for number in range(4)]))

    assert done == [SHIPPED] * 4


def test_an_owner_that_is_no_superuser_can_migrate(durable_server: Server) -> None:
    with psycopg.connect(durable_server.url("postgres"), autocommit=True) as connection:
        connection.execute("CREATE ROLE plain_owner LOGIN CREATEROLE")
        connection.execute("CREATE DATABASE owned OWNER plain_owner")

    assert migrate(durable_server.url("owned", "plain_owner")) == SHIPPED


@pytest.mark.parametrize(("founded", "other"), [("production", "simulation"), ("simulation", "production")])
def test_a_register_stays_what_it_was_founded_as(empty_database: Database, founded: str, other: str) -> None:
    migrate(empty_database.owner_url, kind=founded)

    with pytest.raises(KindDiffers, match=f"founded as a {founded}") as refused:
        migrate(empty_database.owner_url, kind=other)

    assert (refused.value.recorded, refused.value.asked) == (founded, other)
    assert Recorder(empty_database.owner_url).register_kind() == founded


def test_every_refusal_to_migrate_is_one_kind_of_refusal() -> None:
    assert all(issubclass(kind, MigrationRefused) for kind in (MigrationEdited, MigrationUnknown, MigrationOutOfOrder))
