"""One projection kept up with the log: in batches, each with its position in the same transaction as its rows.

It holds its position row while it writes: of several engines one writes at a time, and a kill at any moment loses and
doubles nothing. A certificate that cannot be read is set aside, and the others go on. It writes into tables of its own
definition alone.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import structlog
from psycopg import Connection, DatabaseError, DataError

from lifecycle import log
from lifecycle.certificate import Certificate
from lifecycle.sql import load
from projections.folds import Batch, Claim, Folds

SQL = load("engine", "projections")
BATCH = 500

Problems = dict[UUID, str]
"""Certificates that cannot be projected, and why."""

_log = structlog.get_logger()


class Projection(Protocol):
    """One question's tables, in the schema where the connection looks first.

    ``version`` rises whenever ``definition``, the digest of what creates the tables, changes, or what stands in them.
    ``put`` makes the certificates' rows what they are to be; ``claim`` learns of numbers claimed, in their order;
    ``withhold`` answers for none.
    """

    name: str
    version: int
    definition: str

    def create(self, connection: Connection) -> None: ...
    def index(self, connection: Connection) -> None: ...
    def put(self, connection: Connection, certificates: Sequence[Certificate]) -> None: ...
    def claim(self, connection: Connection, claims: Sequence[Claim]) -> None: ...
    def withhold(self, connection: Connection, certificate_ids: Sequence) -> None: ...


class OtherDefinition(Exception):
    """The tables are not of the definition that this program knows, and it leaves them as they are."""

    def __init__(self, projection: Projection, stored: int) -> None:
        self.projection, self.stored = projection, stored
        super().__init__(
            f"The tables of {projection.name} are of version {stored}; this program knows version {projection.version} "
            f"as {projection.definition[:8]}."
        )


class Follower:
    """One projection, brought up to date batch by batch; ``position`` is where it was found to stand last."""

    def __init__(self, projection: Projection) -> None:
        self.projection = projection
        self.folds = Folds()
        self.position = 0

    def advance(self, connection: Connection, batch: int = BATCH) -> int:
        """One batch projected, rows and position together; answers how many facts it had."""
        try:
            with connection.transaction():
                return self._advance(connection, batch)
        except BaseException:
            self.folds.forget()
            raise

    def _advance(self, connection: Connection, batch: int) -> int:
        name = self.projection.name
        self.hold(connection)
        rows = log.tail_rows(connection, self.position, batch)
        if rows:
            self.project(connection, self.folds.advance(connection, rows))
            self.position = rows[-1][0]
            connection.execute(SQL["move_position"], {"projection": name, "position": self.position})
        return len(rows)

    def hold(self, connection: Connection) -> None:
        """The position is known, and moved by nobody else before the transaction ends. Raises OtherDefinition."""
        found = connection.execute(SQL["hold_position"], {"projection": self.projection.name}).fetchone()
        self.position, version, definition = found or (0, 0, "")
        if (version, definition) != (self.projection.version, self.projection.definition):
            raise OtherDefinition(self.projection, version)

    def project(self, connection: Connection, batch: Batch) -> None:
        """The rows of what a batch touched are what they are to be; what cannot be projected is set aside."""
        problems = batch.unreadable | self._put(connection, batch.certificates)
        self.folds.drop(problems)
        self._set_aside(connection, problems, batch.positions)
        self._release(connection, [id for id in batch.positions if id not in problems])
        self.projection.claim(connection, batch.claims)

    def _put(self, connection: Connection, certificates: Sequence[Certificate]) -> Problems:
        """All rows at once; where one of them cannot be made, certificate by certificate, so that the others go on."""
        problem = self._try(connection, certificates) if certificates else None
        if problem is None:
            return {}
        if len(certificates) == 1:
            return {certificates[0].id: problem}
        alone = {certificate.id: self._try(connection, [certificate]) for certificate in certificates}
        return {id: problem for id, problem in alone.items() if problem is not None}

    def _try(self, connection: Connection, certificates: Sequence[Certificate]) -> str | None:
        """What stood in the way, if it lies in the certificates; what lies in the database is raised."""
        try:
            with connection.transaction():
                self.projection.put(connection, certificates)
        except DataError as error:
            return f"{type(error).__name__}: {error}"
        except DatabaseError:
            raise
        except Exception as error:
            return f"{type(error).__name__}: {error}"
        return None

    def _release(self, connection: Connection, ids: Sequence[UUID]) -> None:
        values = {"projection": self.projection.name, "certificate_ids": list(ids)}
        connection.execute(SQL["release_from_quarantine"], values)

    def _set_aside(self, connection: Connection, problems: Problems, positions: Mapping[UUID, int]) -> None:
        for id, problem in problems.items():
            _log.error("certificate set aside", projection=self.projection.name, certificate=str(id), problem=problem)
            values = {
                "projection": self.projection.name,
                "certificate_id": id,
                "position": positions[id],
                "problem": _storable(problem)[:2000],
            }
            connection.execute(SQL["put_in_quarantine"], values)
        if problems:
            self.projection.withhold(connection, list(problems))

    def complete(self, connection: Connection, position: int, instant: datetime) -> None:
        """Says that everything recorded up to ``instant`` has been seen, if the projection has come to ``position``."""
        values = {
            "projection": self.projection.name,
            "version": self.projection.version,
            "position": position,
            "complete_until": instant,
        }
        connection.execute(SQL["mark_complete"], values)


def connect(url: str, schema: str = "projections") -> Connection:
    """A connection in the engine's role, each statement its own transaction unless one is opened."""
    connection = Connection.connect(url, autocommit=True, connect_timeout=2)
    connection.execute(SQL["become_engine"], {"schema": schema})
    return connection


def definition_of(projection: Projection) -> dict[str, Any]:
    return {"projection": projection.name, "version": projection.version, "definition": projection.definition}


def stored_definition(connection: Connection, projection: Projection) -> tuple[int, str]:
    """Of which version and definition the tables of the projection are that serve."""
    (stored,) = connection.execute(SQL["select_definition"], {"projection": projection.name}).fetchall()
    return stored


def _storable(text: str) -> str:
    """The text without what PostgreSQL cannot hold in one: it may quote a fact that nobody could read."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")
