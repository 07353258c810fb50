"""By which criteria of an edition a question is answered, each with its clause or marked as assumed."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

import msgspec

from lifecycle.rules import Edition

Question = Literal[
    "grade", "level", "validity", "visit", "coverage", "quota", "sample", "suspension", "bar", "unchanged",
    "carried", "appeal_lodging", "appeal_decision", "complaint_decision", "clock", "support", "correction",
]  # fmt: skip


class Criterion(msgspec.Struct, frozen=True):
    """What an edition states under a key; without a clause no source states it, and it is assumed."""

    rule: str
    value: str
    unit: str
    clause: str | None
    assumed: bool


def criteria(edition: Edition, question: Question, outcome: Mapping[str, Any], level: str | None) -> list[Criterion]:
    """Those that made the outcome, the deciding one first; ``level`` is the one that an interval is looked up by."""
    if question == "grade":
        return stated(edition, _of_grade(edition, outcome.get("because") or ""))
    rules = [rule.format(level=level) for rule in _RULES.get(question, ())]
    if question == "visit" and outcome.get("grace_until") is not None:
        rules.append("parameters.grace_days")
    return stated(edition, rules)


def stated(edition: Edition, rules: Iterable[str]) -> list[Criterion]:
    """What the edition states under these keys, as far as it does."""
    found = [edition.stated[rule] for rule in rules if rule in edition.stated]
    return [Criterion(each.key, _text(each.value), each.unit, each.clause, each.assumed) for each in found]


def _of_grade(edition: Edition, because: str) -> Iterator[str]:
    """What a grade's ``because`` names, and what it presupposes."""
    kind, _, named = because.partition(":")
    match kind:
        case "band":
            yield from (f"levels[{named}].at_least", f"levels[{named}].below", "scoring.conformity_required")
        case "knock_out":
            deductions = named == "deductions"
            yield "scoring.deductions_fail_from" if deductions else "scoring.knock_out.count"
        case "open_nonconformity":
            yield from (f"elements[{named}]", "scoring.conformity_required")
        case "conformity" if edition.conformity_level:
            yield f"levels[{edition.conformity_level.code}]"
        case "below_lowest_band":
            lowest = [level.code for level in edition.levels.values() if level.at_least is not None][-1:]
            yield from (f"levels[{code}].at_least" for code in lowest)
    yield "scoring.method"


_RULES: dict[Question, tuple[str, ...]] = {
    "validity": ("parameters.validity_months", "parameters.validity_ends"),
    "visit": ("levels[{level}].interval", "parameters.notice_window_days"),
    "coverage": ("parameters.coverage_months",),
    "quota": ("parameters.sample_percent_each_year",),
    "sample": ("parameters.sample_percent_each_year", "parameters.coverage_months"),
    "suspension": ("parameters.suspension_max_months",),
    "bar": ("parameters.bar_after_withdrawal_months",),
    "carried": ("succession.merged_elements", "succession.new_elements"),
    "appeal_lodging": ("parameters.appeal_lodging_days",),
    "appeal_decision": ("parameters.appeal_decision_days",),
    "complaint_decision": ("parameters.complaint_decision_days",),
}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
