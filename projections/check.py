"""Everything derived again and compared, with whoever reads the results believing nothing that is stored.

A ``Check`` looks at one thing: it tells how far it has come, and raises a ``Finding`` at the first bad position.
"""

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, LiteralString, NamedTuple, Protocol

from psycopg import ClientCursor, Connection, OperationalError, ServerCursor, connect

from lifecycle.bulk import FACTS_A_PART
from lifecycle.errors import Refusal
from lifecycle.sql import load
from projections.shared import shared

SQL = load("check", "projections")


class Finding(Refusal):
    """Something was changed; ``facts`` has the first bad ``position``."""

    kind = "unavailable"

    @property
    def position(self) -> int:
        return self.facts["position"]

    def __reduce__(self) -> tuple[Any, ...]:
        return _found, (type(self), self.facts)


def _found(kind: type[Finding], facts: dict[str, Any]) -> Finding:
    return kind(**facts)


class CheckBroken(Finding):
    code = "check_broken"
    en = "Position {position}: nothing can be said of what follows: the check {check} cannot read on. {problem}"
    zh = "位置 {position}：其后内容无法核对：检查 {check} 无法继续读取。{problem}"


class Progress(NamedTuple):
    """How many events a check has seen, of how many; ``open`` are those at the end that it can say nothing of yet."""

    check: str
    done: int
    total: int
    open: int = 0


class First:
    """Of all that is found the one at the first position."""

    def __init__(self) -> None:
        self.finding: Finding | None = None

    def see(self, finding: Finding | None) -> None:
        if finding is not None and (self.finding is None or finding.position < self.finding.position):
            self.finding = finding

    def refuse(self) -> None:
        """Raises it, if anything was found."""
        if self.finding is not None:
            raise self.finding


class Check(Protocol):
    """One thing that is looked at."""

    name: str

    def run(self, connection: Connection) -> Iterator[Progress]:
        """How far it has come. Raises Finding, and comes to its end if there is none."""
        ...


def verify(url: str, checks: Sequence[Check], hands: int = 1) -> Iterator[Progress | Finding]:
    """What each check says, all of them of the register as it stands at the beginning.

    A register of some size is looked at by so many processes at once, each check by one of them.
    """
    with connect(url, autocommit=True) as connection, connection.transaction():
        connection.execute(SQL["begin_snapshot"])
        hands = min(hands, len(checks))
        if hands > 1 and count_events(connection) > FACTS_A_PART:
            ((snapshot,),) = connection.execute(SQL["export_snapshot"]).fetchall()
            yield from shared(checks, hands, Looking(url, snapshot))
        else:
            for check in checks:
                yield from said(connection, check)


class Looking(NamedTuple):
    """At a register, as it stood when somebody took a snapshot of it; called with one check after the other."""

    url: str
    snapshot: str

    def __call__(self, checks: Iterator[Check]) -> Iterator[Progress | Finding]:
        with connect(self.url, autocommit=True) as connection, connection.transaction():
            connection.execute(SQL["begin_snapshot"])
            ClientCursor(connection).execute(SQL["take_snapshot"], {"snapshot": self.snapshot})
            for check in checks:
                yield from said(connection, check)


def said(connection: Connection, check: Check) -> Iterator[Progress | Finding]:
    """What one check says; nothing is left of what it wrote aside."""
    try:
        with connection.transaction(force_rollback=True):
            yield from check.run(connection)
    except Finding as finding:
        yield finding
    except OperationalError:
        raise
    except Exception as problem:
        yield CheckBroken(position=0, check=check.name, problem=f"{type(problem).__name__}: {problem}")


@contextmanager
def rows_of(
    connection: Connection, statement: LiteralString, values: Mapping[str, Any] | None = None, page: int = 2_000
) -> Generator[ServerCursor]:
    """All rows as they are needed."""
    with connection.cursor(name=f"rows_{abs(hash(statement))}", binary=True) as cursor:
        cursor.itersize = page
        yield cursor.execute(statement, values)


def count_events(connection: Connection) -> int:
    """How many events there are."""
    ((count,),) = connection.execute(SQL["count_events"]).fetchall()
    return count


def end_of(connection: Connection) -> int:
    """The last event's position; 0 where there is none."""
    ((position,),) = connection.execute(SQL["select_end"]).fetchall()
    return position
