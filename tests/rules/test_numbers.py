"""Certificate numbers are made and recognised by a grammar, and compared in one form."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecycle.rules import Edition, normalise_number, shipped_editions
from lifecycle.rules.number_template import NumberTemplate, SerialOutOfSeries

FULL_WIDTH = "".join(chr(ord(sign) + 0xFEE0) for sign in "CSP-S01-2026-00104")


def test_a_number_has_the_year_and_the_serial(csp: Edition) -> None:
    assert csp.number(2026, 104) == "CSP-S01-2026-00104"
    assert csp.number(2026, 99_999) == "CSP-S01-2026-99999"


@pytest.mark.parametrize(("year", "serial"), [(2026, 0), (2026, -1), (2026, 100_000), (999, 1), (10_000, 1)])
def test_a_number_that_does_not_fit_is_refused(year: int, serial: int, csp: Edition) -> None:
    with pytest.raises(SerialOutOfSeries) as refused:
        csp.number(year, serial)
    assert (refused.value.year, refused.value.serial) == (year, serial)


@pytest.mark.parametrize("edition", shipped_editions().values(), ids=lambda edition: edition.id)
@pytest.mark.parametrize("serial", [1, 99_999])
def test_every_number_of_a_scheme_has_its_form_and_is_normal(edition: Edition, serial: int) -> None:
    number = edition.number(2026, serial)
    assert edition.is_number_form(number)
    assert normalise_number(number) == number
    assert sum(other.is_number_form(number) for other in shipped_editions().values()) == 1


@pytest.mark.parametrize(
    "number",
    ["", "CSP-S01-2026-0104", "CSP-S01-2026-000104", "CSP-S01-26-00104", "CSP-S01-2026-00104\n", "CSP_S01-2026-00104",
     "\uff23SP-S01-2026-00104", "CSP-S01-2026-0010\u0664", "csp-s01-2026-00104"],
)  # fmt: skip
def test_another_text_has_not_the_form(number: str, csp: Edition) -> None:
    assert not csp.is_number_form(number)


@pytest.mark.parametrize(
    "text",
    [
        "csp-s01-2026-00104",
        " CSP-S01-2026-00104 ",
        FULL_WIDTH,
        "CSP - S01 -\t2026\u3000- 00\u00a0104\n",
    ],
)
def test_numbers_are_compared_in_one_form(text: str) -> None:
    assert normalise_number(text) == "CSP-S01-2026-00104"


@settings(max_examples=300)
@given(st.text())
def test_the_normal_form_of_a_normal_form_is_itself(text: str) -> None:
    assert normalise_number(normalise_number(text)) == normalise_number(text)


@pytest.mark.parametrize(
    "template",
    ["", "{year}", "{serial:05d}", "{year}-{serial}", "{year}-{serial:5d}", "{year}-{serial:00d}",
     "{year}-{serial:010d}", "{serial:05d}-{year}", "{year}{year}{serial:05d}",
     "{year.__class__}-{serial:05d}", "{0}-{year}-{serial:05d}",
     "a-{year}-{serial:05d}", "A/{year}-{serial:05d}", "{{A}}-{year}-{serial:05d}", "A" * 21 + "{year}{serial:05d}",
     "{year}-{serial:05d}\n", "{year!r}-{serial:05d}"],
)  # fmt: skip
def test_whatever_is_not_of_the_grammar_is_no_template(template: str) -> None:
    assert NumberTemplate.read(template) is None


def test_a_template_may_end_in_a_text_and_be_as_wide_as_nine_digits() -> None:
    template = NumberTemplate.read("A.{year}{serial:09d}.X")
    assert template is not None
    assert template.number(2026, 7) == "A.2026000000007.X"
    assert template.recognises("A.2026000000007.X")
    assert not template.recognises("AX2026000000007XX"), "a dot is a dot"
