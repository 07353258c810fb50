"""Somebody with full rights on the database changes what is recorded, or what follows from it: all is found."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, NamedTuple

import msgspec
import pytest

from lifecycle import events as e
from tests.api.conftest import Staffed, staffed_office
from tests.api.verified import Outside, Tamperer, findings, lived, tampering
from tests.databases import Databases

TIMES = [10, pytest.param(100, marks=pytest.mark.figures)]


class Register(NamedTuple):
    outside: Outside
    tamperer: Callable[[int], Tamperer]


@pytest.fixture(scope="module")
def register(databases: Databases, staffed: Staffed, tmp_path_factory: pytest.TempPathFactory) -> Generator[Register]:
    with databases.copy_of(staffed.register) as database, staffed_office(database, staffed) as office:
        lived(office)
        outside = Outside.of(office, database, tmp_path_factory.mktemp("outside"))
        with tampering(database) as tamperer:
            yield Register(outside, tamperer)


def test_nothing_is_found_where_nothing_was_changed(register: Register) -> None:
    by = register.tamperer(0)
    assert findings(by.owner, register.outside.checks(by.owner)) == {}


# ---- events: the ledger names the very position ----------------------------------------------------------------------


def flip(by: Tamperer) -> int:
    one = by.one()
    ((state,),) = by.do("SELECT state FROM certlife.events WHERE position = %s", one.position)
    at = by.chance.randrange(len(state))
    flipped = state[:at] + bytes([state[at] ^ 1 << by.chance.randrange(7)]) + state[at + 1 :]
    by.do("UPDATE certlife.events SET state = %s WHERE position = %s", flipped, one.position)
    return one.position or 0


def delete(by: Tamperer) -> int:
    one = by.one()
    by.do("DELETE FROM certlife.events WHERE position = %s", one.position)
    return one.position or 0


def insert(by: Tamperer) -> int:
    """Everything after it moves up by one: the position it takes is another event's now."""
    one = by.one()
    by.do("UPDATE certlife.events SET position = -position - 1 WHERE position >= %s", one.position)
    by.do("UPDATE certlife.events SET position = -position WHERE position < 0")
    by.do(
        "INSERT INTO certlife.events (position, originator_id, originator_version, topic, state, recorded_at) "
        "OVERRIDING SYSTEM VALUE SELECT %s, gen_random_uuid(), 1, topic, state, recorded_at FROM certlife.events "
        "WHERE position = %s", one.position, (one.position or 0) + 1,
    )  # fmt: skip
    return one.position or 0


def _exchange(by: Tamperer, columns: str, one: e.Recorded, other: e.Recorded) -> int:
    places = (one.position, other.position, other.position, one.position)
    by.do(
        f"UPDATE certlife.events AS one SET ({columns}) = (SELECT {columns} FROM certlife.events AS other "
        "WHERE other.position = CASE one.position WHEN %s THEN %s WHEN %s THEN %s END) "
        "WHERE one.position IN (%s, %s)", *places, one.position, other.position,
    )  # fmt: skip
    return one.position or 0


def swap(by: Tamperer) -> int:
    """Two events take each other's place."""
    return _exchange(by, "originator_id, originator_version, topic, state, recorded_at", *by.two())


def exchange(by: Tamperer) -> int:
    """Two certificates' events exchange their streams."""
    one, other = by.two()
    while one.originator_id == other.originator_id:
        one, other = by.two()
    return _exchange(by, "originator_id, originator_version", one, other)


def truncate(by: Tamperer) -> int:
    one = by.one()
    by.do("DELETE FROM certlife.events WHERE position >= %s", one.position)
    return one.position or 0


EVENTS = {each.__name__: each for each in (flip, delete, insert, swap, exchange, truncate)}


@pytest.mark.parametrize("times", TIMES)
@pytest.mark.parametrize("way", EVENTS)
def test_whatever_is_done_to_an_event_its_position_is_named(register: Register, way: str, times: int) -> None:
    for seed in range(times):
        by = register.tamperer(seed)
        position = EVENTS[way](by)
        found = findings(by.owner, register.outside.checks(by.owner))
        assert found["ledger"].position == position, (seed, found)


@pytest.mark.parametrize("times", TIMES)
@pytest.mark.parametrize("way", EVENTS)
def test_a_ledger_built_anew_contradicts_the_checkpoints_kept_elsewhere(
    register: Register, way: str, times: int
) -> None:
    for seed in range(times):
        by = register.tamperer(seed)
        position = EVENTS[way](by)
        by.rechain()
        found = findings(by.owner, [each for each in register.outside.checks(by.owner) if each.name == "ledger"])
        before = max(end for end in (0, *register.outside.ends) if end < position)
        assert found["ledger"].position == before + 1, (seed, position, found)
        assert found["ledger"].facts["upto"] >= position


def test_without_them_a_ledger_built_anew_agrees_with_itself(register: Register) -> None:
    """The mutant: checkpoints kept elsewhere are left out."""
    by = register.tamperer(1)
    flip(by)
    by.rechain()
    alone = register.outside.__class__(register.outside.keys, [], [])
    assert "ledger" not in findings(by.owner, alone.checks(by.owner)), "so the test above would be red"


# ---- what follows from events ----------------------------------------------------------------------------------------


class Edited(NamedTuple):
    """Which check has to name which position."""

    check: str
    position: int


COLUMNS: dict[str, dict[str, str]] = {
    "register": {
        "segments": "segments || ' '", "turns": "turns || '2031-01-01'::date", "statuses": "statuses || 'x'::text",
        "list_index": "list_index + 1000", "under_repair": "NOT under_repair",
        "certificate_id": "gen_random_uuid()",
    },
    "certificate": {
        "version": "version + 1", "organisation": "gen_random_uuid()", "scheme": "scheme || 'x'",
        "edition": "edition || 'x'", "number": "coalesce(number, '') || 'x'", "holder": "upper(holder) || ' '",
        "turns": "turns || '2031-01-01'::date", "statuses": "statuses || 'x'::text", "levels": "levels || 'x'::text",
        "valid_until": "coalesce(valid_until, '2024-01-01') + 1", "due_on": "coalesce(due_on, '2024-01-01') + 1",
        "under_repair": "NOT under_repair",
    },
    "deadline": {
        "kind": "kind || 'x'", "subject": "subject + 1000", "due_on": "due_on + 1", "clock": "NOT clock",
        "number": "coalesce(number, '') || 'x'", "holder": "holder || 'x'", "organisation": "gen_random_uuid()",
    },
    "trail": {
        "stream": "gen_random_uuid()", "version": "version + 1", "topic": "topic || 'x'",
        "recorded_at": "recorded_at + interval '1 microsecond'",
        "effective_on": "coalesce(effective_on, '2024-01-01') + 1", "person": "coalesce(person, '') || 'x'",
        "cause": "coalesce(cause, '') || 'x'", "proposal": "coalesce(proposal, 0) + 1",
        "certificate": "gen_random_uuid()", "organisation": "gen_random_uuid()",
        "edition": "coalesce(edition, '') || 'x'", "codes": "coalesce(codes, '') || 'x'",
        "refers": "refers || ' '", "told": "told || ' '",
    },
}  # fmt: skip
"""How each column is changed, whatever it holds."""

ADDED = {
    "register": "INSERT INTO projections.register SELECT (r).number || '-9', (r).certificate_id, (r).segments, "
                "(r).turns, (r).statuses, NULL, (r).under_repair FROM (SELECT r FROM projections.register r "
                "WHERE ctid = %s::tid) AS x",
    "certificate": "INSERT INTO projections.certificate SELECT gen_random_uuid(), version, organisation, scheme, "
                   "edition, number, holder, turns, statuses, levels, valid_until, due_on, under_repair "
                   "FROM projections.certificate WHERE ctid = %s::tid",
    "deadline": "INSERT INTO projections.deadline SELECT certificate_id, 'forged', subject, due_on, clock, number, "
                "holder, organisation FROM projections.deadline WHERE ctid = %s::tid",
    "trail": "INSERT INTO projections.trail SELECT position + 100000, stream, version, topic, recorded_at, "
             "effective_on, person, cause, proposal, certificate, organisation, edition, codes, refers, told "
             "FROM projections.trail WHERE ctid = %s::tid",
}  # fmt: skip
MODELS = {"register": "register", "certificate": "register", "deadline": "deadlines", "trail": "trail"}


def edit_read_model(by: Tamperer) -> Edited:
    table = by.chance.choice(sorted(MODELS))
    key = "position" if table == "trail" else "certificate_id"
    rows = by.do(f"SELECT ctid::text, {key} FROM projections.{table} ORDER BY {table}")
    place, of = by.chance.choice(rows)
    position = of if table == "trail" else by.last_of(of)
    way = by.chance.choice(("change", "change", "change", "delete", "add", "double"))
    if way == "double":
        by.do(f"INSERT INTO projections.{table} SELECT * FROM projections.{table} WHERE ctid = %s::tid", place)
    elif way == "delete":
        by.do(f"DELETE FROM projections.{table} WHERE ctid = %s::tid", place)
    elif way == "add":
        by.do(ADDED[table], place)
        position = {"certificate": by.end(), "trail": position + 100_000}.get(table, position)
    else:
        column = by.chance.choice(sorted(COLUMNS[table]))
        by.do(f"UPDATE projections.{table} SET {column} = {COLUMNS[table][column]} WHERE ctid = %s::tid", place)
    return Edited(MODELS[table], position)


RECEIPT = {
    "person": "person || 'x'", "idempotency_key": "idempotency_key || 'x'", "body_sha256": "sha256(body_sha256)",
    "response": "response || ' '", "recorded_at": "recorded_at + interval '1 microsecond'",
}  # fmt: skip


def edit_receipt(by: Tamperer) -> Edited:
    rows = by.do("SELECT ctid::text, position, response FROM certlife.receipts ORDER BY position")
    place, position, response = by.chance.choice(rows)
    way = by.chance.choice((*RECEIPT, "answer", "delete", "add"))
    if way == "delete":
        by.do("DELETE FROM certlife.receipts WHERE ctid = %s::tid", place)
        return Edited("receipts", _first_of_request(by, position))
    if way == "add":
        by.do(
            "INSERT INTO certlife.receipts SELECT person, idempotency_key || 'x', body_sha256, response, position, "
            "recorded_at FROM certlife.receipts WHERE ctid = %s::tid", place,
        )  # fmt: skip
    elif way == "answer":
        answer = msgspec.json.decode(response)
        forged = msgspec.json.encode(answer | {"version": answer["version"] + 1})
        by.do("UPDATE certlife.receipts SET response = %s WHERE ctid = %s::tid", forged, place)
    else:
        by.do(f"UPDATE certlife.receipts SET {way} = {RECEIPT[way]} WHERE ctid = %s::tid", place)
    return Edited("receipts", position)


def _first_of_request(by: Tamperer, position: int) -> int:
    last = next(each.fact for each in by.events if each.position == position)
    same = (each.position for each in by.events if (each.fact.cause, each.fact.by) == (last.cause, last.by))
    return min(same)  # pyright: ignore[reportReturnType, reportArgumentType]


def edit_document(by: Tamperer) -> Edited:
    sealed = by.of(e.DocumentSealed)
    digest = bytes.fromhex(sealed.fact.sha256)  # pyright: ignore[reportAttributeAccessIssue]
    statement = by.chance.choice((
        "DELETE FROM certlife.documents WHERE sha256 = %s",
        "UPDATE certlife.documents SET content = content || ' ' WHERE sha256 = %s",
        "UPDATE certlife.documents SET content = content || ' ', sha256 = sha256(content || ' ') WHERE sha256 = %s",
        "UPDATE certlife.documents SET kept_at = kept_at + interval '1 second' WHERE sha256 = %s",
        "INSERT INTO certlife.documents SELECT sha256('forged'), 'forged', kept_at FROM certlife.documents "
        "WHERE sha256 = %s",
    ))  # fmt: skip
    by.do(statement, digest)
    if statement.startswith("INSERT"):
        return Edited("orphans", max(p.position or 0 for p in by.events if p.recorded_at <= sealed.recorded_at))  # pyright: ignore
    return Edited("orphans", sealed.position or 0)


def edit_file(by: Tamperer) -> Edited:
    told: Any = by.of(e.HolderNotified)
    way, digest = by.chance.choice((
        ("DELETE FROM certlife.files WHERE sha256 = %s", told.fact.notice_sha256),
        ("UPDATE certlife.files SET content = content || ' ' WHERE sha256 = %s", told.fact.notice_sha256),
        ("UPDATE certlife.files SET content = content || ' ' WHERE sha256 = %s", told.fact.proof_sha256),
    ))  # fmt: skip
    by.do(way, bytes.fromhex(digest))
    return Edited("orphans", told.position)


def edit_key(by: Tamperer) -> Edited:
    issued = by.of(e.KeyIssued)
    statement = by.chance.choice((
        "DELETE FROM certlife.key_hashes WHERE key = %s",
        "INSERT INTO certlife.key_hashes SELECT * FROM certlife.key_hashes WHERE key = %s",
        "UPDATE certlife.key_hashes SET role = 'owner' WHERE key = %s",
        "UPDATE certlife.key_hashes SET sha256 = sha256('a secret that somebody knows') WHERE key = %s",
        "UPDATE certlife.key_hashes SET person = 'somebody' WHERE key = %s",
        "UPDATE certlife.key_hashes SET organisation = gen_random_uuid() WHERE key = %s",
        "UPDATE certlife.key_hashes SET issued_at = issued_at - interval '1 day' WHERE key = %s",
        "UPDATE certlife.key_hashes SET revoked_at = CASE WHEN revoked_at IS NULL THEN issued_at END WHERE key = %s",
    ))  # fmt: skip
    by.do(statement, issued.fact.key)  # pyright: ignore[reportAttributeAccessIssue]
    return Edited("orphans", issued.position or 0)


def edit_reads(by: Tamperer) -> Edited:
    seal: Any = by.of(e.TrailReadsSealed)
    statement = by.chance.choice((
        "DELETE FROM certlife.trail_reads WHERE read = %s",
        "UPDATE certlife.trail_reads SET person = 'somebody' WHERE read = %s",
        "UPDATE certlife.trail_reads SET question = question || ' ' WHERE read = %s",
        "UPDATE certlife.trail_reads SET read_at = read_at + interval '1 microsecond' WHERE read = %s",
        "INSERT INTO certlife.trail_reads (read_at, person, role, key, question, read_rows) "
        "SELECT read_at, person, role, key, question, read_rows FROM certlife.trail_reads WHERE read = %s",
    ))  # fmt: skip
    of_day = "SELECT read FROM certlife.trail_reads WHERE (read_at AT TIME ZONE 'Asia/Shanghai')::date = %s"
    by.do(statement, by.chance.choice(by.do(of_day, seal.fact.day))[0])
    return Edited("orphans", seal.position)


def edit_line(by: Tamperer) -> Edited:
    completed = by.of(e.RehearsalCompleted)
    statement = by.chance.choice((
        "DELETE FROM certlife.rehearsal_lines WHERE ctid = %s::tid",
        "UPDATE certlife.rehearsal_lines SET affected = NOT affected WHERE ctid = %s::tid",
        "UPDATE certlife.rehearsal_lines SET certificate = gen_random_uuid() WHERE ctid = %s::tid",
        "UPDATE certlife.rehearsal_lines SET line = line || ' ' WHERE ctid = %s::tid",
        "UPDATE certlife.rehearsal_lines SET line = line || ' ', line_sha256 = sha256(line || ' ') "
        "WHERE ctid = %s::tid",
    ))  # fmt: skip
    rows = by.do("SELECT ctid::text FROM certlife.rehearsal_lines ORDER BY certificate")
    by.do(statement, by.chance.choice(rows)[0])
    return Edited("orphans", completed.position or 0)


FOLLOWING = {
    each.__name__: each
    for each in (edit_read_model, edit_receipt, edit_document, edit_file, edit_key, edit_reads, edit_line)
}  # fmt: skip


@pytest.mark.parametrize("times", TIMES)
@pytest.mark.parametrize("way", FOLLOWING)
def test_whatever_follows_from_events_is_held_to_them(register: Register, way: str, times: int) -> None:
    """And found by one check alone: left out, it would let it through."""
    for seed in range(times):
        by = register.tamperer(seed)
        check, position = FOLLOWING[way](by)
        found = findings(by.owner, register.outside.checks(by.owner))
        assert [*found] == [check], (seed, found)
        assert found[check].position == position, (seed, found)
        assert f"Position {position}:" in found[check].message("en")
        assert f"位置 {position}：" in found[check].message("zh")
