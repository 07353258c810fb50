"""The Merkle tree of RFC 9162, section 2.1, over SHA-256: how it grows, what its proofs consist of, and verifying them.

Nothing here stores anything. A ``Subtree`` is complete, and so is the same for ever; a ``Range`` of leaves is one of
those into which the definition splits a tree, and its root is made of the complete subtrees in it.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import NamedTuple

EMPTY = sha256(b"").digest()
"""The root of a tree without leaves."""

Range = tuple[int, int]
"""The leaves from an index to before another."""


class Subtree(NamedTuple):
    """The leaves from ``number`` * 2^``level`` on, 2^``level`` of them."""

    level: int
    number: int


def leaf_hash(entry: bytes) -> bytes:
    """The hash of a leaf."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node with two subtrees."""
    return sha256(b"\x01" + left + right).digest()


def root_of(subtrees: Sequence[bytes]) -> bytes:
    """The root over complete subtrees side by side, the greatest first."""
    if not subtrees:
        return EMPTY
    *greater, root = subtrees
    for subtree in reversed(greater):
        root = node_hash(subtree, root)
    return root


def subtrees(leaves: Range) -> list[Subtree]:
    """The complete subtrees that a range consists of, from left to right."""
    start, stop = leaves
    found = []
    while start < stop:
        level = (stop - start).bit_length() - 1
        found.append(Subtree(level, start >> level))
        start += 1 << level
    return found


class Edge:
    """The right edge of a tree: the roots of the complete subtrees that it consists of, the greatest first."""

    def __init__(self, size: int = 0, roots: Iterable[bytes] = ()) -> None:
        self.size = size
        self.roots = list(roots)

    def add(self, leaf: bytes) -> list[tuple[Subtree, bytes]]:
        """The tree has one leaf more; answers the subtrees of two leaves and more that it completes."""
        level, number, root, completed = 0, self.size, leaf, []
        self.size += 1
        while number & 1:
            level, number, root = level + 1, number >> 1, node_hash(self.roots.pop(), root)
            completed.append((Subtree(level, number), root))
        self.roots.append(root)
        return completed

    def root(self) -> bytes:
        """The root of the whole tree."""
        return root_of(self.roots)


# ---- proofs: the ranges whose roots they consist of ------------------------------------------------------------------


def inclusion_path(index: int, size: int) -> list[Range]:
    """What proves that a tree of that size has its leaf at the index, from the leaf up: PATH(m, D_n)."""
    start, stop, path = 0, size, []
    while stop - start > 1:
        middle = _middle(start, stop)
        if index < middle:
            path.append((middle, stop))
            stop = middle
        else:
            path.append((start, middle))
            start = middle
    return path[::-1]


def consistency_path(old: int, new: int) -> list[Range]:
    """What proves that a tree of the old size (at least 1) is the beginning of one of the new size: PROOF(m, D_n)."""
    start, stop, path = 0, new, []
    while old != stop:
        middle = _middle(start, stop)
        if old <= middle:
            path.append((middle, stop))
            stop = middle
        else:
            path.append((start, middle))
            start = middle
    if start > 0:  # else the last range is the old tree itself, whose root everybody has
        path.append((start, stop))
    return path[::-1]


def _middle(start: int, stop: int) -> int:
    """Where a tree of two leaves or more is split: after the greatest power of two that leaves something over."""
    return start + (1 << (stop - start - 1).bit_length() - 1)


# ---- verifying -------------------------------------------------------------------------------------------------------


def includes(index: int, size: int, leaf: bytes, path: Sequence[bytes], root: bytes) -> bool:
    """Whether the path proves that the tree with that size and root has the leaf at the index (2.1.3.2)."""
    if not 0 <= index < size:
        return False
    place, last, computed = index, size - 1, leaf
    for hash in path:
        if last == 0:
            return False
        if place & 1 or place == last:
            computed = node_hash(hash, computed)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            computed = node_hash(computed, hash)
        place, last = place >> 1, last >> 1
    return last == 0 and computed == root


def is_consistent(old: int, new: int, old_root: bytes, new_root: bytes, path: Sequence[bytes]) -> bool:
    """Whether the path proves that the tree with the old size and root is the beginning of the new one (2.1.4.2)."""
    if not 0 < old <= new:
        return False
    if old == new:
        return not path and old_root == new_root
    hashes = [old_root, *path] if old & (old - 1) == 0 else list(path)
    if not hashes:
        return False
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old_computed = new_computed = hashes[0]
    for hash in hashes[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            old_computed, new_computed = node_hash(hash, old_computed), node_hash(hash, new_computed)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            new_computed = node_hash(new_computed, hash)
        place, last = place >> 1, last >> 1
    return last == 0 and old_computed == old_root and new_computed == new_root
