"""certlife verify: exit 0 and 1, what it says, and what it takes for true."""

from __future__ import annotations

import sys
from base64 import urlsafe_b64encode
from collections.abc import Callable, Generator
from datetime import timedelta
from pathlib import Path

import msgspec
import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from api.cli import main
from api.ledger.published_folder import PublishedFolder
from projections.follower import connect
from projections.ledger import LedgerFollower, Tree
from projections.note import Checkpoint, VerifierKey, read
from tests.api.conftest import Staffed, staffed_office
from tests.api.office import FOUNDER, Office
from tests.databases import Database

Verify = Callable[..., tuple[int, str]]


@pytest.fixture
def published(tmp_path: Path) -> PublishedFolder:
    return PublishedFolder(tmp_path / "published")


@pytest.fixture
def office(database: Database, staffed: Staffed, published: PublishedFolder) -> Generator[Office]:
    """With two checkpoints, both in the folder."""
    with staffed_office(database, staffed, ledger_folder=published.path) as office:
        office.house.checkpoints.pause = timedelta(0)
        office.house.checkpoints.round()
        for name in ("one", "two"):
            signed(office, name)
        yield office


def signed(office: Office, name: str) -> None:
    office.employs(name, "auditor")
    office.house.catch_up()
    assert office.house.checkpoints.round()
    office.house.ledger_publication.round()


@pytest.fixture
def verify(
    database: Database, published: PublishedFolder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Verify:
    """The exit status of the command with these options, and everything it said."""
    monkeypatch.setenv("CERTLIFE_DATABASE_URL", database.service_url)
    monkeypatch.setenv("CERTLIFE_ENGINE_DATABASE_URL", database.engine_url)
    monkeypatch.setenv("CERTLIFE_LEDGER_FOLDER", str(published.path))

    def run(*options: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["certlife", "verify", *options])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out + said.err

    return run


def test_a_register_that_nobody_changed_is_verified_and_stays_as_it_is(office: Office, verify: Verify) -> None:
    with office.recording_nothing():
        status, said = verify()
    assert status == 0, said
    assert f"{office.count()} of {office.count()} events" in said
    assert "未发现改动" in said


def test_one_check_alone_is_named(office: Office, verify: Verify, database: Database) -> None:
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        owner.execute("DELETE FROM projections.trail WHERE position = 7")
    assert verify("--only", "ledger", "--only", "streams")[0] == 0
    status, said = verify("--only", "trail")
    assert (status, "Position 7: a row of trail" in said, "位置 7：trail 中的一行" in said) == (1, True, True)
    assert "ledger:" not in said


def test_a_check_that_is_none_is_a_mistake_of_the_caller(office: Office, verify: Verify) -> None:
    status, said = verify("--only", "nonsense")
    assert status == 2
    assert "receipts" in said


def test_events_that_the_ledger_has_yet_to_take_in_are_told(office: Office, verify: Verify) -> None:
    covered = office.count()
    office.employs("new", "auditor")
    status, said = verify()
    assert status == 0
    assert f"{office.count() - covered} events are not covered yet" in said


def test_a_change_is_named_in_both_languages(office: Office, verify: Verify, database: Database) -> None:
    position = office.position - 1
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        owner.execute("UPDATE certlife.events SET state = state || ' '::bytea WHERE position = %s", (position,))
    status, said = verify()
    assert status == 1
    assert f"Position {position}: the event is not the one" in said
    assert f"位置 {position}：" in said
    assert f"The first bad position is {position}." in said
    assert "未发现改动" not in said


def test_an_unreadable_register_is_verified_all_the_same(office: Office, verify: Verify, database: Database) -> None:
    """Nothing is folded: what cannot be read any more is what was changed."""
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        owner.execute("UPDATE certlife.events SET state = 'nonsense', topic = 'nonsense' WHERE position > 1")
    status, said = verify()
    assert (status, "Position 2: the event is not the one" in said) == (1, True)


def test_a_copy_kept_elsewhere_and_the_key_are_taken_from_outside(
    office: Office, verify: Verify, published: PublishedFolder, tmp_path: Path
) -> None:
    kept, (text, file) = tmp_path / "kept.txt", next(published.notes())
    kept.write_text(text)
    key = office.get("/ledger/keys").text.strip()
    assert verify("--key", key, "--checkpoint", str(kept), "--checkpoint", file)[0] == 0
    stranger = VerifierKey(read(text).origin, Ed25519PrivateKey.generate().public_key().public_bytes_raw())
    status, said = verify("--key", str(stranger), "--checkpoint", str(kept))
    assert (status, "is signed by no key of the ledger" in said) == (1, True)


def test_who_changes_everything_and_signs_anew_is_found_out_by_the_key_kept_elsewhere(
    office: Office, verify: Verify, database: Database, published: PublishedFolder
) -> None:
    """Events, tree, checkpoints, the key in the log and the folder: all of one story, but of another key."""
    key = office.get("/ledger/keys").text.strip()
    forger = Ed25519PrivateKey.generate()
    _forge_everything(database, published, forger, office)
    assert verify()[0] == 0, "nothing inside tells it"
    status, said = verify("--key", key)
    assert (status, "is signed by no key of the ledger" in said) == (1, True)


def _forge_everything(
    database: Database, published: PublishedFolder, forger: Ed25519PrivateKey, office: Office
) -> None:
    """The last key's fact becomes the forger's, and everything else follows from it."""
    office.house.checkpoints.signer.rotate(FOUNDER, "the fact to be forged")
    public = forger.public_key().public_bytes_raw()
    for file in published.path.iterdir():
        file.unlink()
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        ((position, state),) = owner.execute(
            "SELECT position, state FROM certlife.events WHERE topic = 'signing-key-added.v1' "
            "ORDER BY position DESC LIMIT 1"
        ).fetchall()
        forged = {**msgspec.json.decode(state), "public_key": urlsafe_b64encode(public).rstrip(b"=").decode()}
        values = (msgspec.json.encode(forged), position)
        owner.execute("UPDATE certlife.events SET state = %s WHERE position = %s", values)
        owner.execute("TRUNCATE ledger.leaves, ledger.subtrees, ledger.checkpoints")
    with connect(database.engine_url) as connection:
        LedgerFollower().advance(connection)
        tree, name = Tree(connection), office.house.checkpoints.origin(connection)
        size, last = tree.end()
        checkpoint = Checkpoint(name, size, tree.root(size), last, "2026-03-01T00:00:00Z")
    note = checkpoint.signed(VerifierKey(name, public), forger.sign)
    with psycopg.connect(database.service_url, autocommit=True) as service:
        service.execute("SELECT ledger.add_checkpoint(%s, %s, %s, '0')", (size, last, note))
    published.put_note(size, note)


@pytest.mark.parametrize(("options", "told"), [
    (["--key", "nonsense"], "is no verifier key"),
    (["--checkpoint", "/nowhere/at/all"], "/nowhere/at/all"),
])  # fmt: skip
def test_what_cannot_be_read_is_told_in_a_line(office: Office, verify: Verify, options: list[str], told: str) -> None:
    status, said = verify(*options)
    assert status == 1
    assert told in said
    assert "Traceback" not in said


def test_a_file_that_is_no_checkpoint_is_found(office: Office, verify: Verify, tmp_path: Path) -> None:
    kept = tmp_path / "kept.txt"
    for content in (b"nonsense", b"", b"\xff\xfe"):
        kept.write_bytes(content)
        status, said = verify("--checkpoint", str(kept))
        assert (status, "is no checkpoint of a ledger" in said) == (1, True)
