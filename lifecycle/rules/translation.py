"""One edition asked with evidence that was gathered under another.

Findings and checks are carried over element by element, as the newer edition's succession maps them; elements that keep
their code are the same. An outcome is carried as it is, of several the worst; marks are carried as their share of the
weight, exactly. What no element of the old edition says anything about stays without a finding: it cannot be judged.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from fractions import Fraction
from typing import NamedTuple

from lifecycle.events import Deduction, Due, Outcome
from lifecycle.rules.edition import Edition
from lifecycle.rules.grading import Found, Grade, fraction_of
from lifecycle.rules.scheme_terms import Contents


class Unjudged(Exception):
    """The edition cannot be asked: it wants findings on ``elements``, and there are none."""

    def __init__(self, elements: tuple[str, ...]) -> None:
        self.elements = elements
        super().__init__(f"no findings on {', '.join(elements)}")


class Carried(NamedTuple):
    """A finding as it reads under another edition."""

    element: str
    outcome: Outcome
    marks: Fraction | None


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Translated(Edition):
    """The edition, asked with what was found under ``old``; ``sources`` are the old elements of each of its own."""

    old: Contents
    sources: Mapping[str, tuple[str, ...]]

    def grade(
        self,
        findings: Iterable[Found],
        deductions: Sequence[Deduction],
        certification_type: str,
        accepts_conformity: bool,
    ) -> Grade:
        """As Edition.grade. Raises Unjudged where an element has no source."""
        found = {finding.element: finding for finding in findings}
        if lacking := tuple(code for code in self.elements if not all(map(found.get, self.sources[code] or ("",)))):
            raise Unjudged(lacking)
        carried = [self._carried(code, [found[old] for old in self.sources[code]]) for code in self.elements]
        return super().grade(carried, deductions, certification_type, accepts_conformity)

    def due(self, anchor: date, level: str, checks: Mapping[str, date], *, changed_on: date | None = None) -> Due:
        carried = {
            code: min(checks[old] for old in sources)
            for code, sources in self.sources.items()
            if sources and all(old in checks for old in sources)
        }
        return super().due(anchor, level, carried, changed_on=changed_on)

    def _carried(self, code: str, findings: list[Found]) -> Carried:
        applicable = [each for each in findings if each.outcome != "not_applicable"]
        if not applicable:
            return Carried(code, "not_applicable", None)
        worst: Outcome = (
            "nonconforming" if any(each.outcome == "nonconforming" for each in applicable) else "conforming"
        )
        if any(each.marks is None for each in applicable):
            return Carried(code, worst, None)
        possible = sum((self.old.elements[each.element].weight for each in applicable), Fraction(0))
        earned = sum(map(fraction_of, applicable), Fraction(0))
        return Carried(code, worst, earned / possible * self.elements[code].weight)


def asked_of(edition: Edition, old: Edition) -> Edition:
    """The edition, to be asked with evidence gathered under ``old``; itself where both judge the same elements."""
    sources = _sources(edition, old)
    if all(sources[code] == (code,) for code in sources) and _weights(edition) == _weights(old):
        return edition
    return Translated(**{each.name: getattr(edition, each.name) for each in fields(edition)}, old=old, sources=sources)


def _weights(contents: Contents) -> dict[str, Fraction]:
    return {code: element.weight for code, element in contents.elements.items()}


def _sources(edition: Contents, old: Contents) -> dict[str, tuple[str, ...]]:
    said = edition.succession
    rows = said.elements if said is not None and said.of == old.id else ()
    mapped = {code: row.old for row in rows for code in row.new}
    gone = {code for row in rows for code in row.old}
    return {
        code: mapped.get(code, (code,) if code in old.elements and code not in gone else ())
        for code in edition.elements
    }
