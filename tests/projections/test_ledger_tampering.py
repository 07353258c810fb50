"""Somebody with full rights on the database changes what is recorded: each time the first bad position is named."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from random import Random
from typing import Any

import psycopg
import pytest
from psycopg import Connection

from projections import check_ledger, ledger
from projections.check import Finding, Progress
from projections.check_ledger import LedgerCheck
from projections.ledger import LedgerFollower, Tree
from tests.databases import Databases
from tests.projections.ledgers import SQL, Ledger, Signing, found, looked

COVERED = 700
SIZES = (1, 90, 256, 300, 511, COVERED)
TIMES = [10, pytest.param(100, marks=pytest.mark.figures)]
TIMES_OF_EACH_WAY = [1, pytest.param(10, marks=pytest.mark.figures)]


@pytest.fixture(scope="module")
def lived(databases: Databases) -> Generator[Ledger]:
    """A ledger with checkpoints now and then."""
    with databases.register("simulation") as database:
        made, before = Ledger(database), 0
        for size in SIZES:
            made.append(size - before)
            assert made.grow() == size
            made.sign()
            before = size
        yield made


@dataclass
class Tamperer:
    """Who has full rights, in a transaction that is taken back afterwards; knows neither key nor others' copies."""

    owner: Connection
    chance: Random
    positions: list[int]
    sizes: tuple[int, ...] = SIZES

    def do(self, name: str, **values: Any) -> None:
        self.owner.execute(SQL[name], values)

    def one(self) -> int:
        return self.chance.choice(self.positions)

    def two(self) -> tuple[int, int]:
        one, other = sorted(self.chance.sample(self.positions, 2))
        return one, other

    def hole(self) -> int:
        return self.chance.choice(sorted(set(range(1, self.positions[-1])) - set(self.positions)))

    def rechain(self) -> None:
        """The tree is built anew over what is there now: leaves and subtrees agree with the events again."""
        self.do("forget_tree")
        self.do("become_engine_again")
        follower = LedgerFollower()
        while follower.advance(self.owner):
            pass
        self.owner.execute("RESET ROLE")

    def sign_anew(self, key: Signing) -> None:
        """Checkpoints of the same sizes, with a key of the tamperer's."""
        self.do("forget_checkpoints")
        for size in self.sizes:
            if size <= Tree(self.owner).end().size:
                values = {"size": size, "note": key.sign(self.owner, size)}
                self.owner.execute(
                    "INSERT INTO ledger.checkpoints (tree_size, position, note) SELECT %(size)s, position, %(note)s "
                    "FROM ledger.leaves WHERE leaf_index = %(size)s - 1", values,
                )  # fmt: skip


Tampering = Callable[[Tamperer], int]
"""Answers the first position that is bad afterwards."""


def flip(by: Tamperer) -> int:
    position = by.one()
    ((state,),) = by.owner.execute(SQL["select_state"], {"position": position}).fetchall()
    at = by.chance.randrange(len(state))
    by.do("change_state", position=position, state=state[:at] + bytes([state[at] ^ 1]) + state[at + 1 :])
    return position


def column(name: str) -> Tampering:
    def change(by: Tamperer) -> int:
        position = by.one()
        by.do(name, position=position)
        return position

    return change


def delete(by: Tamperer) -> int:
    return column("delete_event")(by)


def insert(by: Tamperer) -> int:
    position = by.hole()
    by.do("insert_event", position=position)
    return position


def double(by: Tamperer) -> int:
    position = by.one()
    by.owner.execute(SQL["double_event"].format(position=position))
    after = [each for each in by.positions if each > position]
    return position if after else -1


def swap(by: Tamperer) -> int:
    one, other = by.two()
    by.do("swap_states", position=one, to=other)
    return one


def exchange(by: Tamperer) -> int:
    """Two certificates' events exchange their streams."""
    one, other = by.two()
    while by.positions.index(one) // 10 == by.positions.index(other) // 10:
        one, other = by.two()
    by.do("swap_streams", position=one, to=other)
    ((a,), (b,)) = by.owner.execute(
        "SELECT originator_id FROM certlife.events WHERE position IN (%s, %s)", (one, other)
    ).fetchall()
    assert a != b
    return one


def move(by: Tamperer) -> int:
    position, hole = by.one(), by.hole()
    by.do("change_position", position=position, to=hole)
    return min(position, hole)


def truncate_events(by: Tamperer) -> int:
    position = by.one()
    by.do("delete_events_from", position=position)
    return position


def truncate_everything(by: Tamperer) -> int:
    """Events, leaves, subtrees and checkpoints, as if an older dump had been restored."""
    position = by.one()
    for name in ("delete_events_from", "cut_ledger", "cut_leaves"):
        by.do(name, position=position)
    by.do("cut_subtrees")
    before = [each for each in by.positions if each < position]
    return (before[-1] if before else 0) + 1


def delete_leaf(by: Tamperer) -> int:
    return column("delete_leaf")(by)


def delete_event_and_leaf(by: Tamperer) -> int:
    """The next leaf is out of place; the last one's leaf is missed by its checkpoint."""
    at = by.chance.randrange(len(by.positions) - 1)
    for name in ("delete_event", "delete_leaf"):
        by.do(name, position=by.positions[at])
    return by.positions[at + 1]


def change_subtree(by: Tamperer) -> int:
    number = by.chance.randrange(COVERED // 256)
    by.do(by.chance.choice(("change_subtree", "delete_subtree")), number=number)
    return by.positions[256 * number + 255]


def insert_subtree(by: Tamperer) -> int:
    by.do("insert_subtree")
    return by.positions[-1]


EXACT: dict[str, Tampering] = {
    "flip": flip,
    "another topic": column("change_topic"),
    "another version": column("change_version"),
    "another stream": column("change_stream"),
    "another instant": column("change_instant"),
    "an instant that is none": column("change_instant_to_never"),
    "delete": delete,
    "insert": insert,
    "swap": swap,
    "exchange two certificates' events": exchange,
    "move": move,
    "truncate the events": truncate_events,
    "delete a leaf": delete_leaf,
    "change a leaf": column("change_leaf"),
    "shift the leaves": column("shift_leaf"),
    "delete an event with its leaf": delete_event_and_leaf,
    "change a subtree": change_subtree,
    "insert a subtree": insert_subtree,
}
"""What is found at the very position."""

REBUILT: dict[str, Tampering] = {name: EXACT[name] for name in (
    "flip", "another topic", "another version", "another stream", "another instant", "delete", "insert", "swap",
    "exchange two certificates' events", "move", "truncate the events",
)}  # fmt: skip
"""After which the tree can be built anew."""


@pytest.fixture
def tamperer(lived: Ledger) -> Generator[Callable[[int], Tamperer]]:
    """A tamperer by a seed; what the one before did is taken back."""
    with psycopg.connect(lived.database.owner_url) as owner:

        def another(seed: int) -> Tamperer:
            owner.rollback()
            owner.execute(SQL["lay_hands_on"])
            positions = [position for (position,) in owner.execute(SQL["select_positions"]).fetchall()]
            return Tamperer(owner, Random(seed), positions)

        yield another
        owner.rollback()


def test_nothing_is_found_where_nothing_was_changed(lived: Ledger, tamperer: Callable[[int], Tamperer]) -> None:
    assert found(tamperer(0).owner, lived.check()) is None


@pytest.mark.parametrize("times", TIMES)
@pytest.mark.parametrize("tampering", EXACT)
def test_whatever_is_changed_its_position_is_named(
    lived: Ledger, tamperer: Callable[[int], Tamperer], tampering: str, times: int
) -> None:
    for seed in range(times):
        by = tamperer(seed)
        position = EXACT[tampering](by)
        finding = found(by.owner, lived.check())
        assert finding is not None, seed
        assert finding.position == position, finding
        assert str(position) in finding.message("en")
        assert str(position) in finding.message("zh")


def bounds(by: Tamperer, position: int) -> tuple[int, int]:
    """From after the last checkpoint before a position to the first one that covers it."""
    ends = [0, *(by.positions[size - 1] for size in by.sizes)]
    before = max(end for end in ends if end < position)
    return before + 1, min((end for end in ends if end >= position), default=2**62)


@pytest.mark.parametrize("times", TIMES)
def test_an_older_copy_is_found_to_end_before_what_was_signed(
    lived: Ledger, tamperer: Callable[[int], Tamperer], times: int
) -> None:
    for seed in range(times):
        by = tamperer(seed)
        position = truncate_everything(by)
        finding = found(by.owner, lived.check())
        assert finding is not None, seed
        assert finding.code == "checkpoint_beyond"
        assert finding.facts["last"] == position - 1
        assert bounds(by, position) == (finding.position, finding.facts["upto"])


@pytest.mark.parametrize("times", TIMES_OF_EACH_WAY)
@pytest.mark.parametrize("tampering", REBUILT)
@pytest.mark.parametrize("hides", ["tree alone", "checkpoints forgotten", "checkpoints with another key"])
def test_a_tree_built_anew_without_the_key_is_found_between_two_checkpoints(
    lived: Ledger, tamperer: Callable[[int], Tamperer], tampering: str, hides: str, times: int
) -> None:
    for seed in range(times):
        by = tamperer(seed)
        position = REBUILT[tampering](by)
        by.rechain()
        if hides == "checkpoints forgotten":
            by.do("forget_checkpoints")
        elif hides == "checkpoints with another key":
            by.sign_anew(Signing())
        finding = found(by.owner, lived.check())
        assert finding is not None, seed
        if hides == "checkpoints with another key":
            assert finding.code == "checkpoint_unreadable"
        else:
            first, last = bounds(by, position)
            assert first <= finding.position <= last, (finding, position)
            assert finding.code in ("checkpoint_differs", "checkpoint_beyond")


def test_an_event_that_stands_twice_is_found(lived: Ledger, tamperer: Callable[[int], Tamperer]) -> None:
    for seed in range(10):
        by = tamperer(seed)
        position = double(by)
        result = looked(by.owner, lived.check())
        if position == -1:
            assert isinstance(result, Progress)
            assert result.open == 1
        else:
            assert isinstance(result, Finding)
            assert result.position == position


@pytest.mark.parametrize("size", SIZES)
def test_a_note_changed_in_the_database_is_found(lived: Ledger, tamperer: Callable[[int], Tamperer], size: int) -> None:
    by = tamperer(size)
    notes = dict(by.owner.execute(SQL["select_notes"]).fetchall())
    other = notes[next(each for each in SIZES if each != size)]
    for note in (notes[size].replace("instant 2026", "instant 2025"), other, "", "nonsense", notes[size] + "x"):
        by = tamperer(size)
        by.do("change_note", size=size, note=note)
        finding = found(by.owner, lived.check())
        assert finding is not None, note
        assert finding.code in ("checkpoint_unreadable", "checkpoint_differs")


def test_a_note_filed_under_another_position_is_found(lived: Ledger, tamperer: Callable[[int], Tamperer]) -> None:
    by = tamperer(0)
    by.owner.execute("UPDATE ledger.checkpoints SET position = position + 1 WHERE tree_size = 256")
    finding = found(by.owner, lived.check())
    assert finding is not None
    assert (finding.code, finding.facts["size"]) == ("checkpoint_differs", 256)


# ---- mutants: a leaf that does not cover something -------------------------------------------------------------------

WITHOUT: dict[str, int] = {
    "another stream": 1,
    "another version": 2,
    "another topic": 3,
    "another instant": 4,
    "flip": 5,
}
"""By the tampering that a leaf without that part of the event would let pass."""


@pytest.mark.parametrize("tampering", WITHOUT)
def test_a_leaf_that_left_something_out_would_let_its_change_pass(
    lived: Ledger, tamperer: Callable[[int], Tamperer], tampering: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, left_out = ledger.entry, WITHOUT[tampering]

    def forgetful(event: ledger.Event) -> bytes:
        blank: Any = (*event[:left_out], type(event[left_out])(int=0) if left_out == 1 else type(event[left_out])(),
                      *event[left_out + 1 :])  # fmt: skip
        return whole(blank)

    by = tamperer(1)
    monkeypatch.setattr(ledger, "entry", forgetful)
    monkeypatch.setattr(check_ledger, "entry", forgetful)
    by.rechain()
    by.do("forget_checkpoints")
    EXACT[tampering](by)
    assert found(by.owner, LedgerCheck([lived.key.public])) is None, "so the tests above would be red"
