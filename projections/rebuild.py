"""Makes a projection anew beside the one that serves, and lets it take its place.

The log is read in bulk up to a position, cut by ids of streams: each stream is folded whole in one go and dropped. A
part is read and its rows are written in one transaction, so whoever stops, or is killed, leaves only whole parts
behind, and whoever comes next, or works at the same time, takes the parts that are left. What was recorded since is
then projected as an engine does it; in one transaction, the position held, the new tables take the old ones' place.
"""

import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import NamedTuple, Protocol
from uuid import UUID

from psycopg import Connection, DataError, IntegrityError
from psycopg.errors import LockNotAvailable

from lifecycle import log, upcast
from lifecycle.certificate import Certificate, evolve
from lifecycle.events import RecordCorrected
from lifecycle.sql import load
from projections import follower
from projections.folds import CLAIM_TOPIC, OTHER_TOPICS, Claim, claim_of
from projections.follower import OtherDefinition, connect, definition_of, follower_of, stored_definition
from projections.hands import helped
from projections.tables import Rows, Span

SQL = load("rebuild", "projections")
SCHEMA = "projections_next"
FACTS_A_PART = 100_000
WAIT_SECONDS = 0.1
IDS = 2**128


class Rebuildable(follower.Projection, Protocol):
    """A projection that can be written in bulk.

    ``unseen`` are topics that change nothing in its rows but the version. ``learn`` is told all numbers claimed before
    the first part is loaded; ``load`` writes the rows of a part, ``place`` what is left to say of the numbers claimed.
    """

    unseen: frozenset[str]

    def learn(self, connection: Connection, claims: Iterable[Claim]) -> None: ...
    def rows(self, certificate: Certificate) -> Rows: ...
    def load(self, connection: Connection, span: Span, rows: Iterable[Rows]) -> None: ...
    def place(self, connection: Connection, span: Span) -> None: ...
    def settle(self, connection: Connection) -> None: ...
    def swap(self, connection: Connection) -> None: ...
    def discard(self, connection: Connection) -> None: ...


class RebuildEnded(Exception):
    """Somebody else ended this rebuild: it was begun anew, or given up."""


class Progress(NamedTuple):
    """How far it has come: ``done`` of ``parts`` have been read, ``facts`` in all, and what is done at present."""

    doing: str
    done: int
    parts: int
    facts: int


class Rebuild:
    """One projection made anew, by as many processes as like to take part."""

    def __init__(self, url: str, connection: Connection, projection: Rebuildable) -> None:
        self.url = url
        self.connection = connection
        self.projection = projection
        self.follower = follower_of(projection)
        self.name = {"projection": projection.name}

    def begin(self) -> None:
        """It is under way: begun, or gone on with where it stood. Raises OtherDefinition for one of a newer program."""
        with self._alone():
            self._refuse_newer(stored_definition(self.connection, self.projection)[0])
            found = self.connection.execute(SQL["select_rebuild"], self.name).fetchone()
            if found is not None and found[:2] != (self.projection.version, self.projection.definition):
                self._refuse_newer(found[0])
                self._discard()
                found = None
            if found is None:
                self._begin()
            else:
                self.take_part(*found[2:])

    def take_part(self, id: UUID, upto: int, checked: int) -> None:
        """Somebody began it: it reads up to a position, and the engine has checked every fact up to another."""
        self.id, self.upto, self.checked = id, upto, checked

    def discard(self) -> None:
        """Nothing is left of a rebuild that somebody began."""
        with self._alone():
            self._discard()

    def read_part(self) -> bool:
        """One more part has been read, and its rows stand; False if nobody has to take one any more."""
        with self._step("share_rebuild"):
            found = self.connection.execute(SQL["take_part"], self.name).fetchone()
            if found is None:
                return False
            span = Span(*found)
            facts = self._load(span)
            self.connection.execute(SQL["finish_part"], self.name | {"first": span.first, "facts": facts})
            return True

    def progress(self, doing: str) -> Progress:
        ((parts, done, facts),) = self.connection.execute(SQL["count_parts"], self.name).fetchall()
        return Progress(doing, done, parts, facts)

    def settle(self) -> None:
        """All parts have been read; the new tables have their indexes, and a position."""
        with self._step("hold_rebuild"):
            if self.connection.execute(SQL["select_next_position"], self.name).fetchone() is None:
                self.projection.settle(self.connection)
                position = definition_of(self.projection) | {"position": self.upto}
                self.connection.execute(follower.SQL["insert_position"], position)

    def follow(self) -> int:
        """A batch of what was recorded since is projected into the new tables; answers how many facts it had."""
        with self._step("hold_rebuild"):
            return self.follower.advance(self.connection)

    def swap(self) -> bool:
        """The new tables serve, the old ones are gone; False if somebody who reads them is in the way."""
        try:
            with self._step("hold_rebuild"):
                ((live, version),) = self.connection.execute(SQL["hold_live"], self.name).fetchall()
                self._refuse_newer(version)
                while self.follower.advance(self.connection) and self.follower.position < live:
                    pass
                self.connection.execute(SQL["swap_impatiently"])
                self.projection.swap(self.connection)
                self._take_the_position()
        except LockNotAvailable:
            self.follower.forget()
            return False
        return True

    def was_swapped(self) -> bool:
        """Whether the rows that serve are those of this rebuild."""
        return self.connection.execute(SQL["select_last_rebuild"], self.name).fetchone() == (self.id,)

    def _take_the_position(self) -> None:
        self.connection.execute(SQL["swap_position"], self.name | {"id": self.id})
        self.connection.execute(SQL["swap_quarantine"], self.name)
        self.connection.execute(SQL["forget_rebuild"], self.name)

    @contextmanager
    def _step(self, hold: str) -> Iterator[None]:
        with self.connection.transaction():
            if self.connection.execute(SQL[hold], self.name | {"id": self.id}).fetchone() is None:
                raise RebuildEnded(f"The rebuild of {self.projection.name} was ended by another.")
            yield

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """What is needed to begin a rebuild exists, and nobody else begins one."""
        with self.connection.transaction():
            self.connection.execute(follower.SQL["take_preparation_lock"])
            for statement in (follower.SQL["create_position"], follower.SQL["create_quarantine"],
                              SQL["create_rebuild"], SQL["create_part"]):  # fmt: skip
                self.connection.execute(statement)
            yield

    def _refuse_newer(self, version: int) -> None:
        if version > self.projection.version:
            raise OtherDefinition(self.projection, version)

    def _begin(self) -> None:
        own = definition_of(self.projection)
        (begun,) = self.connection.execute(SQL["insert_rebuild"], own).fetchall()
        self.take_part(*begun)
        spans = _spans(max(1, self.upto // FACTS_A_PART))
        firsts, lasts = [span.first for span in spans], [span.last for span in spans]
        self.connection.execute(SQL["insert_parts"], self.name | {"firsts": firsts, "lasts": lasts})
        self.projection.create(self.connection)
        with connect(self.url) as reader:
            claims = log.of_topic(reader, CLAIM_TOPIC, self.upto)
            self.projection.learn(self.connection, map(claim_of, claims))

    def _discard(self) -> None:
        self.connection.execute(SQL["forget_rebuild"], self.name)
        self.projection.discard(self.connection)

    def _load(self, span: Span) -> int:
        """The rows of a part stand; answers how many facts it had."""
        if (load := getattr(self.follower, "load", None)) is not None:
            with connect(self.url) as reader:
                return load(self.connection, log.span_rows(reader, *span, upto_position=self.upto))
        return write_part(self.connection, self.follower, span, Reach(self.upto, self.checked), self._set_aside(span))

    def _set_aside(self, span: Span) -> set[UUID]:
        """Who is set aside by the engine, which sees what is not shown here."""
        return {id for (id,) in self.connection.execute(SQL["select_set_aside"], self.name | span._asdict())}


class Reach(NamedTuple):
    """The log up to a position; up to another, every fact is known to be readable."""

    upto: int
    checked: int = 0


def write_part(
    connection: Connection, follower: follower.Follower, span: Span, reach: Reach, set_aside: Collection[UUID] = ()
) -> int:
    """The rows of a span's certificates stand where the connection writes; answers how many facts were read."""
    projection: Rebuildable = follower.projection  # pyright: ignore[reportAssignmentType]
    reading = _Reading(projection, set_aside)

    def streams() -> Iterator[log.Packed]:
        return log.packed_streams(
            connection, *span, upto_position=reach.upto, without=OTHER_TOPICS, unseen=projection.unseen,
            checked_position=reach.checked,
        )  # fmt: skip

    try:
        with connection.transaction():
            projection.load(connection, span, reading.rows(streams()))
        doubtful = reading.doubtful
    except (DataError, IntegrityError):
        doubtful = {stream.id: stream.position for stream in streams()}
    if doubtful:
        follower.project(connection, follower.folds.anew(connection, doubtful, reach.upto))
    projection.place(connection, span)
    return reading.facts


def rebuild(url: str, projection: Rebuildable, hands: int = 0) -> Iterator[Progress]:
    """The projection made anew while the old rows serve, step by step; whoever stops asking leaves it to be gone on
    with. So many processes more take part in reading. Raises OtherDefinition, RebuildEnded."""
    with connect(url, SCHEMA) as connection:
        made = Rebuild(url, connection, projection)
        progress = Progress("done", 1, 1, 0)
        try:
            for progress in _steps(made, hands):
                yield progress
        except RebuildEnded:
            if not made.was_swapped():
                raise
        yield progress._replace(doing="done", done=progress.parts)


def discard(url: str, projection: Rebuildable) -> None:
    """Nothing is left of a rebuild that was begun, finished or not; those who work at it are told that it ended."""
    with connect(url, SCHEMA) as connection:
        Rebuild(url, connection, projection).discard()


@contextmanager
def taking_part(url: str, projection: Rebuildable, rebuild: tuple[UUID, int, int]) -> Iterator[Callable[[], bool]]:
    """Reads one more part of a rebuild that somebody else began, each time it is called."""
    with connect(url, SCHEMA) as connection:
        made = Rebuild(url, connection, projection)
        made.take_part(*rebuild)
        yield made.read_part


def _steps(made: Rebuild, hands: int) -> Iterator[Progress]:
    made.begin()
    several = made.progress("reading").parts > 1
    told = made.url, made.projection, (made.id, made.upto, made.checked)
    with helped(told, hands if several else 0) as is_helped:
        while (progress := made.progress("reading")).done < progress.parts:
            yield progress
            if is_helped() or not made.read_part():
                time.sleep(WAIT_SECONDS)
    yield made.progress("settling")
    made.settle()
    while made.follow() == follower.BATCH:
        yield made.progress("catching up")
    while not made.swap():
        yield made.progress("waiting for readers")
        time.sleep(WAIT_SECONDS)


class _Reading:
    """The certificates of a part. ``doubtful`` are those to be read as the engine does, with their last positions."""

    def __init__(self, projection: Rebuildable, set_aside: Collection[UUID]) -> None:
        self.projection = projection
        self.set_aside = set_aside
        self.doubtful: dict[UUID, int] = {}
        self.facts = 0

    def rows(self, streams: Iterable[log.Packed]) -> Iterator[Rows]:
        """What is to be written of each certificate, of which nothing is kept."""
        for stream in streams:
            self.facts += stream.facts
            try:
                rows = self.projection.rows(self._certificate(stream))
            except Exception:
                self.doubtful[stream.id] = stream.position
            else:
                yield rows

    def _certificate(self, stream: log.Packed) -> Certificate:
        """The stream folded; whatever is unusual about it is raised."""
        facts = upcast.read_stream(stream.topics, stream.states)
        if stream.facts != stream.version or stream.id in self.set_aside:
            raise Unusual
        certificate = Certificate(stream.id)
        for version, fact in enumerate(facts, 1):
            if type(fact) is RecordCorrected:
                raise Unusual
            evolve(certificate, version, fact)
        certificate.version = stream.version
        return certificate


class Unusual(Exception):
    """The stream is read as the engine reads it."""


def _spans(count: int) -> list[Span]:
    """All ids, cut into so many spans of the same width: ids are random."""
    cuts = [IDS * number // count for number in range(count + 1)]
    return [Span(UUID(int=first), UUID(int=after - 1)) for first, after in pairwise(cuts)]
