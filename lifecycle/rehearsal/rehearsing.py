"""All recorded questions of a register asked again: reads the log in bulk, writes nothing."""

import gc
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from lifecycle.bulk import FACTS_SORTED, Packed, Span, packed, spans
from lifecycle.rehearsal.comparison import Comparing, Line
from lifecycle.rehearsal.narrow import TOPICS
from lifecycle.rehearsal.report import Report, Scope, SetAside, Tally


def rehearsed(connection: psycopg.Connection[Any], comparing: Comparing, scope: Scope, upto_position: int) -> Report:
    """The report over all certificates in the scope, as the log stood at a position."""
    tally = Tally(comparing.edition, comparing.against, scope, comparing.on)
    for line in lines(connection, comparing, spans(upto_position, FACTS_SORTED), upto_position):
        tally.add(line)
    return tally.report(upto_position)


def lines(
    connection: psycopg.Connection[Any], comparing: Comparing, parts: Iterable[Span], upto_position: int
) -> Generator[Line | SetAside]:
    """The lines of the certificates with ids in the parts, as they stood at a position, in the order of their ids.

    The connection serves nothing else meanwhile.
    """
    with without_collecting():
        for stream in packed(connection, parts, TOPICS, upto_position):
            if line := line_of(stream, comparing):
                yield line


def line_of(stream: Packed, comparing: Comparing) -> Line | SetAside | None:
    """The stream's line; None where no question was put that is the edition's."""
    try:
        return comparing.line(stream.history())
    except Exception as error:  # a fact that cannot be read, or that no state can take in
        return SetAside(stream.id, f"{type(error).__name__}: {error}")


@contextmanager
def without_collecting() -> Iterator[None]:
    """Histories hold no cycles: to look for some among millions of objects would cost a third of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
