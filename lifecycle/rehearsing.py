"""All recorded questions of a register asked again: reads the log in bulk, writes nothing."""

from collections.abc import Iterator
from typing import Any

import psycopg

from lifecycle.bulk import Span, histories, spans
from lifecycle.comparison import TOPICS, Comparing, Line
from lifecycle.report import Report, Scope, Tally


def rehearsed(connection: psycopg.Connection[Any], comparing: Comparing, scope: Scope, upto_position: int) -> Report:
    """The report over all certificates in the scope, as the log stood at a position. Raises upcast.Unreadable."""
    tally = Tally(comparing.edition, comparing.against, scope, comparing.on)
    for span in spans(upto_position):
        for line in lines(connection, comparing, span, upto_position):
            tally.add(line)
    return tally.report(upto_position)


def lines(connection: psycopg.Connection[Any], comparing: Comparing, span: Span, upto_position: int) -> Iterator[Line]:
    """The lines of the certificates with ids in the span, as they stood at a position, in the order of their ids."""
    with connection.transaction():
        for history in histories(connection, span, TOPICS, upto_position):
            if line := comparing.line(history):
                yield line
