"""Findings into a grade, exactly: are they well formed, what is the score, which level does it earn and by which rule?

Marks are decimal strings and are added as whole millionths; scores are fractions. Nothing here is ever a float, so
94.999999 is not 95.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple, Protocol

from lifecycle.events import Deduction, Outcome
from lifecycle.rules.scheme_terms import MARK_DECIMALS, NO_LEVEL, ONE_MARK, Contents, Element, shown

MARKS_FORM = re.compile(rf"(0|[1-9][0-9]{{0,3}})(\.[0-9]{{1,{MARK_DECIMALS}}})?")
FULL_SCORE = 100
_OUTCOMES = {False: ("conforming", "nonconforming"), True: ("conforming", "nonconforming", "not_applicable")}
"""What a finding may say, where something may not apply and where not."""
SHOWN_OF_HOSTILE = 40


class Found(Protocol):
    """A finding: as recorded, with marks as a decimal string, or carried over from another edition, as a fraction."""

    @property
    def element(self) -> str: ...
    @property
    def outcome(self) -> Outcome: ...
    @property
    def marks(self) -> str | Fraction | None: ...


class MalformedFindings(Exception):
    """Findings that make no sense under the edition.

    Names the element (None: no single one), the problem, and what would be accepted.
    """

    code = "malformed_findings"

    def __init__(self, element: str | None, problem: str, accepted: str) -> None:
        self.element = element[:SHOWN_OF_HOSTILE] if element is not None else None
        self.problem, self.accepted = problem, accepted
        where = f"Element {self.element!r}: " if element is not None else ""
        super().__init__(f"{where}{problem}; accepted: {accepted}.")


@dataclass(frozen=True)
class Grade:
    """``level`` is "none" if nothing can be granted; ``because`` is the code of the rule that decided."""

    score: Fraction | None
    level: str
    because: str


def check_assessment(
    contents: Contents, findings: Sequence[Found], deductions: Sequence[Deduction], certification_type: str
) -> None:
    """The findings of a full assessment are well formed: every element once; else MalformedFindings."""
    _check_assessment(contents, findings, deductions, certification_type)


def _check_assessment(
    contents: Contents, findings: Sequence[Found], deductions: Sequence[Deduction], certification_type: str
) -> "_Checked":
    kind = contents.certification_types.get(certification_type)
    if kind is None:
        known = ", ".join(contents.certification_types)
        raise MalformedFindings(None, f"unknown certification type {certification_type[:SHOWN_OF_HOSTILE]!r}", known)
    checked = _check_each(contents, findings, kind.scored)
    if len(checked.found) < len(contents.elements):
        missing = next(code for code in contents.elements if code not in checked.found)
        raise MalformedFindings(missing, "has no finding", "every element of the edition exactly once")
    if contents.scoring.not_applicable_allowed and all(each.outcome == "not_applicable" for each in findings):
        raise MalformedFindings(None, "nothing applies", "at least one element that applies")
    _check_specials(contents, deductions, kind.scored)
    return checked


def check_sample(contents: Contents, findings: Sequence[Found], drawn: Iterable[str], certification_type: str) -> None:
    """The findings of a visit are well formed: known elements, each once, all drawn ones; else MalformedFindings."""
    found = _check_each(contents, findings, contents.certification_types[certification_type].scored).found
    missing = next((code for code in drawn if code not in found), None)
    if missing is not None:
        raise MalformedFindings(missing, "was drawn and has no finding", "every drawn element exactly once")


class _Checked(NamedTuple):
    """Well-formed findings by element, the sum of their marks in millionths, and which do not conform."""

    found: dict[str, Found]
    millionths: int | Fraction
    nonconforming: set[str]


def _check_each(contents: Contents, findings: Sequence[Found], scored: bool) -> _Checked:
    found: dict[str, Found] = {}
    earned: int | Fraction = 0
    nonconforming: set[str] = set()
    mosts, outcomes = contents.most_millionths, _OUTCOMES[contents.scoring.not_applicable_allowed]
    for finding in findings:
        code, outcome, marks = finding.element, finding.outcome, finding.marks
        most = mosts.get(code)
        if most is None:
            raise MalformedFindings(code, "is no element", f"an element of {contents.id}")
        if code in found:
            raise MalformedFindings(code, "has two findings", "every element exactly once")
        if outcome not in outcomes:
            raise MalformedFindings(code, f"outcome {outcome}", " or ".join(outcomes))
        if scored and outcome != "not_applicable":
            millionths = _millionths(marks) if marks is not None else None
            if millionths is None or millionths > most:
                raise _malformed_marks(contents.elements[code], marks)
            earned += millionths
        elif marks is not None:
            raise MalformedFindings(code, "has marks and is not scored", "an outcome without marks")
        if outcome == "nonconforming":
            nonconforming.add(code)
        found[code] = finding
    return _Checked(found, earned, nonconforming)


def _malformed_marks(element: Element, marks: str | Fraction | None) -> MalformedFindings:
    problem = "has no marks" if marks is None else f"marks {str(marks)[:SHOWN_OF_HOSTILE]!r}"
    accepted = f'a decimal string from "0" to "{shown(element.weight)}", at most {MARK_DECIMALS} decimals'
    return MalformedFindings(element.code, problem, accepted)


def _check_specials(contents: Contents, deductions: Sequence[Deduction], scored: bool) -> None:
    known = tuple(contents.specials) if scored else ()
    stray = next((each.code for each in deductions if each.code not in known), None)
    if stray is not None:
        accepted = ", ".join(known) or "no deductions"
        raise MalformedFindings(None, f"unknown deduction {stray[:SHOWN_OF_HOSTILE]!r}", accepted)


def fraction_of(finding: Found) -> Fraction:
    """The finding's marks, exactly; 0 where it has none."""
    return Fraction(_millionths(finding.marks or "") or 0) / ONE_MARK


@lru_cache(maxsize=4096)
def _millionths(marks: str | Fraction) -> int | Fraction | None:
    if isinstance(marks, Fraction):
        return marks * ONE_MARK
    if MARKS_FORM.fullmatch(marks) is None:
        return None
    ones, _, decimals = marks.partition(".")
    return int(ones) * ONE_MARK + int(decimals.ljust(MARK_DECIMALS, "0"))


def grade(
    contents: Contents,
    findings: Iterable[Found],
    deductions: Sequence[Deduction],
    certification_type: str,
    accepts_conformity: bool,
) -> Grade:
    """The score and the level that the findings earn, and the rule that decided.

    Closed nonconformities are handed over as conforming, their marks unchanged. MalformedFindings as check_assessment.
    """
    checked = _check_assessment(contents, tuple(findings), deductions, certification_type)
    scored = contents.certification_types[certification_type].scored
    score = exact_score(contents, checked, deductions) if scored else None
    level, because = _level(contents, checked.nonconforming, deductions, score, accepts_conformity)
    return Grade(score, level, because)


def exact_score(contents: Contents, checked: _Checked, deductions: Sequence[Deduction]) -> Fraction:
    """The sum of the marks, or obtained / applicable x 100; then special deductions and capped bonuses."""
    score = Fraction(checked.millionths, ONE_MARK)
    if contents.scoring.method == "ratio":
        applicable = [finding for finding in checked.found.values() if finding.outcome != "not_applicable"]
        score = score / sum(contents.elements[finding.element].weight for finding in applicable) * FULL_SCORE
    if not deductions:
        return score
    return score - _points(contents, deductions, "deduction") + _bonus(contents, deductions)


def _points(contents: Contents, deductions: Sequence[Deduction], kind: str) -> Fraction:
    specials = [contents.specials[each.code] for each in deductions]
    return sum((special.points for special in specials if special.kind == kind), Fraction(0))


def _bonus(contents: Contents, deductions: Sequence[Deduction]) -> Fraction:
    cap = contents.scoring.bonus_cap
    return min(_points(contents, deductions, "bonus"), cap) if cap is not None else Fraction(0)


def _level(
    contents: Contents,
    nonconforming: set[str],
    deductions: Sequence[Deduction],
    score: Fraction | None,
    accepts_conformity: bool,
) -> tuple[str, str]:
    knocked_out_by = _knock_out(contents, nonconforming, deductions)
    if knocked_out_by:
        return NO_LEVEL, f"knock_out:{knocked_out_by}"
    open_element = next((code for code in contents.elements if code in nonconforming), None) if nonconforming else None
    if open_element and (score is None or contents.scoring.conformity_required):
        return NO_LEVEL, f"open_nonconformity:{open_element}"
    band = _band(contents, score) if score is not None else None
    if band:
        return band, f"band:{band}"
    return _without_band(contents, open_element, accepts_conformity or score is None)


def _without_band(contents: Contents, open_element: str | None, accepts_conformity: bool) -> tuple[str, str]:
    conformity = contents.conformity_level
    if conformity is None or not accepts_conformity:
        return NO_LEVEL, "below_lowest_band"
    if open_element:
        return NO_LEVEL, f"open_nonconformity:{open_element}"
    return conformity.code, "conformity:all_conform"


def _band(contents: Contents, score: Fraction) -> str | None:
    for level in contents.levels.values():
        if level.at_least is not None and score >= level.at_least:
            return level.code
    return None


def _knock_out(contents: Contents, nonconforming: set[str], deductions: Sequence[Deduction]) -> str | None:
    scoring = contents.scoring
    counted = sum(contents.specials[each.code].kind == "deduction" for each in deductions) if deductions else 0
    if scoring.deductions_fail_from is not None and counted >= scoring.deductions_fail_from:
        return "deductions"
    if scoring.knock_out is None:
        return None
    failed = [code for code in scoring.knock_out.elements if code in nonconforming]
    return failed[0] if len(failed) >= scoring.knock_out.count else None
