"""The ledger derived from the events again: against the stored tree, and every checkpoint that was given out."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from heapq import merge
from typing import Any, NamedTuple

from psycopg import Connection

from projections.check import Finding, Progress, count_events
from projections.checkpoints import DATABASE, notes_after
from projections.ledger import SQL, TILE_LEVELS, Event, Leaf, entry
from projections.merkle import Edge, Subtree, leaf_hash
from projections.note import Checkpoint, NoteRefused, VerifierKey, read, verified

PAGE = 2000
FIRST = -(2**63)

Given = Iterable[tuple[str, str]]
"""Notes from one place, the smallest first, and where each was found."""


class EventChanged(Finding):
    code = "event_changed"
    en = "Position {position}: the event is not the one that the ledger covers; it, or its leaf, was changed."
    zh = "位置 {position}：事件与台账所覆盖的不符；事件或其叶子被改动。"


class EventMissing(Finding):
    code = "event_missing"
    en = "Position {position}: the ledger covers an event here, and there is none; it was deleted."
    zh = "位置 {position}：台账在此覆盖一个事件，而该事件不存在；事件已被删除。"


class EventNotCovered(Finding):
    code = "event_not_covered"
    en = "Position {position}: the ledger does not cover this event; it was inserted, or its leaf deleted."
    zh = "位置 {position}：此处有台账未覆盖的事件；事件系插入，或其叶子被删除。"


class LeafOutOfPlace(Finding):
    code = "leaf_out_of_place"
    en = "Position {position}: its leaf has index {found} instead of {expected}."
    zh = "位置 {position}：其叶子序号为 {found}，应为 {expected}。"


class SubtreeDiffers(Finding):
    code = "subtree_differs"
    en = "Position {position}: subtree {number} of level {level}, which ends here, is not that of its leaves."
    zh = "位置 {position}：在此结束的第 {level} 层第 {number} 号子树与其叶子不符。"


class CheckpointDiffers(Finding):
    code = "checkpoint_differs"
    en = (
        "Position {position} to {upto}: something here was changed after the checkpoint over {size} events had been "
        "signed ({where})."
    )
    zh = "位置 {position} 至 {upto}：覆盖 {size} 个事件的检查点（{where}）签发之后，此处有内容被改动。"


class CheckpointBeyond(Finding):
    code = "checkpoint_beyond"
    en = (
        "Position {position} to {upto}: the ledger ends at {last}, but a checkpoint over {size} events was signed "
        "({where}); events are missing."
    )
    zh = "位置 {position} 至 {upto}：台账止于 {last}，但已签发过覆盖 {size} 个事件的检查点（{where}）；有事件缺失。"


class CheckpointUnreadable(Finding):
    code = "checkpoint_unreadable"
    en = "Position {position}: the checkpoint that should prove what follows proves nothing. {problem}"
    zh = "位置 {position}：本应证明其后内容的检查点无效。{problem_zh}"


class Signed(NamedTuple):
    """What a note says, or why it proves nothing; and where it was found, under which size and position."""

    size: int
    told: Checkpoint | NoteRefused
    where: str
    position: int | None = None


class LedgerCheck:
    """Holds the events to the stored tree, and the tree to the checkpoints in the database and those ``given``.

    The ``keys`` verify the checkpoints; whoever distrusts the register takes them, and what is given, from elsewhere.
    """

    name = "ledger"

    def __init__(self, keys: Iterable[VerifierKey], given: Iterable[Given] = ()) -> None:
        self.keys = list(keys)
        self.given = list(given)

    def run(self, connection: Connection) -> Iterator[Progress]:
        """How far it has come, and in the end how many events no leaf covers yet. Raises Finding."""
        total, edge, proven, last = count_events(connection), Edge(), 0, 0
        signed = merge(self._stored(connection), *map(self._read, self.given), key=lambda each: each.size)
        awaited = next(signed, None)
        with _rows(connection, "select_leaves") as leaves, _rows(connection, "select_events") as events:
            for leaf in _compared(map(Leaf._make, leaves), iter(events)):
                _require_subtrees(connection, leaf, edge.add(leaf.hash))
                while awaited is not None and awaited.size <= edge.size:
                    _require_checkpoint(awaited, edge, leaf, proven)
                    proven, awaited = leaf.position, next(signed, None)
                last = leaf.position
                if edge.size % PAGE == 0:
                    yield Progress(self.name, edge.size, total)
        if awaited is not None:
            _refuse_beyond(awaited, proven + 1, last)
        _refuse_more_subtrees(connection, edge, last)
        yield Progress(self.name, total, total, total - edge.size)

    def _stored(self, connection: Connection) -> Iterator[Signed]:
        after = 0
        while notes := notes_after(connection, after, PAGE):
            yield from (
                self._verified(note.text, DATABASE)._replace(size=note.size, position=note.position) for note in notes
            )
            after = notes[-1].size

    def _read(self, given: Given) -> Iterator[Signed]:
        return (self._verified(text, where) for text, where in given)

    def _verified(self, text: str, where: str) -> Signed:
        try:
            told = verified(text, self.keys, where)
        except NoteRefused as problem:
            return Signed(_told_size(text), problem, where)
        return Signed(told.size, told, where)


def _told_size(text: str) -> int:
    """The size that an unverified note tells; 0, which is looked at first, where it tells none."""
    try:
        return read(text).size
    except NoteRefused:
        return 0


@contextmanager
def _rows(connection: Connection, statement: str) -> Iterator[Iterable[Any]]:
    """All rows as they are needed, also one that stands twice."""
    with connection.cursor(name=statement, binary=True) as cursor:
        cursor.itersize = PAGE
        yield cursor.execute(SQL[statement], {"after": FIRST, "first": FIRST, "limit": None})


def _compared(leaves: Iterable[Leaf], events: Iterator[Event]) -> Iterator[Leaf]:
    """Each leaf, being its event's and in its place. Raises Finding."""
    for expected, leaf in enumerate(leaves):
        event = next(events, None)
        if event is None or event[0] > leaf.position:
            raise EventMissing(position=leaf.position)
        if event[0] < leaf.position:
            raise EventNotCovered(position=event[0])
        if leaf_hash(entry(event)) != leaf.hash:
            raise EventChanged(position=leaf.position)
        if leaf.leaf_index != expected:
            raise LeafOutOfPlace(position=leaf.position, found=leaf.leaf_index, expected=expected)
        yield leaf


def _require_subtrees(connection: Connection, leaf: Leaf, completed: Iterable[tuple[Subtree, bytes]]) -> None:
    """What the leaf completes is stored as it is. Raises SubtreeDiffers."""
    for (level, number), root in completed:
        if level % TILE_LEVELS == 0:
            bounds = {"level": level, "first": number, "after": number + 1}
            if connection.execute(SQL["select_subtree_roots"], bounds).fetchall() != [(number, root)]:
                raise SubtreeDiffers(position=leaf.position, level=level, number=number)


def _refuse_more_subtrees(connection: Connection, edge: Edge, last: int) -> None:
    """No tree is stored that is not complete yet. Raises SubtreeDiffers."""
    for level, number in connection.execute(SQL["select_last_subtrees"]).fetchall():
        if (number + 1) << level > edge.size:
            raise SubtreeDiffers(position=last, level=level, number=number)


def _require_checkpoint(signed: Signed, edge: Edge, leaf: Leaf, proven: int) -> None:
    """The tree is the one that was signed. Raises CheckpointUnreadable, CheckpointDiffers."""
    told = _readable(signed, proven + 1)
    filed_otherwise = signed.size != told.size or signed.position not in (None, told.position)
    if filed_otherwise or (told.size, told.position, told.root) != (edge.size, leaf.position, edge.root()):
        raise CheckpointDiffers(position=proven + 1, upto=leaf.position, size=signed.size, where=signed.where)


def _refuse_beyond(signed: Signed, position: int, last: int) -> None:
    """Where before its end the tree lost something, if it was built anew since, nobody can say."""
    told = _readable(signed, position)
    raise CheckpointBeyond(position=position, upto=told.position, last=last, size=told.size, where=signed.where)


def _readable(signed: Signed, position: int) -> Checkpoint:
    """What the note says. Raises CheckpointUnreadable."""
    if isinstance(signed.told, Checkpoint):
        return signed.told
    problem, problem_zh = signed.told.message("en"), signed.told.message("zh")
    raise CheckpointUnreadable(position=position, problem=problem, problem_zh=problem_zh)
