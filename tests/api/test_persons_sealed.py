"""What is kept of persons opens with the master key alone, in its place alone, and is written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from hashlib import sha256
from itertools import count
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from lifecycle import commands as c
from lifecycle import errors
from lifecycle import events as e
from lifecycle.persons import person as decisions
from lifecycle.persons import sealing
from lifecycle.persons.details import Personal
from lifecycle.persons.person import id_of
from lifecycle.persons.sealing import Details, MasterKey, NotOpened, Row
from lifecycle.sql.connection import BoundedConnection
from lifecycle.store import HolderErased
from tests.api.office import FOUNDER, Office, answered, asked_by_founder, refused
from tests.api.test_persons import CONTACT, ERASURE, NAME, erased, facts_of, read, registered
from tests.api.test_races import at_once
from tests.databases import Database

ROWS = "SELECT person, master, wrapped_key, sealed FROM certlife.personal_details ORDER BY person"


@pytest.fixture
def owner(database: Database) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database.owner_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def personal(office: Office) -> Personal:
    return office.house.persons.personal


def rows(owner: psycopg.Connection) -> dict[str, Row]:
    return {person: Row(*row) for person, *row in owner.execute(ROWS).fetchall() if row[0]}


def put(owner: psycopg.Connection, person: str, row: Row) -> None:
    """The row as somebody with full rights on the database writes it."""
    owner.execute(
        "INSERT INTO certlife.personal_details VALUES (%s, %s, %s, %s, NULL) ON CONFLICT (person) DO UPDATE "
        "SET master = excluded.master, wrapped_key = excluded.wrapped_key, sealed = excluded.sealed, erased_at = NULL",
        (person, *row),
    )


def broken(office: Office, person: str) -> None:
    refused(office.get(f"/persons/{person}", "aud"), 503, "details_broken")


def digest_of(office: Office, person: str) -> str:
    return next(fact.digest for fact in reversed(facts_of(office, person)) if isinstance(fact, e.PersonalDetailsSealed))


# ---- rows ------------------------------------------------------------------------------------------------------------


def test_rows_alone_tell_nothing(office: Office, owner: psycopg.Connection) -> None:
    short, long = registered(office, name="张", contact=None), registered(office)
    kept = rows(owner)
    assert len(kept[short].sealed) == len(kept[long].sealed), "not even how long a name is"
    for row in kept.values():
        for member in row[1:]:
            assert not [word for word in (NAME, "张", CONTACT, "zhang", "name") if word.encode() in member]
        for wrong in (os.urandom(32), bytes(32), sha256(row.master.encode()).digest()):
            with pytest.raises(NotOpened):
                sealing.opened(id_of(short), row, MasterKey(row.master, wrong), digest_of(office, short))


def test_each_bit_flipped_is_refused(office: Office, owner: psycopg.Connection) -> None:
    person = registered(office)
    row = rows(owner)[person]
    for name in ("wrapped_key", "sealed"):
        good: bytes = getattr(row, name)
        for place in (0, 11, 12, len(good) // 2, len(good) - 17, len(good) - 16, len(good) - 1):
            bent = bytearray(good)
            bent[place] ^= 1 << place % 8
            put(owner, person, row._replace(**{name: bytes(bent)}))
            broken(office, person)
        for short in (b"", good[:-1], good[:12], good + b"\0"):
            put(owner, person, row._replace(**{name: short}))
            broken(office, person)
    put(owner, person, row)
    assert read(office, person)["name"] == NAME


@pytest.mark.parametrize("members", [("wrapped_key", "sealed"), ("wrapped_key",), ("sealed",)])
def test_rows_of_two_persons_swapped_are_refused(
    office: Office, owner: psycopg.Connection, members: tuple[str, ...]
) -> None:
    one, other = registered(office), registered(office, name="李娜")
    kept = rows(owner)
    for person, row, with_ in ((one, kept[one], kept[other]), (other, kept[other], kept[one])):
        put(owner, person, row._replace(**{name: getattr(with_, name) for name in members}))
    broken(office, one)
    broken(office, other)


def test_an_older_row_put_back_is_refused_and_details_given_anew_mend_it(
    office: Office, owner: psycopg.Connection
) -> None:
    person = registered(office)
    old = rows(owner)[person]
    answered(office.post(f"/persons/{person}/details", "adm", {"name": "张玮"}))
    put(owner, person, old)
    broken(office, person)
    answered(office.post(f"/persons/{person}/details", "adm", {"name": "张玮"}))
    assert read(office, person)["name"] == "张玮"


def test_a_row_taken_away_is_refused_and_one_put_back_after_erasure_tells_nothing(
    office: Office, owner: psycopg.Connection
) -> None:
    person, gone = registered(office), registered(office)
    old = rows(owner)[gone]
    owner.execute("DELETE FROM certlife.personal_details WHERE person = %s", (person,))
    broken(office, person)
    erased(office, gone)
    put(owner, gone, old)
    assert read(office, gone)["name"] is None


def test_a_row_bound_to_no_place_and_held_to_no_digest_would_be_found(
    office: Office, owner: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mutants: an older row opens, since the log is not asked; then no place is either, so that any row opens."""
    monkeypatch.setattr(sealing.hmac, "compare_digest", lambda *_: True)
    with pytest.raises(AssertionError):
        test_an_older_row_put_back_is_refused_and_details_given_anew_mend_it(office, owner)
    test_rows_of_two_persons_swapped_are_refused(office, owner, ("wrapped_key", "sealed"))
    monkeypatch.setattr(sealing, "_place", lambda *_: b"")
    with pytest.raises(AssertionError):
        test_rows_of_two_persons_swapped_are_refused(office, owner, ("wrapped_key", "sealed"))


def test_whoever_reads_while_details_change_reads_those_that_hold(office: Office, personal: Personal) -> None:
    person = registered(office)
    a_moment_ago = office.house.register.person(person)
    answered(office.post(f"/persons/{person}/details", "adm", {"name": "张玮"}))
    assert personal.open(a_moment_ago, person) == Details("张玮")
    erased(office, person)
    assert personal.open(a_moment_ago, person) == Details()


# ---- the database's own guard ----------------------------------------------------------------------------------------


def test_the_service_changes_rows_beside_an_event_alone_and_the_engine_reads_none(
    office: Office, database: Database, personal: Personal, owner: psycopg.Connection
) -> None:
    person = registered(office)
    kept = personal.seal(person, Details(NAME)).kept[1]
    harms = ["DELETE FROM {}", "UPDATE {} SET master = 'x'", "TRUNCATE {}", "INSERT INTO {} DEFAULT VALUES"]
    with psycopg.connect(database.service_url, autocommit=True) as service:
        for harm in harms:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                service.execute(harm.format("certlife.personal_details"))
        for statement, parameters in (
            ("SELECT certlife.keep_details(%(person)s, %(master)s, %(wrapped_key)s, %(sealed)s)", kept),
            ("SELECT certlife.erase_person(%(person)s)", {"person": person}),
        ):
            with pytest.raises(psycopg.Error, match="needs the event"):
                service.execute(statement, parameters)
    with psycopg.connect(database.engine_url) as engine, pytest.raises(psycopg.errors.InsufficientPrivilege):
        engine.execute(ROWS)
    erased(office, person)
    with pytest.raises(psycopg.errors.CheckViolation):
        owner.execute("UPDATE certlife.personal_details SET sealed = 'x' WHERE person = %s", (person,))


def test_a_key_issued_while_its_holder_is_erased_is_refused(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    person = registered(office)
    erased(office, person)
    monkeypatch.setattr(decisions, "require_known", lambda *_: None)  # as it was a moment before
    with office.recording_nothing(), pytest.raises(errors.PersonErased) as refusal:
        office.house.register.issue_key(FOUNDER, c.IssueKey(person=person, role="auditor"))
    assert isinstance(refusal.value.__context__, HolderErased)


# ---- together, or not at all -----------------------------------------------------------------------------------------


@contextmanager
def killed_at(owner: psycopg.Connection) -> Iterator[None]:
    """Whoever writes a row of a person's details loses the connection in the middle."""
    owner.execute(
        "CREATE FUNCTION public.kill() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ "
        "BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$;"
        "CREATE TRIGGER kill BEFORE INSERT OR UPDATE ON certlife.personal_details "
        "FOR EACH ROW EXECUTE FUNCTION public.kill()"
    )
    yield
    owner.execute("DROP FUNCTION public.kill CASCADE")


COMMANDS: dict[str, tuple[str, dict[str, Any], int, str]] = {
    "registered": ("/persons", {"name": NAME}, 201, "person-registered.v1"),
    "given anew": ("/persons/{person}/details", {"name": "张玮"}, 200, "personal-details-sealed.v1"),
    "erased": ("/persons/{person}/erasure", ERASURE, 200, "person-erased.v1"),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_killed_between_event_and_row_leaves_nothing_and_is_done_once_when_sent_again(
    office: Office, owner: psycopg.Connection, command: str
) -> None:
    person = registered(office)
    before = rows(owner)
    address, sent, status, topic = COMMANDS[command]
    address, key = address.format(person=person), uuid4().hex
    with office.recording_nothing(), killed_at(owner):
        assert office.post(address, "adm", sent, key=key).status_code == 503
    assert rows(owner) == before
    assert read(office, person)["name"] == NAME
    assert answered(office.post(address, "adm", sent, key=key), status)["events"][0]["type"] == topic
    with office.recording_nothing():
        answered(office.post(address, "adm", sent, key=key), status)
    assert rows(owner) != before


def test_a_row_in_a_transaction_of_its_own_would_be_found(
    office: Office, owner: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mutant: event first, row afterwards."""
    person = registered(office)
    monkeypatch.setattr(BoundedConnection, "all_or_nothing", lambda _: nullcontext())
    position = office.position
    with killed_at(owner):
        office.post(f"/persons/{person}/erasure", "adm", ERASURE)
    assert office.position > position
    assert rows(owner)[person]


def test_of_an_erasure_and_a_change_at_once_one_comes_first_and_nothing_outlives_the_erasure(
    office: Office, owner: psycopg.Connection
) -> None:
    persons = office.house.persons
    numbers = count()

    def gives(person: str) -> Callable[[], str]:
        return lambda: _tried(
            lambda: persons.give_details(asked_by_founder(), person, c.GiveDetails(name=f"n{next(numbers)}"))
        )

    def erases(person: str) -> Callable[[], str]:
        return lambda: _tried(lambda: persons.erase(asked_by_founder(), person, c.ErasePerson(grounds="unlawful")))

    told = set()
    for _ in range(8):
        person = registered(office)
        outcome = at_once([gives(person), erases(person), gives(person), erases(person)])
        told |= set(outcome)
        assert outcome[1:4:2].count("done") <= 1
        facts = facts_of(office, person)
        assert len(facts) == 2 + outcome.count("done")
        if "done" in outcome[1:4:2]:
            assert isinstance(facts[-1], e.PersonErased)
            assert person not in rows(owner)
        else:
            assert read(office, person)["name"].startswith("n")
    assert told <= {"done", "conflict", "person_erased"}


def _tried(act: Callable[[], Any]) -> str:
    try:
        act()
    except errors.Refusal as refusal:
        return refusal.code
    return "done"
