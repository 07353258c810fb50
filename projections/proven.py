"""Events as they are stored, each with the proof that a checkpoint covers it."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple
from uuid import UUID

from psycopg import Connection

from projections.checkpoints import DATABASE, Consistency, LedgerContradicted, LedgerEventDiffers, Note
from projections.ledger import SQL, Event, Tree, entry
from projections.merkle import consistency_path, includes, inclusion_path, is_consistent, leaf_hash
from projections.note import read

TREE_FOR = 100
"""So many proofs share what they read of the tree; after them memory is given back."""
EARLIER = 100
"""At most so many earlier checkpoints are shown."""
FOR_EVER = 2**63 - 1


class Proven(NamedTuple):
    """The tree of a checkpoint has the leaf of the event at the index, as the path proves."""

    event: Event
    leaf_index: int
    leaf_hash: bytes
    path: list[bytes]


def events_of(connection: Connection, stream: UUID, *, upto: int = FOR_EVER, topic: str | None = None) -> list[Event]:
    """A stream up to a position, or its events of one topic, as leaves cover them."""
    values = {"stream": stream, "upto": upto, "topic": topic}
    return connection.execute(SQL["select_stream_events"], values, binary=True).fetchall()  # pyright: ignore[reportReturnType]


def proven(connection: Connection, events: Sequence[Event], note: Note) -> Iterator[Proven]:
    """Each event with its proof. Raises LedgerEventDiffers, LedgerContradicted, TreeDamaged: nothing is proven then."""
    root = read(note.text, DATABASE).root
    for begin in range(0, len(events), TREE_FOR):
        tree = Tree(connection)
        for event in events[begin : begin + TREE_FOR]:
            leaf = tree.leaf_at(event[0])
            if leaf is None or leaf_hash(entry(event)) != leaf.hash:
                raise LedgerEventDiffers(position=event[0])
            path = tree.roots(inclusion_path(leaf.leaf_index, note.size))
            if not includes(leaf.leaf_index, note.size, leaf.hash, path, root):
                raise LedgerContradicted(size=note.size, position=note.position, where=DATABASE)
            yield Proven(event, leaf.leaf_index, leaf.hash, path)


def first_covering(connection: Connection, indexes: Sequence[int], note: Note) -> Iterator[Consistency]:
    """The checkpoints that covered each of these leaves first, each proven to be the beginning of the note's tree.

    Raises LedgerContradicted, TreeDamaged.
    """
    values = {"indexes": list(indexes), "size": note.size, "limit": EARLIER}
    tree, root = Tree(connection), read(note.text, DATABASE).root
    for older in map(Note._make, connection.execute(SQL["select_first_checkpoints"], values).fetchall()):
        path = tree.roots(consistency_path(older.size, note.size))
        if not is_consistent(older.size, note.size, read(older.text, DATABASE).root, root, path):
            raise LedgerContradicted(size=older.size, position=older.position, where=DATABASE)
        yield Consistency(path, older, note)
