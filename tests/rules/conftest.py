"""What the tests of the rules are given: the shipped editions, editions with other contents, and findings."""

from collections.abc import Callable
from fractions import Fraction
from importlib.resources import files

import pytest

from lifecycle.events import Finding, Outcome
from lifecycle.rules import Edition, load_edition, shipped_editions
from lifecycle.rules.scheme_terms import shown


@pytest.fixture(scope="session")
def csp() -> Edition:
    return shipped_editions()["CSP-S01-001:2021"]


@pytest.fixture(scope="session")
def csp_text() -> str:
    return (files("lifecycle") / "schemes" / "csp-s01-001-2021.toml").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def edition_with(csp_text: str) -> Callable[..., Edition]:
    """The first scheme with each (old, new) replaced; every old text must stand in it."""

    def build(*replacements: tuple[str, str]) -> Edition:
        text = csp_text
        for old, new in replacements:
            assert old in text, old
            text = text.replace(old, new)
        return load_edition(text, file="edited.toml")

    return build


@pytest.fixture(scope="session")
def edition_of(csp_text: str) -> Callable[[int], Edition]:
    """The first scheme with N elements of about equal weight instead of its own."""
    rest = csp_text[csp_text.index("]\n\n[edition]") :]
    built: dict[int, Edition] = {}

    def build(count: int) -> Edition:
        if count not in built:
            built[count] = load_edition(f"elements = [\n{_rows(count)}{rest}", file=f"{count}.toml")
        return built[count]

    return build


def _rows(count: int) -> str:
    weights = [100 // count + (index < 100 % count) for index in range(count)]
    row = '{{ code = "E{}", zh = "要素", en = "element", value = "{}", unit = "marks", status = "assumed" }},\n'
    return "".join(row.format(index, weight) for index, weight in enumerate(weights, 1))


@pytest.fixture(scope="session")
def scoring() -> Callable[..., list[Finding]]:
    """Conforming findings whose marks add up to the score, filled up from the first element on."""

    def build(edition: Edition, score: str | Fraction, but: dict[str, Outcome] | None = None) -> list[Finding]:
        left, findings = Fraction(score), []
        for element in edition.elements.values():
            outcome = (but or {}).get(element.code, "conforming")
            if outcome == "not_applicable":
                findings.append(Finding(element=element.code, outcome="not_applicable"))
                continue
            marks = min(left, element.weight)
            left -= marks
            findings.append(Finding(element=element.code, outcome=outcome, marks=shown(marks)))
        assert left == 0, "more marks than the elements can take"
        return findings

    return build


@pytest.fixture(scope="session")
def judging() -> Callable[..., list[Finding]]:
    """Findings without marks: conforming, but for those named."""

    def build(edition: Edition, but: dict[str, Outcome] | None = None) -> list[Finding]:
        return [Finding(element=code, outcome=(but or {}).get(code, "conforming")) for code in edition.elements]

    return build
