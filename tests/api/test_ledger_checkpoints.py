"""When a checkpoint is signed, with which key, and when none is: the service says so and is not ready."""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any

import psycopg
import pytest
from psycopg import Connection, sql
from starlette.testclient import TestClient

from api.cli import main
from api.house import House, opened
from api.ledger.checkpoints import PAUSE, SECONDS, Checkpoints
from api.ledger.published_folder import PublishedFolder
from api.main import application
from api.settings import Settings
from projections.checkpoints import Note
from projections.note import NotSignedByLedger, VerifierKey, read, verified, verifier_key
from tests.api.conftest import Staffed, staffed_office
from tests.api.office import FOUNDER, Office, addresses_of, answered, refused
from tests.api.test_ledger import said
from tests.databases import Database, Databases


@pytest.fixture
def published(tmp_path: Path) -> PublishedFolder:
    return PublishedFolder(tmp_path / "published")


@pytest.fixture
def office(database: Database, staffed: Staffed, published: PublishedFolder) -> Generator[Office]:
    """That publishes its ledger."""
    with staffed_office(database, staffed, ledger_folder=published.path) as office:
        office.house.checkpoints.pause = timedelta(0)
        office.house.checkpoints.round()
        yield office


def round_of(office: Office) -> bool:
    """Everything is in the tree, and then comes a round."""
    office.house.catch_up()
    return office.house.checkpoints.round()


def signed_and_published(office: Office) -> str:
    """A checkpoint over everything recorded so far, in the folder too."""
    assert round_of(office)
    office.house.ledger_publication.round()
    return office.get("/ledger/checkpoint").text


def keys(office: Office) -> list[VerifierKey]:
    return [verifier_key(line) for line in office.get("/ledger/keys").text.splitlines()]


@contextmanager
def another_process(office: Office, database: Database, keys: Path | None = None) -> Iterator[House]:
    """With the office's folders, and everything in the tree."""
    ours = office.house.settings
    settings = Settings(
        now=office.house.questions.now(), keys=keys or ours.keys_folder, ledger_folder=ours.ledger_folder
    )
    with opened(addresses_of(database), settings) as house:
        house.checkpoints.pause = timedelta(0)
        house.catch_up()
        yield house


@contextmanager
def office_at(database: Database, keys: Path, **settings: Any) -> Iterator[Office]:
    """An office later on, with keys that it leaves there."""
    with opened(addresses_of(database), Settings(keys=keys, **settings)) as house:
        house.checkpoints.pause = timedelta(0)
        with TestClient(application(house), raise_server_exceptions=False) as client:
            house.checkpoints.round()
            yield Office(house, client)


# ---- signed ----------------------------------------------------------------------------------------------------------


def test_something_new_is_signed_and_nothing_new_is_not(office: Office) -> None:
    first = signed_and_published(office)
    assert not round_of(office)
    assert office.get("/ledger/checkpoint").text == first
    office.employs("new", "auditor")
    assert round_of(office)
    assert read(office.get("/ledger/checkpoint").text).size > read(first).size


def test_there_is_a_pause_between_two_checkpoints_of_less_than_a_minute(office: Office) -> None:
    office.house.checkpoints.pause = PAUSE
    assert timedelta(0) < PAUSE < timedelta(seconds=60 - 2 * SECONDS)
    assert round_of(office)
    office.employs("new", "auditor")
    assert not round_of(office)
    office.house.checkpoints.pause = timedelta(0)
    assert round_of(office)


def test_a_clock_that_was_put_back_holds_no_checkpoint_up(office: Office, database: Database) -> None:
    signed_and_published(office)
    office.house.checkpoints.pause = PAUSE
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        owner.execute("UPDATE ledger.checkpoints SET made_at = made_at + interval '1 day'")
    office.employs("new", "auditor")
    assert round_of(office)


def test_a_checkpoint_says_up_to_where_and_when(office: Office) -> None:
    checkpoint = read(signed_and_published(office))
    assert (checkpoint.position, checkpoint.size) == (office.position, office.count())
    assert checkpoint.instant.startswith(office.house.questions.now().isoformat()[:16])


def test_the_key_signs_nothing_else(office: Office) -> None:
    (key,) = office.house.checkpoints.signer.public_halves()
    jwks = answered_jwks(office)
    assert key.purpose == "ledger"
    assert key.kid not in {each["kid"] for each in jwks}
    assert [file.stem for file in (office.house.settings.keys_folder / "simulation" / "ledger").iterdir()] == [key.kid]


def answered_jwks(office: Office) -> list[dict[str, str]]:
    return office.get("/.well-known/jwks.json").json()["keys"]


def test_after_a_rotation_the_new_key_signs_and_the_old_ones_checkpoints_still_verify(office: Office) -> None:
    old_note, (old,) = signed_and_published(office), keys(office)
    office.house.checkpoints.signer.rotate(FOUNDER, "yearly")
    note, (first, new) = signed_and_published(office), keys(office)
    assert first == old
    assert verified(old_note, [first]).origin == verified(note, [new]).origin
    with pytest.raises(NotSignedByLedger):
        verified(note, [old])


def test_an_operator_rotates_the_key_and_a_service_at_work_notices(
    office: Office, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed_and_published(office)
    for name, value in (("DATABASE_URL", database.service_url), ("ENGINE_DATABASE_URL", database.engine_url),
                        ("KEYS", str(office.house.settings.keys_folder))):  # fmt: skip
        monkeypatch.setenv(f"CERTLIFE_{name}", value)
    monkeypatch.setattr(
        sys, "argv", ["certlife", "keys", "rotate-signing", "--purpose", "ledger", "--reason", "yearly"]
    )
    with pytest.raises(SystemExit, match="0"):
        main()
    office.house.present.move_to(datetime.now(UTC) + timedelta(hours=1))
    note, (_, new) = signed_and_published(office), keys(office)
    assert verified(note, [new])


def test_the_log_is_named_by_where_the_public_reaches_it_and_keeps_its_name(database: Database, tmp_path: Path) -> None:
    names = []
    for url in ("https://register.example/a+b", "https://elsewhere.example"):
        with office_at(database, tmp_path, public_url=url) as office:
            office.employs(f"new-{len(names)}", "auditor")
            assert round_of(office)
            names.append(read(office.get("/ledger/checkpoint").text).origin)
    assert names == ["register.example/a%2Bb/ledger"] * 2


def test_of_several_processes_one_signs_each_size(
    office: Office, database: Database, published: PublishedFolder
) -> None:
    with another_process(office, database) as other:
        for number in range(8):
            office.employs(f"new-{number}", "auditor")
            office.house.catch_up()
            with ThreadPoolExecutor(2) as threads:
                made = list(threads.map(Checkpoints.round, [office.house.checkpoints, other.checkpoints]))
            assert made.count(True) == 1
            with ThreadPoolExecutor(2) as threads:
                list(threads.map(lambda house: house.ledger_publication.round(), [office.house, other]))
        assert office.house.checkpoints.problem is other.checkpoints.problem is None
    assert len(list(published.notes())) == 8


def test_a_service_at_work_signs_and_publishes_by_itself(office: Office, published: PublishedFolder) -> None:
    office.house.start(clock=False)
    office.house.publish()
    office.employs("new", "auditor")
    until, pace = monotonic() + 60, Event()
    while published.last_size() < office.count():
        assert monotonic() < until, "within a minute"
        pace.wait(0.05)
    answered(office.get("/readyz"))


# ---- not signed ------------------------------------------------------------------------------------------------------


def test_a_ledger_that_agrees_is_ready(office: Office, database: Database) -> None:
    signed_and_published(office)
    with another_process(office, database) as house:
        house.checkpoints.round()
        assert house.checkpoints.problem is None
    answered(office.get("/readyz"))


TAMPERINGS = {
    "ledger_event_differs": "UPDATE certlife.events SET state = state || ' '::bytea WHERE position = {last}",
    "ledger_contradicted": "UPDATE ledger.leaves SET hash = sha256(hash) WHERE leaf_index = 0",
    "checkpoint_signature_wrong": "UPDATE ledger.checkpoints SET note = replace(note, 'instant 2', 'instant 1')",
    "not_a_checkpoint": "UPDATE ledger.checkpoints SET note = ''",
    "checkpoint_not_signed": "UPDATE ledger.checkpoints SET note = replace(note, E'\\n— ', E'\\n— x')",
    "ledger_truncated": "DELETE FROM ledger.leaves WHERE position = {last}",
}


@pytest.mark.parametrize("code", TAMPERINGS)
def test_nothing_is_signed_over_what_was_changed_and_the_service_is_not_ready(
    office: Office, database: Database, code: str
) -> None:
    note = signed_and_published(office)
    office.employs("new", "auditor")
    office.house.catch_up()
    last = read(note).position if code == "ledger_event_differs" else office.position
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        if code == "ledger_truncated":
            owner.execute(f"DELETE FROM ledger.leaves WHERE position >= {read(note).position}")
        owner.execute(TAMPERINGS[code].format(last=last))
    assert not office.house.checkpoints.round()
    problem = said(office, "/readyz")
    assert (problem["status"], problem["code"]) == (503, code)
    with psycopg.connect(database.owner_url) as owner:
        assert owner.execute("SELECT count(*) FROM ledger.checkpoints").fetchone() == (1,)


class Credulous(Checkpoints):
    """The mutant: signs whatever the tree is now."""

    def _require_agreement(self, connection: Connection, last: Note | None) -> None:
        pass


@pytest.mark.parametrize("code", ["ledger_event_differs", "ledger_contradicted", "checkpoint_signature_wrong"])
def test_who_signs_without_looking_signs_what_was_changed(office: Office, database: Database, code: str) -> None:
    """So the test above would be red."""
    signed_and_published(office)
    last = office.position
    office.employs("new", "auditor")
    office.house.catch_up()
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        owner.execute(TAMPERINGS[code].format(last=last))
    mutant = Credulous(office.house.register, office.house.checkpoints.signer, None, None)
    mutant.pause = timedelta(0)
    assert mutant.round()


def test_what_was_changed_is_found_at_the_start_though_nothing_is_new(office: Office, database: Database) -> None:
    signed_and_published(office)
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        owner.execute(TAMPERINGS["ledger_contradicted"])
    with another_process(office, database) as house:
        house.checkpoints.round()
        problem = house.checkpoints.problem
    assert problem is not None
    assert problem.code == "ledger_contradicted"


def test_once_it_is_put_right_it_is_signed_again(office: Office, database: Database) -> None:
    signed_and_published(office)
    office.employs("new", "auditor")
    office.house.catch_up()
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        ((hash,),) = owner.execute("SELECT hash FROM ledger.leaves WHERE leaf_index = 0").fetchall()
        owner.execute(TAMPERINGS["ledger_contradicted"])
        office.house.checkpoints.round()
        refused(office.get("/readyz"), 503, "ledger_contradicted")
        owner.execute("UPDATE ledger.leaves SET hash = %s WHERE leaf_index = 0", (hash,))
    assert office.house.checkpoints.round()
    answered(office.get("/readyz"))


def test_an_older_copy_of_the_database_is_told_to_be_truncated(
    databases: Databases, database: Database, published: PublishedFolder, tmp_path: Path
) -> None:
    """Everything in the copy agrees; only the folder knows better. New events do not make it right."""
    with office_at(database, tmp_path, ledger_folder=published.path) as office:
        signed_and_published(office)
    with databases.copy_of(database) as older:
        with office_at(database, tmp_path, ledger_folder=published.path) as office:
            for number in range(3):
                office.employs(f"new-{number}", "auditor")
            size = read(signed_and_published(office)).size
        with office_at(older, tmp_path, ledger_folder=published.path) as office:
            for number in range(5):
                assert not round_of(office)
                code = "ledger_truncated" if office.count() < size else "ledger_contradicted"
                assert said(office, "/readyz")["code"] == code
                office.employs(f"other-{number}", "auditor")
            assert office.count() > size, "so that both were seen"


def test_a_folder_of_another_register_is_refused(
    databases: Databases, office: Office, staffed: Staffed, published: PublishedFolder
) -> None:
    signed_and_published(office)
    with (
        databases.copy_of(staffed.register) as database,
        staffed_office(database, staffed, ledger_folder=published.path) as other,
    ):
        other.employs("new", "auditor")
        other.house.checkpoints.round()
        assert not round_of(other)
        refused(other.get("/readyz"), 503, "checkpoint_not_signed")


def test_a_folder_that_cannot_be_read_at_the_start_proves_nothing(
    office: Office, database: Database, published: PublishedFolder
) -> None:
    """Once it was proven, a folder that is gone for a while leaves the service ready."""
    signed_and_published(office)
    office.employs("new", "auditor")
    moved = published.path.rename(published.path.with_name("moved"))
    published.path.write_text("no folder")
    assert not round_of(office)
    answered(office.get("/readyz"))
    with another_process(office, database) as house:
        assert not house.checkpoints.round()
        assert house.checkpoints.problem is not None
        assert house.checkpoints.problem.code == "published_unreadable"
        published.path.unlink()
        moved.rename(published.path)
        assert house.checkpoints.round()
        assert house.checkpoints.problem is None


def test_without_its_private_half_nothing_is_signed_and_everything_is_answered(
    office: Office, database: Database, tmp_path: Path
) -> None:
    note = signed_and_published(office)
    office.employs("new", "auditor")
    with another_process(office, database, keys=tmp_path / "none") as house:
        assert not house.checkpoints.round()
        assert house.checkpoints.problem is None
    assert office.get("/ledger/checkpoint").text == note
    answered(office.get("/readyz"))


def test_while_the_database_is_gone_a_round_ends_and_later_ones_sign(office: Office, database: Database) -> None:
    office.house.catch_up()
    name = sql.Identifier(database.name)
    with psycopg.connect(database.server.url("postgres"), autocommit=True) as owner:
        owner.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name))
        owner.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (database.name,))
        assert not office.house.checkpoints.round()
        owner.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(name))
    assert office.house.checkpoints.round()
