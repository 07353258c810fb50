"""One edition asked with evidence that was gathered under another.

Elements are followed from edition to edition, as each one's succession maps them; those that keep their code are the
same. Two readings of old evidence:

- what a rehearsal asks: an outcome is carried as it is, of several the worst; marks are carried as their share of the
  weight, exactly. What no old element says anything about stays without a finding: it cannot be judged.
- what an adoption records (``carried``): the last check of each element, of merged ones the earliest; and which
  findings are those of one old element of the same weight, and so stand to the mark. No marks are made.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from lifecycle.events import Deduction, Due, ElementCarried, Outcome
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


class Source(NamedTuple):
    """The old elements in whose place one stands; ``stands`` where it is one alone, of the same weight and whole."""

    of: tuple[str, ...]
    stands: bool


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Translated(Edition):
    """The edition, asked with what was found under ``old``; ``sources`` are the old elements of each of its own."""

    old: Contents
    sources: Mapping[str, Source]

    def grade(
        self,
        findings: Iterable[Found],
        deductions: Sequence[Deduction],
        certification_type: str,
        accepts_conformity: bool,
    ) -> Grade:
        """As Edition.grade. Raises Unjudged where an element has no source."""
        found = {finding.element: finding for finding in findings}
        if lacking := tuple(code for code in self.elements if not all(map(found.get, self.sources[code].of or ("",)))):
            raise Unjudged(lacking)
        carried = [self._carried(code, [found[old] for old in self.sources[code].of]) for code in self.elements]
        return super().grade(carried, deductions, certification_type, accepts_conformity)

    def due(self, anchor: date, level: str, checks: Mapping[str, date], *, changed_on: date | None = None) -> Due:
        """As Edition.due, with the checks of the old elements."""
        carried = ((code, _earliest(source.of, checks)) for code, source in self.sources.items())
        return super().due(anchor, level, {code: on for code, on in carried if on}, changed_on=changed_on)

    def carried(self, checks: Mapping[str, date]) -> tuple[ElementCarried, ...]:
        """What each element takes over, ``checks`` being the last ones of the old elements."""
        return tuple(
            ElementCarried(code, source.of, _earliest(source.of, checks), source.stands)
            for code, source in self.sources.items()
        )

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


def asked_of(edition: Edition, old: Edition, editions: Mapping[str, Edition]) -> Edition:
    """The edition, to be asked with evidence gathered under ``old``; itself where both judge the same elements."""
    return edition if edition is old else _asked_along(way(edition, old, editions))


def follows(edition: Edition, old: Edition, editions: Mapping[str, Edition]) -> bool:
    """Does it say, itself or by those between, where the elements of the old one have gone?"""
    said = way(edition, old, editions)[-2].succession
    return said is not None and said.of == old.id


def way(edition: Edition, old: Edition, editions: Mapping[str, Edition]) -> tuple[Edition, ...]:
    """From the edition back to the old one, each following the next; the two alone where it follows another."""
    found = [edition]
    while (said := found[-1].succession) is not None and said.of in editions:
        if said.of == old.id:
            return (*found, old)
        found.append(editions[said.of])
    return edition, old


@lru_cache(maxsize=64)
def _asked_along(followed: tuple[Edition, ...]) -> Edition:
    edition, old = followed[0], followed[-1]
    sources = {code: Source((code,), stands=True) for code in edition.elements}
    for later, earlier in pairwise(followed):
        step = _step(later, earlier)
        sources = {code: _followed(source, step) for code, source in sources.items()}
    if all(source.of == (code,) for code, source in sources.items()) and _weights(edition) == _weights(old):
        return edition
    return Translated(**{each.name: getattr(edition, each.name) for each in fields(edition)}, old=old, sources=sources)


def _followed(source: Source, step: Mapping[str, Source]) -> Source:
    before = [step[code] for code in source.of]
    of = tuple(dict.fromkeys(code for each in before for code in each.of))
    return Source(of, source.stands and all(each.stands for each in before))


def _step(edition: Contents, old: Contents) -> dict[str, Source]:
    """Where each element comes from, of the edition before."""
    said = edition.succession
    rows = said.elements if said is not None and said.of == old.id else ()
    mapped = {code: row.old for row in rows for code in row.new}
    gone = {code for row in rows for code in row.old}
    found = {
        code: mapped.get(code, (code,) if code in old.elements and code not in gone else ())
        for code in edition.elements
    }
    parts = Counter(code for of in found.values() for code in of)
    return {
        code: Source(of, len(of) == parts[of[0]] == 1 and edition.elements[code].weight == old.elements[of[0]].weight)
        if of
        else Source((), stands=False)
        for code, of in found.items()
    }


def _earliest(codes: Iterable[str], checks: Mapping[str, date]) -> date | None:
    """The day since which all of them are checked; None where one never was."""
    days = [checks.get(code) for code in codes]
    known = [day for day in days if day is not None]
    return min(known, default=None) if len(known) == len(days) else None


def _weights(contents: Contents) -> dict[str, Fraction]:
    return {code: element.weight for code, element in contents.elements.items()}
