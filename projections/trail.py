"""Who did what, when, on what grounds? Every event of the log, found by whatever one knows of it.

A row depends on its own stream up to its event alone, is added once, and never changes: a correction is a row of its
own, and tells what it changed. What cannot be read is told with what its columns say.
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from uuid import UUID

from psycopg import Connection

from lifecycle import log, upcast
from lifecycle.sql import load
from projections.changes import Walk
from projections.folds import CERTIFICATE_FACTS, OTHER_TOPICS, Claim
from projections.follower import Follower, Projection
from projections.tables import digest
from projections.told import Row, Told, of_certificate, of_other, of_unreadable, row_of, storable

SQL = load("trail", "projections")
TABLES = ("create_trail",)
INDEXES = (
    "create_trail_certificate_index", "create_trail_organisation_index", "create_trail_person_index",
    "create_trail_topic_index", "create_trail_cause_index", "create_trail_recorded_index",
    "create_trail_effective_index",
)  # fmt: skip
TYPES = [
    "int8", "uuid", "int4", "text", "timestamptz", "date", "text", "text", "int4", "uuid", "uuid", "text", "text",
    "bytea", "bytea",
]  # fmt: skip
_CORRECTION = "record-corrected."


class TrailFollower(Follower):
    """Every event as it comes, and the last certificates as they stand, at most ``size`` of them."""

    def __init__(self, projection: Projection, size: int = 5_000) -> None:
        super().__init__(projection)
        self.size = size
        self.walks: OrderedDict[UUID, Walk] = OrderedDict()

    def read(self, connection: Connection, rows: Sequence[log.Row]) -> None:
        add(connection, [row_of(self._told(connection, row)) for row in rows])
        while len(self.walks) > self.size:
            self.walks.popitem(last=False)

    def forget(self) -> None:
        self.walks.clear()

    def load(self, connection: Connection, rows: Iterable[log.Row]) -> int:
        """The rows of whole streams, one stream after the other; answers how many there are."""
        return add(connection, (row_of(told) for told, _ in _streams(rows)))

    def _told(self, connection: Connection, row: log.Row) -> Told:
        """A correction, and what follows on something not remembered, is told from the stream's beginning."""
        walk = self.walks.pop(row[1], None)
        if row[3] in OTHER_TOPICS:
            return _tell(row, None)[0]
        if (walk is None and row[2] > 1) or row[3].startswith(_CORRECTION):
            *_, (told, walk) = _streams(log.stream_rows(connection, row[1], row[0]))
        else:
            told, walk = _tell(row, walk)
        if walk is not None:
            walk.history.clear()
            self.walks[row[1]] = walk
        return told


class TrailProjection:
    """The trail's rows."""

    name = "trail"
    version = 2
    definition = digest(SQL, *TABLES, *INDEXES)
    unseen = frozenset[str]()
    follower = TrailFollower

    def create(self, connection: Connection) -> None:
        for statement in TABLES:
            connection.execute(SQL[statement])

    def index(self, connection: Connection) -> None:
        for statement in INDEXES:
            connection.execute(SQL[statement])

    def learn(self, connection: Connection, claims: Iterable[Claim]) -> None:
        """Which numbers were claimed is told where it was recorded."""

    def settle(self, connection: Connection) -> None:
        self.index(connection)
        connection.execute(SQL["analyze_trail"])

    def swap(self, connection: Connection) -> None:
        connection.execute(SQL["swap_trail"])

    def discard(self, connection: Connection) -> None:
        connection.execute(SQL["discard_trail"])


def add(connection: Connection, rows: Iterable[Row]) -> int:
    """The rows stand; answers how many."""
    with connection.cursor().copy(SQL["copy_trail"]) as copy:
        copy.set_types(TYPES)
        count = 0
        for row in rows:
            copy.write_row(row)
            count += 1
    return count


def _streams(rows: Iterable[log.Row]) -> Iterator[tuple[Told, Walk | None]]:
    """Each event of whole streams, and the certificate as it stands then."""
    for _, stream in groupby(rows, key=lambda row: row[1]):
        walk = None
        for row in stream:
            told, walk = _tell(row, walk)
            yield told, walk


def _tell(row: log.Row, walk: Walk | None) -> tuple[Told, Walk | None]:
    """The event, and the walk one step further on."""
    try:
        recorded = upcast.recorded(*row)
    except upcast.Unreadable as error:
        if walk is not None:
            walk.lose(str(error))
        return of_unreadable(row, storable(str(error)), walk), walk
    if type(recorded.fact) not in CERTIFICATE_FACTS:
        return of_other(recorded), walk
    walk = walk or Walk(recorded)
    return of_certificate(recorded, walk), walk
