"""SQL stands in .sql files alone, named, with its columns enumerated."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PYTHON = sorted(path for room in ("lifecycle", "projections", "api") for path in (ROOT / room).rglob("*.py"))
STATEMENTS = sorted(path for room in ("lifecycle", "projections", "api") for path in (ROOT / room).rglob("*.sql"))
VERB = re.compile(r"""["'](SELECT|INSERT INTO|UPDATE|DELETE FROM|ALTER|DROP|TRUNCATE) """)


@pytest.mark.parametrize("path", PYTHON, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_python_file_holds_a_statement(path: Path) -> None:
    assert not VERB.findall(path.read_text("utf-8"))


@pytest.mark.parametrize("path", STATEMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_statement_selects_everything(path: Path) -> None:
    assert not re.search(r"SELECT\s+\*", path.read_text("utf-8"), re.IGNORECASE)
