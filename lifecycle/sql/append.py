"""The append as libpq takes it: one prepared statement, parameters packed as PostgreSQL reads them.

A cursor would cost the process as much as the append costs the database. Everything else may use cursors.
"""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from eventsourcing.persistence import StoredEvent
from psycopg.errors import UniqueViolation

from lifecycle.sql import load, packing
from lifecycle.sql.connection import BoundedConnection, Routine
from lifecycle.sql.errors import ReceiptExists
from lifecycle.sql.rows import NewReceipt

SQL = load("append")
ONE_FACT = Routine("append_fact", SQL["append_fact"])
FACTS = Routine("append_facts", SQL["append_facts"])

Packed = bytes | None


def append(
    connection: BoundedConnection,
    facts: Sequence[StoredEvent],
    receipt: NewReceipt | None,
    decided_on: date | None,
    now: datetime | None,
) -> int:
    """The facts and their receipt are recorded in one round trip; answers the last one's position.

    Raises ReceiptExists; everything else as psycopg does.
    """
    routine, packed = _one_fact(facts[0]) if len(facts) == 1 else _several_facts(facts)
    packed += (receipt.person.encode(), receipt.key.encode(), *receipt[2:]) if receipt else (None, None, None, None)
    packed += (packing.day(decided_on), packing.instant(now))
    try:
        return int.from_bytes(connection.call(routine, packed), "big")
    except UniqueViolation as error:
        if receipt and error.diag.constraint_name == "receipts_key":
            raise ReceiptExists(receipt.person, receipt.key) from error
        raise


def _one_fact(fact: StoredEvent) -> tuple[Routine, list[Packed]]:
    return ONE_FACT, [_id(fact), packing.integer(fact.originator_version), fact.topic.encode(), fact.state]


def _several_facts(facts: Sequence[StoredEvent]) -> tuple[Routine, list[Packed]]:
    return FACTS, [
        packing.array(packing.UUIDS, [_id(fact) for fact in facts]),
        packing.array(packing.INTEGERS, [packing.integer(fact.originator_version) for fact in facts]),
        packing.array(packing.TEXTS, [fact.topic.encode() for fact in facts]),
        packing.array(packing.BYTEAS, [fact.state for fact in facts]),
    ]


def _id(fact: StoredEvent) -> bytes:
    id = fact.originator_id
    if not isinstance(id, UUID):
        raise TypeError(f"A stream is named by a UUID, not by {id!r}.")
    return id.bytes
