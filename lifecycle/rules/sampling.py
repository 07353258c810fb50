"""Which elements the next visit takes: the quota, the coverage, and a draw that nobody can be accused of choosing.

Quota and coverage are two independent rules. A never checked element must be taken at the next visit.
"""

from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from functools import lru_cache
from hashlib import sha256
from math import ceil
from uuid import UUID

from lifecycle.periods import add_months, years_between_rounded_up
from lifecycle.rules.scheme_terms import Contents

WHOLE_PERCENT = 100


def quota(contents: Contents, anchor: date, on: date) -> int:
    """The least number of elements of a visit on that day, the last one having been on the anchor."""
    return _quota_after(contents, years_between_rounded_up(anchor, on))


@lru_cache(maxsize=1024)
def _quota_after(contents: Contents, years: int) -> int:
    share = Fraction(contents.sample_percent_each_year, WHOLE_PERCENT) * years
    elements = len(contents.elements)
    return min(elements, ceil(elements * share))


def coverage_gaps(contents: Contents, checks: Mapping[str, date], next_due: date) -> tuple[str, ...]:
    """The elements, in their order, whose coverage would have run out before the next due date."""
    return tuple(code for code in contents.elements if not _covered(contents, checks.get(code), next_due))


def _covered(contents: Contents, checked_on: date | None, until: date) -> bool:
    return checked_on is not None and add_months(checked_on, contents.coverage_months) >= until


def draw(
    contents: Contents, certificate_id: UUID, cycle: int, anchor: date, on: date, level: str, checks: Mapping[str, date]
) -> tuple[str, ...]:
    """The elements of a visit on that day, in their order: those that coverage forces, then the oldest up to the quota.

    Among equally old ones SHA-256 of certificate id, cycle, edition id and element decides, so that everybody who asks
    again gets the same answer.
    """
    forced = set(coverage_gaps(contents, checks, add_months(on, contents.levels[level].interval_months)))

    def rank(element: str) -> tuple[bool, date, bytes]:
        lot = sha256(f"{certificate_id}|{cycle}|{contents.id}|{element}".encode()).digest()
        return element not in forced, checks.get(element, date.min), lot

    size = max(quota(contents, anchor, on), len(forced))
    taken = set(sorted(contents.elements, key=rank)[:size])
    return tuple(element for element in contents.elements if element in taken)
