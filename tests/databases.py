"""Registers on a real PostgreSQL: migrated once for each kind, then copied, one for each test."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Literal

import psycopg
from psycopg import sql

from api.postgres import Server

Kind = Literal["production", "simulation"]
LOGINS = {"service_login": "certlife_service", "engine_login": "certlife_engine"}


@dataclass(frozen=True)
class Database:
    """One database, and its address for each of the three roles."""

    server: Server
    name: str = "certlife"

    @property
    def owner_url(self) -> str:
        return self.server.url(self.name)

    @property
    def service_url(self) -> str:
        return self.server.url(self.name, "service_login")

    @property
    def engine_url(self) -> str:
        return self.server.url(self.name, "engine_login")

    def migrate(self, kind: Kind = "simulation") -> None:
        """It is a register of this kind, and both logins exist."""
        from lifecycle.store import migrate  # noqa: PLC0415  the launcher's own tests need no store

        migrate(self.owner_url, kind=kind)
        with psycopg.connect(self.owner_url) as connection:
            existing = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles")}
            for login in LOGINS.keys() - existing:
                create = sql.SQL("CREATE ROLE {} LOGIN IN ROLE {}")
                connection.execute(create.format(sql.Identifier(login), sql.Identifier(LOGINS[login])))


class Databases:
    """What one server hands out to its tests."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._templates: dict[Kind, Database] = {}
        self._numbers = count(1)

    @contextmanager
    def register(self, kind: Kind) -> Generator[Database]:
        """A fresh register of that kind, dropped afterwards."""
        if kind not in self._templates:
            template = Database(self._server, f"template_{kind}")
            self._create(template, of="template1")
            template.migrate(kind)
            self._templates[kind] = template
        with self._copied(self._templates[kind].name) as database:
            yield database

    @contextmanager
    def empty(self) -> Generator[Database]:
        """A database that was never migrated, dropped afterwards."""
        with self._copied("template1") as database:
            yield database

    @contextmanager
    def copy_of(self, original: Database) -> Generator[Database]:
        """A copy of a database that nobody is connected to, dropped afterwards."""
        with self._copied(original.name) as database:
            yield database

    @contextmanager
    def _copied(self, of: str) -> Generator[Database]:
        database = Database(self._server, f"test_{next(self._numbers)}")
        self._create(database, of=of)
        try:
            yield database
        finally:
            self._execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(database.name)))

    def _create(self, database: Database, *, of: str) -> None:
        create = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
        self._execute(create.format(sql.Identifier(database.name), sql.Identifier(of)))

    def _execute(self, statement: sql.Composed) -> None:
        with psycopg.connect(self._server.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)
