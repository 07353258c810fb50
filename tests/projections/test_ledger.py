"""The ledger beside the engine: it covers every event once, in commit order, whoever is killed, and only grows."""

from __future__ import annotations

import random
from collections.abc import Generator
from threading import Thread
from uuid import UUID

import psycopg
import pytest
from psycopg import Connection
from psycopg.errors import InsufficientPrivilege

from lifecycle import log
from projections.checkpoints import consistency, inclusion
from projections.follower import connect
from projections.ledger import SQL as LEDGER_SQL
from projections.ledger import VERSION_TAG, LedgerFollower, Tree, TreeDamaged, entry
from projections.merkle import includes, is_consistent
from projections.note import read
from tests.clock.killed import Killed, a_moment
from tests.clock.world import World
from tests.databases import Database
from tests.projections import merkle_naive as naive
from tests.projections.ledgers import SQL, Ledger, checked, lines
from tests.projections.ledgers_growing import grow_again_and_again
from tests.projections.tables import engine


@pytest.fixture
def ledger(database: Database) -> Ledger:
    return Ledger(database)


@pytest.fixture
def connection(database: Database) -> Generator[Connection]:
    with connect(database.engine_url) as connection:
        yield connection


def entries(connection: Connection) -> list[bytes]:
    """What the leaves cover, put together by hand from the rows as they are."""
    covered = []
    for position, id, version, topic, at, state in connection.execute(SQL["select_columns"]).fetchall():
        microseconds = int(at.replace(microsecond=0).timestamp()) * 1_000_000 + at.microsecond
        covered.append(
            b"certlife.leaf.v1"
            + position.to_bytes(8, "big")
            + id.bytes
            + version.to_bytes(4, "big")
            + microseconds.to_bytes(8, "big", signed=True)
            + len(topic.encode()).to_bytes(4, "big")
            + topic.encode()
            + len(state).to_bytes(4, "big")
            + state
        )
    return covered


# ---- what it covers --------------------------------------------------------------------------------------------------


def test_a_leaf_covers_an_event_in_bytes_that_never_change() -> None:
    event = (7, UUID(int=1), 3, "监督.v1", -1, b'{"a":1}')
    assert entry(event).hex() == (
        b"certlife.leaf.v1".hex()
        + "0000000000000007"
        + "00000000000000000000000000000001"
        + "00000003"
        + "ffffffffffffffff"
        + "00000009e79b91e79da32e7631"
        + "000000077b2261223a317d"
    )
    assert VERSION_TAG == b"certlife.leaf.v1"


@pytest.mark.parametrize("batch", [1, 7, 500])
def test_the_tree_is_that_of_all_events_in_commit_order(ledger: Ledger, connection: Connection, batch: int) -> None:
    for count in (1, 2, 253, 1, 300, 256):
        ledger.append(count)
        size = ledger.grow(batch)
        covered = entries(connection)
        assert size == len(covered)
        assert Tree(connection).root(size) == naive.mth(covered)
    assert [number for level, number, _ in connection.execute(SQL["select_subtrees"]).fetchall()] == [0, 1, 2]


def test_positions_have_holes_and_indexes_have_none(ledger: Ledger, connection: Connection) -> None:
    ledger.append(30)
    ledger.grow()
    leaves = connection.execute(SQL["select_tree"]).fetchall()
    positions = [position for (position,) in connection.execute(SQL["select_positions"]).fetchall()]
    assert [index for index, _, _ in leaves] == list(range(30))
    assert [position for _, position, _ in leaves] == positions
    assert positions != list(range(1, 31))


def test_an_empty_register_has_an_empty_tree(ledger: Ledger, connection: Connection) -> None:
    assert ledger.grow() == 0
    assert Tree(connection).root(0) == naive.mth([])


def test_proofs_are_those_of_the_definition(ledger: Ledger, connection: Connection) -> None:
    for count in (5, 251, 400):
        ledger.append(count)
        ledger.grow()
        ledger.sign()
    covered, sizes, chance = entries(connection), (5, 256, 656), random.Random(1)
    positions = [position for (position,) in connection.execute(SQL["select_positions"]).fetchall()]
    for size in sizes:
        root = naive.mth(covered[:size])
        for index in {0, size - 1, *(chance.randrange(size) for _ in range(20))}:
            proof = inclusion(connection, positions[index], size)
            assert proof.path == naive.path(index, covered[:size])
            assert includes(index, size, naive.leaf(covered[index]), proof.path, root)
            assert naive.root_from_path(index, size, proof.leaf.hash, proof.path) == root
    for old in sizes:
        for new in (size for size in sizes if size >= old):
            proof = consistency(connection, old, new)
            roots = naive.mth(covered[:old]), naive.mth(covered[:new])
            assert proof.path == naive.proof(old, covered[:new])
            assert (read(proof.old.text).root, read(proof.new.text).root) == roots
            assert is_consistent(old, new, *roots, proof.path)
            assert naive.roots_from_proof(old, new, roots[0], proof.path) == roots


def test_a_tree_with_a_part_missing_proves_nothing(ledger: Ledger, connection: Connection) -> None:
    ledger.append(600)
    ledger.grow()
    with psycopg.connect(ledger.database.owner_url, autocommit=True) as owner:
        owner.execute(SQL["delete_subtree"], {"number": 1})
    with pytest.raises(TreeDamaged):
        Tree(connection).root(600)


# ---- beside the engine -----------------------------------------------------------------------------------------------


def test_the_engine_keeps_it_up(world: World, database: Database, connection: Connection) -> None:
    made = engine(database, world.present)
    world.apply()
    made.catch_up(connection)
    last = log.settled(connection, world.present.at).position
    assert made.ledger.position == Tree(connection).end().position == last


def test_whatever_ails_the_ledger_the_projections_go_on(
    world: World, database: Database, connection: Connection
) -> None:
    made = engine(database, world.present)
    world.apply()
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        owner.execute("ALTER TABLE ledger.leaves RENAME TO elsewhere")
    made.catch_up(connection)
    world.present.move(hours=1)
    made.catch_up(connection)
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        owner.execute("ALTER TABLE ledger.elsewhere RENAME TO leaves")
    assert all(each.position == log.settled(connection, world.present.at).position for each in made.followers)
    assert Tree(connection).end().size == 0
    made.catch_up(connection)
    assert Tree(connection).end().size == len(entries(connection))


def test_it_goes_on_where_it_was_when_the_read_models_are_dropped(
    world: World, database: Database, connection: Connection
) -> None:
    engine(database, world.present).catch_up(connection)
    before = lines(connection, "select_tree")
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        owner.execute("DROP SCHEMA projections CASCADE")
        owner.execute("CREATE SCHEMA projections AUTHORIZATION certlife_engine")
    world.apply()
    engine(database, world.present).catch_up(connection)
    (after,) = lines(connection, "select_tree")
    assert after[: len(before[0])] == before[0]
    assert len(after) == len(entries(connection)) > len(before[0])


def test_several_engines_at_once_build_one_tree(ledger: Ledger, connection: Connection) -> None:
    failures: list[BaseException] = []

    def follow(chance: random.Random) -> None:
        try:
            with connect(ledger.database.engine_url) as own:
                follower = LedgerFollower()
                while follower.position < end:
                    follower.advance(own, chance.choice((1, 5, 60)))
        except BaseException as failure:
            failures.append(failure)

    ledger.append(1500)
    ((end,),) = connection.execute("SELECT max(position) FROM certlife.events").fetchall()
    threads = [Thread(target=follow, args=(random.Random(seed),)) for seed in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert Tree(connection).root(1500) == naive.mth(entries(connection))
    assert checked(ledger) is None


def kill_again_and_again(ledger: Ledger, kills: int, mutant: bool = False) -> bool:
    """Whether the tree is at any time another than that of its events."""
    process = Killed(grow_again_and_again, ledger.database.engine_url, mutant)
    with connect(ledger.database.engine_url) as connection:
        for _ in range(kills):
            before = Tree(connection).end().size
            ledger.append(600)
            process.start()
            while Tree(connection).end().size == before:
                pass
            a_moment()
            process.kill()
            with connection.transaction():
                connection.execute(
                    LEDGER_SQL["take_ledger_lock"]
                )  # its last transaction has ended one way or the other
            if checked(ledger) is not None:
                return True
    return False


@pytest.mark.parametrize("kills", [10, pytest.param(200, marks=pytest.mark.figures)])
def test_an_engine_killed_at_any_moment_leaves_a_whole_tree(ledger: Ledger, kills: int) -> None:
    assert not kill_again_and_again(ledger, kills)
    ledger.grow()
    assert checked(ledger) is None


def test_leaves_and_subtrees_in_transactions_of_their_own_are_found_out(ledger: Ledger) -> None:
    assert kill_again_and_again(ledger, 200, mutant=True)


# ---- it only grows ---------------------------------------------------------------------------------------------------

FORBIDDEN = [
    statement.format(f"ledger.{table}")
    for table in ("leaves", "subtrees", "checkpoints", "name")
    for statement in (
        "INSERT INTO {} DEFAULT VALUES",
        "DELETE FROM {}",
        "TRUNCATE {}",
        "ALTER TABLE {} ADD COLUMN more text",
        "DROP TABLE {}",
        "LOCK TABLE {}",
        "SELECT FROM {} FOR UPDATE",
    )
] + [
    "UPDATE ledger.leaves SET hash = ''",
    "UPDATE ledger.subtrees SET hash = ''",
    "UPDATE ledger.checkpoints SET note = ''",
    "CREATE TABLE ledger.mine ()",
    "DROP SCHEMA ledger CASCADE",
    "ALTER FUNCTION ledger.add_checkpoint(bigint, bigint, text, interval) OWNER TO CURRENT_USER",
]
GROW = "SELECT ledger.grow(0, '{1}', ARRAY[sha256('')], '{}', '{}', '{}')"
SIGN = "SELECT ledger.add_checkpoint(1, 1, '', '0')"


@pytest.mark.parametrize(("who", "forbidden"), [("engine_url", SIGN), ("service_url", GROW)])
def test_nobody_but_the_owner_changes_it(ledger: Ledger, who: str, forbidden: str) -> None:
    ledger.append(3)
    ledger.grow()
    for statement in [*FORBIDDEN, forbidden]:
        with psycopg.connect(getattr(ledger.database, who)) as login, pytest.raises(InsufficientPrivilege):
            login.execute(statement)


def refusal(url: str, statement: str) -> str | None:
    with psycopg.connect(url) as login:
        try:
            login.execute(statement)
        except psycopg.Error as error:
            return error.sqlstate
    return None


def test_the_tree_grows_at_its_end_alone(ledger: Ledger) -> None:
    ledger.append(3)
    ledger.grow()
    for first, position in ((0, 100), (2, 100), (4, 100), (3, 1)):
        grow = GROW.replace("(0, '{1}'", f"({first}, '{{{position}}}'")
        assert refusal(ledger.database.engine_url, grow) == "CL010"
    assert refusal(ledger.database.engine_url, GROW.replace("(0, '{1}'", "(3, '{100}'")) is None


def test_a_checkpoint_is_of_a_tree_that_was_there(ledger: Ledger, connection: Connection) -> None:
    ledger.append(3)
    ledger.grow()
    end = Tree(connection).end()
    for size, position in ((4, end.position), (3, end.position + 1), (2, end.position), (0, 0)):
        sign = f"SELECT ledger.add_checkpoint({size}, {position}, 'x', '0')"
        assert refusal(ledger.database.service_url, sign) == "CL011"


def test_of_two_checkpoints_the_smaller_comes_too_late(ledger: Ledger, connection: Connection) -> None:
    ledger.append(3)
    ledger.grow()
    ledger.sign()
    (leaf,) = Tree(connection).leaves(1, 1)
    for size, position in ((3, Tree(connection).end().position), (2, leaf.position)):
        values = {"size": size, "position": position, "note": "x", "pause": "0"}
        with psycopg.connect(ledger.database.service_url) as service:
            assert service.execute(LEDGER_SQL["add_checkpoint"], values).fetchone() == (False,)


def test_a_checkpoint_waits_for_the_pause_after_the_last(ledger: Ledger, connection: Connection) -> None:
    ledger.append(3)
    ledger.grow()
    ledger.sign()
    ledger.append(3)
    ledger.grow()
    values = {"size": 6, "position": Tree(connection).end().position, "note": "x"}
    with psycopg.connect(ledger.database.service_url) as service:
        for pause, added in (("1 hour", False), ("0", True)):
            assert service.execute(LEDGER_SQL["add_checkpoint"], values | {"pause": pause}).fetchone() == (added,)
