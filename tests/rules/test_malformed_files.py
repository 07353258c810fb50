"""A file that says anything but a scheme is refused with file, key, and what was expected."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecycle.rules import MalformedEdition, load_edition, scheme_terms

SCORING = 'method = { value = "sum", unit = "choice", clause = "CSP-S01-001:2021, grading" }'
KNOCK_OUT = """
[scoring.knock_out]
elements = [{elements}]
count = {{ value = {count}, unit = "elements", status = "assumed" }}

[[certification_types]]
code = "star\""""
STAR = '\n[[certification_types]]\ncode = "star"'
DEDUCTION = '\n[[{key}]]\ncode = "{code}"\nzh = "分"\nen = "mark"\nvalue = "1"\nunit = "marks"\nstatus = "assumed"\n'
CAP = '[scoring]\nbonus_cap = { value = "1", unit = "marks", status = "assumed" }'
FAIL_FROM = '[scoring]\ndeductions_fail_from = { value = 5, unit = "deductions", status = "assumed" }'
FIVE = 'at_least = { value = "95", unit = "marks"'
FOUR = 'at_least = { value = "85", unit = "marks"'
UNDER_FOUR = 'below = { value = "85", unit = "marks"'
BELOW_CONFORMITY = 'en = "conformity"\nbelow = { value = "75", unit = "marks", status = "assumed" }'

MALFORMED: list[tuple[str, str, str, str]] = [
    # unknown, missing and mistyped keys
    ("[scoring]", "[scoring]\ncurve = 1", "scoring.curve", "no such key"),
    ("[numbers]", "[colours]\nred = 1\n[numbers]", "colours", "no such key"),
    ("total = {", "total = { curve = 1,", "scoring.total.curve", "no such key"),
    ('code = "4.2.1",', 'code = "4.2.1", colour = "red",', "elements[4.2.1].colour", "no such key"),
    ("grace_days = { value = 90", "grace_day = { value = 90", "parameters.grace_days", "a table"),
    ("grace_days = { value = 90", 'grace_days = { value = "90"', "parameters.grace_days.value", "whole number"),
    ("grace_days = { value = 90", "grace_days = { value = 90.0", "parameters.grace_days.value", "whole number"),
    ("grace_days = { value = 90", "grace_days = { value = true", "parameters.grace_days.value", "whole number"),
    ("grace_days = { value = 90", "grace_days = { value = -1", "parameters.grace_days.value", "from 0 to 3660"),
    ("grace_days = { value = 90", f"grace_days = {{ value = 0x{'f' * 600}", "parameters.grace_days.value", "whole"),
    ('grace_days = { value = 90, unit = "days"', 'grace_days = { value = 90, unit = "weeks"',
     "parameters.grace_days.unit",
     "one of days"),
    ('grace_days = { value = 90, unit = "days"', "grace_days = { value = 90", "parameters.grace_days.unit",
     "one of days"),
    ("validity_months = { value = 36", "validity_months = { value = 0", "parameters.validity_months.value", "from 1"),
    ('value = "day_before"', 'value = "never"', "parameters.validity_ends.value", "day_before, same_day"),
    ('value = "for_ever"', 'value = "a_year"', "parameters.records_kept.value", "for_ever"),
    ("sign = { value = true", 'sign = { value = "true"', "parameters.reviewer_may_sign.value", "true or false"),
    ("scored = true", "scored = 1", "certification_types[star].scored", "true or false"),
    ("[numbers]\n", "[[numbers]]\n", "numbers", "a table"),
    # sources
    ('unit = "template", status = "assumed"', 'unit = "template"', "numbers.template.status", "clause"),
    ('unit = "template", status = "assumed"', 'unit = "template", status = "known"', "numbers.template.status",
     "assumed"),
    ('unit = "template", status = "assumed"', 'unit = "template", status = "assumed", clause = "1"',
     "numbers.template.status", "not both"),
    ('unit = "template", status = "assumed"', 'unit = "template", clause = " "', "numbers.template.clause",
     "printable"),
    # names
    ('zh = "报警运营服务认证规则"\n', "", "edition.zh", "printable"),
    ('zh = "五星"\n', "", "levels[five_star].zh", "printable"),
    ('en = "five stars"', 'en = ""', "levels[five_star].en", "printable"),
    ('en = "front end"', r'en = "front\u0000end"', "elements[4.2.2].en", "printable"),
    ('en = "star certificate"\n', "", "certification_types[star].en", "printable"),
    ('zh = "拒绝接受监督", ', "", "reasons.withdrawal.surveillance_refused.zh", "printable"),
    ('code = "five_star"', 'code = "Five Star"', "levels[Five Star].code", "lower-case"),
    ('code = "five_star"', 'code = "none"', "levels[none].code", 'not "none"'),
    ('code = "five_star"', r'code = "\u202e"', "levels[0].code", "lower-case"),
    ('code = "five_star"\n', "", "levels[0].code", "lower-case"),
    ('code = "four_star"', 'code = "five_star"', "levels[five_star].code", "once"),
    ('code = "4.2.2"', 'code = "4.2.1"', "elements[4.2.1].code", "each code of elements once"),
    ('code = "4.2.2"', 'code = "4 2"', "elements[4 2].code", "clause number"),
    ("surveillance_refused =", '"Surveillance refused" =', "reasons.withdrawal.Surveillance refused", "lower-case"),
    # the heading
    ('id = "CSP-S01-001:2021"', 'id = "CSP-S01-002:2021"', "edition.id", "CSP-S01-001:"),
    ('id = "CSP-S01-001:2021"', f'id = "CSP-S01-001:{"2" * 21}"', "edition.id", "short name"),
    ('scheme = "CSP-S01-001"', 'scheme = "CSP/S01"', "edition.scheme", "upper-case"),
    ("published_on = { value = 2021-01-01", "published_on = { value = 2021-01-02", "edition.effective_from",
     "2021-01-02"),
    ("published_on = { value = 2021-01-01", "published_on = { value = 2021-01-01T00:00:00Z",
     "edition.published_on.value",
     "a day"),
    ("{year}-{serial:05d}", "{year}-{serial}", "numbers.template.value", "a template"),
    ('value = "CSP-S01-{year}-{serial:05d}"', "value = 5", "numbers.template.value", "a template"),
    # bands
    (UNDER_FOUR, UNDER_FOUR.replace("85", "84"), "levels[three_star].below.value", "no gap and no overlap"),
    (UNDER_FOUR, UNDER_FOUR.replace("85", "86"), "levels[three_star].below.value", "85, where four_star begins"),
    (FOUR, FOUR.replace("85", "84.5"), "levels[three_star].below.value", "84.5"),
    (FOUR, FOUR.replace("85", "95"), "levels[four_star].at_least.value", "less than 95"),
    (FIVE, FIVE.replace("95", "101"), "levels[five_star].at_least.value", "at most 100"),
    (FIVE, FIVE.replace('"95"', "95"), "levels[five_star].at_least.value", "a decimal string"),
    (FIVE, FIVE.replace("95", "9.5e1"), "levels[five_star].at_least.value", "a decimal string"),
    (FIVE, f'below = {{ value = "100", unit = "marks", status = "assumed" }}\n{FIVE}', "levels[five_star].below",
     "no upper limit"),
    ('below = { value = "95", unit = "marks", clause = "CSP-S01-001:2021, grading" }\n', "",
     "levels[four_star].below.value",
     "95"),
    (f'{FOUR}, clause = "CSP-S01-001:2021, grading" }}\n', "", "levels[four_star]", "at most one level without a band"),
    ('en = "conformity"', BELOW_CONFORMITY, "levels[conformity]", "without a band"),
    ("scored = false", "scored = false\nlevels = 1", "certification_types[conformity].levels", "no such key"),
    # intervals, samples
    ("interval = { value = 24", "interval = { value = 60", "levels[five_star].interval.value", "coverage of 48 months"),
    ("interval = { value = 24", "interval = { value = 3", "levels[five_star].interval.value",
     "notice window of 90 days"),
    ('interval = { value = 24, unit = "months", clause = "CSP-S01-001:2021, surveillance" }\n', "",
     "levels[five_star].interval", "a table"),
    ('value = "25", unit = "percent', 'value = "0", unit = "percent', "parameters.sample_percent_each_year.value",
     "more"),
    # elements and scoring
    ('en = "front end", value = "4"', 'en = "front end", value = "5"', "elements", "add up to 100"),
    ('en = "front end", value = "4"', 'en = "front end", value = "4.5"', "elements", "add up to 100"),
    ('en = "front end", value = "4"', 'en = "front end", value = "3.9999999"', "elements[4.2.2].value",
     "decimal string"),
    ('value = "sum"', 'value = "median"', "scoring.method.value", "sum, ratio"),
    ("not_applicable_allowed = { value = false", "not_applicable_allowed = { value = true",
     "scoring.not_applicable_allowed.value", "false"),
    ("[scoring]", FAIL_FROM, "scoring.deductions_fail_from", "nothing without deductions"),
    ("[scoring]", CAP, "scoring.bonus_cap", "nothing"),
    (STAR, DEDUCTION.format(key="bonuses", code="extra") + STAR, "scoring.bonus_cap", "a cap if there are bonuses"),
    (STAR, DEDUCTION.format(key="deductions", code="extra") * 2 + STAR, "deductions[extra].code", "once"),
    (STAR, DEDUCTION.format(key="bonuses", code="a") + DEDUCTION.format(key="deductions", code="a") + STAR,
     "bonuses[a].code", "no deduction has"),
    (STAR, KNOCK_OUT.format(elements='"7"', count=1), "scoring.knock_out.elements", "codes of elements"),
    (STAR, KNOCK_OUT.format(elements="7", count=1), "scoring.knock_out.elements[0]", "clause number"),
    (STAR, KNOCK_OUT.format(elements="", count=1), "scoring.knock_out.elements", "not empty"),
    (STAR, KNOCK_OUT.format(elements='"6"', count=2), "scoring.knock_out.count.value", "at most the number"),
    (STAR, KNOCK_OUT.format(elements='"6", "6"', count=2), "scoring.knock_out.count.value", "each once"),
    # lists
    ("[reasons.reissue]", "[reasons.reissues]", "reasons.reissue", "a table"),
    ("[reasons.reissue]", "[reasons.party]\n[reasons.reissue]", "reasons.party", "no such key"),
    ("[reasons.refusal]", "[reasons.refusal]\nnew = 5", "reasons.refusal.new", "a table"),
    # uploads
    ("elements = [\n", "elements = [\n5,\n", "elements[0]", "a table"),
    ("elements = [\n", f"elements = [\n# {'x' * 999}\n", "the file", "lines of at most 1000 characters"),
    ('own = "expired"', 'own = "lapsed"', "upload", "each of active"),
    ('own = "expired"', 'own = "active"', "upload", "each state and reason once"),
    ('own = "cancelled"\nreason = "holder_request"', 'own = "cancelled"\nreason = "whim"', "upload",
     "reasons of this file"),
    ('own = "cancelled"\nreason = "holder_request"', 'own = "lapsed"\nreason = "holder_request"', "upload",
     "our own states"),
    ('cause = "0122"', 'cause = "12a"', "upload[4].cause", "digits"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "key", "expected"), MALFORMED)
def test_a_malformed_file_is_refused_with_file_key_and_what_was_expected(
    old: str, new: str, key: str, expected: str, csp_text: str
) -> None:
    assert old in csp_text
    with pytest.raises(MalformedEdition) as refused:
        load_edition(csp_text.replace(old, new, 1), file="edited.toml")
    assert (refused.value.file, refused.value.key) == ("edited.toml", key)
    assert expected in refused.value.expected
    assert str(refused.value).startswith(f"edited.toml: {key}: expected ")
    assert len(str(refused.value)) < 400


def without(text: str, start: str, end: str) -> str:
    """The text without the part from ``start`` to just before ``end``."""
    return text[: text.index(start)] + text[text.index(end) :]


@pytest.mark.parametrize(
    ("start", "end", "key"),
    [
        ("elements = [", "[edition]", "elements"),
        ("[edition]", "[numbers]", "edition"),
        ("[parameters]", "[scoring]", "parameters"),
        ("[scoring]", "[[certification_types]]", "scoring"),
        ("[[certification_types]]", "[[levels]]", "certification_types"),
        ("[[levels]]", "[reasons.suspension]", "levels"),
        ("[reasons.suspension]", "[reasons.withdrawal]", "reasons.suspension"),
    ],
)
def test_a_file_without_a_section_is_refused(start: str, end: str, key: str, csp_text: str) -> None:
    with pytest.raises(MalformedEdition) as refused:
        load_edition(without(csp_text, start, end), file="cut.toml")
    assert (refused.value.key, refused.value.found) == (key, "nothing")


@pytest.mark.parametrize("act", scheme_terms.ACTS)
def test_an_act_without_reasons_is_refused(act: str, csp_text: str) -> None:
    start = csp_text.index(f"[reasons.{act}]\n") + len(f"[reasons.{act}]\n")
    end = min(found for found in (csp_text.find("\n[", start), csp_text.find("\n#", start)) if found > 0)
    with pytest.raises(MalformedEdition) as refused:
        load_edition(csp_text[:start] + csp_text[end:], file="cut.toml")
    assert (refused.value.key, refused.value.expected) == (f"reasons.{act}", "at least one entry")


def test_a_scheme_needs_a_level_for_every_type_that_it_certifies(csp_text: str) -> None:
    conformity = csp_text[csp_text.index('[[levels]]\ncode = "conformity"') : csp_text.index("[reasons.suspension]")]
    stars = csp_text[
        csp_text.index('[[levels]]\ncode = "five_star"') : csp_text.index('[[levels]]\ncode = "conformity"')
    ]
    for missing, expected in ((conformity, "a level without a band"), (stars, "a level with a band")):
        with pytest.raises(MalformedEdition) as refused:
            load_edition(csp_text.replace(missing, ""), file="cut.toml")
        assert refused.value.key == "levels"
        assert expected in refused.value.expected


def test_a_weight_of_nothing_is_refused(csp_text: str) -> None:
    shifted = csp_text.replace('"front end", value = "4"', '"front end", value = "0"')
    shifted = shifted.replace('"service centre", value = "4"', '"service centre", value = "8"')
    with pytest.raises(MalformedEdition, match=r"elements\[4.2.2\].value: expected more than 0"):
        load_edition(shifted, file="edited.toml")


@pytest.mark.parametrize(
    "text",
    ["", "=", "[", "a = 1\na = 2", "\x00", "\ud800", "a = " + "a = " + "[\n" * 20_000, "a = " + "[" * 900,
     "a = " + "9" * 20_000, "{}", "elements = 5",
     "elements = []", "elements = [5]", 'elements = ["x"]', "a." * 20_000 + "a = 1",
     "a." * 498 + "a = 1"],
    ids=lambda text: ascii(text[:12]),
)  # fmt: skip
def test_a_text_that_is_no_scheme_file_is_refused(text: str) -> None:
    with pytest.raises(MalformedEdition) as refused:
        load_edition(text, file="hostile.toml")
    assert refused.value.file == "hostile.toml"
    assert len(str(refused.value)) < 400


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_file_with_any_line_left_out_or_doubled_loads_or_is_refused(csp_text: str, data: st.DataObject) -> None:
    lines = csp_text.splitlines(keepends=True)
    index, times = data.draw(st.integers(0, len(lines) - 1)), data.draw(st.sampled_from([0, 2]))
    text = "".join([*lines[:index], *[lines[index]] * times, *lines[index + 1 :]])
    try:
        edition = load_edition(text, file="edited.toml")
    except MalformedEdition:
        return
    assert sum(element.weight for element in edition.elements.values()) == 100
