"""What is asked of the trail: pages of it by whatever one knows, one event, and what an event led to and came from."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from psycopg import Connection
from psycopg.rows import dict_row

from lifecycle.evidence.references import Reference
from projections.trail import SQL

FAMILY = 10_000
"""How many events of one certificate are looked through for relations."""
END = 2**62

_references = msgspec.json.Decoder(tuple[Reference, ...]).decode


class Asked(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is wanted; what is None is not asked for. ``recorded_before`` is excluded, the other ends are included."""

    certificate: UUID | None = None
    organisation: UUID | None = None
    person: str | None = None
    topic: str | None = None
    cause: str | None = None
    proposal: int | None = None
    recorded_from: datetime | None = None
    recorded_before: datetime | None = None
    effective_from: date | None = None
    effective_to: date | None = None


class Found(NamedTuple):
    """One event as the trail has it; ``codes`` are the grounds given under the ``edition``."""

    position: int
    edition: str | None
    codes: str | None
    told: bytes


class Relation(NamedTuple):
    """The event at ``position`` came before or after the event ``of``, and is related to it as ``link`` says."""

    position: int
    link: str
    of: int


def page(
    connection: Connection, asked: Asked, *, after: int, limit: int, upto: int = END, topics: list[str] | None = None
) -> list[Found]:
    """The events that are wanted, in the order of positions; of ``topics`` alone if given.

    A question of many parts is planned each time: one plan for all such questions would serve none.
    """
    bounds = {"after": after, "upto": upto, "limit": limit}
    if topics is None and asked == Asked(certificate=asked.certificate):
        simple = "select_trail_in_order" if asked.certificate is None else "select_trail_of_certificate"
        return _found(connection, simple, bounds | {"certificate": asked.certificate})
    wanted = msgspec.structs.asdict(asked) | bounds | {"topics": topics}
    rows = connection.execute(SQL["select_trail"], wanted, prepare=False, binary=True).fetchall()
    return [Found(*row) for row in rows]


def event(connection: Connection, position: int) -> Found | None:
    """The event at the position."""
    return next(iter(_found(connection, "select_event", {"position": position})), None)


def events(connection: Connection, positions: Iterable[int]) -> list[Found]:
    """The events at the positions, in order."""
    return _found(connection, "select_events", {"positions": list(positions)})


def chain(connection: Connection, position: int) -> tuple[list[Relation], list[Relation]]:
    """What the event came from, and what it led to, each nearest first."""
    bounds = {"position": position, "limit": FAMILY}
    family = connection.execute(SQL["select_family"], bounds, prepare=False, binary=True).fetchall()
    causes, effects = _links(family)
    return _reached(position, causes), _reached(position, effects)


def receipt(connection: Connection, person: str, key: str) -> dict[str, Any] | None:
    """What the register keeps of the request that was carried out."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(SQL["select_receipt"], {"person": person, "key": key}).fetchone()


def count_of_cause(connection: Connection, person: str, cause: str) -> int:
    """How many events have that cause: all that a run of the clock recorded, or a request of the person."""
    ((count,),) = connection.execute(SQL["count_of_cause"], {"person": person, "cause": cause}).fetchall()
    return count


Links = Mapping[int, list[tuple[int, str]]]


def _links(family: Iterable[tuple[Any, ...]]) -> tuple[Links, Links]:
    """By an event's position those it came from, and those that came from it.

    What a fact refers to was before it; the first fact that a request recorded entailed the others.
    """
    rows = list(family)
    places = {(stream, version): position for position, stream, version, *_ in rows}
    first: dict[tuple[str, str], int] = {}
    causes: dict[int, list[tuple[int, str]]] = defaultdict(list)
    effects: dict[int, list[tuple[int, str]]] = defaultdict(list)

    def link(later: int, earlier: int | None, name: str) -> None:
        if earlier is not None and earlier != later:
            causes[later].append((earlier, name))
            effects[earlier].append((later, name))

    for position, stream, _, cause, person, refers in rows:
        for reference in _references(refers):
            link(position, places.get((stream, reference.version)), reference.link)
        if cause is not None and cause.startswith("request:"):
            link(position, first.setdefault((cause, person), position), "entailed_by")
    return causes, effects


def _reached(position: int, links: Links) -> list[Relation]:
    found: dict[int, Relation] = {}
    waiting = [position]
    for of in waiting:
        for other, name in links.get(of, ()):
            if other != position and other not in found:
                found[other] = Relation(other, name, of)
                waiting.append(other)
    return list(found.values())


def _found(connection: Connection, statement: str, values: Mapping[str, Any]) -> list[Found]:
    rows = connection.execute(SQL[statement], values, prepare=True, binary=True).fetchall()
    return [Found(*row) for row in rows]
