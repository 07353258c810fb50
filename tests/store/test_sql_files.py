"""Every statement stands in a .sql file under a name, with its purpose above it."""

import re
from importlib.resources import files
from pathlib import Path

import pytest

from lifecycle.sql import load

FOLDER = Path(str(files("lifecycle.sql")))
FILES = sorted(path.stem for path in FOLDER.glob("*.sql"))


@pytest.mark.parametrize("file", FILES)
def test_every_statement_has_a_name_and_its_purpose_above_it(file: str) -> None:
    lines = (FOLDER / f"{file}.sql").read_text().splitlines()
    names = [number for number, line in enumerate(lines) if line.startswith("-- name: ")]

    assert names
    for number in names:
        assert re.fullmatch(r"-- name: [a-z]+(_[a-z]+)*", lines[number])
        assert re.match(r"-- (?!name: )", lines[number - 1])


@pytest.mark.parametrize("file", FILES)
def test_a_statement_ends_before_the_purpose_of_the_next(file: str) -> None:
    for statement in load(file).values():
        assert "--" not in statement
        assert statement == statement.strip() != ""


@pytest.mark.parametrize("file", FILES)
def test_columns_are_enumerated(file: str) -> None:
    assert all("*" not in statement for statement in load(file).values())


def test_a_name_that_stands_twice_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "twice"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "ask.sql").write_text("-- One.\n-- name: ask\nSELECT 1\n\n-- Two.\n-- name: ask\nSELECT 2\n")
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(ValueError, match="'ask', 'ask'"):
        load("ask", "twice")
