"""certlife trail and certlife audit, on a register in PostgreSQL; breaches are written with an owner's full rights."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest
from typer.testing import CliRunner, Result

from api.cli import app
from tests.api.life import Life
from tests.api.office import Office, answered


@pytest.fixture
def life(office: Office, monkeypatch: pytest.MonkeyPatch) -> Life:
    """Issued and suspended; the environment names the register."""
    life = Life(office)
    life.granted()
    life.does("issuances", "reg", {})
    life.both("suspensions", {"reasons": [{"code": "obligations_unmet", "text": "[bold]"}]})
    office.house.catch_up()
    monkeypatch.setenv("CERTLIFE_DATABASE_URL", office.house.addresses.service)
    monkeypatch.setenv("CERTLIFE_ENGINE_DATABASE_URL", office.house.addresses.engine)
    monkeypatch.setenv("CERTLIFE_KEYS", str(office.house.settings.keys_folder))
    monkeypatch.setenv("CERTLIFE_NOW", "2024-01-17T02:00:00Z")
    monkeypatch.setenv("COLUMNS", "400")
    return life


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def done(*arguments: str) -> str:
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return result.output


def rewrite(office: Office, kind: str, old: str, new: str) -> None:
    """The last event of the kind says something else."""
    with psycopg.connect(office.house.addresses.owner, autocommit=True) as owner:
        owner.execute(
            "UPDATE certlife.events SET state = convert_to(replace(convert_from(state, 'UTF8'), %s, %s), 'UTF8') "
            "WHERE position = (SELECT max(position) FROM certlife.events WHERE topic = %s)",
            [old, new, f"{kind}.v1"],
        )


def test_the_trail_of_a_certificate_in_the_terminal(office: Office, life: Life) -> None:
    number = life.view()["certificate_number"]
    lines = done("trail", "--certificate", number).splitlines()
    assert len(lines) == len(life.stream()) + 2, "its number claimed, its application entered"
    (suspended,) = [line for line in lines if "certificate-suspended" in line]
    assert "dan (decision_maker) [dora dan]" in suspended
    assert "[bold]" in suspended
    told = done("trail", "--event", suspended.split()[0])
    assert "act-proposed.v1" in told
    assert "active  ->  suspended" in told
    assert "certificate-suspended" in done("trail", "--limit", "1", "--type", "certificate-suspended.v1")
    assert "active  ->  suspended" not in done("trail", "--changes", "--certificate", life.id, "--to", "2024-01-14")


def test_pages_in_the_terminal_go_on_where_they_ended(life: Life) -> None:
    first = done("trail", "--limit", "20")
    cursor = re.search(r"--cursor (\S+)", first)
    assert cursor is not None
    second = done("trail", "--limit", "20", "--cursor", cursor[1])
    assert int(second.split()[0]) == int(first.splitlines()[19].split()[0]) + 1


def test_an_export_from_the_terminal(life: Life, tmp_path: Path) -> None:
    done("trail", "--certificate", life.id, "--format", "csv", "-o", str(tmp_path / "trail.csv"))
    with (tmp_path / "trail.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["type"] for row in rows][-1] == "certificate-suspended.v1"


@pytest.mark.parametrize("asked", [
    ("--type", "x"), ("--from", "soon"), ("--proposal", "1"), ("--changes",), ("--format", "csv"),
    ("--effective-from", "20240101"), ("--effective-to", "2024-W03-1"),
])  # fmt: skip
def test_a_question_that_makes_no_sense_is_refused(life: Life, asked: tuple[str, ...]) -> None:
    result = run("trail", *asked)
    assert result.exit_code != 0
    assert result.exception is None or not isinstance(result.exception, psycopg.Error | TypeError)


def test_the_terminal_is_recorded_too(office: Office, life: Life) -> None:
    done("trail", "--limit", "1")
    with psycopg.connect(office.house.addresses.owner) as owner:
        rows = owner.execute("SELECT person, role, key, read_rows FROM certlife.trail_reads").fetchall()
    assert rows == [("operator", "auditor", "command-line", 1)]


def test_duties_kept_are_proved_and_a_breach_written_by_the_owner_is_listed(office: Office, life: Life) -> None:
    assert "0 breaches" in done("audit", "duties")
    rewrite(office, "certificate-suspended", '"signed_by":["dora","dan"]', '"signed_by":["dora","dora"]')
    rewrite(office, "certificate-suspended", '"person":"dan"', '"person":"dora"')
    result = run("audit", "duties")
    assert result.exit_code == 1
    assert "Two persons sign this act: dora can propose it" in result.output
    assert "该决定须由两人签署" in run("audit", "duties", "--lang", "zh").output
    listed = msgspec.json.decode(run("audit", "duties", "--json").output)["breaches"]
    assert {each["code"] for each in listed} >= {"second_person_needed", "not_of_that_key"}
    assert {each["type"] for each in listed} == {"certificate-suspended.v1"}


def test_a_role_given_to_oneself_is_listed(office: Office, life: Life) -> None:
    rewrite(office, "key-issued", '"person":"founder"', f'"person":"{issued_last(office)}"')
    result = run("audit", "duties")
    assert result.exit_code == 1
    assert "to that same person" in result.output


def issued_last(office: Office) -> str:
    items = answered(office.get("/events", "aud", type="key-issued.v1"))["items"]
    fact: dict[str, Any] = answered(office.get(f"/events/{items[-1]['position']}", "aud"))["fact"]
    return fact["person"]


def test_an_event_that_cannot_be_read_is_listed_and_the_others_are_audited(office: Office, life: Life) -> None:
    rewrite(office, "assessment-recorded", '"findings"', '"finding"')
    result = run("audit", "duties")
    assert result.exit_code == 1
    assert "cannot be judged" in result.output


def test_reads_made_up_for_a_day_without_a_seal_are_found(office: Office, life: Life) -> None:
    answered(office.get("/events", "aud"))
    office.moves_to("2024-01-16")
    office.ticks()
    with psycopg.connect(office.house.addresses.owner, autocommit=True) as owner:
        owner.execute(
            "INSERT INTO certlife.trail_reads (read_at, person, role, key, question) "
            "VALUES ('2024-01-10T02:00:00Z', 'dan', 'decision_maker', 'k', '{}')"
        )
    result = run("audit", "reads")
    assert result.exit_code == 1
    assert "the reads of 2024-01-10 are not those sealed (0 of them)" in result.output


def test_sealed_reads_are_compared(office: Office, life: Life) -> None:
    answered(office.get("/events", "aud"))
    office.moves_to("2024-01-16")
    office.ticks()
    assert "1 sealed days looked at, 0 differ" in done("audit", "reads")
    with psycopg.connect(office.house.addresses.owner, autocommit=True) as owner:
        owner.execute("DELETE FROM certlife.trail_reads WHERE person = 'aud'")
    result = run("audit", "reads", "--json")
    assert (result.exit_code, msgspec.json.decode(result.output)) == (1, {"days": 1, "differ": ["2024-01-15"]})
