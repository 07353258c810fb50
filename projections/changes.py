"""What a fact changed: the members of a certificate's state before and after it."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from lifecycle import events as e
from lifecycle.certificate import Case, Certificate, evolve, fold
from lifecycle.events import Recorded
from lifecycle.timeline import Timeline

Changes = dict[str, tuple[Any, Any]]
"""By the member's name its value before and after; None is a member that is not there."""

_SINGLE = (
    "organisation", "scheme", "edition", "status", "suspended_from", "suspension_reasons", "withdrawal_since",
    "first_certified_on", "document", "due", "last_check_on", "visits",
)  # fmt: skip
_TIMELINES = ("periods", "levels", "numbers", "holders", "addresses", "scopes", "types", "editions")
_OF_CASE = (
    "kind", "opened_on", "stage", "team", "reviewers", "draw", "quota", "assessment", "on_site_to", "deductions",
    "closures", "against", "upheld", "decide_by",
)  # fmt: skip

_encode: Callable[[Any], bytes] = msgspec.json.Encoder(order="deterministic").encode


class Walk:
    """One certificate's stream, fact by fact. What it is after each depends on the facts up to it alone.

    ``problem`` says why the state is not known any more; ``history`` is kept as long as corrections may follow.
    """

    def __init__(self, first: Recorded) -> None:
        self.state = Certificate(first.originator_id)
        self.organisation = _organisation(first.fact)
        self.history: list[Recorded] = []
        self.version = 0
        self.problem = ""

    def step(self, recorded: Recorded) -> Changes | None:
        """What the fact changed; None where the state before it, or after it, is not known."""
        self.history.append(recorded)
        self.version += 1
        if recorded.version != self.version:
            self.lose(f"version {self.version} of the stream is missing")
        if self.problem:
            return None
        corrects = type(recorded.fact) is e.RecordCorrected
        try:
            before = _members(self.state, self.state.cases if corrects else [recorded.fact.case])
            if corrects:
                self._fold()
            else:
                evolve(self.state, recorded.version, recorded.fact)
            after = _members(self.state, self.state.cases if corrects else [recorded.fact.case])
        except Exception as error:  # a fact that no state can take in
            self.lose(f"{type(error).__name__}: {error}")
            return None
        return _differences(before, after)

    def lose(self, problem: str) -> None:
        """The state is not known from here on."""
        self.problem = self.problem or problem

    def _fold(self) -> None:
        self.state = fold(self.state.id, self.history)
        self.state.history = ()


def between(earlier: Certificate, later: Certificate) -> Changes:
    """What differs from one state of a certificate to another."""
    return _differences(_members(earlier, earlier.cases), _members(later, later.cases))


def as_json(value: Any) -> bytes:
    """The value as JSON, the same bytes each time."""
    return _encode(value)


def _organisation(first: e.Fact) -> Any:
    """Whose certificate it is, by what the stream begins with: an application, or the proposal of one."""
    if isinstance(first, e.ActProposed):
        return first.body.get("organisation") if isinstance(first.body, dict) else None
    return getattr(first, "organisation", None)


def _members(certificate: Certificate, cases: Iterable[int | None]) -> dict[str, Any]:
    """The state as it stands, of the cases those asked for; nothing in it changes when the certificate does."""
    found: dict[str, Any] = {name: getattr(certificate, name) for name in _SINGLE}
    found["standings"] = tuple(certificate.standings)
    for name in _TIMELINES:
        found[name] = _turns(getattr(certificate, name))
    found["checks"] = dict(certificate.checks)
    found["proposals"] = {str(number): each.state for number, each in certificate.proposals.items()}
    found["unsupported"] = {str(version): since for version, since in certificate.unsupported.items()}
    for number in cases:
        if number is not None and (case := certificate.cases.get(number)) is not None:
            found |= _members_of_case(case)
    return found


def _members_of_case(case: Case) -> dict[str, Any]:
    at = f"cases/{case.version}/"
    level = case.grade.level if case.grade else None
    return {at + name: getattr(case, name) for name in _OF_CASE} | {at + "findings": case.findings, at + "level": level}


def _turns(line: Timeline[Any]) -> tuple[tuple[Any, Any], ...]:
    return tuple(zip(line.days, line.values, strict=True))


def _differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Changes:
    found: Changes = {}
    for name in {**before, **after}:
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        if isinstance(old or new, dict):
            parts = _differences(old or {}, new or {})
            found |= {f"{name}/{part}": values for part, values in parts.items()}
        elif not (old is None and new in ((), frozenset(), 0)):
            found[name] = (old, new)
    return found
