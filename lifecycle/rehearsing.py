"""All recorded questions of a register asked again: reads the log in bulk, writes nothing."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from lifecycle.bulk import Span, histories, spans
from lifecycle.comparison import TOPICS, Comparing, Line
from lifecycle.report import Report, Scope, Tally


def rehearsed(connection: psycopg.Connection[Any], comparing: Comparing, scope: Scope, upto_position: int) -> Report:
    """The report over all certificates in the scope, as the log stood at a position. Raises upcast.Unreadable."""
    tally = Tally(comparing.edition, comparing.against, scope, comparing.on)
    with without_collecting():
        for span in spans(upto_position):
            for line in lines(connection, comparing, span, upto_position):
                tally.add(line)
    return tally.report(upto_position)


@contextmanager
def without_collecting() -> Iterator[None]:
    """Histories hold no cycles: looking for some among millions of objects would cost a third of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def lines(connection: psycopg.Connection[Any], comparing: Comparing, span: Span, upto_position: int) -> Iterator[Line]:
    """The lines of the certificates with ids in the span, as they stood at a position, in the order of their ids."""
    with connection.transaction():
        for history in histories(connection, span, TOPICS, upto_position):
            if line := comparing.line(history):
                yield line
