"""A scheme is data alone; a file that says anything else is refused with file, key, and what was expected."""

import hashlib
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import FrozenInstanceError
from fractions import Fraction
from importlib.resources import files
from typing import Any

import pytest

from lifecycle.rules import Edition, load_edition, scheme_terms, shipped_editions
from lifecycle.rules.scheme_file import PARAMETERS

EDITIONS = shipped_editions()
EACH_EDITION = pytest.mark.parametrize("edition", EDITIONS.values(), ids=lambda edition: edition.id)


def records(table: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every table of a document that holds a value."""
    if "value" in table:
        yield table
    for entry in table.values():
        for row in entry if isinstance(entry, list) else [entry]:
            if isinstance(row, dict):
                yield from records(row)


def test_three_schemes_are_shipped_each_in_a_file_of_its_own() -> None:
    assert list(EDITIONS) == ["CSP-S01-001:2021", "GAT-594:2006", "GBT-27922:2011"]
    assert len(list((files("lifecycle") / "schemes").iterdir())) == 3


@EACH_EDITION
def test_every_value_of_a_scheme_has_a_unit_or_is_a_code_and_has_a_source_or_is_assumed(edition: Edition) -> None:
    for record in records(tomllib.loads(edition.text)):
        assert "unit" in record or "own" in record
        assert ("clause" in record) != (record.get("status") == "assumed")


@EACH_EDITION
def test_the_rules_know_no_level_no_element_and_no_certification_type_by_name(edition: Edition) -> None:
    rooms = [entry.read_text(encoding="utf-8") for entry in files("lifecycle").iterdir() if entry.name in OWN_MODULES]
    for name in [*edition.levels, *edition.certification_types, *edition.elements]:
        assert not any(f'"{name}"' in room for room in rooms), name


OWN_MODULES = {
    "rules.py", "grading.py", "sampling.py", "scheme_file.py", "scheme_checks.py", "scheme_terms.py", "toml_table.py",
    "number_template.py", "periods.py",
}  # fmt: skip


def test_the_first_scheme_says_what_is_published(csp: Edition) -> None:
    assert {code: (level.at_least, level.stars, level.interval_months) for code, level in csp.levels.items()} == {
        "five_star": (95, 5, 24),
        "four_star": (85, 4, 12),
        "three_star": (75, 3, 12),
        "conformity": (None, None, 12),
    }
    assert {code: each.scored for code, each in csp.certification_types.items()} == {"star": True, "conformity": False}
    assert len(csp.elements) == 24
    assert sum(element.weight for element in csp.elements.values()) == csp.scoring.total == 100
    assert [element.clause for element in csp.elements.values()] == [None] * 24
    assert csp.elements_note == "derived from the 2015 draft, not the body's check-list"
    assert csp.digest == hashlib.sha256(csp.text.encode()).hexdigest()


def test_what_no_source_states_is_assumed_and_what_one_states_is_not(csp: Edition) -> None:
    published = {key for key, parameter in csp.parameters.items() if not parameter.assumed}
    assert published == {"sample_percent_each_year", "coverage_months"}
    assumed = {key: (value, unit) for key, value, unit in csp.assumptions()}
    assert assumed["parameters.validity_months"] == (36, "months")
    assert assumed["elements[5.2.1]"] == ("6", "marks")
    assert assumed["numbers.template"] == ("CSP-S01-{year}-{serial:05d}", "template")
    assert assumed["reasons.cancellation.holder_request"] == ("at the holder's request", "text")
    assert not any(key.startswith(("levels", "scoring.m", "certification_types")) for key in assumed)
    assert csp.reasons("suspension")["surveillance_overdue"].assumed


def test_every_parameter_is_both_a_plain_value_and_a_record(csp: Edition) -> None:
    assert set(csp.parameters) == set(PARAMETERS)
    assert {key: getattr(csp, key) for key in PARAMETERS} == {key: it.value for key, it in csp.parameters.items()}
    assert csp.parameters["grace_days"] == scheme_terms.Parameter("grace_days", 90, "days", None)
    assert csp.sample_percent_each_year == Fraction(25)


def test_an_edition_cannot_be_changed(csp: Edition) -> None:
    with pytest.raises(FrozenInstanceError):
        csp.grace_days = 0  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(TypeError):
        csp.levels["none"] = csp.levels["five_star"]  # pyright: ignore[reportIndexIssue]
    shipped_editions().clear()
    assert shipped_editions()["CSP-S01-001:2021"] is csp


@pytest.mark.parametrize(
    ("own", "reason", "code", "cause"),
    [
        ("active", None, "01", None),
        ("suspended", "surveillance_overdue", "02", None),
        ("withdrawn", None, "03", None),
        ("cancelled", None, "04", None),
        ("cancelled", "holder_ceased", "04", None),
        ("cancelled", "holder_request", "03", "0122"),
        ("expired", None, "05", None),
    ],
)
def test_our_states_are_uploaded_by_the_regulator_s_codes(
    own: str, reason: str | None, code: str, cause: str | None, csp: Edition
) -> None:
    uploaded = csp.upload_code(own, reason)
    assert (uploaded.code, uploaded.cause) == (code, cause)


def test_the_upload_table_may_be_left_out_as_a_whole(csp_text: str) -> None:
    edition = load_edition(csp_text[: csp_text.index("[[upload]]")], file="cut.toml")
    assert edition.upload_codes == ()


def test_the_same_text_gives_the_same_edition_under_any_file_name(
    csp: Edition, csp_text: str, edition_with: Callable[..., Edition]
) -> None:
    again = load_edition(csp_text, file="other.toml")
    assert again.digest == csp.digest
    assert again.elements == csp.elements
    assert edition_with(("# The rules", "# the rules")).digest != csp.digest
