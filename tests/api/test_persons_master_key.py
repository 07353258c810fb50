"""Master keys wrap the keys of persons: without one nothing opens; another wraps them anew and changes nothing else."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from api.cli import main
from api.key_folder import KeyFolder
from api.main import application
from lifecycle import commands as c
from lifecycle import errors
from lifecycle import events as e
from lifecycle.keys import REGISTER
from lifecycle.persons import person as decisions
from lifecycle.persons import sealing
from lifecycle.persons.details import Personal
from lifecycle.persons.person import id_of
from lifecycle.persons.sealing import Details, MasterKey, NotOpened
from lifecycle.store import MasterKeyReplaced
from tests.api.office import FOUNDER, Office, answered, asked_by_founder, refused
from tests.api.test_persons import CONTACT, NAME, erased, read, registered
from tests.api.test_persons_sealed import broken, digest_of, owner, personal, put, rows
from tests.api.test_races import at_once
from tests.databases import Database

__all__ = ["owner", "personal"]


# ---- master keys -----------------------------------------------------------------------------------------------------


def masters_of(office: Office) -> list[e.MasterKeyChanged]:
    facts = (recorded.fact for recorded in office.house.register.events.get(REGISTER))
    return [fact for fact in facts if isinstance(fact, e.MasterKeyChanged)]


def folder_of(personal: Personal) -> KeyFolder[Any]:
    return personal.masters.folder  # pyright: ignore[reportAttributeAccessIssue]


def test_the_first_details_draw_a_master_key_that_only_the_services_account_reads(
    office: Office, personal: Personal, database: Database
) -> None:
    registered(office)
    registered(office)
    (master,) = masters_of(office)
    (file,) = folder_of(personal).path.iterdir()
    assert (file.name, file.stat().st_mode & 0o777) == (f"{master.kid}.jwk", 0o600)
    assert folder_of(personal).path.stat().st_mode & 0o777 == 0o700
    assert len(personal.masters.find(master.kid).secret) == 32


def test_of_processes_that_need_the_first_master_key_at_once_one_makes_it(office: Office, personal: Personal) -> None:
    sealed = at_once([lambda: personal.seal("ana", Details(NAME)) for _ in range(4)])
    (master,) = masters_of(office)
    assert {each.kept[1]["master"] for each in sealed} == {master.kid}
    assert [file.stem for file in folder_of(personal).path.iterdir()] == [master.kid]


def _gone(file: Path) -> None:
    file.rename(file.with_suffix(".away"))


def _another(file: Path) -> None:
    file.write_text(f'{{"k":"{"A" * 43}","kty":"oct"}}')


def _open_to_all(file: Path) -> None:
    file.chmod(0o644)


def _no_key(file: Path) -> None:
    file.write_bytes(b"\xff not a key")


def test_no_master_key_is_made_where_others_could_read_it(office: Office, personal: Personal) -> None:
    folder_of(personal).path.mkdir(mode=0o755)
    with office.recording_nothing():
        told = refused(office.post("/persons", "adm", {"name": NAME}), 503, "master_key_missing")
    assert str(folder_of(personal).path) not in told["detail"]
    assert list(folder_of(personal).path.iterdir()) == []


@pytest.mark.parametrize("harm", [_gone, _another, _open_to_all, _no_key])
def test_without_its_master_key_a_process_opens_and_seals_nothing_and_does_everything_else(
    office: Office, personal: Personal, harm: Callable[[Path], None]
) -> None:
    person = registered(office)
    (file,) = folder_of(personal).path.iterdir()
    kept = file.read_bytes()
    harm(file)
    with office.recording_nothing():
        told = refused(office.get(f"/persons/{person}", "aud"), 503, "master_key_missing")
        assert told["kid"] == file.stem
        refused(office.post("/persons", "adm", {"name": NAME}), 503, "master_key_missing")
        refused(office.post(f"/persons/{person}/details", "adm", {"name": NAME}), 503, "master_key_missing")
        answered(office.get("/persons/ana", "aud"))
        answered(office.get("/certificates", "aud"))
    answered(office.post("/persons", "adm", {}), 201)
    file.write_bytes(kept)
    file.chmod(0o600)
    assert read(office, person)["name"] == NAME
    harm(file)
    erased(office, person)
    assert read(office, person)["name"] is None, "what is erased needs no key"


def test_the_wrong_master_key_opens_nothing(
    office: Office, personal: Personal, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = registered(office)
    monkeypatch.setattr(personal.masters, "find", lambda kid: MasterKey(kid, os.urandom(32)))
    broken(office, person)


def test_a_process_without_the_master_key_says_so_when_it_starts(
    office: Office, personal: Personal, capfd: pytest.CaptureFixture[str]
) -> None:
    registered(office)
    application(office.house)
    assert "no master key" not in "".join(capfd.readouterr())
    (file,) = folder_of(personal).path.iterdir()
    _gone(file)
    application(office.house)
    assert "no master key" in "".join(capfd.readouterr())


# ---- another master key ----------------------------------------------------------------------------------------------


@pytest.fixture
def certlife(
    office: Office, database: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    """The exit status of a command beside the office, and everything it said."""
    monkeypatch.setenv("CERTLIFE_DATABASE_URL", database.service_url)
    monkeypatch.setenv("CERTLIFE_ENGINE_DATABASE_URL", database.engine_url)
    monkeypatch.setenv("CERTLIFE_KEYS", str(office.house.settings.keys_folder))

    def run(*words: str) -> tuple[int, str]:
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", ["certlife", *words])
        status = 0
        try:
            main()
        except SystemExit as end:
            status = int(end.code or 0)
        return status, "".join(capsys.readouterr())

    return run


def test_another_master_key_wraps_every_key_anew_and_nothing_else_changes(
    office: Office, personal: Personal, owner: psycopg.Connection, certlife: Callable[..., tuple[int, str]]
) -> None:
    persons = [registered(office, name=f"张{number}") for number in range(5)]
    erased(office, gone := registered(office))
    old, before, position = office.house.register.recorder.master_key(), rows(owner), office.position
    status, said = certlife("keys", "rotate-master", "--reason", "yearly", "--by", "adm")
    assert (status, "5 wrapped anew" in said) == (0, True), said
    first, second = masters_of(office)
    assert (first.kid, second.reason, second.by.person, office.position) == (old, "yearly", "adm", position + 1)
    assert f"{second.kid} wraps" in said
    assert f"{old} wraps nothing" in said
    after = rows(owner)
    for person in persons:
        assert after[person].sealed == before[person].sealed
        assert after[person].wrapped_key != before[person].wrapped_key
        assert after[person].master == second.kid
    assert [read(office, person)["name"] for person in persons] == [f"张{number}" for number in range(5)]
    assert read(office, gone)["name"] is None
    (folder_of(personal).path / f"{old}.jwk").unlink()
    assert [read(office, person)["name"] for person in persons] == [f"张{number}" for number in range(5)]


def test_wrapping_anew_is_gone_on_with_where_it_was_stopped_and_names_are_read_meanwhile(
    office: Office, personal: Personal, owner: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lifecycle.persons.details.PAGE", 2)
    persons = [registered(office, name=f"张{number}") for number in range(5)]
    new = personal.change_master_key(FOUNDER, "", office.house.register.recorder.master_key())
    for each in personal.rewrap():
        assert [read(office, person)["name"] for person in persons] == [f"张{number}" for number in range(5)]
        if each.done == 2:
            break
    assert sum(row.master == new for row in rows(owner).values()) == 2
    assert [each.done for each in personal.rewrap()] == [1, 2, 3]
    assert {row.master for row in rows(owner).values()} == {new}
    assert list(personal.rewrap()) == []


def test_one_row_that_does_not_open_keeps_no_other_from_being_wrapped_anew(
    office: Office, personal: Personal, owner: psycopg.Connection, certlife: Callable[..., tuple[int, str]]
) -> None:
    persons = sorted(registered(office) for _ in range(3))
    put(owner, persons[1], rows(owner)[persons[1]]._replace(wrapped_key=b"bent"))
    put(owner, persons[2], rows(owner)[persons[2]]._replace(master="lost"))
    status, said = certlife("keys", "rotate-master")
    assert (status, persons[1] in said, persons[2] in said, persons[0] in said) == (1, True, True, False), said
    assert read(office, persons[0])["name"] == NAME


def test_details_sealed_while_the_master_key_changes_are_sealed_again(
    office: Office, personal: Personal, owner: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    person, old = registered(office), office.house.register.recorder.master_key()
    sealed = personal.seal(person, Details("张玮"))
    new = personal.change_master_key(FOUNDER, "", old)
    list(personal.rewrap())
    with office.recording_nothing(), pytest.raises(MasterKeyReplaced):
        _given(office, person, sealed)
    late = iter([sealed])
    seal = personal.seal
    monkeypatch.setattr(personal, "seal", lambda name, details: next(late, None) or seal(name, details))
    answered(office.post(f"/persons/{person}/details", "adm", {"name": "张玮"}))
    assert rows(owner)[person].master == new


def _given(office: Office, person: str, sealed: sealing.SealedDetails) -> None:
    office.house.register.on_person(
        asked_by_founder(), person, c.GiveDetails(name="x"),
        lambda found, moment: decisions.give_details(found, person, sealed.digest, moment), [sealed.kept],
    )  # fmt: skip


def test_a_row_kept_under_a_replaced_master_key_would_be_found(
    office: Office, personal: Personal, owner: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mutant: the database does not ask which master key is in force."""
    owner.execute(
        "CREATE OR REPLACE FUNCTION certlife.keep_details(of text, by_master text, key bytea, details bytea) "
        "RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = certlife, pg_temp AS "
        "$$ UPDATE personal_details SET master = by_master, wrapped_key = key, sealed = details WHERE person = of $$"
    )
    owner.execute("INSERT INTO certlife.personal_details VALUES ('ana', 'm', 'k', 's', NULL)")
    monkeypatch.setattr("tests.api.test_persons_master_key.registered", lambda office: "ana")
    answered(office.post("/persons/ana/details", "adm", {"name": NAME}))
    with pytest.raises(pytest.fail.Exception):
        test_details_sealed_while_the_master_key_changes_are_sealed_again(office, personal, owner, monkeypatch)


def test_two_who_change_the_master_key_at_once_leave_one_in_force(office: Office, personal: Personal) -> None:
    registered(office)
    old = office.house.register.recorder.master_key()
    said = at_once([lambda: personal.change_master_key(FOUNDER, "", old) for _ in range(4)])
    assert len(set(said)) == 1
    assert [each.kid for each in masters_of(office)] == [old, said[0]]
    assert {file.stem for file in folder_of(personal).path.iterdir()} == {old, said[0]}


def test_what_lay_in_an_old_dump_opens_with_the_master_key_of_its_time_alone(
    office: Office, personal: Personal, owner: psycopg.Connection
) -> None:
    person = registered(office)
    dumped, digest = rows(owner)[person], digest_of(office, person)
    erased(office, person)
    opened = sealing.opened(id_of(person), dumped, personal.masters.find(dumped.master), digest)
    assert opened == Details(NAME, CONTACT), "said openly: an old dump and the master key of its time tell the name"
    new = personal.change_master_key(FOUNDER, "", dumped.master)
    (folder_of(personal).path / f"{dumped.master}.jwk").unlink()
    with pytest.raises(errors.MasterKeyMissing):
        personal.masters.find(dumped.master)
    for kid in (new, dumped.master):
        with pytest.raises(NotOpened):
            sealing.opened(id_of(person), dumped, MasterKey(kid, personal.masters.find(new).secret), digest)
