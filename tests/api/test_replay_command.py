"""certlife replay and certlife scheme diff on a real register: the same to the byte, and nothing written."""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
from collections.abc import Callable, Generator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import msgspec
import psycopg
import pytest

from api.cli import main
from api.rehearsal.report_text import COLUMNS
from lifecycle.bulk import spans
from lifecycle.events import EditionAdopted, encode, topic_of
from lifecycle.rehearsal.comparison import Line
from lifecycle.rehearsal.rehearsing import lines
from lifecycle.rehearsal.report import SetAside
from tests.api.test_editions import REFUSED
from tests.clock.world import Present, in_postgres
from tests.corpus.boundaries import told
from tests.databases import Database
from tests.lifecycle.made_up import TEXT, comparing, five_stars_from
from tests.lifecycle.other_elements import ROWS, with_other_elements
from tests.lifecycle.test_adoption import SUCCESSION

CERTLIFE = str(Path(sys.executable).with_name("certlife"))
ON = "2026-01-02"


class Done(NamedTuple):
    """What a command said."""

    status: int
    stdout: str
    stderr: str


Run = Callable[..., Done]


@pytest.fixture(scope="module")
def register(databases) -> Generator[Database]:
    """A register lived in by chance for three years, and in it the stories at the boundaries."""
    with databases.register("simulation") as database:
        world = in_postgres(database, Present(datetime(2023, 1, 2, 1, tzinfo=UTC)), seed=5)
        world.lives(1000)
        world.close()
        _tell(database)
        yield database


def _tell(database: Database) -> None:
    with psycopg.connect(database.owner_url) as connection, connection.cursor() as cursor:
        for number, story in enumerate(told()):
            if EditionAdopted not in map(type, (recorded.fact for recorded in story.history)):
                rows = [(UUID(int=number + 1), r.version, topic_of(r.fact), encode(r.fact)) for r in story.history]
                cursor.executemany(
                    "INSERT INTO certlife.events (originator_id, originator_version, topic, state, recorded_at)"
                    " VALUES (%s, %s, %s, %s, (SELECT max(recorded_at) FROM certlife.events))",
                    rows,
                )


@pytest.fixture
def place(register: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the made-up edition, and an environment that names the register."""
    text = TEXT.replace('id = "CSP-S01-001:2021"', 'id = "CSP-S01-001:2027"').replace('"95", unit', '"93", unit')
    (tmp_path / "2027.toml").write_text(text.replace("value = 36", "value = 24"), "utf-8")
    (tmp_path / "large.toml").write_text("#\n" * 40_000, "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CERTLIFE_DATABASE_URL", register.service_url)
    monkeypatch.setenv("CERTLIFE_ENGINE_DATABASE_URL", register.engine_url)
    monkeypatch.setenv("CERTLIFE_KEYS", str(tmp_path / "keys"))
    return tmp_path


@pytest.fixture
def run(place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command line."""

    def certlife(*arguments: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["certlife", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        return Done(ended.value.code or 0, *capsys.readouterr())

    return certlife


def rows(register: Database) -> list[tuple]:
    with psycopg.connect(register.owner_url) as connection:
        return connection.execute("SELECT count(*), max(position) FROM certlife.events").fetchall()


@pytest.mark.parametrize("form", ["--json", "--csv", "--html", "--on=2026-01-02"])
def test_a_report_is_the_same_to_the_byte_when_run_again(run: Run, form: str) -> None:
    asked = ("replay", "--edition", "2027.toml", "--on", ON, form)
    environ = os.environ | {"PYTHONHASHSEED": "7", "TZ": "America/St_Johns"}
    again = subprocess.run([CERTLIFE, *asked], env=environ, capture_output=True, check=True).stdout.decode()
    assert len(again) > 1000
    assert run(*asked).stdout == again


def test_a_replay_writes_nothing_to_the_register(run: Run, register: Database) -> None:
    before = rows(register)
    assert run("replay", "--edition", "2027.toml", "--json").status == 0
    assert rows(register) == before


def test_the_counts_add_up_and_each_line_names_fact_rule_and_digest(run: Run) -> None:
    told = msgspec.json.decode(run("replay", "--edition", "2027.toml", "--on", ON, "--json").stdout)
    for matrix in ("grades", "statuses"):
        assert sum(cell["certificates"] for cell in told[matrix]) == told["certificates"] > 0
    assert told["affected"] == len(told["lines"]) > 0
    assert told["lines"] == sorted(told["lines"], key=lambda line: (line["number"] or "", line["certificate"]))
    for line in told["lines"]:
        assert len(line["line_sha256"]) == 64
        assert all(flip["topic"] and flip["rule"] and flip["version"] > 0 for flip in line["flips"])
    rises = told["any_grade_rises"]
    assert rises["answer"] == (rises["rising"] > 0) == (rises["example"] is not None)


def test_the_table_has_a_row_for_each_difference(run: Run) -> None:
    asked = ("replay", "--edition", "2027.toml", "--on", ON)
    told = msgspec.json.decode(run(*asked, "--json").stdout)
    head, *body = csv.reader(io.StringIO(run(*asked, "--csv").stdout))
    assert tuple(head) == COLUMNS
    assert len(body) == sum(len(line["flips"]) for line in told["lines"]) + sum(
        len(line["not_judged"]) for line in told["not_judged"]
    )


def test_a_page_loads_nothing_and_runs_nothing(run: Run, place: Path) -> None:
    assert run("replay", "--edition", "2027.toml", "--html", "-o", "page.html").status == 0
    page = (place / "page.html").read_text("utf-8")
    assert page.startswith("<!doctype html>")
    assert not any(forbidden in page for forbidden in ("<script", "src=", "href=", "url(", "@import"))


def test_under_its_own_edition_no_certificate_without_corrections_is_affected(run: Run, register: Database) -> None:
    told = msgspec.json.decode(run("replay", "--edition", "CSP-S01-001:2021", "--json", "--on", ON).stdout)
    with psycopg.connect(register.owner_url) as connection:
        found = connection.execute(
            "SELECT DISTINCT originator_id::text FROM certlife.events WHERE topic = 'record-corrected.v1'"
        ).fetchall()
    assert {line["certificate"] for line in told["lines"]} <= {id for (id,) in found}
    assert not any(line["not_judged"] for line in told["not_judged"])


def test_a_certificate_under_repair_is_set_aside_and_the_others_are_asked(run: Run, register: Database) -> None:
    asked = ("replay", "--edition", "2027.toml", "--json", "--on", ON)
    whole = msgspec.json.decode(run(*asked).stdout)
    broken = (
        "UPDATE certlife.events SET state = %s WHERE originator_id = %s AND topic = 'grade-determined.v1' RETURNING 1"
    )
    id = UUID(int=1)
    with psycopg.connect(register.owner_url, autocommit=True) as owner:
        ((state,),) = owner.execute(
            "SELECT state FROM certlife.events WHERE originator_id = %s AND topic = 'grade-determined.v1'", (id,)
        ).fetchall()
        owner.execute(broken, (b'{"type":"grade-determined.v1"}', id))
        told = msgspec.json.decode(run(*asked).stdout)
        owner.execute(broken, (state, id))
    assert [each["certificate"] for each in told["set_aside"]] == [str(id)]
    assert told["certificates"] == whole["certificates"] - 1


def test_two_editions_are_compared_in_one_pass(run: Run) -> None:
    same = msgspec.json.decode(run("replay", "--edition", "2027.toml", "--against", "2027.toml", "--json").stdout)
    assert same["affected"] == 0
    assert same["against"] == same["edition"]


def test_a_part_of_history_is_asked(run: Run) -> None:
    asked = ("replay", "--edition", "2027.toml", "--on", ON, "--json")
    whole = msgspec.json.decode(run(*asked).stdout)
    level = whole["grades"][0]["before"]
    part = msgspec.json.decode(run(*asked, "--level", level).stdout)
    assert 0 < part["certificates"] < whole["certificates"]
    assert {cell["before"] for cell in part["grades"]} == {level}
    assert msgspec.json.decode(run(*asked, "--to", "2020-01-01").stdout)["certificates"] == 0
    assert msgspec.json.decode(run(*asked, "--holder", "Holder 1").stdout)["certificates"] < whole["certificates"]


def test_one_certificate_is_shown_in_three_views_by_number_and_by_id(run: Run) -> None:
    line = next(
        line for line in msgspec.json.decode(run("replay", "--edition", "2027.toml", "--json").stdout)["lines"]
        if line["number"] and UUID(line["certificate"]).version == 4
    )  # fmt: skip
    by_number, by_id = (
        run("replay", "--edition", "2027.toml", "--certificate", named).stdout
        for named in (line["number"], line["certificate"])
    )
    assert by_number == by_id
    assert "grade-determined.v1" in by_id


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (("replay",), 2, "--edition"),
        (("replay", "--edition", "none.toml"), 1, "neither a file nor a published edition"),
        (("replay", "--edition", "2027.toml", "--json", "--csv"), 2, "give one of"),
        (("replay", "--edition", "2027.toml", "--from", "soon"), 2, "YYYY-MM-DD"),
        (("replay", "--edition", "2027.toml", "--from", "2024-01-02", "--to", "2024-01-01"), 2, "lies before"),
        (("replay", "--edition", "2027.toml", "--level", "six_star"), 1, "five_star"),
        (("replay", "--edition", "2027.toml", "--scheme", "GAT-594"), 1, "an edition of CSP-S01-001"),
        (("replay", "--edition", "2027.toml", "--against", "GAT-594:2006"), 1, "an edition of CSP-S01-001"),
        (("replay", "--edition", "2027.toml", "--certificate", "X-1"), 1, "neither the id"),
        (("replay", "--expect-same", "2027.toml"), 1, "no corpus"),
        (("scheme", "diff", "CSP-S01-001:2021", "none.toml"), 1, "neither a file"),
        (("scheme", "diff", "CSP-S01-001:2021", "large.toml"), 1, "at most 65536"),
        (("replay", "--edition", "large.toml"), 1, "at most 65536"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_one_line(run: Run, arguments, status: int, told: str) -> None:
    done = run(*arguments)
    assert done.status == status, done.stderr
    assert told in " ".join(done.stderr.replace("│", " ").split())
    assert "Traceback" not in done.stderr


def test_a_malformed_edition_is_refused_with_its_key(run: Run, place: Path) -> None:
    text = (place / "2027.toml").read_text("utf-8").replace('below = { value = "93"', 'below = { value = "92"')
    (place / "gap.toml").write_text(text, "utf-8")
    done = run("replay", "--edition", "gap.toml")
    assert done.status == 1
    assert "gap.toml: levels[four_star].below.value: expected 93" in done.stderr


OF_PUBLICATION = {"an effective date in the past", "no succession", "another scheme", "not published yet"}
"""What stands in the way of a publication alone: a draft may be asked with any days, of any scheme."""
OWN_ID = ('id = "CSP-S01-001:2021"', 'id = "CSP-S01-001:2027"')
ELEMENT = 'code = "6", zh', 'code = "7", zh'
DRAFTS = {why: case for why, case in REFUSED.items() if why not in OF_PUBLICATION} | {
    "an id that stands for another text": (TEXT.replace('"95", unit', '"93", unit'), "edition.id"),
    "other elements that come from nowhere": (TEXT.replace(*OWN_ID).replace(*ELEMENT), "succession"),
}


@pytest.mark.parametrize("why", DRAFTS)
@pytest.mark.parametrize("asked", [("replay", "--edition"), ("scheme", "diff", "CSP-S01-001:2021")], ids=" ".join)
def test_an_edition_that_does_not_hold_together_is_refused_with_its_key(
    run: Run, place: Path, register: Database, asked: tuple[str, ...], why: str
) -> None:
    text, key = DRAFTS[why]
    (place / "bad.toml").write_text(text, "utf-8")
    before, done = rows(register), run(*asked, "bad.toml")
    assert done.status == 1
    assert done.stderr.startswith(f"certlife: bad.toml: {key}: expected "), done.stderr
    assert "Traceback" not in done.stderr
    assert rows(register) == before


def test_a_draft_follows_another_draft(run: Run, place: Path) -> None:
    """The one that it is held against is known, though nobody published it."""
    first = (place / "2027.toml").read_text("utf-8")
    second = with_other_elements(first.replace("2027", "2028")) + SUCCESSION.format(grade="kept") + ROWS
    (place / "2028.toml").write_text(second.replace('of = "CSP-S01-001:2021"', 'of = "CSP-S01-001:2027"'), "utf-8")
    assert "element 5.2.1 is split into 5.2.1a, 5.2.1b" in run("scheme", "diff", "2027.toml", "2028.toml").stdout
    assert "succession.of" in run("scheme", "diff", "CSP-S01-001:2021", "2028.toml").stderr
    told = run("replay", "--edition", "2028.toml", "--against", "2027.toml", "--json")
    assert msgspec.json.decode(told.stdout)["edition"]["id"] == "CSP-S01-001:2028"


def test_a_difference_is_told_in_words_and_as_json(run: Run) -> None:
    asked = ("scheme", "diff", "CSP-S01-001:2021", "2027.toml")
    assert "validity: from 36 months to 24 months" in run(*asked).stdout
    keys = {each["key"] for each in msgspec.json.decode(run(*asked, "--json").stdout)}
    assert keys >= {"levels[five_star].at_least", "parameters.validity_months"}


# ---- how the log is read ----


def test_a_log_read_in_parts_has_the_same_lines_in_the_same_order(register: Database) -> None:
    with psycopg.connect(register.service_url, autocommit=True) as connection:
        at_once, in_parts = (list(asked(connection, parts)) for parts in (1, 7))
    assert at_once == in_parts
    certificates = [line.certificate for line in at_once]
    assert certificates == sorted(certificates)
    assert len(certificates) > 100


def test_who_stops_before_the_end_leaves_the_connection_free(register: Database) -> None:
    with psycopg.connect(register.service_url, autocommit=True) as connection:
        reading = asked(connection, 7)
        next(reading)
        reading.close()
        assert connection.info.transaction_status is psycopg.pq.TransactionStatus.IDLE


def asked(connection: psycopg.Connection, parts: int) -> Generator[Line | SetAside]:
    return lines(connection, comparing(five_stars_from("93")), spans(parts, 1), 10**9)
