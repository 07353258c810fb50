"""Every refusal is told in English and Chinese, from the facts that stand where it is raised."""

import ast
from collections.abc import Iterator
from pathlib import Path
from string import Formatter
from typing import Any, get_args

import pytest

import api
import lifecycle
from api import lookup, problems
from lifecycle import errors
from lifecycle.errors import Kind, Refusal

MODULES = (errors, problems, lookup)
REFUSALS = sorted(
    {
        each
        for module in MODULES
        for each in vars(module).values()
        if isinstance(each, type) and issubclass(each, Refusal) and each is not Refusal
    },
    key=lambda refusal: refusal.__name__,
)
BY_NAME = {refusal.__name__: refusal for refusal in REFUSALS}

every_refusal = pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal.__name__)


def facts_of(message: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(message) if name}


def raised() -> Iterator[tuple[str, type[Refusal], set[str] | None]]:
    """Where a refusal is made in the code, with the names of the facts it is given; None where they are handed on."""
    for package in (lifecycle, api):
        for path in sorted(Path(package.__path__[0]).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and (refusal := BY_NAME.get(_name(node.func))):
                    names = {keyword.arg for keyword in node.keywords}
                    yield f"{path.name}:{node.lineno}", refusal, None if None in names else names


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def test_there_are_refusals_and_each_is_raised_somewhere() -> None:
    assert len(REFUSALS) >= 55
    assert {refusal for _, refusal, _ in raised()} == set(REFUSALS)


def test_no_two_refusals_have_the_same_code() -> None:
    """But one that says more of another, in its name."""
    codes = [refusal.code for refusal in REFUSALS if refusal.code != getattr(refusal.__mro__[1], "code", None)]
    assert sorted(codes) == sorted(set(codes))


@every_refusal
def test_a_refusal_is_told_in_both_languages_from_the_same_facts(refusal: type[Refusal]) -> None:
    assert facts_of(refusal.en) == {name.removesuffix("_zh") for name in facts_of(refusal.zh)}
    assert any("\u4e00" <= character <= "\u9fff" for character in refusal.zh)
    assert refusal.en.isascii()
    assert (refusal.en[-1], refusal.zh[-1]) in ((".", "。"), ("}", "}"))
    told = refusal(**{name: f"<{name}>" for name in facts_of(refusal.en) | facts_of(refusal.zh)})
    assert told.message("en") == refusal.en.replace("{", "<").replace("}", ">")
    assert told.message("zh") == refusal.zh.replace("{", "<").replace("}", ">")


@every_refusal
def test_a_refusal_has_its_place_in_http(refusal: type[Refusal]) -> None:
    assert refusal.kind in get_args(Kind)
    assert 400 <= problems.STATUS[refusal.kind] <= 503
    assert refusal.clause
    assert refusal.code == refusal.code.lower().replace(" ", "_")


@pytest.mark.parametrize(
    ("where", "refusal", "given"),
    [pytest.param(*each, id=each[0]) for each in raised() if each[2] is not None],
)
def test_a_refusal_is_made_with_the_facts_that_its_message_tells(
    where: str, refusal: type[Refusal], given: set[str]
) -> None:
    assert facts_of(refusal.en) | facts_of(refusal.zh) <= given, where


def test_every_kind_of_refusal_has_its_status_and_no_status_two_kinds_by_chance() -> None:
    expected: dict[str, Any] = {
        "unauthenticated": 401, "forbidden": 403, "not_found": 404, "state": 409, "conflict": 409, "stale": 412,
        "invalid": 422, "unavailable": 503, "too_large": 413, "too_long": 414, "too_slow": 408, "unsupported": 415,
    }  # fmt: skip
    assert expected == problems.STATUS
    assert set(get_args(Kind)) == expected.keys()
