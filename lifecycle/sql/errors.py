"""What the database refuses, in words of the register; each is of one of the eventsourcing library's own families."""

import re
from collections.abc import Callable
from datetime import date
from uuid import UUID

import psycopg
from eventsourcing.persistence import (
    DatabaseError,
    DataError,
    IntegrityError,
    OperationalError,
    PersistenceError,
    ProgrammingError,
)
from psycopg.errors import Diagnostic


class StoreUnavailable(OperationalError):
    """The database cannot be reached, or did not answer in time.

    ``in_doubt`` says that an append was under way: whether it was recorded is known by its receipt alone.
    """

    def __init__(self, reason: str, *, in_doubt: bool = False):
        self.reason = reason
        self.in_doubt = in_doubt
        super().__init__(f"The register cannot be reached: {reason}")


class VersionConflict(IntegrityError):
    """Somebody else appended ``version`` of ``stream`` first; nothing was recorded."""

    def __init__(self, stream: UUID, version: int):
        self.stream = stream
        self.version = version
        super().__init__(f"Version {version} of stream {stream} is taken: load the stream and decide again.")


class ReceiptExists(IntegrityError):
    """The person used the key before; nothing was recorded now."""

    def __init__(self, person: str, key: str):
        self.person = person
        self.key = key
        super().__init__(f"{person} used the key {key!r} before: its receipt has the answer.")


class DayTurned(PersistenceError):
    """The legal day on which it was decided was over when it reached the register; nothing was recorded."""

    def __init__(self, decided_on: date, recorded_on: date):
        self.decided_on = decided_on
        self.recorded_on = recorded_on
        super().__init__(f"Decided on {decided_on}, but the register stands at {recorded_on}: decide again.")


class ClockRefused(ProgrammingError):
    """A production register takes its instants from the database, a simulation from its process."""


class NotAppended(ProgrammingError):
    """A row that belongs to an event was to be written by a transaction that appended none."""


class KeyNotInForce(IntegrityError):
    """The key that was to be revoked is unknown, or revoked already."""


class MasterKeyReplaced(IntegrityError):
    """Details were sealed for a master key that is not in force any more; nothing was recorded."""


class HolderErased(IntegrityError):
    """The person for whom a key was to be issued was erased; nothing was recorded."""


class NothingToAppend(ProgrammingError):
    """An append without events was asked for."""

    def __init__(self) -> None:
        super().__init__("Cannot append nothing: a receipt stands for at least one event.")


class Unstorable(DataError):
    """A value that PostgreSQL cannot hold: a text with NUL or half a surrogate pair, a number out of range."""


class MigrationRefused(ProgrammingError):
    """The database and the migration files do not tell the same story; nothing was changed. ``name`` is the file's."""

    def __init__(self, name: str, why: str):
        self.name = name
        super().__init__(f"Cannot migrate: {name} {why}")


class MigrationEdited(MigrationRefused):
    """An applied file no longer has the text that was applied."""

    def __init__(self, name: str):
        super().__init__(name, "was edited after it had been applied. Restore it, and put the change into a new file.")


class MigrationUnknown(MigrationRefused):
    """The database has a migration that no file tells: a newer version made it, or a file was lost."""

    def __init__(self, name: str):
        super().__init__(name, "was applied to this database, but there is no such file here.")


class MigrationOutOfOrder(MigrationRefused):
    """A file that was never applied stands before one that was."""

    def __init__(self, name: str, last: str):
        self.last = last
        super().__init__(name, f"was never applied, but the later {last} was. Give it a later number.")


class KindDiffers(ProgrammingError):
    """A register stays what it was founded as."""

    def __init__(self, recorded: str, asked: str):
        self.recorded = recorded
        self.asked = asked
        super().__init__(f"This register was founded as a {recorded} and cannot become a {asked}.")


def in_words(error: psycopg.Error | UnicodeEncodeError, *, in_doubt: bool = False) -> PersistenceError:
    """The same refusal in words of the register."""
    if isinstance(error, UnicodeEncodeError | psycopg.DataError):
        return Unstorable(str(error))
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError) or error.sqlstate == _READ_ONLY:
        return StoreUnavailable(str(error), in_doubt=in_doubt)
    found = _WORDS.get(error.diag.constraint_name or error.sqlstate or "")
    return found(error.diag) if found else DatabaseError(str(error))


def is_about_the_statement(error: psycopg.Error | UnicodeEncodeError) -> bool:
    """Whether the server, or psycopg before it, refused what was asked and is ready for more; nothing was done then."""
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return error.diag.severity_nonlocalized == "ERROR"
    return True


def _version_conflict(said: Diagnostic) -> VersionConflict:
    stream, version = re.findall(r"\(([0-9a-f-]{36}), (\d+)\)", said.message_detail or "")[0]
    return VersionConflict(UUID(stream), int(version))


def _day_turned(said: Diagnostic) -> DayTurned:
    decided_on, recorded_on = (said.message_detail or "").split()
    return DayTurned(date.fromisoformat(decided_on), date.fromisoformat(recorded_on))


_READ_ONLY = "25006"  # a replica, or a server that was one a moment ago
_WORDS: dict[str, Callable[[Diagnostic], PersistenceError]] = {
    "events_stream_key": _version_conflict,
    "CL001": _day_turned,
    "CL002": lambda said: ClockRefused(said.message_primary),
    "CL003": lambda said: NotAppended(said.message_primary),
    "CL004": lambda said: KeyNotInForce(said.message_primary),
    "CL013": lambda said: MasterKeyReplaced(said.message_primary),
    "CL014": lambda said: HolderErased(said.message_primary),
}
