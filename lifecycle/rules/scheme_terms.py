"""The words of a scheme as its file defines them: levels, elements, reasons, parameters. Values only, no questions.

``clause`` names where the scheme publishes a thing; None where no source states it and the file says "assumed".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Any, Generic, TypeVar

from lifecycle.rules.number_template import NumberTemplate

Value = TypeVar("Value")

MARK_DECIMALS = 6
ONE_MARK = 10**MARK_DECIMALS
"""Marks and weights have at most so many decimals, and are counted as whole millionths."""

ACTS = ("suspension", "withdrawal", "cancellation", "refusal", "rejection", "reissue")
"""The acts that must name a reason from the edition's list."""

NO_LEVEL = "none"
"""Stands where nothing can be granted; no edition may call a level so."""


class MalformedEdition(Exception):
    """A scheme file says something that the rule language does not know, or that contradicts itself.

    Names the file, the key, what was expected there and what was found.
    """

    code = "malformed_edition"

    def __init__(self, file: str, key: str, expected: str, found: str) -> None:
        self.file, self.key, self.expected, self.found = file, key, expected, found
        super().__init__(f"{file}: {key}: expected {expected}, found {found}")


@dataclass(frozen=True)
class Parameter(Generic[Value]):
    """One value of a scheme, with its unit and its source."""

    key: str
    value: Value
    unit: str
    clause: str | None

    @property
    def assumed(self) -> bool:
        """Whether no source states the value."""
        return self.clause is None


@dataclass(frozen=True)
class CertificationType:
    """What one can apply for; ``scored`` where every element gets marks."""

    code: str
    zh: str
    en: str
    scored: bool


@dataclass(frozen=True)
class Level:
    """A grade, earned by a score of ``at_least`` and less than ``below`` (None for the best one).

    Without a band (``at_least`` None) it is the level of those whose every element conforms.
    """

    code: str
    zh: str
    en: str
    stars: int | None
    interval_months: int
    at_least: Fraction | None
    clause: str | None
    below: Fraction | None = None


@dataclass(frozen=True)
class Element:
    """A requirement that is judged by itself; ``weight`` is the most marks it can get."""

    code: str
    zh: str
    en: str
    weight: Fraction
    clause: str | None


@dataclass(frozen=True)
class Special:
    """A special deduction or bonus beside the marks of the elements; ``kind`` is "deduction" or "bonus"."""

    code: str
    zh: str
    en: str
    kind: str
    points: Fraction
    clause: str | None


@dataclass(frozen=True)
class KnockOut:
    """``count`` nonconforming ones among these elements, and nothing can be granted whatever the score."""

    elements: tuple[str, ...]
    count: int


@dataclass(frozen=True)
class Scoring:
    """How findings become a score. ``method`` is "sum" of the marks, or "ratio": obtained / applicable x 100."""

    method: str
    total: Fraction
    conformity_required: bool
    not_applicable_allowed: bool
    deductions_fail_from: int | None
    bonus_cap: Fraction | None
    knock_out: KnockOut | None


@dataclass(frozen=True)
class ReasonText:
    """A ground that an act may name."""

    code: str
    zh: str
    en: str
    clause: str | None

    @property
    def assumed(self) -> bool:
        """Whether no source states the reason."""
        return self.clause is None


@dataclass(frozen=True)
class UploadCode:
    """How the regulator's record calls one of our own states, for one reason of it or (None) for every other."""

    own: str
    reason: str | None
    code: str
    cause: str | None
    clause: str | None


@dataclass(frozen=True)
class ElementRow:
    """Elements of the edition before, and what has taken their place: of a "split" several, of "dropped" none."""

    kind: str
    old: tuple[str, ...]
    new: tuple[str, ...]
    clause: str | None


@dataclass(frozen=True)
class Succession:
    """How an edition takes the place of the one before, ``of``.

    ``last_decision_on`` is the last day on which is decided under the old one; ``afterwards`` says what happens to the
    certificates that are under it still when the transition has ended; ``grade_at_adoption`` is "kept" or "changed".
    """

    of: str
    last_decision_on: date
    transition_ends_on: date
    afterwards: str
    grade_at_adoption: str
    elements: tuple[ElementRow, ...]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Contents:
    """Everything that one scheme file says.

    ``levels`` stand best first, ``elements`` in the file's order. ``stated`` has everything that stands with its
    source, by its key in the file. The plain values at the end are those of ``parameters``.
    """

    id: str
    scheme: str
    title: str
    title_en: str
    text: str
    digest: str
    published_on: date
    effective_from: date
    number_template: NumberTemplate
    scoring: Scoring
    certification_types: Mapping[str, CertificationType]
    levels: Mapping[str, Level]
    elements: Mapping[str, Element]
    elements_note: str
    specials: Mapping[str, Special]
    reasons_by_act: Mapping[str, Mapping[str, ReasonText]]
    upload_codes: tuple[UploadCode, ...]
    parameters: Mapping[str, Parameter[Any]]
    stated: Mapping[str, Parameter[Any]]
    succession: Succession | None

    validity_months: int
    validity_ends: str
    notice_window_days: int
    grace_days: int
    sample_percent_each_year: Fraction
    coverage_months: int
    suspension_max_months: int
    suspension_due_after_overdue_days: int
    bar_after_withdrawal_months: int
    bar_after_expiry_months: int
    appeal_lodging_days: int
    appeal_decision_days: int
    complaint_decision_days: int
    back_dating_days: int
    proposal_days: int
    reviewer_may_sign: bool
    records_kept: str

    @cached_property
    def most_millionths(self) -> Mapping[str, int]:
        """Each element's weight as whole millionths, in which marks are counted."""
        return {code: int(element.weight * ONE_MARK) for code, element in self.elements.items()}

    @property
    def conformity_level(self) -> Level | None:
        """The level of those whose every element conforms, where the scheme has one."""
        return next((level for level in self.levels.values() if level.at_least is None), None)


def shown(amount: Fraction | None) -> str:
    """The amount as a person would write it."""
    if amount is None:
        return "nothing"
    return format((Decimal(amount.numerator) / amount.denominator).normalize(), "f")
