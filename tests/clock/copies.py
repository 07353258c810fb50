"""A log filled in bulk: lives that were told once are copied under other ids and numbers, and mixed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from random import Random
from uuid import uuid5

from eventsourcing.persistence import StoredEvent
from psycopg import Connection

from lifecycle import log
from lifecycle.events import topic_of
from lifecycle.sql import load
from lifecycle.transitions import STATUS

SQL = load("copies", "tests.clock")
CERTIFICATE_TOPICS = frozenset(topic_of(fact) for _, fact in STATUS)
NUMBER = re.compile(rb'"((?:CSP-S01|GBT27922|GAT594)-\d{4})-(\d{5})"')
SERIALS_OF_A_COPY = 200
COPIES_OF_A_YEAR = 400


def certificate_rows(connection: Connection) -> list[log.Row]:
    """The facts of all certificates, in commit order."""
    return [row for row in log.tail_rows(connection, 0, 10**6) if row[3] in CERTIFICATE_TOPICS]


def copied(rows: Sequence[log.Row], number: int) -> list[StoredEvent]:
    """The same facts of other certificates, with numbers of their own."""
    ids = {id: uuid5(id, str(number)) for id in {row[1] for row in rows}}
    return [StoredEvent(ids[row[1]], row[2], row[3], renumbered(row[4], number)) for row in rows]


def renumbered(state: bytes, number: int) -> bytes:
    """The fact with the certificate numbers of that copy, in years that no clock has reached."""
    years, serials = divmod(number, COPIES_OF_A_YEAR)

    def other(found: re.Match[bytes]) -> bytes:
        series, serial = found[1][:-4] + b"%04d" % (3000 + int(found[1][-4:]) % 100 * 60 + years), int(found[2])
        return b'"%b-%05d"' % (series, serial + serials * SERIALS_OF_A_COPY)

    return NUMBER.sub(other, state)


def mixed(streams: Iterable[Sequence[StoredEvent]], chance: Random) -> Iterator[StoredEvent]:
    """All facts of all copies, those of each in their order."""
    waiting = [iter(stream) for stream in streams]
    while waiting:
        place = chance.randrange(len(waiting))
        fact = next(waiting[place], None)
        if fact is None:
            waiting[place] = waiting[-1]
            waiting.pop()
        else:
            yield fact


def insert(owner: Connection, facts: Iterable[StoredEvent]) -> None:
    """The facts stand at the end of the log, in that order, with the last instant."""
    ((instant,),) = owner.execute(SQL["select_last_instant"]).fetchall()
    with owner.cursor().copy(SQL["copy_events"]) as copy:
        copy.set_types(["uuid", "int4", "text", "bytea", "timestamptz"])
        for fact in facts:
            copy.write_row((fact.originator_id, fact.originator_version, fact.topic, fact.state, instant))
