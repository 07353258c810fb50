"""Brings a database to the state that the files in ``migrations/`` tell, as its owner."""

from collections.abc import Mapping
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Literal

import psycopg

from lifecycle.sql import load
from lifecycle.sql.errors import KindDiffers, MigrationEdited, MigrationOutOfOrder, MigrationUnknown

Kind = Literal["production", "simulation"]
SQL = load("migrate")
MIGRATIONS: Traversable = files("lifecycle.sql") / "migrations"


def migrate(owner_url: str, *, kind: Kind = "production", folder: Traversable = MIGRATIONS) -> list[str]:
    """Every file in ``folder`` is applied, each in one transaction; answers the names applied now, in order.

    The first run founds the register as ``kind``. Runs at the same time wait for each other. Refused, with nothing
    changed: KindDiffers, MigrationEdited, MigrationUnknown, MigrationOutOfOrder.
    """
    texts = _texts(folder)
    with psycopg.connect(owner_url, autocommit=True, connect_timeout=10) as connection:
        connection.execute(SQL["take_migration_lock"])
        _found(connection, kind)
        applied = dict(connection.execute(SQL["select_migrations"]).fetchall())
        _refuse_another_story(texts, applied)
        return [_apply(connection, name, text) for name, text in texts.items() if name not in applied]


def _texts(folder: Traversable) -> dict[str, bytes]:
    found = [file for file in folder.iterdir() if file.name.endswith(".sql")]
    return {file.name: file.read_bytes() for file in sorted(found, key=lambda file: file.name)}


def _found(connection: psycopg.Connection, kind: Kind) -> None:
    with connection.transaction():
        connection.execute(SQL["create_bookkeeping"])
        connection.execute(SQL["found_register"], {"kind": kind})
        (recorded,) = connection.execute(SQL["select_kind"]).fetchone() or ("nothing",)
        if recorded != kind:
            raise KindDiffers(recorded, kind)


def _refuse_another_story(texts: Mapping[str, bytes], applied: Mapping[str, bytes]) -> None:
    for name, digest in applied.items():
        if name not in texts:
            raise MigrationUnknown(name)
        if sha256(texts[name]).digest() != digest:
            raise MigrationEdited(name)
    last = max(applied, default="")
    for name in texts:
        if name not in applied and name < last:
            raise MigrationOutOfOrder(name, last)


def _apply(connection: psycopg.Connection, name: str, text: bytes) -> str:
    with connection.transaction():
        connection.execute(text)
        connection.execute(SQL["insert_migration"], {"name": name, "sha256": sha256(text).digest()})
    return name
