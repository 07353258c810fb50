"""What a question was asked with, as a reader checks it: findings with their weight, days, samples."""

from collections.abc import Iterable
from datetime import date
from typing import Any

import msgspec

from lifecycle import events as e
from lifecycle.certificate import Certificate, conforming
from lifecycle.decisions.dispute import first_served_on
from lifecycle.decisions.visit import drawn_by_lot, gaps_after
from lifecycle.evidence.criteria import Question
from lifecycle.questions import checks_after
from lifecycle.rules import Edition
from lifecycle.rules.scheme_terms import shown

Visit = e.SurveillancePlanned | e.SurveillanceRecorded


class Weighed(msgspec.Struct, frozen=True):
    """One finding as it counts. ``counts_as`` is "conforming" where a nonconformity was closed by then.

    ``weight`` is the most marks of the element; ``checked_on`` says when, where findings of several visits count.
    """

    element: str
    outcome: e.Outcome
    counts_as: e.Outcome
    marks: str | None
    weight: str | None
    clause: str | None
    assumed: bool
    checked_on: date | None = None


def weighed(state: Certificate, fact: e.Fact, question: Question, edition: Edition) -> tuple[Weighed, ...]:
    """The findings that the question was asked with; none where it is about days alone."""
    case = state.cases.get(fact.case or 0)
    match question, fact:
        case "grade", e.GradeChanged() if case is not None and case.kind == "visit":
            return _weigh(edition, state.findings.values(), set(state.findings), state.checks)
        case "grade", _ if case is not None and state.carried:
            return _weigh(edition, case.graded_findings(state.carried), (), {})
        case "grade", _ if case is not None:
            return _weigh(edition, case.findings.values(), case.closures, {})
        case "sample", e.SurveillanceRecorded():
            return _weigh(edition, fact.findings, (), {})
        case _:
            return ()


def given(state: Certificate, fact: e.Fact, question: Question, edition: Edition) -> dict[str, Any]:
    """What else it was asked with, by name."""
    match question, fact:
        case "grade", _:
            return _application(state, fact, edition)
        case "visit", _:
            return {"level": level_of(state, fact), "counted_from": _anchor(state, fact)}
        case "coverage", _:
            return _oldest(state, fact, edition)
        case "quota", e.SurveillancePlanned() | e.SurveillanceRecorded():
            taken = len(taken_by(fact))
            return {"last_visit_on": state.last_check_on, "on_site_to": fact.on_site_to,
                    "elements": len(edition.elements), "taken": taken}  # fmt: skip
        case "sample", e.SurveillancePlanned() | e.SurveillanceRecorded():
            return _sample(state, fact, edition)
        case "suspension", _:
            started_on = state.suspended_from or fact.effective_on
            limit_on = edition.suspension_limit(started_on, state.valid_until or started_on)
            return {"started_on": started_on, "valid_until": state.valid_until, "limit_on": limit_on}
        case "appeal_lodging", e.AppealLodged():
            served_on = first_served_on(state, fact.against)
            until_on = edition.appeal_until(served_on) if served_on else None
            return {"against": fact.against, "served_on": served_on, "until_on": until_on}
        case "correction", e.RecordCorrected():
            return {"target": fact.target, "void": fact.void, "changes": fact.changes}
        case _:
            return {"effective_on": fact.effective_on}


def taken_by(fact: Visit) -> tuple[str, ...]:
    """The elements that the visit takes."""
    return fact.draw if isinstance(fact, e.SurveillancePlanned) else tuple(each.element for each in fact.findings)


def level_of(state: Certificate, fact: e.Fact) -> str | None:
    """The level that stands after the fact."""
    return getattr(fact, "level", None) or state.levels.last


def _weigh(
    edition: Edition, findings: Iterable[e.Finding], closed: Iterable[str], checks: dict[str, date]
) -> tuple[Weighed, ...]:
    found, closed = [], set(closed)
    for each in findings:
        element = edition.elements.get(each.element)
        found.append(Weighed(
            element=each.element,
            outcome=each.outcome,
            counts_as=conforming(each).outcome if each.element in closed else each.outcome,
            marks=each.marks,
            weight=shown(element.weight) if element else None,
            clause=element.clause if element else None,
            assumed=element is None or element.clause is None,
            checked_on=checks.get(each.element),
        ))  # fmt: skip
    return tuple(found)


def _application(state: Certificate, fact: e.Fact, edition: Edition) -> dict[str, Any]:
    """What was applied for, and the special deductions."""
    case = state.cases.get(fact.case or 0)
    application = case.application if case else None
    specials = [(each, edition.specials.get(each.code)) for each in case.deductions] if case else []
    return {
        "certification_type": application.certification_type if application else state.types.last,
        "accepts_conformity": application.accepts_conformity if application else state.accepts_conformity,
        "deductions": [
            {"code": each.code, "points": shown(special.points) if special else None,
             "clause": special.clause if special else None} for each, special in specials
        ],
    }  # fmt: skip


def _anchor(state: Certificate, fact: e.Fact) -> date | None:
    if isinstance(fact, e.AssessmentRecorded | e.SurveillanceRecorded):
        return fact.on_site_to
    return fact.effective_on if isinstance(fact, e.CertificateIssued) else state.last_check_on


def _oldest(state: Certificate, fact: e.Fact, edition: Edition) -> dict[str, Any]:
    """The element that was checked longest ago; none where one was never checked."""
    checks = checks_after(state, fact)
    if any(element not in checks for element in edition.elements):
        return {"oldest_element": None, "checked_on": None}
    oldest = min(edition.elements, key=checks.__getitem__)
    return {"oldest_element": oldest, "checked_on": checks[oldest]}


def _sample(state: Certificate, fact: Visit, edition: Edition) -> dict[str, Any]:
    taken = taken_by(fact)
    next_due_on, _ = gaps_after(state, taken, fact.on_site_to, edition)
    found: dict[str, Any] = {"taken": taken, "next_due_on": next_due_on}
    if isinstance(fact, e.SurveillancePlanned):
        return found | {"by_lot": drawn_by_lot(state, fact.on_site_to, edition)}
    return found | {"drawn": fact.drawn}
