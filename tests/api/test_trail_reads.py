"""Whoever reads the trail is recorded, in a table that only grows and that one event a day seals."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from threading import Thread

import msgspec
import psycopg
import pytest

from lifecycle import events as e
from lifecycle import trail_reads
from lifecycle.keys import REGISTER
from lifecycle.periods import legal_day
from lifecycle.trail_reads import Read, TrailReads, differs
from tests.api.life import Life
from tests.api.office import Office, answered, refused

TAMPERED = {
    "a read left out": "DELETE FROM certlife.trail_reads WHERE read = (SELECT min(read) FROM certlife.trail_reads)",
    "somebody else": "UPDATE certlife.trail_reads SET person = 'dan' WHERE person = 'aud'",
    "another question": "UPDATE certlife.trail_reads SET question = '{}'",
    "another number": "UPDATE certlife.trail_reads SET read_rows = read_rows + 1",
    "another instant": "UPDATE certlife.trail_reads SET read_at = read_at + interval '1 microsecond'",
    "a read added": "INSERT INTO certlife.trail_reads (read_at, person, role, key, question, read_rows) "
    "SELECT read_at, person, role, key, question, read_rows FROM certlife.trail_reads LIMIT 1",
}


def reads_of(office: Office) -> list[Read]:
    """Everything that is recorded."""
    days = (legal_day(office.house.questions.now()) - timedelta(days=back) for back in range(60, -1, -1))
    kept = TrailReads(office.house.register.recorder)
    return [read for day in days for read in kept.of_day(day)]


def seals_of(office: Office) -> list[e.TrailReadsSealed]:
    facts = (recorded.fact for recorded in office.house.register.events.get(REGISTER))
    return [fact for fact in facts if isinstance(fact, e.TrailReadsSealed)]


def next_day(office: Office) -> date:
    """It is the next day, and the clock has come by; answers the day before."""
    day = office.today
    office.moves_to(day + timedelta(days=1))
    office.ticks()
    return day


@pytest.fixture
def read(office: Office) -> Office:
    """An office where the trail was read."""
    office.house.catch_up()
    for person in ("aud", "ana", "holder"):
        answered(office.get("/events", person, limit=5))
    return office


def test_every_read_is_recorded_with_who_asked_what_and_how_much_was_answered(office: Office) -> None:
    office.house.catch_up()
    answered(office.get("/events", "aud", type="key-issued.v1", limit=3))
    answered(office.get("/events/1", "ana"))
    given = list(csv.DictReader(io.StringIO(office.get("/events.csv", "holder").text)))
    found = reads_of(office)
    asked = [(each.person, each.role, msgspec.json.decode(each.question)["kind"], each.rows) for each in found]
    assert asked == [
        ("aud", "auditor", "page", 3),
        ("ana", "assessor", "event", 1),
        ("holder", "applicant", "csv", None),
        ("holder", "applicant", "csv", len(given)),
    ]
    assert msgspec.json.decode(found[0].question)["topic"] == "key-issued.v1"
    assert found[0].key == office.keys["aud"]


def test_who_reads_a_stream_reads_the_trail(office: Office) -> None:
    life = Life(office).applies()
    answered(office.get(f"/certificates/{life.id}/events", "ana"))
    refused(office.get(f"/certificates/{life.id}/events", "stranger"), 404, "certificate_unknown")
    (read,) = reads_of(office)
    assert (read.person, read.rows) == ("ana", 1)
    assert msgspec.json.decode(read.question) == {"kind": "stream", "certificate": life.id, "after": 0}


def test_who_is_refused_has_read_nothing(office: Office) -> None:
    for response in (office.get("/events", "clk"), office.get("/events"), office.get("/events", "aud", type="x")):
        assert response.status_code in (401, 403, 422)
    assert reads_of(office) == []


def test_nobody_is_answered_unrecorded(office: Office) -> None:
    office.house.catch_up()
    with psycopg.connect(office.house.addresses.owner, autocommit=True) as owner:
        owner.execute("REVOKE EXECUTE ON FUNCTION certlife.record_trail_read FROM certlife_service")
    for path in ("/events", "/events/1", "/events.jsonl"):
        assert office.get(path, "aud").status_code >= 500


def test_the_service_adds_reads_and_changes_none(read: Office) -> None:
    harms = ["DELETE FROM {}", "UPDATE {} SET person = 'x'", "TRUNCATE {}", "INSERT INTO {} DEFAULT VALUES"]
    with psycopg.connect(read.house.addresses.service, autocommit=True) as service:
        for harm in harms:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                service.execute(harm.format("certlife.trail_reads"))


def test_each_day_is_sealed_once_on_the_day_after(read: Office) -> None:
    assert seals_of(read) == []
    read.ticks()
    assert seals_of(read) == [], "the day is not over"
    first = next_day(read)
    read.ticks()
    (seal,) = seals_of(read)
    assert (seal.day, seal.reads, seal.effective_on) == (first, 3, first + timedelta(days=1))
    assert not differs(TrailReads(read.house.register.recorder).of_day(first), seal)
    next_day(read)
    assert seals_of(read) == [seal], "nobody read on that day"
    answered(read.get("/events", "aud"))
    second = read.today
    read.moves_to(second + timedelta(days=4))
    read.ticks()
    assert [each.day for each in seals_of(read)] == [first, second]
    assert seals_of(read)[1].effective_on == second + timedelta(days=1), "as a punctual clock would have"


def test_clocks_that_run_together_seal_it_once(read: Office) -> None:
    read.moves_to(read.today + timedelta(days=1))
    clocks = [Thread(target=read.house.register.seal_trail_reads) for _ in range(6)]
    for clock in clocks:
        clock.start()
    for clock in clocks:
        clock.join()
    assert len(seals_of(read)) == 1


@pytest.mark.parametrize("harm", TAMPERED)
def test_a_record_that_was_tampered_with_is_not_what_was_sealed(read: Office, harm: str) -> None:
    day = next_day(read)
    (seal,) = seals_of(read)
    kept = TrailReads(read.house.register.recorder)
    assert not differs(kept.of_day(day), seal)
    with psycopg.connect(read.house.addresses.owner, autocommit=True) as owner:
        owner.execute(TAMPERED[harm])
    assert differs(kept.of_day(day), seal)


def test_a_seal_of_the_number_alone_would_not_find_it(read: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutant: the digest is of nothing."""
    monkeypatch.setattr(trail_reads.msgspec.json, "encode", lambda value: b"")
    day = next_day(read)
    (seal,) = seals_of(read)
    with psycopg.connect(read.house.addresses.owner, autocommit=True) as owner:
        owner.execute(TAMPERED["somebody else"])
    assert not differs(TrailReads(read.house.register.recorder).of_day(day), seal)


def test_a_long_day_is_read_page_by_page(read: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = reads_of(read)
    for size in (1, 2, 3, 4):
        monkeypatch.setattr(trail_reads, "PAGE", size)
        assert reads_of(read) == whole
