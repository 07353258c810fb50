"""certlife rehearse and certlife adopt: the same by hand, with what is told, halted and refused."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest

from api.cli import main
from tests.api.adopting import starts
from tests.api.life import EDITION, Life
from tests.api.office import Office, answered
from tests.api.rehearsing import NEW, Rehearsing, edition_text
from tests.databases import Database

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(office: Office, database: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch) -> Run:
    """The command line, in the present of the office."""
    monkeypatch.setenv("CERTLIFE_DATABASE_URL", database.service_url)
    monkeypatch.setenv("CERTLIFE_ENGINE_DATABASE_URL", database.engine_url)
    monkeypatch.setenv("CERTLIFE_KEYS", str(tmp_path / "keys"))

    def certlife(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setenv("CERTLIFE_NOW", office.house.present.instant().isoformat())
        monkeypatch.setattr(sys, "argv", ["certlife", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        return (ended.value.code or 0, *capsys.readouterr())

    return certlife


@pytest.fixture
def signed(office: Office, life: Life) -> Rehearsing:
    life.issued(lost=6)
    return Rehearsing.at(office).publishes(edition_text(grade="changed")).rehearses().approved().in_force()


def test_an_adoption_by_hand_tells_first_and_then_does(signed: Rehearsing, life: Life, run: Run) -> None:
    with signed.office.recording_nothing():
        status, told, _ = run("adopt", signed.id, "--dry-run")
    assert (status, "1 would be adopted" in told) == (0, True)
    assert "certificate-reissued.v1" in told
    assert life.view()["edition"] == EDITION
    status, told, _ = run("adopt", signed.id, "--by", "sam")
    assert (status, "1 are adopted" in told) == (0, True)
    assert life.view()["edition"] == NEW
    assert signed.view()["state"] == "adopted"
    assert "1 are already" in run("adopt", signed.id)[1]


def test_an_adoption_is_halted_by_hand(signed: Rehearsing, run: Run) -> None:
    status, _, problem = run("adopt", signed.id, "--halt")
    assert (status, "No adoption" in problem) == (1, True)
    starts(signed.office.house.register, UUID(signed.id))
    assert run("adopt", signed.id, "--halt")[0] == 0
    assert signed.view()["state"] == "halted"


def test_a_line_that_somebody_edited_stops_it_before_it_begins(signed: Rehearsing, run: Run, database) -> None:
    with psycopg.connect(database.owner_url) as connection:
        connection.execute(
            "UPDATE certlife.rehearsal_lines SET line = edited, line_sha256 = sha256(edited)"
            " FROM (SELECT replace(convert_from(line, 'UTF8'), '2025-07', '2025-09')::bytea AS edited"
            " FROM certlife.rehearsal_lines) AS of"
        )
    with signed.office.recording_nothing():
        for asked in (("--dry-run",), ()):
            status, _, problem = run("adopt", signed.id, *asked)
            assert (status, problem.count("\n")) == (1, 1)
            assert "are not those that it was completed with" in problem


def test_a_rehearsal_that_nobody_made_is_made_by_hand(signed: Rehearsing, run: Run, monkeypatch) -> None:
    monkeypatch.setattr(signed.office.house.runner, "rehearse", lambda id: None)
    asked = answered(signed.office.post("/rehearsals", "sam", {"edition": NEW}), 201)
    signed.id = asked["rehearsal_id"]
    assert signed.view()["state"] == "requested"
    status, told, _ = run("rehearse", signed.id)
    assert (status, "1 certificates, 1 affected: 1 gain, 0 lose, 0 both" in told) == (0, True), told
    assert signed.view()["state"] == "completed"


@pytest.mark.parametrize("command", ["rehearse", "adopt"])
def test_what_is_no_rehearsal_is_refused_in_one_line(run: Run, command: str) -> None:
    assert run(command, "x")[0] == 2
    status, _, problem = run(command, str(uuid4()))
    assert status == 1
    assert problem.startswith("certlife: There is no rehearsal")
    assert problem.count("\n") == 1
