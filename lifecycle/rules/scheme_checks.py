"""Holds the contents of a scheme file against each other: each entry may make sense, and the whole not."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from lifecycle.rules.scheme_terms import Contents, MalformedEdition, shown
from lifecycle.rules.succession_checks import Contradiction, succession

OWN_STATES = ("active", "suspended", "withdrawn", "cancelled", "expired")
"""The states of a certificate that the upload table must know, each once without a reason."""

FULL_SCORE = Fraction(100)
SHORTEST_MONTH_DAYS = 28


class Band(NamedTuple):
    """From ``at_least`` to less than ``below``."""

    level: str
    at_least: Fraction
    below: Fraction | None


def check_contents(contents: Contents, file: str) -> None:
    """The contents agree with each other; else MalformedEdition with the first thing that does not."""
    for check in (_identity, _levels, _bands, _intervals, _weights, _scoring, _upload, succession):
        for key, expected, found in check(contents):
            raise MalformedEdition(file, key, expected, found)


def _identity(contents: Contents) -> Iterator[Contradiction]:
    if not contents.id.startswith(f"{contents.scheme}:") or len(contents.id) > len(contents.scheme) + 21:
        yield "edition.id", f'"{contents.scheme}:" and a short name of the edition', repr(contents.id)
    if contents.effective_from < contents.published_on:
        yield "edition.effective_from", f"not before {contents.published_on}", str(contents.effective_from)


def _bands(contents: Contents) -> Iterator[Contradiction]:
    levels = contents.levels.values()
    bands = [Band(level.code, level.at_least, level.below) for level in levels if level.at_least is not None]
    full = contents.scoring.total if contents.scoring.method == "sum" else FULL_SCORE
    for best in bands[:1]:
        if best.at_least > full:
            yield f"levels[{best.level}].at_least.value", f"at most {shown(full)}", shown(best.at_least)
        if best.below is not None:
            yield f"levels[{best.level}].below", "nothing: the best band has no upper limit", shown(best.below)
    for better, band in pairwise(bands):
        yield from _band_under(better, band)


def _band_under(better: Band, band: Band) -> Iterator[Contradiction]:
    if band.below != better.at_least:
        expected = f"{shown(better.at_least)}, where {better.level} begins: no gap and no overlap"
        yield f"levels[{band.level}].below.value", expected, shown(band.below)
    if band.at_least >= better.at_least:
        expected = f"less than {shown(better.at_least)}: best level first"
        yield f"levels[{band.level}].at_least.value", expected, shown(band.at_least)


def _levels(contents: Contents) -> Iterator[Contradiction]:
    levels = list(contents.levels.values())
    unbanded = [level for level in levels if level.at_least is None]
    if unbanded and (len(unbanded) > 1 or unbanded[0] is not levels[-1] or unbanded[0].below is not None):
        yield f"levels[{unbanded[0].code}]", "at most one level without a band, the last one", "another"
    scored = {each.scored for each in contents.certification_types.values()}
    if True in scored and len(unbanded) == len(levels):
        yield "levels", "a level with a band, since a certification type is scored", "none"
    if False in scored and not unbanded:
        yield "levels", "a level without a band, since a certification type is not scored", "none"


def _intervals(contents: Contents) -> Iterator[Contradiction]:
    for level in contents.levels.values():
        key = f"levels[{level.code}].interval.value"
        if level.interval_months > contents.coverage_months:
            yield key, f"at most the coverage of {contents.coverage_months} months", str(level.interval_months)
        if contents.notice_window_days >= SHORTEST_MONTH_DAYS * level.interval_months:
            yield (
                key,
                f"longer than the notice window of {contents.notice_window_days} days",
                str(level.interval_months),
            )
    if contents.sample_percent_each_year == 0:
        yield "parameters.sample_percent_each_year.value", "more than 0", "0"


def _weights(contents: Contents) -> Iterator[Contradiction]:
    total = sum((element.weight for element in contents.elements.values()), Fraction(0))
    if total != contents.scoring.total:
        yield "elements", f"weights that add up to {shown(contents.scoring.total)}", shown(total)
    nothing = next((element.code for element in contents.elements.values() if element.weight == 0), None)
    if nothing:
        yield f"elements[{nothing}].value", "more than 0", "0"


def _scoring(contents: Contents) -> Iterator[Contradiction]:
    scoring = contents.scoring
    if scoring.not_applicable_allowed and scoring.method == "sum":
        yield "scoring.not_applicable_allowed.value", "false: a sum loses the marks of what does not apply", "true"
    kinds = {special.kind for special in contents.specials.values()}
    if ("bonus" in kinds) != (scoring.bonus_cap is not None):
        yield "scoring.bonus_cap", "a cap if there are bonuses, else nothing", shown(scoring.bonus_cap)
    if scoring.deductions_fail_from is not None and "deduction" not in kinds:
        yield "scoring.deductions_fail_from", "nothing without deductions", str(scoring.deductions_fail_from)
    yield from _knock_out(contents)


def _knock_out(contents: Contents) -> Iterator[Contradiction]:
    knock_out = contents.scoring.knock_out
    if knock_out is None:
        return
    unknown = next((code for code in knock_out.elements if code not in contents.elements), None)
    if unknown:
        yield "scoring.knock_out.elements", "codes of elements", repr(unknown)
    if not knock_out.count <= len(set(knock_out.elements)) == len(knock_out.elements):
        yield "scoring.knock_out.count.value", "at most the number of the elements, each once", str(knock_out.count)


def _upload(contents: Contents) -> Iterator[Contradiction]:
    if not contents.upload_codes:
        return
    rows = [(row.own, row.reason) for row in contents.upload_codes]
    twice = next((row for row in rows if rows.count(row) > 1), None)
    if twice:
        yield "upload", "each state and reason once", repr(twice)
    if sorted(own for own, reason in rows if reason is None) != sorted(OWN_STATES):
        yield "upload", f"a code without a reason for each of {', '.join(OWN_STATES)}", str(len(rows))
    known = {reason for reasons in contents.reasons_by_act.values() for reason in reasons}
    stray = next((row for row in rows if row[0] not in OWN_STATES or row[1] not in {*known, None}), None)
    if stray:
        yield "upload", "our own states and the reasons of this file", repr(stray)
