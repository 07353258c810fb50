"""What changes from one edition to another, and how one takes another's place."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lifecycle.events import Finding
from lifecycle.rules import Edition, MalformedEdition, load_edition, shipped_editions
from lifecycle.rules.difference import PARAMETER_WORDS, Difference, differences
from lifecycle.rules.succession_checks import check_succession
from lifecycle.rules.translation import Unjudged, asked_of

OLD = "CSP-S01-001:2021"
HEAD = """
[succession]
of = "CSP-S01-001:2021"
last_decision_on = { value = 2022-06-30, unit = "day", status = "assumed" }
transition_ends_on = { value = 2022-12-31, unit = "day", clause = "transition, 2" }
afterwards = { value = "withdrawal_due", unit = "choice", status = "assumed" }
grade_at_adoption = { value = "changed", unit = "choice", status = "assumed" }
"""
ID = (f'id = "{OLD}"', 'id = "CSP-S01-001:2022"')
SIX = 'code = "6", zh = "服务监督管理", en = "supervision", value = "4"'
SEVEN = (
    SIX,
    'code = "6", zh = "服务监督管理", en = "supervision", value = "1", unit = "marks", status = "assumed" },\n'
    '  { code = "7", zh = "新要素", en = "novelty", value = "3"',
)
GONE = (
    '{ code = "5.5", zh = "保密安全", en = "confidentiality", value = "4", unit = "marks", status = "assumed" },\n  '
    '{ code = "6", zh = "服务监督管理", en = "supervision", value = "4"',
    '{ code = "6", zh = "服务监督管理", en = "supervision", value = "8"',
)


def row(kind: str, old: str = "", new: str = "") -> str:
    sides = "".join(f"{name} = [{codes}]\n" for name, codes in (("old", old), ("new", new)) if codes)
    return f'[[succession.elements]]\nkind = "{kind}"\n{sides}status = "assumed"\n'


@pytest.fixture
def following(csp_text: str) -> Callable[..., Edition]:
    """An edition that follows the first, with what stands at its end."""

    def build(end: str, *replaced: tuple[str, str]) -> Edition:
        text = csp_text
        for old, new in (ID, *replaced):
            assert old in text, old
            text = text.replace(old, new)
        return load_edition(text + end, file="2022.toml")

    return build


def changes(csp: Edition, other: Edition) -> dict[str, Difference]:
    return {each.key: each for each in differences(csp, other)}


# ---- differences ----


def test_an_edition_does_not_differ_from_itself(csp: Edition) -> None:
    assert list(differences(csp, csp)) == []


def test_a_changed_value_is_told_with_both_values_and_its_source_in_two_languages(csp, edition_with) -> None:
    found = changes(csp, edition_with(("coverage_months = { value = 48", "coverage_months = { value = 36")))
    assert list(found) == ["parameters.coverage_months"]
    change = found["parameters.coverage_months"]
    assert (change.before, change.after, change.clause) == ("48 months", "36 months", "CSP-S01-001:2021, sampling")
    assert change.en == "the time in which every element is covered: from 48 months to 36 months"
    assert change.zh == "全覆盖期限：由 48 个月 变为 36 个月"


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('value = "95", unit', 'value = "93", unit', "levels[five_star].at_least"),
        ("stars = 5", "stars = 6", "levels[five_star].stars"),
        ('zh = "五星"', 'zh = "五颗星"', "levels[five_star].zh"),
        ('en = "front end"', 'en = "the front end"', "elements[4.2.2].en"),
        ('en = "supervision", value = "4", unit = "marks", status = "assumed"',
         'en = "supervision", value = "4", unit = "marks", clause = "6"', "elements[6]"),
        ("surveillance_refused =", "visit_refused =", "reasons.withdrawal.visit_refused"),
        ("en = \"five stars\"", 'en = "5 stars"', "levels[five_star]"),
    ],
)  # fmt: skip
def test_every_kind_of_value_is_compared(csp, edition_with, old: str, new: str, key: str) -> None:
    found = changes(csp, edition_with((old, new)))
    assert key in found
    assert found[key].zh != found[key].en


def test_every_parameter_has_its_words(csp: Edition) -> None:
    assert set(PARAMETER_WORDS) == set(csp.parameters)


def test_editions_of_different_schemes_can_be_told_apart_in_words() -> None:
    texts = list(shipped_editions().values())
    for old in texts:
        for new in texts:
            assert all(each.zh and each.en for each in differences(old, new))


def test_where_each_element_has_gone_is_told(csp: Edition, following) -> None:
    found = list(differences(csp, following(HEAD + row("split", '"6"', '"6", "7"'), SEVEN)))
    assert found[-1].en == "element 6 is split into 6, 7"
    assert found[-1].zh == "要素 6 拆分为 6, 7"


@pytest.mark.parametrize(
    ("end", "replaced", "key", "zh", "en"),
    [
        (row("new", new='"7"'), SEVEN, "succession.new_elements", "过渡 新增要素的首次检查：next_visit",
         "transition when new elements are first checked is new: next_visit"),
        (row("merged", '"5.5", "6"', '"6"'), GONE, "succession.merged_elements",
         "过渡 合并要素的上次检查：earliest_check",
         "transition when merged elements were last checked is new: earliest_check"),
    ],
)  # fmt: skip
def test_how_checks_carry_over_is_assumed_if_nothing_is_said(csp, following, end, replaced, key, zh, en) -> None:
    edition = following(HEAD + end, replaced)
    assert (key, edition.stated[key].value, "choice") in edition.assumptions()
    found = changes(csp, edition)[key]
    assert (found.zh, found.en, found.clause) == (f"新增 {zh}", en, None)
    word = edition.stated[key].value
    said = f'{key.removeprefix("succession.")} = {{ value = "{word}", unit = "choice", clause = "9" }}\n'
    assert following(HEAD + said + end, replaced).stated[key].clause == "9"
    with pytest.raises(MalformedEdition) as refused:
        following(HEAD + said.replace(word, "never") + end, replaced)
    assert refused.value.key == f"{key}.value"


# ---- succession ----


def test_an_edition_says_how_it_takes_the_place_of_another(csp: Edition, following) -> None:
    edition = following(HEAD + row("split", '"6"', '"6", "7"'), SEVEN)
    check_succession(edition, csp, "2022.toml")
    said = edition.succession
    assert (said.of, str(said.last_decision_on), str(said.transition_ends_on)) == (OLD, "2022-06-30", "2022-12-31")
    assert (said.afterwards, said.grade_at_adoption) == ("withdrawal_due", "changed")


def test_no_shipped_edition_has_changed() -> None:
    assert {id: edition.digest[:12] for id, edition in shipped_editions().items()} == {
        "CSP-S01-001:2021": "fda67cf6e884", "GAT-594:2006": "c3a65c91aaa6", "GBT-27922:2011": "b8c3b824d129",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("end", "replaced", "key", "expected"),
    [
        (HEAD + row("same", '"6"', '"6", "5.5"'), (), "succession.elements[0]", "one old element and one new"),
        (HEAD + row("split", '"6"', '"6"'), (), "succession.elements[0]", "several new"),
        (HEAD + row("merged", '"6"', '"6"'), (), "succession.elements[0]", "several old"),
        (HEAD + row("dropped", '"6"', '"6"'), (), "succession.elements[0]", "no new one"),
        (HEAD + row("new", '"6"', '"6"'), (), "succession.elements[0]", "no old one"),
        (HEAD + row("same", '"6"', '"9"'), (), "succession.elements[0].new", "codes of elements"),
        (HEAD + row("moved", '"6"', '"6"'), (), "succession.elements[0].kind", "one of same, split"),
        (HEAD + row("same", '"6"', '"6"') * 2, (), "succession.elements.old", "each element once"),
        (HEAD.replace("[succession]", "[succession]\ncolour = 1"), (), "succession.colour", "no such key"),
        (HEAD.replace("2022-06-30", '"soon"'), (), "succession.last_decision_on.value", "a day"),
        (HEAD.replace("2022-06-30", "2020-12-30"), (), "succession.last_decision_on", "the eve of 2021-01-01"),
        (HEAD.replace("2022-12-31", "2022-06-29"), (), "succession.transition_ends_on", "not before 2022-06-30"),
        (HEAD.replace("withdrawal_due", "nothing"), (), "succession.afterwards.value", "adoption_due"),
        (HEAD.replace('"CSP-S01-001:2021"', '"GAT-594:2006"'), (), "succession.of", "another edition"),
        (HEAD.replace('"CSP-S01-001:2021"', '"CSP-S01-001:2022"'), (), "succession.of", "another edition"),
    ],
)  # fmt: skip
def test_a_succession_that_makes_no_sense_is_refused(following, end, replaced, key: str, expected: str) -> None:
    with pytest.raises(MalformedEdition) as refused:
        following(end, *replaced)
    assert refused.value.key == key
    assert expected in refused.value.expected


@pytest.mark.parametrize(
    ("end", "replaced", "key", "expected"),
    [
        ("", (), "succession.of", OLD),
        (HEAD, (GONE,), "succession.elements.old", "a row for element 5.5"),
        (HEAD, (SEVEN,), "succession.elements.new", "a row for element 7"),
        (HEAD + row("same", '"6"', '"7"'), (SEVEN,), "succession.elements.new", "a row for element 6"),
        (HEAD + row("dropped", '"9"'), (), "succession.elements.old", "codes of elements of"),
        (HEAD + row("new", new='"6"'), (), "succession.elements.old", "a row for element 6"),
    ],
)  # fmt: skip
def test_an_element_neither_gets_lost_nor_comes_from_nowhere(csp, following, end, replaced, key, expected) -> None:
    with pytest.raises(MalformedEdition) as refused:
        check_succession(following(end, *replaced), csp, "2022.toml")
    assert refused.value.key == key
    assert expected in refused.value.expected


# ---- evidence carried over ----


def graded(edition: Edition, findings: list[Finding]) -> tuple[str, str]:
    grade = edition.grade(findings, (), "star", accepts_conformity=True)
    return str(grade.score), grade.level


def test_the_same_elements_are_asked_as_they_are(csp: Edition, following) -> None:
    edition = following(HEAD)
    assert asked_of(edition, csp, {OLD: csp}) is edition


@pytest.mark.parametrize(("marks", "score"), [("4", "100"), ("3", "99"), ("0.1", "961/10")])
def test_a_split_element_carries_its_share_of_the_marks(csp, following, scoring, marks: str, score: str) -> None:
    edition = asked_of(following(HEAD + row("split", '"6"', '"6", "7"'), SEVEN), csp, {OLD: csp})
    findings = [Finding("6", "conforming", marks) if f.element == "6" else f for f in scoring(csp, 100)]
    assert graded(edition, findings)[0] == score


def test_a_merged_element_is_as_bad_as_the_worst_and_has_the_marks_of_all(csp, following, scoring) -> None:
    edition = asked_of(following(HEAD + row("merged", '"5.5", "6"', '"6"'), GONE), csp, {OLD: csp})
    assert graded(edition, scoring(csp, 97)) == ("97", "five_star")
    worst = scoring(csp, 100, {"5.5": "nonconforming"})
    assert edition.grade(worst, (), "star", accepts_conformity=True).because == "open_nonconformity:6"


def test_an_element_that_is_new_cannot_be_judged(csp, following, scoring) -> None:
    edition = asked_of(following(HEAD + row("new", new='"7"'), SEVEN), csp, {OLD: csp})
    with pytest.raises(Unjudged) as missing:
        graded(edition, scoring(csp, 100))
    assert missing.value.elements == ("7",)
