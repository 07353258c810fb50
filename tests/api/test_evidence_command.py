"""certlife evidence and certlife verify FILE: exit status, and what they say."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from api.cli import app
from tests.api.life import Life
from tests.api.office import Office


@pytest.fixture
def life(office: Office, monkeypatch: pytest.MonkeyPatch) -> Life:
    """Issued; the environment names the register, whose ledger nobody has signed yet."""
    life = Life(office).issued()
    monkeypatch.setenv("CERTLIFE_DATABASE_URL", office.house.addresses.service)
    monkeypatch.setenv("CERTLIFE_ENGINE_DATABASE_URL", office.house.addresses.engine)
    monkeypatch.setenv("CERTLIFE_KEYS", str(office.house.settings.keys_folder))
    return life


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def test_a_bundle_is_written_checked_and_held_to_what_others_have(office: Office, life: Life, tmp_path: Path) -> None:
    bundle, checkpoint = tmp_path / "bundle.zip", tmp_path / "checkpoint"
    written = run("evidence", life.number, "-o", str(bundle))
    assert (written.exit_code, "events" in written.output) == (0, True), written.output
    assert run("evidence", life.id, "-o", str(tmp_path / "again.zip")).exit_code == 0
    alone = run("verify", str(bundle))
    assert (alone.exit_code, "CONSISTENT WITH ITSELF" in alone.output) == (3, True)
    checkpoint.write_text(office.get("/ledger/checkpoint").text)
    given = ("--key", office.get("/ledger/keys").text.strip(), "--checkpoint", str(checkpoint))
    verified = run("verify", str(bundle), *given)
    assert (verified.exit_code, "VERIFIED" in verified.output) == (0, True), verified.output


def test_a_bad_bundle_is_refused_and_what_is_none_is_wrong_usage(life: Life, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.zip"
    bundle.write_bytes(b"PK\3\4")
    refused = run("verify", str(bundle))
    assert (refused.exit_code, "truncated" in refused.output, "截断" in refused.output) == (1, True, True)
    assert run("verify", str(tmp_path / "missing.zip")).exit_code == 2
    assert run("evidence", "CSP-S01-1999-00001", "-o", str(bundle)).exit_code == 1
