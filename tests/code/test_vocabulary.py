"""The words of the code and those of docs/vocabulary.md are the same."""

import re
from pathlib import Path
from typing import get_args

import pytest

from lifecycle.commands import COMMANDS
from lifecycle.events import FACTS, CaseKind, Role
from lifecycle.transitions import STATUSES, Stage

TEXT = (Path(__file__).parents[2] / "docs" / "vocabulary.md").read_text("utf-8")
SECTIONS = {part.split("\n", 1)[0]: part for part in re.split(r"^## ", TEXT, flags=re.MULTILINE)[1:]}

WORDS = {
    "Statuses of a certificate": set(STATUSES),
    "Kinds of case": set(get_args(CaseKind)),
    "Stages of a case": set(get_args(Stage)),
    "Roles": set(get_args(Role)),
    "Facts": set(FACTS),
    "Commands": set(COMMANDS),
}


@pytest.mark.parametrize("section", WORDS)
def test_every_word_of_the_code_stands_in_the_vocabulary_and_no_other(section: str) -> None:
    rows = re.findall(r"^\| (\S[^|]*) \| `([^`]+)` \|", SECTIONS[section], flags=re.MULTILINE)
    assert {word for _, word in rows} == WORDS[section]
    assert all(re.search(r"[\u4e00-\u9fff]", zh) for zh, _ in rows), "every word has its Chinese"
