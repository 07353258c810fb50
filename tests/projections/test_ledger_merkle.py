"""The tree of RFC 9162: known answers, an independent implementation, and proofs of which any byte was changed."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projections.merkle import (
    EMPTY,
    Edge,
    Subtree,
    consistency_path,
    includes,
    inclusion_path,
    is_consistent,
    leaf_hash,
    subtrees,
)
from tests.projections import merkle_naive as naive

# The inputs and roots that implementations of RFC 6962 have been compared by since certificate-transparency's first.
INPUTS = [bytes.fromhex(each) for each in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
)]  # fmt: skip
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
EMPTY_ROOT = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

# RFC 9162, 2.1.5: of the tree over d0 to d6 the paths by the names in the figure: a to f, j are leaves.
LEAVES = dict(zip("abcdefj", range(7), strict=True))

sizes = st.integers(1, 300)


def entries(count: int) -> list[bytes]:
    return [b"entry %d" % number for number in range(count)]


def roots(ranges: list[tuple[int, int]], given: list[bytes]) -> list[bytes]:
    """What a proof consists of, each root by the definition."""
    return [naive.mth(given[start:stop]) for start, stop in ranges]


def edge_of(given: list[bytes]) -> Edge:
    edge = Edge()
    for each in given:
        edge.add(leaf_hash(each))
    return edge


# ---- known answers ---------------------------------------------------------------------------------------------------


def test_an_empty_tree_has_the_digest_of_nothing() -> None:
    assert Edge().root().hex() == EMPTY.hex() == EMPTY_ROOT


@pytest.mark.parametrize("size", range(1, 9))
def test_the_roots_are_the_known_ones(size: int) -> None:
    assert edge_of(INPUTS[:size]).root().hex() == ROOTS[size - 1]


def test_the_paths_are_those_of_the_example_in_the_rfc() -> None:
    names: dict[tuple[int, int], str] = {(at, at + 1): name for name, at in LEAVES.items()}
    names |= {(0, 2): "g", (2, 4): "h", (4, 6): "i", (0, 4): "k", (4, 7): "l"}

    def named(ranges: list[tuple[int, int]]) -> str:
        return "".join(names[each] for each in ranges)

    assert [named(inclusion_path(index, 7)) for index in (0, 3, 4, 6)] == ["bhl", "cgl", "fjk", "ik"]
    assert [named(consistency_path(old, 7)) for old in (3, 4, 6)] == ["cdgl", "l", "ijk"]


def test_the_known_inclusion_proof_of_the_last_of_eight() -> None:
    path = [hash.hex() for hash in roots(inclusion_path(5, 8), INPUTS)]
    assert path == [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]


# ---- against the definitions -----------------------------------------------------------------------------------------


@given(sizes)
def test_a_tree_that_grew_has_the_root_of_the_definition(size: int) -> None:
    assert edge_of(entries(size)).root() == naive.mth(entries(size))


@given(sizes)
def test_what_a_leaf_completes_are_the_complete_subtrees_that_end_with_it(size: int) -> None:
    given, edge = entries(size), Edge()
    for index, each in enumerate(given):
        for (level, number), root in edge.add(leaf_hash(each)):
            assert (number + 1) << level == index + 1
            assert root == naive.mth(given[number << level : (number + 1) << level])


@given(sizes)
def test_the_subtrees_of_a_tree_are_side_by_side_and_complete(size: int) -> None:
    covered = [leaf for level, number in subtrees((0, size)) for leaf in range(number << level, (number + 1) << level)]
    assert covered == list(range(size))


@given(sizes, st.data())
def test_an_inclusion_proof_is_that_of_the_definition(size: int, data: st.DataObject) -> None:
    index, given = data.draw(st.integers(0, size - 1)), entries(size)
    path = roots(inclusion_path(index, size), given)
    assert path == naive.path(index, given)
    assert includes(index, size, naive.leaf(given[index]), path, naive.mth(given))


@given(sizes, st.data())
def test_a_consistency_proof_is_that_of_the_definition(size: int, data: st.DataObject) -> None:
    old, given = data.draw(st.integers(1, size)), entries(size)
    path = roots(consistency_path(old, size), given)
    assert path == naive.proof(old, given)
    assert is_consistent(old, size, naive.mth(given[:old]), naive.mth(given), path)


def test_all_proofs_of_small_trees_are_those_of_the_definition() -> None:
    for size in range(1, 40):
        given = entries(size)
        for index in range(size):
            assert roots(inclusion_path(index, size), given) == naive.path(index, given)
        for old in range(1, size + 1):
            assert roots(consistency_path(old, size), given) == naive.proof(old, given)


# ---- what is no proof ------------------------------------------------------------------------------------------------


def flips(hash: bytes, chance: Random) -> Iterator[bytes]:
    """The hash with each byte changed once."""
    for at, byte in enumerate(hash):
        yield hash[:at] + bytes([byte ^ chance.randrange(1, 256)]) + hash[at + 1 :]


def edits(proof: list[bytes], chance: Random) -> Iterator[list[bytes]]:
    """The proof with each byte changed once, with each hash left out, doubled, or exchanged with its neighbour."""
    for at, hash in enumerate(proof):
        yield from ([*proof[:at], changed, *proof[at + 1 :]] for changed in flips(hash, chance))
        yield proof[:at] + proof[at + 1 :]
        yield [*proof[:at], hash, *proof[at:]]
        if proof[at : at + 1] != proof[at + 1 : at + 2] and at + 1 < len(proof):
            yield [*proof[:at], proof[at + 1], hash, *proof[at + 2 :]]
    yield [*proof, sha256(b"more").digest()]


@settings(max_examples=30)
@given(sizes, st.data())
def test_every_edit_of_an_inclusion_proof_is_refused(size: int, data: st.DataObject) -> None:
    index, given = data.draw(st.integers(0, size - 1)), entries(size)
    leaf, root, path = naive.leaf(given[index]), naive.mth(given), naive.path(index, given)
    for edited in edits(path, Random(size)):
        assert not includes(index, size, leaf, edited, root)
        assert naive.root_from_path(index, size, leaf, edited) != root
    assert not any(includes(index, size, changed, path, root) for changed in flips(leaf, Random(size)))
    assert not any(includes(index, size, leaf, path, changed) for changed in flips(root, Random(size)))


@settings(max_examples=30)
@given(st.integers(2, 300), st.data())
def test_every_edit_of_a_consistency_proof_is_refused(size: int, data: st.DataObject) -> None:
    old, given = data.draw(st.integers(1, size - 1)), entries(size)
    before, after, path = naive.mth(given[:old]), naive.mth(given), naive.proof(old, given)
    for edited in edits(path, Random(size)):
        assert not is_consistent(old, size, before, after, edited)
        assert naive.roots_from_proof(old, size, before, edited) != (before, after)
    assert not is_consistent(old, size, after, after, path)
    assert not is_consistent(old, size, before, before, path)


@given(sizes, st.integers(0, 400))
def test_a_proof_holds_for_its_own_index_alone(size: int, other: int) -> None:
    given = entries(size)
    index = size // 2
    path, root = naive.path(index, given), naive.mth(given)
    if other != index:
        assert not includes(other, size, naive.leaf(given[index]), path, root)


@pytest.mark.parametrize(("old", "new"), [(0, 5), (6, 5), (-1, 5), (5, 0)])
def test_sizes_that_make_no_sense_prove_nothing(old: int, new: int) -> None:
    root = naive.mth(entries(5))
    assert not is_consistent(old, new, root, root, [])


def test_a_tree_is_consistent_with_itself_by_an_empty_proof_alone() -> None:
    root = naive.mth(entries(5))
    assert is_consistent(5, 5, root, root, [])
    assert not is_consistent(5, 5, root, root, [root])
    assert not is_consistent(5, 5, root, naive.mth(entries(4)), [])


# ---- mutants ---------------------------------------------------------------------------------------------------------


def without_prefixes(given: list[bytes]) -> bytes:
    """The mutant: leaves and nodes are hashed alike, so that a node could pass for a leaf."""
    if len(given) == 1:
        return sha256(given[0]).digest()
    k = naive.largest_power_below(len(given))
    return sha256(without_prefixes(given[:k]) + without_prefixes(given[k:])).digest()


def doubled_at_the_end(given: list[bytes]) -> bytes:
    """The mutant: an odd leaf is paired with itself, as other trees do."""
    row = [naive.leaf(each) for each in given]
    while len(row) > 1:
        row += row[-1:] * (len(row) % 2)
        row = [sha256(b"\x01" + a + b).digest() for a, b in zip(row[::2], row[1::2], strict=True)]
    return row[0]


@pytest.mark.parametrize("mutant", [without_prefixes, doubled_at_the_end])
def test_another_tree_has_other_roots_than_the_known_ones(mutant) -> None:
    assert [mutant(INPUTS[:size]).hex() for size in range(1, 9)] != ROOTS


def test_a_subtree_says_where_it_is() -> None:
    assert subtrees((4, 7)) == [Subtree(1, 2), Subtree(0, 6)]
