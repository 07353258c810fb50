"""The trail tells every event once; made anew, however it is made, it is to the byte what was told live."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import msgspec
import psycopg
import pytest
from psycopg import Connection

from lifecycle import commands as c
from lifecycle import events as e
from lifecycle import log
from projections import rebuild as room
from projections.changes import Walk
from projections.rebuild import rebuild
from projections.told import of_certificate, row_of
from projections.trail import TrailProjection
from tests.clock.copies import certificate_rows, copied, insert, mixed
from tests.clock.told import Told
from tests.clock.world import Present, World
from tests.databases import Database, Databases
from tests.projections.conftest import Lived
from tests.projections.trailing import Trailed, from_nothing, trailed

HISTORY = Path(__file__).parent / "frozen_history.jsonl"
AT = datetime(2024, 1, 15, tzinfo=UTC)


@pytest.fixture(scope="module")
def trail(lived: Lived) -> Iterator[Trailed]:
    with trailed(lived.database) as found:
        yield found


def test_every_event_is_told_once_in_commit_order(trail: Trailed) -> None:
    recorded = [(row[0], row[1], row[2], row[3], row[5]) for row in log.tail_rows(trail.connection, 0, 10**6)]
    told = [(row[0], row[1], row[2], row[3], row[4]) for row in trail.rows()]
    assert told == recorded
    assert {row[3] for row in told} >= {"record-corrected.v1", "act-proposed.v1", "number-claimed.v1"}


def test_what_is_told_says_who_when_why_and_what_for(trail: Trailed) -> None:
    facts = {row[0]: msgspec.json.decode(row[4]) for row in log.tail_rows(trail.connection, 0, 10**6)}
    for told in trail.told():
        fact = facts[told["position"]]
        assert told["by"] == fact["by"]
        assert told["cause"] == fact["cause"]
        assert told["effective_on"] == fact["effective_on"]
        assert told["signed_by"] == fact.get("signed_by", [])
        assert told["problem"] is None
        for name in ("reasons", "grounds", "reason"):
            assert told["grounds"].get(name) == (fact.get(name) or None)


def test_what_a_fact_changed_leads_from_the_state_before_to_the_state_after(trail: Trailed) -> None:
    """Put together, the changes of a stream are the state that it adds up to; each begins where the last one ended."""
    states: dict[str, dict[str, object]] = {}
    for told in trail.told():
        for name, (before, after) in (told["changed"] or {}).items():
            state = states.setdefault(told["stream"], {})
            assert name not in state or state[name] == before, (told["position"], name)
            state[name] = after
    assert len(states) > 5
    for id, state in states.items():
        certificate = trail.register_certificate(id)
        assert state.get("status", "none") == certificate.status
        assert state.get("document", 0) == certificate.document
        assert {n: s for n, s in state.items() if n.startswith("proposals/")} == {
            f"proposals/{number}": each.state for number, each in certificate.proposals.items()
        }


def test_a_correction_tells_the_value_before_and_after(world: World, database: Database) -> None:
    told = Told(world).issued()
    version = next(r.version for r in told.certificate.history if isinstance(r.fact, e.CertificateIssued))
    change = e.Change("/holder", "Example Alarm Ltd", "Example Alarms Ltd")
    told.both(c.Correct(target=version, reason="a slip", changes=(change,)))
    with trailed(database) as trail:
        last = trail.told()[-1]
    day = world.today.isoformat()
    assert last["type"] == "record-corrected.v1"
    assert last["changed"]["holders"] == [[[day, "Example Alarm Ltd"]], [[day, "Example Alarms Ltd"]]]
    assert {"link": "corrects", "version": version} in last["refers"]


# ---- made anew -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("batch", [1, 7, 500])
@pytest.mark.parametrize("size", [0, 1, 5_000])
def test_followed_from_nothing_it_is_the_same(trail: Trailed, batch: int, size: int) -> None:
    assert from_nothing(trail.connection, batch, size) == trail.lines()


@pytest.mark.parametrize("facts_a_part", [50, 10**6])
def test_made_anew_it_is_the_same(trail: Trailed, facts_a_part: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "FACTS_A_PART", facts_a_part)
    before = trail.lines()
    assert [*rebuild(trail.database.engine_url, TrailProjection())][-1].doing == "done"
    assert trail.lines() == before


def test_made_anew_with_many_hands_it_is_the_same(trail: Trailed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "FACTS_A_PART", 100)
    before = trail.lines()
    assert [*rebuild(trail.database.engine_url, TrailProjection(), hands=2)][-1].doing == "done"
    assert trail.lines() == before


def test_stopped_it_goes_on_and_tells_what_is_recorded_meanwhile(
    lived: Lived, databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "FACTS_A_PART", 100)
    facts = list(mixed((copied(certificate_rows(lived.connection), number) for number in range(2)), lived.world.chance))
    with databases.register("simulation") as database, psycopg.connect(database.owner_url, autocommit=True) as owner:
        insert(owner, facts[: len(facts) // 2])
        with trailed(database) as trail:
            stopped = rebuild(database.engine_url, TrailProjection())
            next(each for each in stopped if each.done == 2)
            stopped.close()
            insert(owner, facts[len(facts) // 2 :])
            assert [*rebuild(database.engine_url, TrailProjection())][-1].doing == "done"
            trail.catch_up()
            assert trail.lines() == from_nothing(trail.connection)
            assert len(trail.lines()) == len(facts)


class Forgetful(Walk):
    """The mutant: a correction changes nothing."""

    def _fold(self) -> None:
        pass


def test_corrections_that_change_nothing_are_found_out(trail: Trailed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("projections.trail.Walk", Forgetful)
    assert from_nothing(trail.connection) != trail.lines()


# ---- what cannot be read ---------------------------------------------------------------------------------------------

UNREADABLE = {
    "unknown topic": ("certificate-sung-about.v1", b"{}"),
    "no JSON": ("certificate-suspended.v1", b"\xff\x00"),
    "other fields": ("certificate-suspended.v1", b'{"type":"certificate-suspended.v1"}'),
    "no state takes it in": (
        "assessment-reviewed.v1",
        b'{"type":"assessment-reviewed.v1","effective_on":"2024-01-01","by":{"person":"a\\u0000b","role":"registrar",'
        b'"key":"k"},"cause":{"kind":"request","id":"\\u0000"},"recommendation":"\\u0000","proposal":99999999999}',
    ),
}


@pytest.mark.parametrize("kind", UNREADABLE)
def test_what_cannot_be_read_is_told_all_the_same_and_the_others_go_on(
    kind: str, world: World, database: Database
) -> None:
    broken, sound = Told(world).issued(), Told(world).issued()
    topic, state = UNREADABLE[kind]
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        put(owner, broken, topic, state)
    sound.both(c.Suspend(reasons=(e.Reason("mark_misused"),)))
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        put(owner, broken, "withdrawal-dropped.v1", dropped())
    with trailed(database) as trail:
        told = trail.told()
        of_broken = [each for each in told if each["stream"] == str(broken.id)]
        assert [each["problem"] is not None for each in of_broken[-3:]] == [False, True, True]
        assert of_broken[-1]["changed"] is None
        assert told[-2]["changed"]["status"] == ["active", "suspended"]
        assert trail.lines() == from_nothing(trail.connection, 1, 0)
        [*rebuild(database.engine_url, TrailProjection())]
        assert trail.lines() == from_nothing(trail.connection)


def test_a_missing_event_is_told_of(world: World, database: Database) -> None:
    told = Told(world).issued()
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        owner.execute("DELETE FROM certlife.events WHERE originator_id = %s AND originator_version = 3", [told.id])
    with trailed(database) as trail:
        own = [each for each in trail.told() if each["stream"] == str(told.id)]
    assert [each["problem"] for each in own[:2]] == [None, None]
    assert {each["problem"] for each in own[2:]} == {"version 3 of the stream is missing"}


def dropped() -> bytes:
    fact = e.WithdrawalDropped(
        effective_on=Present().today, by=e.By("x", "registrar", "k"), cause=e.Cause("request", "r"), grounds="g"
    )
    return e.encode(fact)


def put(owner: Connection, told: Told, topic: str, state: bytes) -> None:
    owner.execute(
        "INSERT INTO certlife.events (originator_id, originator_version, topic, state, recorded_at) "
        "SELECT %(id)s, max(originator_version) + 1, %(topic)s, %(state)s, (SELECT max(recorded_at) "
        "FROM certlife.events) FROM certlife.events WHERE originator_id = %(id)s",
        {"id": told.id, "topic": topic, "state": state},
    )


# ---- definitions -----------------------------------------------------------------------------------------------------

FROZEN = {1: ("fc99660eba214c88", "c1ef9f588dfd8eda"), 2: ("fc99660eba214c88", "d509ee3dfee9fcc8")}
"""Of each version: the digest of its definition, and of what it tells of a history that never changes."""


def test_a_changed_definition_or_other_rows_need_a_new_version() -> None:
    """Raise the projection's ``version`` and add a line above; a line that was ever released stays as it is."""
    assert (TrailProjection.definition[:16], digest_of_rows()) == FROZEN[TrailProjection.version]


def digest_of_rows() -> str:
    """Every fact of the frozen history as a row, at made-up places in the log."""
    made, walks = sha256(), {}
    for position, line in enumerate(HISTORY.read_text("utf-8").splitlines(), 1):
        id, version, state = json.loads(line)
        fact = msgspec.convert(state, e.AnyFact)
        recorded = e.Recorded(UUID(id), version, fact, position, AT)
        walk = walks.setdefault(id, Walk(recorded))
        made.update(repr(row_of(of_certificate(recorded, walk))).encode())
    return made.hexdigest()[:16]
