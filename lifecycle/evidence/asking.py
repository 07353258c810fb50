"""What each event asked, what it says to it, and what the decisions' own functions answer when they are asked again."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any, NamedTuple, TypeVar

import msgspec

from lifecycle import events as e
from lifecycle.certificate import Certificate
from lifecycle.decisions.clock import owed
from lifecycle.decisions.correction import consequences
from lifecycle.decisions.dispute import first_served_on
from lifecycle.decisions.visit import gaps_after
from lifecycle.events import Recorded
from lifecycle.evidence.criteria import Question
from lifecycle.evidence.inputs import Visit, taken_by
from lifecycle.periods import legal_day
from lifecycle.questions import BAR, Outcomes, as_asked, ask
from lifecycle.replay import AsDecided, supported
from lifecycle.rules import Edition, MalformedFindings
from lifecycle.rules.translation import Unjudged

Answer = dict[str, Any]
T = TypeVar("T")
Bars = Mapping[int, date | None]
"""By the version of a withdrawal the last day of the bar it imposed, which stands in the organisation's stream."""


class Asked(NamedTuple):
    """``recorded`` is None where the answer stands elsewhere; ``derived`` where there is none, and why."""

    question: Question
    recorded: Answer | None
    derived: Answer | None
    problem: str | None = None


class Asking(NamedTuple):
    """The state before an event, the event, and whom it asked."""

    state: Certificate
    recorded: Recorded
    editions: Mapping[str, Edition]
    bars: Bars

    @property
    def fact(self) -> Any:
        return self.recorded.fact

    @property
    def edition(self) -> Edition:
        return as_asked(self.editions[self.fact.edition or self.state.edition], self.fact, self.editions)

    @property
    def today(self) -> date:
        """The legal day of recording."""
        at = self.recorded.recorded_at
        return legal_day(at) if at else self.fact.effective_on

    def asked(self) -> list[Asked]:
        """Every question of the event; none where it asked no rule."""
        ask_of = _ASKED.get(type(self.fact))
        return list(ask_of(self)) if ask_of else []


def _of_rules(asking: Asking) -> Iterator[Asked]:
    """The questions that go to an edition and whose answers stand in the fact."""
    fact = asking.fact
    if getattr(fact, "due", fact) is None:  # nothing was in force yet, so that no visit could fall due
        return
    derived, problem = _or_why(lambda: ask(asking.state, AsDecided(asking.state), fact, asking.edition))
    recorded = {f"/{name}": getattr(fact, name) for name in fact.__struct_fields__}
    if isinstance(fact, e.CertificateWithdrawn):
        recorded |= {BAR: asking.bars.get(asking.recorded.version)}
    carries = isinstance(fact, e.EditionAdopted) and fact.carried
    for question in (*_QUESTIONS[type(fact)], *(_CARRIED if carries else ())):
        unknown = question == "bar" and asking.recorded.version not in asking.bars
        said = None if unknown else _part(recorded, question)
        yield Asked(question, said, _part(derived, question) if derived else None, problem)


def _or_why(answer: Callable[[], T]) -> tuple[T | None, str | None]:
    """The answer, or why the record does not suffice for one."""
    try:
        return answer(), None
    except (MalformedFindings, Unjudged) as refused:
        return None, str(refused)


def _part(outcomes: Outcomes, question: Question) -> Answer:
    """What of the outcomes answers the question."""
    found: Answer = {}
    for path in _PARTS[question]:
        whole, _, member = path.partition(".")
        value = outcomes.get(whole)
        found[(member or whole).removeprefix("/")] = getattr(value, member, None) if member else value
    return e.plain(found)


def _level(asking: Asking) -> Iterator[Asked]:
    case = asking.state.cases[asking.fact.case]
    derived = {"level": case.grade.level} if case.grade else None
    yield Asked("level", {"level": asking.fact.level}, derived)


def _support(asking: Asking) -> Iterator[Asked]:
    found, problem = _or_why(lambda: supported(asking.state, asking.fact, asking.edition))
    yield Asked("support", {"record_supports": True}, None if problem else {"record_supports": found}, problem)


def _planned(asking: Asking) -> Iterator[Asked]:
    fact = asking.fact
    yield Asked("quota", {"quota": fact.quota}, {"quota": _quota(asking)})
    yield _sample(asking, fact)


def _visited(asking: Asking) -> Iterator[Asked]:
    yield _sample(asking, asking.fact)
    yield from _of_rules(asking)


def _sample(asking: Asking, fact: Visit) -> Asked:
    """A visit is refused where it takes too few elements, or leaves one unchecked for too long."""
    _, gaps = gaps_after(asking.state, taken_by(fact), fact.on_site_to, asking.edition)
    enough = len(taken_by(fact)) >= _quota(asking)
    return Asked("sample", {"enough": True, "uncovered": []}, {"enough": enough, "uncovered": [*gaps]})


def _quota(asking: Asking) -> int:
    """How many elements a visit takes at least; all of them where none was ever checked."""
    last_check_on = asking.state.last_check_on
    edition = asking.edition
    return edition.quota(last_check_on, asking.fact.on_site_to) if last_check_on else len(edition.elements)


def _appeal(asking: Asking) -> Iterator[Asked]:
    fact = asking.fact
    on, served_on = fact.effective_on, first_served_on(asking.state, fact.against)
    in_time = served_on is None or on <= asking.edition.appeal_until(served_on)
    yield Asked("appeal_lodging", {"in_time": True}, {"in_time": in_time})
    decide_by = e.plain(asking.edition.appeal_decided_by(on))
    yield Asked("appeal_decision", {"decide_by": e.plain(fact.decide_by)}, {"decide_by": decide_by})


def _complaint(asking: Asking) -> Iterator[Asked]:
    decide_by = e.plain(asking.edition.complaint_decided_by(asking.fact.effective_on))
    yield Asked("complaint_decision", {"decide_by": e.plain(asking.fact.decide_by)}, {"decide_by": decide_by})


def _clock(asking: Asking) -> Iterator[Asked]:
    fact = asking.fact
    due = [each for each in owed(asking.state, fact.effective_on) if type(each) is type(fact)]
    yield Asked("clock", _on_the_day(fact), _on_the_day(due[0]) if due else None)


def _on_the_day(fact: e.Fact) -> Answer:
    names = ("effective_on", "due_on", "anchor_on", "interval_months", "valid_until")
    return e.plain({name: getattr(fact, name) for name in names if hasattr(fact, name)})


def _correction(asking: Asking) -> Iterator[Asked]:
    bare = msgspec.structs.replace(asking.fact, recomputed=(), unsupported=())
    found, problem = _or_why(lambda: consequences(asking.state, bare, asking.editions, asking.today))
    yield Asked("correction", _consequences(asking.fact), _consequences(found[0]) if found else None, problem)


def _consequences(fact: e.RecordCorrected) -> Answer:
    return e.plain({"recomputed": fact.recomputed, "unsupported": fact.unsupported})


_DUE: tuple[Question, ...] = ("visit", "coverage")
_CARRIED: tuple[Question, ...] = ("carried",)
_QUESTIONS: dict[type[e.Fact], tuple[Question, ...]] = {
    e.GradeDetermined: ("grade",),
    e.AssessmentRecorded: _DUE,
    e.SurveillanceRecorded: ("quota", *_DUE),
    e.CertificateIssued: ("level", "validity", *_DUE),
    e.CertificateRenewed: ("level", "validity", *_DUE),
    e.CertificateReissued: ("unchanged",),
    e.GradeChanged: ("grade", *_DUE),
    e.CertificateSuspended: ("suspension",),
    e.SuspensionExtended: ("suspension",),
    e.CertificateWithdrawn: ("bar",),
    e.EditionAdopted: _DUE,
}
_PARTS: dict[Question, tuple[str, ...]] = {
    "grade": ("/level", "/score", "/because"),
    "level": ("/level",),
    "validity": ("/valid_from", "/valid_until", "/first_certified_on"),
    "visit": ("/due.visit_on", "/due.notice_on", "/due.anchor_on", "/due.interval_months", "/due.grace_until"),
    "coverage": ("/due.coverage_on",),
    "quota": ("/quota",),
    "unchanged": ("/valid_from", "/valid_until", "/first_certified_on", "/due.visit_on"),
    "suspension": ("/ends_on",),
    "bar": (BAR,),
    "carried": ("/carried",),
}
_ASKED: dict[type[e.Fact], Callable[[Asking], Iterator[Asked]]] = {
    **dict.fromkeys(_QUESTIONS, _of_rules),
    e.CertificationGranted: _level,
    e.CertificationMaintained: _support,
    e.SurveillancePlanned: _planned,
    e.SurveillanceRecorded: _visited,
    e.SurveillanceDue: _clock,
    e.SurveillanceOverdue: _clock,
    e.CertificateExpired: _clock,
    e.AppealLodged: _appeal,
    e.ComplaintLodged: _complaint,
    e.RecordCorrected: _correction,
}
