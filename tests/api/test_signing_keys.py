"""The keys that sign: private to the service, public for ever, changed without breaking what was signed before."""

import base64
import json
import os
import shutil
import stat
import sys
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from hashlib import sha256
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from starlette.testclient import TestClient

from api.cli import main
from api.house import House, opened
from api.key_folder import KeyFolder, KeyFolderRefused
from api.main import application
from api.settings import Settings
from lifecycle import events as e
from lifecycle import keys
from tests.api.life import Json
from tests.api.office import FOUNDER, Office, addresses_of, answered, office_of, refused
from tests.api.test_signing import asked, at, jwks, payload, signed
from tests.api.token_list_reader import verified
from tests.databases import Database, Databases

NUMBER = "CSP-S01-2024-00001"


@pytest.fixture
def database(databases: Databases) -> Generator[Database]:
    """A register that nobody used before, and that has no key yet."""
    with databases.register("simulation") as database:
        yield database


@pytest.fixture
def office(database: Database) -> Generator[Office]:
    with office_of(database) as office:
        office.employs_everybody()
        yield office


@contextmanager
def at_work(database: Database, folder: Path, now: datetime | None = None) -> Iterator[House]:
    """A process of the register, with its keys in the folder."""
    with opened(addresses_of(database), Settings(now=now, keys=folder)) as house:
        yield house


@contextmanager
def operators(office: Office, database: Database) -> Iterator[House]:
    """Another process at the office's present, with the office's folder of keys."""
    with at_work(database, office.house.settings.keys_folder, office.house.questions.now()) as house:
        yield house


def folder_of(house: House, kind: str = "simulation") -> Path:
    return house.settings.keys_folder / kind / "status"


def recorded(house: House, purpose: str = "status") -> list[e.Fact]:
    """The facts about the signing keys of a purpose, in order."""
    facts = [each.fact for each in house.register.events.get(keys.REGISTER)]
    of_keys = [fact for fact in facts if isinstance(fact, (e.SigningKeyAdded, e.SigningKeyRetired))]
    return [fact for fact in of_keys if fact.purpose == purpose]


def published(office: Office, purpose: str = "status") -> list[Json]:
    """The public halves of a purpose's keys, in the order in which they were added."""
    kids = office.house.register.signing_keys().of(purpose)
    by_kid = {key["kid"]: key for key in jwks(office)["keys"]}
    return [by_kid[key.kid] for key in kids]


def rotated(house: House) -> str:
    return house.publishing.signer.rotate(FOUNDER, "yearly")


# ---- the first key ---------------------------------------------------------------------------------------------------


def test_a_register_gets_its_first_key_when_it_is_first_served(database: Database, tmp_path: Path) -> None:
    with at_work(database, tmp_path) as house:
        assert recorded(house) == []
        application(house)
        (added,) = recorded(house)
        assert (added.purpose, added.curve, added.kid) == ("status", "Ed25519", house.publishing.signer.kid)
        assert (added.by.role, added.cause.kind) == ("administrator", "request")
    with at_work(database, tmp_path) as house:
        application(house)
        assert recorded(house) == [added]
        assert house.publishing.signer.kid == added.kid


def test_of_two_processes_that_start_at_once_one_makes_the_key(database: Database, tmp_path: Path) -> None:
    with at_work(database, tmp_path) as one, at_work(database, tmp_path) as other:
        with ThreadPoolExecutor(2) as threads:
            list(threads.map(lambda house: house.publishing.signer.begin(), [one, other]))
        (added,) = recorded(one)
        assert one.publishing.signer.kid == other.publishing.signer.kid == added.kid
        assert [file.name for file in folder_of(one).iterdir()] == [f"{added.kid}.jwk"]


def test_a_kid_is_the_thumbprint_of_the_public_half(office: Office) -> None:
    (key,) = published(office)
    assert key.keys() == {"kty", "crv", "x", "kid", "use"}, "nothing of the private half, and no name of an algorithm"
    canonical = f'{{"crv":"Ed25519","kty":"OKP","x":"{key["x"]}"}}'
    assert key["kid"] == base64.urlsafe_b64encode(sha256(canonical.encode()).digest()).rstrip(b"=").decode()


def test_each_purpose_has_a_key_of_its_own_and_all_are_published(office: Office) -> None:
    (status,), (document,) = published(office), published(office, "document")
    (evidence,) = published(office, "evidence")
    assert len({status["x"], document["x"], evidence["x"]}) == 3
    assert jwks(office)["keys"] == [status, document, evidence]
    rotated(office.house)
    assert [key["kid"] for key in published(office, "document")] == [document["kid"]], "each rotates by itself"


def test_everybody_may_read_the_public_halves_from_any_page(office: Office) -> None:
    response = office.client.get("/.well-known/jwks.json", headers={"Authorization": "Bearer nonsense"})
    assert response.headers["access-control-allow-origin"] == "*"
    assert response.status_code == 200


def test_the_public_halves_are_given_while_the_database_is_gone(office: Office, database: Database) -> None:
    before = jwks(office)
    name = sql.Identifier(database.name)
    with psycopg.connect(database.server.url("postgres"), autocommit=True) as owner:
        owner.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name))
        owner.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (database.name,))
        assert jwks(office) == before
        owner.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(name))


# ---- private files ---------------------------------------------------------------------------------------------------


def test_private_halves_are_for_the_services_account_alone(database: Database, tmp_path: Path) -> None:
    umask = os.umask(0)
    try:
        with at_work(database, tmp_path / "keys") as house:
            application(house)
            (file,) = folder_of(house).iterdir()
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
            for folder in (tmp_path / "keys", tmp_path / "keys" / "simulation", folder_of(house)):
                assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    finally:
        os.umask(umask)


def _replaced(file: Path, by: str) -> None:
    file.unlink()
    file.write_text(by)
    file.chmod(0o600)


HARMS: dict[str, Callable[[Path], object]] = {
    "readable by the group": lambda file: file.chmod(0o640),
    "readable by everybody": lambda file: file.chmod(0o604),
    "writable by everybody": lambda file: file.chmod(0o602),
    "a folder that others may look into": lambda file: file.parent.chmod(0o711),
    "a folder that others may write into": lambda file: file.parent.chmod(0o770),
    "empty": lambda file: _replaced(file, ""),
    "not JSON": lambda file: _replaced(file, "-----BEGIN PRIVATE KEY-----"),
    "no key": lambda file: _replaced(file, "{}"),
    "bad letters": lambda file: _replaced(file, '{"kty":"OKP","crv":"Ed25519","x":"!","d":"!"}'),
    "a list": lambda file: _replaced(file, "[1]"),
    "another key": lambda file: _replaced(file, json.dumps(KeyFolder(file.parent.parent / "other").make().as_dict())),
}


@pytest.mark.parametrize("harm", HARMS)
def test_a_key_that_is_not_private_or_not_whole_is_refused(database: Database, tmp_path: Path, harm: str) -> None:
    with at_work(database, tmp_path) as house:
        application(house)
        (file,) = folder_of(house).iterdir()
    HARMS[harm](file)
    with at_work(database, tmp_path) as house, pytest.raises(KeyFolderRefused, match=str(file.parent)):
        application(house)


def test_the_public_half_alone_is_refused(database: Database, tmp_path: Path) -> None:
    with at_work(database, tmp_path) as house:
        application(house)
        (key,) = house.publishing.signer.public_keys()["keys"]
        (file,) = folder_of(house).iterdir()
    _replaced(file, json.dumps(key))
    with at_work(database, tmp_path) as house, pytest.raises(KeyFolderRefused, match="not the private key"):
        application(house)


def test_a_link_in_place_of_a_file_is_not_followed(database: Database, tmp_path: Path) -> None:
    with at_work(database, tmp_path) as house:
        application(house)
        (file,) = folder_of(house).iterdir()
    moved = file.rename(tmp_path / "elsewhere")
    file.symlink_to(moved)
    with at_work(database, tmp_path) as house, pytest.raises((KeyFolderRefused, OSError)):
        application(house)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_keys_of_another_account_are_refused(database: Database, tmp_path: Path) -> None:
    with at_work(database, tmp_path) as house:
        application(house)
        (file,) = folder_of(house).iterdir()
    os.chown(file, 12345, 12345)
    with at_work(database, tmp_path) as house, pytest.raises(KeyFolderRefused, match="another account"):
        application(house)
    os.chown(file.parent, 12345, 12345)
    with at_work(database, tmp_path) as house, pytest.raises(KeyFolderRefused, match="another account"):
        rotated(house)


def test_a_process_without_the_private_half_answers_unsigned(database: Database, tmp_path: Path) -> None:
    with office_of(database) as office:
        first = office.house.publishing.signer.kid
    with at_work(database, tmp_path) as house, TestClient(application(house)) as client:
        elsewhere = Office(house, client)
        house.catch_up()
        refused(asked(elsewhere, NUMBER), 503, "signing_key_missing")
        assert answered(elsewhere.get(f"/status/{NUMBER}"))["status"] == "unknown"
        assert [key["kid"] for key in published(elsewhere)] == [first]
        assert house.publishing.lists.publish() == 0


# ---- rotation --------------------------------------------------------------------------------------------------------


def test_a_new_key_signs_and_what_the_old_ones_signed_still_verifies(office: Office) -> None:
    office.house.catch_up()
    tokens = [signed(office, NUMBER)]
    for _ in range(3):
        rotated(office.house)
        office.house.catch_up()
        tokens.append(signed(office, NUMBER))
    headers = [verified(token, jwks(office), at=at(office))[0] for token in tokens]
    kids = [header["kid"] for header in headers]
    assert len(set(kids)) == 4
    assert [key["kid"] for key in published(office)] == kids


def test_a_rotation_is_recorded_and_the_old_private_half_is_gone(office: Office) -> None:
    first = office.house.publishing.signer.kid
    second = rotated(office.house)
    added, retired, replaced = recorded(office.house)
    assert (added.kid, retired.kid, replaced.kid) == (first, first, second)
    assert (retired.reason, retired.by.person) == ("yearly", "founder")
    assert [file.name for file in folder_of(office.house).iterdir()] == [f"{second}.jwk"]


def test_a_new_key_is_used_by_the_next_process(database: Database, tmp_path: Path) -> None:
    with at_work(database, tmp_path) as house:
        application(house)
        second = rotated(house)
    with at_work(database, tmp_path) as house:
        application(house)
        assert house.publishing.signer.kid == second


def test_a_service_at_work_notices_a_new_key(office: Office, database: Database) -> None:
    office.house.catch_up()
    office.house.publishing.start()
    with operators(office, database) as house:
        second = rotated(house)
    while payload_kid(signed(office, NUMBER)) != second:  # it is asked until it does; a test that hangs has failed
        pass


def payload_kid(token: str) -> str:
    return verified_header(token)["kid"]


def verified_header(token: str) -> Json:
    return payload("." + token.split(".")[0])


def test_a_key_exposed_by_a_rotation_under_way_is_not_signed_with(office: Office, database: Database) -> None:
    with operators(office, database) as house:
        kid = rotated(house)
        (folder_of(house) / f"{kid}.jwk").chmod(0o644)
    office.house.publishing.round()
    office.house.catch_up()
    refused(asked(office, NUMBER), 503, "signing_key_missing")
    (folder_of(office.house) / f"{kid}.jwk").chmod(0o600)
    office.house.publishing.round()
    assert payload_kid(signed(office, NUMBER)) == kid


# ---- simulation and production ---------------------------------------------------------------------------------------


def test_a_simulations_key_is_never_a_production_key(
    database: Database, production_database: Database, tmp_path: Path
) -> None:
    with at_work(database, tmp_path / "production") as simulation:
        application(simulation)
        kid = simulation.publishing.signer.kid
        folder = folder_of(simulation)
    with at_work(production_database, tmp_path / "production") as production:
        shutil.copytree(folder, folder_of(production, "production"))
        folder_of(production, "production").chmod(0o700)
        application(production)
        assert production.publishing.signer.kid != kid
        assert kid not in [key["kid"] for key in production.publishing.signer.public_keys()["keys"]]
        assert folder_of(production, "production") != folder


# ---- the command line ------------------------------------------------------------------------------------------------


def test_an_operator_rotates_the_key_from_the_command_line(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CERTLIFE_DATABASE_URL", database.service_url)
    monkeypatch.setenv("CERTLIFE_ENGINE_DATABASE_URL", database.engine_url)
    monkeypatch.setenv("CERTLIFE_KEYS", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["certlife", "keys", "rotate-signing", "--reason", "first", "--by", "wang-li"])
    with pytest.raises(SystemExit, match="0"):
        main()
    (file,) = (tmp_path / "simulation" / "status").iterdir()
    assert f"{file.stem} signs from now on" in capsys.readouterr().out
    file.parent.chmod(0o755)
    with pytest.raises(SystemExit, match="1"):
        main()
    told = capsys.readouterr().err
    assert told.startswith("certlife: ")
    assert "chmod 700" in told
