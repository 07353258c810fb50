"""The ledger's checkpoints and proofs: what was signed of the tree, and whether the tree still agrees with it."""

from collections.abc import Iterable
from typing import NamedTuple

from psycopg import Connection

from lifecycle.errors import Refusal
from projections.ledger import SQL, Leaf, LedgerDoubted, Tree, TreeDamaged, entry, events_after
from projections.merkle import consistency_path, includes, inclusion_path, is_consistent, leaf_hash
from projections.note import VerifierKey, read, verified

DATABASE = "ledger.checkpoints"
TAIL = 1000
"""So many leaves are derived from their events again before anything is signed."""


class LedgerTruncated(LedgerDoubted):
    code = "ledger_truncated"
    en = (
        "The ledger is truncated: it ends with event {size}, but a checkpoint over {published} events was given out "
        "({where}). An older copy of the database was restored, or its end was deleted. No checkpoint is signed."
    )
    zh = (
        "台账被截断：现仅有 {size} 个事件，但已发布过覆盖 {published} 个事件的检查点（{where}）。"
        "可能恢复了较旧的数据库副本，或末尾被删除。不再签发检查点。"
    )


class LedgerContradicted(LedgerDoubted):
    code = "ledger_contradicted"
    en = (
        "The ledger contradicts its checkpoint over {size} events ({where}): something at or before position "
        "{position} was changed since. No checkpoint is signed."
    )
    zh = "台账与其覆盖 {size} 个事件的检查点（{where}）不一致：位置 {position} 或更早的内容被改动。不再签发检查点。"


class LedgerEventDiffers(LedgerDoubted):
    code = "ledger_event_differs"
    en = "The event at position {position} is not the one in the ledger. No checkpoint is signed."
    zh = "位置 {position} 的事件与台账所载不符。不再签发检查点。"


class NoCheckpointYet(Refusal):
    code = "no_checkpoint_yet"
    kind = "not_found"
    en = "The ledger has no checkpoint yet. The first is signed within a minute of the first event."
    zh = "台账尚无检查点。首个检查点将在首个事件之后一分钟内签发。"


class SizeNotPublished(Refusal):
    code = "size_not_published"
    kind = "not_found"
    en = "No checkpoint over {size} events was published. The last one covers {last}."
    zh = "未发布过覆盖 {size} 个事件的检查点。最近的检查点覆盖 {last} 个事件。"


class PositionNotCovered(Refusal):
    code = "position_not_covered"
    kind = "not_found"
    en = "The checkpoint over {size} events ends at position {last}: it does not cover position {position}."
    zh = "覆盖 {size} 个事件的检查点止于位置 {last}，未覆盖位置 {position}。"


class NoEventAtPosition(Refusal):
    code = "no_event_at_position"
    kind = "not_found"
    en = "No event was recorded at position {position}: positions have holes. Nearest before it: {before}."
    zh = "位置 {position} 没有事件：位置允许有空缺。其前最近的位置：{before}。"


class SizesOutOfOrder(Refusal):
    code = "sizes_out_of_order"
    kind = "invalid"
    en = "A tree of {old} events cannot be the beginning of one of {new}. Give the smaller size as `from`."
    zh = "{old} 个事件的树不可能是 {new} 个事件的树的开头。请将较小者作为 from。"


class Note(NamedTuple):
    """A checkpoint as it was signed, to the byte."""

    size: int
    position: int
    text: str


class Inclusion(NamedTuple):
    """That the tree of a checkpoint has the leaf."""

    leaf: Leaf
    path: list[bytes]
    note: Note


class Consistency(NamedTuple):
    """That the tree of the older checkpoint is the beginning of the newer one's."""

    path: list[bytes]
    old: Note
    new: Note


# ---- what was signed -------------------------------------------------------------------------------------------------


def last_note(connection: Connection) -> Note | None:
    """The last checkpoint."""
    row = connection.execute(SQL["select_last_checkpoint"]).fetchone()
    return Note._make(row) if row else None


def note(connection: Connection, size: int | None) -> Note:
    """The checkpoint of a size, the last if None. Raises NoCheckpointYet, SizeNotPublished."""
    last = last_note(connection)
    if last is None:
        raise NoCheckpointYet
    if size is None or size == last.size:
        return last
    row = connection.execute(SQL["select_checkpoint"], {"size": size}).fetchone()
    if row is None:
        raise SizeNotPublished(size=size, last=last.size)
    return Note._make(row)


def notes_after(connection: Connection, size: int, limit: int) -> list[Note]:
    """The checkpoints of more than a size, the smallest first."""
    rows = connection.execute(SQL["select_checkpoints"], {"after": size, "limit": limit})
    return [Note._make(row) for row in rows]


# ---- proofs ----------------------------------------------------------------------------------------------------------


def inclusion(connection: Connection, position: int, size: int | None) -> Inclusion:
    """Proof that the event at a position is in the tree of a checkpoint, the last if no size is given.

    Raises NoCheckpointYet, SizeNotPublished, PositionNotCovered, NoEventAtPosition; TreeDamaged, LedgerContradicted and
    note.NoCheckpoint where what is stored proves nothing.
    """
    signed, tree = note(connection, size), Tree(connection)
    if position > signed.position:
        raise PositionNotCovered(position=position, size=signed.size, last=signed.position)
    leaf = tree.leaf_at(position)
    if leaf is None:
        (before,) = connection.execute(SQL["select_position_before"], {"position": position}).fetchone() or (0,)
        raise NoEventAtPosition(position=position, before=before)
    path = tree.roots(inclusion_path(leaf.leaf_index, signed.size))
    if not includes(leaf.leaf_index, signed.size, leaf.hash, path, read(signed.text, DATABASE).root):
        raise LedgerContradicted(size=signed.size, position=signed.position, where=DATABASE)
    return Inclusion(leaf, path, signed)


def consistency(connection: Connection, old: int, new: int | None) -> Consistency:
    """Proof that one checkpoint's tree is the beginning of another's, the last if no size is given.

    Raises NoCheckpointYet, SizeNotPublished, SizesOutOfOrder; and as above.
    """
    newer = note(connection, new)
    if old > newer.size:
        raise SizesOutOfOrder(old=old, new=newer.size)
    older = note(connection, old)
    path = Tree(connection).roots(consistency_path(older.size, newer.size))
    roots = read(older.text, DATABASE).root, read(newer.text, DATABASE).root
    if not is_consistent(older.size, newer.size, *roots, path):
        raise LedgerContradicted(size=newer.size, position=newer.position, where=DATABASE)
    return Consistency(path, older, newer)


# ---- does it still hold ----------------------------------------------------------------------------------------------


def require_agreement(connection: Connection, text: str, keys: Iterable[VerifierKey], where: str) -> None:
    """The note is the ledger's, and the tree begins as it says, and proves that as it would to others.

    Raises LedgerTruncated, LedgerContradicted, note.NoteRefused.
    """
    tree, told = Tree(connection), read(text, where)
    end = tree.end()
    if told.size > end.size:  # the key that signed it may be missing from an older copy too
        raise LedgerTruncated(size=end.size, published=told.size, where=where)
    signed = verified(text, keys, where)
    try:
        path = tree.roots(consistency_path(signed.size, end.size))
        (leaf,) = tree.leaves(signed.size - 1, 1)
        agrees = leaf.position == signed.position and is_consistent(
            signed.size, end.size, signed.root, tree.root(end.size), path
        )
    except TreeDamaged:
        agrees = False
    if not agrees:
        raise LedgerContradicted(size=signed.size, position=signed.position, where=where)


def require_tail(connection: Connection) -> None:
    """The last leaves are those of their events. Raises LedgerEventDiffers."""
    tree = Tree(connection)
    leaves = tree.leaves(max(0, tree.end().size - TAIL), TAIL)
    before = leaves[0].position - 1 if leaves else 0
    events = events_after(connection, before, len(leaves))
    for leaf, event in zip(leaves, [*events, *[None] * (len(leaves) - len(events))], strict=True):
        if event is None or event[0] != leaf.position or leaf_hash(entry(event)) != leaf.hash:
            raise LedgerEventDiffers(position=min(leaf.position, event[0]) if event else leaf.position)
