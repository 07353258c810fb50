"""RFC 9162, section 2.1, written down as it stands there, one definition a function; shares nothing with the ledger."""

from __future__ import annotations

from hashlib import sha256

Hashes = list[bytes]


def leaf(entry: bytes) -> bytes:
    return sha256(b"\x00" + entry).digest()


def mth(entries: Hashes) -> bytes:
    """MTH({}) = HASH(), MTH({d0}) = HASH(0x00 || d0), MTH(D_n) = HASH(0x01 || MTH(D[0:k]) || MTH(D[k:n]))"""
    if not entries:
        return sha256().digest()
    if len(entries) == 1:
        return leaf(entries[0])
    k = largest_power_below(len(entries))
    return sha256(b"\x01" + mth(entries[:k]) + mth(entries[k:])).digest()


def largest_power_below(n: int) -> int:
    """The largest power of two smaller than n."""
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def path(m: int, entries: Hashes) -> Hashes:
    """PATH(m, D_n)"""
    if len(entries) == 1:
        return []
    k = largest_power_below(len(entries))
    if m < k:
        return [*path(m, entries[:k]), mth(entries[k:])]
    return [*path(m - k, entries[k:]), mth(entries[:k])]


def proof(m: int, entries: Hashes) -> Hashes:
    """PROOF(m, D_n) = SUBPROOF(m, D_n, true)"""
    return subproof(m, entries, known=True)


def subproof(m: int, entries: Hashes, *, known: bool) -> Hashes:
    """SUBPROOF(m, D_n, b)"""
    if m == len(entries):
        return [] if known else [mth(entries)]
    k = largest_power_below(len(entries))
    if m <= k:
        return [*subproof(m, entries[:k], known=known), mth(entries[k:])]
    return [*subproof(m - k, entries[k:], known=False), mth(entries[:k])]


def root_from_path(m: int, n: int, hash: bytes, path: Hashes) -> bytes | None:
    """The root that an audit path leads to, PATH read backwards; None where it is not as long as it must be."""
    if n == 1:
        return None if path else hash
    if not path:
        return None
    k, (*below, top) = largest_power_below(n), path
    inner = root_from_path(m, k, hash, below) if m < k else root_from_path(m - k, n - k, hash, below)
    if inner is None:
        return None
    return sha256(b"\x01" + inner + top if m < k else b"\x01" + top + inner).digest()


def roots_from_proof(m: int, n: int, old: bytes, path: Hashes, *, known: bool = True) -> tuple[bytes, bytes] | None:
    """The old and the new root that a consistency proof leads to, SUBPROOF read backwards; None if it does not fit."""
    if m == n:
        if known:
            return None if path else (old, old)
        return (path[0], path[0]) if len(path) == 1 else None
    if not path:
        return None
    k, (*below, top) = largest_power_below(n), path
    if m <= k:
        inner = roots_from_proof(m, k, old, below, known=known)
        return inner and (inner[0], sha256(b"\x01" + inner[1] + top).digest())
    inner = roots_from_proof(m - k, n - k, old, below, known=False)
    return inner and (sha256(b"\x01" + top + inner[0]).digest(), sha256(b"\x01" + top + inner[1]).digest())
