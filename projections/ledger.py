"""The ledger: is this event in the log, unchanged, and has nothing before it changed since?

A Merkle tree (``merkle``) over all events in commit order, stored as the hashes of its leaves and, of the complete
subtrees above them, those at every eighth level; the rest is computed from at most 256 of these a level. It lives in a
schema of its own that only grows: the tree is a record of what was seen, and nothing that could be made anew.
"""

from collections.abc import Sequence
from struct import Struct
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Connection

from lifecycle.errors import Refusal
from lifecycle.sql import load
from projections.merkle import Edge, Range, Subtree, leaf_hash, node_hash, root_of, subtrees

SQL = load("ledger", "projections")
BATCH = 500
TILE_LEVELS = 8
"""Every so many levels the roots of complete subtrees are stored."""

Event = tuple[int, UUID, int, str, int, bytes]
"""Position, stream, version, topic, recorded_at in microseconds since 1970 in UTC, state."""

VERSION_TAG = b"certlife.leaf.v1"
_place = Struct("!q16siq")
_length = Struct("!I")


def entry(event: Event) -> bytes:
    """What the leaf of an event covers, in bytes:

    the tag ``certlife.leaf.v1``; position (8 bytes), the stream's id (16), version (4), recorded_at in microseconds
    since 1970-01-01T00:00:00Z (8); the length of the topic (4) and the topic in UTF-8; the length of the state (4) and
    the state as it is stored. Numbers are big-endian and signed, lengths unsigned.
    """
    position, stream, version, topic, recorded_at, state = event
    place, name = _place.pack(position, stream.bytes, version, recorded_at), topic.encode()
    return b"".join((VERSION_TAG, place, _length.pack(len(name)), name, _length.pack(len(state)), state))


class End(NamedTuple):
    """Where the tree ends: how many leaves it has, and the position of the last one's event."""

    size: int
    position: int


class Leaf(NamedTuple):
    """The leaf of the event at a position."""

    leaf_index: int
    position: int
    hash: bytes


class LedgerDoubted(Refusal):
    """The tree, the events and what was given out do not tell the same story; nothing is signed."""

    kind = "unavailable"


class TreeDamaged(LedgerDoubted):
    code = "tree_damaged"
    en = "The ledger is damaged: hashes of level {level} from number {number} on are missing. Nothing can be proven."
    zh = "台账已损坏：第 {level} 层自第 {number} 号起的哈希缺失。无法给出证明。"


class Tree:
    """The stored tree, read as far as it is asked for. Everything raises TreeDamaged."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._tiles: dict[tuple[int, int], dict[int, bytes]] = {}

    def end(self) -> End:
        """Where it ends at the moment."""
        return End._make(self.connection.execute(SQL["select_end"]).fetchone() or (0, 0))

    def leaf_at(self, position: int) -> Leaf | None:
        """The leaf of the event at a position; None where there is none."""
        row = self.connection.execute(SQL["select_leaf_at"], {"position": position}).fetchone()
        return Leaf._make(row) if row else None

    def leaves(self, first: int, limit: int) -> list[Leaf]:
        """The leaves from an index on."""
        rows = self.connection.execute(SQL["select_leaves"], {"first": first, "limit": limit}, binary=True)
        return [Leaf._make(row) for row in rows]

    def edge(self, size: int) -> Edge:
        """Its right edge when it had that size."""
        return Edge(size, [self._subtree(each) for each in subtrees((0, size))])

    def root(self, size: int) -> bytes:
        """Its root when it had that size."""
        return self.edge(size).root()

    def roots(self, path: Sequence[Range]) -> list[bytes]:
        """The roots that a proof consists of."""
        return [root_of([self._subtree(each) for each in subtrees(leaves)]) for leaves in path]

    def _subtree(self, wanted: Subtree) -> bytes:
        height = wanted.level % TILE_LEVELS
        first, count = wanted.number << height, 1 << height
        tile = self._tile(wanted.level - height, first >> TILE_LEVELS)
        try:
            hashes = [tile[number] for number in range(first, first + count)]
        except KeyError:
            raise TreeDamaged(level=wanted.level - height, number=first) from None
        while len(hashes) > 1:
            hashes = [node_hash(*pair) for pair in zip(hashes[::2], hashes[1::2], strict=True)]
        return hashes[0]

    def _tile(self, level: int, number: int) -> dict[int, bytes]:
        if (level, number) not in self._tiles:
            bounds = {"level": level, "first": number << TILE_LEVELS, "after": (number + 1) << TILE_LEVELS}
            statement = SQL["select_subtree_roots" if level else "select_leaf_hashes"]
            self._tiles[level, number] = dict(self.connection.execute(statement, bounds, binary=True).fetchall())
        return self._tiles[level, number]


class LedgerFollower:
    """The tree, brought up to the log batch by batch; ``position`` is where it was found to stand last.

    The position is that of the last leaf, so that it cannot be apart from the tree.
    """

    def __init__(self) -> None:
        self.position = 0
        self._edge = Edge()

    def advance(self, connection: Connection, batch: int = BATCH) -> int:
        """The tree has the leaves of one batch more; answers how many events that were."""
        try:
            with connection.transaction():
                return self._advance(connection, batch)
        except BaseException:
            self._edge = Edge()
            raise

    def _advance(self, connection: Connection, batch: int) -> int:
        connection.execute(SQL["take_ledger_lock"])
        size, self.position = Tree(connection).end()
        events = events_after(connection, self.position, batch)
        if events:
            if self._edge.size != size:
                self._edge = Tree(connection).edge(size)
            connection.execute(SQL["grow"], self._growth(events))
            self.position = events[-1][0]
        return len(events)

    def _growth(self, events: Sequence[Event]) -> dict[str, Any]:
        first_index, hashes = self._edge.size, [leaf_hash(entry(event)) for event in events]
        kept = [(each, root) for hash in hashes for each, root in self._edge.add(hash) if each.level % TILE_LEVELS == 0]
        return {
            "first_index": first_index,
            "positions": [event[0] for event in events],
            "hashes": hashes,
            "levels": [each.level for each, _ in kept],
            "numbers": [each.number for each, _ in kept],
            "roots": [root for _, root in kept],
        }


def events_after(connection: Connection, position: int, limit: int) -> list[Event]:
    """What was recorded after a position, in commit order, as leaves cover it."""
    bounds = {"after": position, "limit": limit}
    with connection.cursor(binary=True) as cursor:
        return cursor.execute(SQL["select_events"], bounds, prepare=True).fetchall()  # pyright: ignore[reportReturnType]
