"""The state after each event of a certificate, as it was known then and as it is known now, and who did what, why.

Known then: what had been recorded by then, corrected by then. Known now: the same events as all corrections have them,
those recorded later too.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec

from lifecycle import events as e
from lifecycle.certificate import Case, Certificate
from lifecycle.decisions.correction import REASONS_OF
from lifecycle.events import Recorded
from lifecycle.evidence.known import AsKnownNow, AsKnownThen
from lifecycle.evidence.references import Reference, references
from lifecycle.evidence.spans import day_of, standing_on
from lifecycle.rules import Edition
from lifecycle.transitions import LIVE, Status


class Who(msgspec.Struct, frozen=True):
    """A person by pseudonym and the role held then; None where the event does not say which."""

    role: e.Role | None
    pseudonym: str


class Ground(msgspec.Struct, frozen=True):
    """Why: a text under the event's member ``of``, or a code that an edition lists for an act, with its clause."""

    of: str
    text: str
    act: str | None = None
    code: str | None = None
    clause: str | None = None
    assumed: bool = False


class Evidence(msgspec.Struct, frozen=True):
    """A file that the event rests on, or made, by its SHA-256."""

    of: str
    sha256: str


class CaseStage(msgspec.Struct, frozen=True):
    """How far a case has come."""

    case: int
    kind: e.CaseKind
    stage: str


class State(msgspec.Struct, frozen=True):
    """What stood on the legal day of recording; ``unsupported`` are decisions that wait to be decided again.

    ``case`` is the one that the event belongs to, or the event that it corrects; of the others only is told how many
    are open, so that a history's telling grows as the history does.
    """

    status: Status
    level: str | None
    number: str | None
    edition: str
    valid_from: date | None
    valid_until: date | None
    suspended_until: date | None
    due: e.Due | None
    overdue_on: date | None
    case: CaseStage | None
    open_cases: int
    unsupported: tuple[int, ...]


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One event: who, when, why, and the state after it. ``on`` is the legal day of recording.

    ``now`` is None where the event was voided since; then it is left out of what is known now.
    """

    version: int
    event: str
    position: int | None
    recorded_at: datetime | None
    on: date
    effective_on: date
    by: Who
    signed_by: tuple[Who, ...]
    case: int | None
    edition: str | None
    cause: e.Cause
    grounds: tuple[Ground, ...]
    evidence: tuple[Evidence, ...]
    refers: tuple[Reference, ...]
    voided_by: int | None
    corrected_by: tuple[int, ...]
    then: State
    now: State | None


def steps(id: UUID, history: Sequence[Recorded], editions: Mapping[str, Edition]) -> list[Step]:
    """Every event in its order; of the editions the clauses of the grounds are taken."""
    days = {recorded.version: day_of(recorded) for recorded in history}
    then, now = _states(AsKnownThen(id, history), days), _states(AsKnownNow(id, history), days)
    corrections = [(each.version, each.fact) for each in history if isinstance(each.fact, e.RecordCorrected)]
    return [
        _step(recorded, history, editions.get(recorded.fact.edition or then[recorded.version].edition),
              corrections, then[recorded.version], now.get(recorded.version))
        for recorded in history
    ]  # fmt: skip


def _states(known: AsKnownNow, days: Mapping[int, date]) -> dict[int, State]:
    found, open_cases, case_of = {}, set[int](), dict[int, int | None]()
    for recorded in known.events:
        known.take(recorded)
        fact, cases = recorded.fact, known.state.cases
        is_correction = isinstance(fact, e.RecordCorrected)
        case_of[recorded.version] = case_of.get(fact.target) if is_correction else fact.case
        case = cases.get(case_of[recorded.version] or 0)
        if is_correction:
            open_cases = {each.version for each in cases.values() if each.is_open}
        elif case is not None:
            (open_cases.add if case.is_open else open_cases.discard)(case.version)
        found[recorded.version] = _state(known.state, days[recorded.version], case, len(open_cases))
    return found


def _state(certificate: Certificate, day: date, case: Case | None, open_cases: int) -> State:
    standing, begun = certificate.standing_on(day), [each for each in certificate.periods.days if each <= day]
    status, level = standing_on(certificate, day)
    due = certificate.due if status in LIVE else None
    return State(
        status=status,
        level=level,
        number=certificate.numbers.at(day),
        edition=certificate.edition,
        valid_from=begun[-1] if begun else None,
        valid_until=certificate.periods.at(day),
        suspended_until=standing.suspended_until if standing and status == "suspended" else None,
        due=due,
        overdue_on=due.overdue_on if due else None,
        case=CaseStage(case.version, case.kind, case.stage) if case else None,
        open_cases=open_cases,
        unsupported=tuple(certificate.unsupported),
    )


def _step(
    recorded: Recorded,
    history: Sequence[Recorded],
    edition: Edition | None,
    corrections: Sequence[tuple[int, e.RecordCorrected]],
    then: State,
    now: State | None,
) -> Step:
    fact, version = recorded.fact, recorded.version
    touching = [
        (at, each) for at, each in corrections
        if version in (each.target, *(outcome.version for outcome in each.recomputed))
    ]  # fmt: skip
    return Step(
        version=version,
        event=e.topic_of(fact),
        position=recorded.position,
        recorded_at=recorded.recorded_at,
        on=day_of(recorded),
        effective_on=fact.effective_on,
        by=Who(fact.by.role, fact.by.person),
        signed_by=tuple(_signers(fact, history)),
        case=fact.case,
        edition=fact.edition,
        cause=fact.cause,
        grounds=tuple(_grounds(fact, edition)),
        evidence=tuple(_evidence(fact)),
        refers=tuple(references(fact)),
        voided_by=next((at for at, each in touching if each.void and each.target == version), None),
        corrected_by=tuple(at for at, _ in touching),
        then=then,
        now=now,
    )


def _signers(fact: e.Fact, history: Sequence[Recorded]) -> Iterator[Who]:
    """Who signed, each with the role held: of the proposer it stands in the proposal."""
    roles: dict[str, e.Role] = {fact.by.person: fact.by.role}
    if fact.proposal is not None and 1 <= fact.proposal <= len(history):
        proposer = history[fact.proposal - 1].fact.by
        roles.setdefault(proposer.person, proposer.role)
    for person in fact.signed_by or (fact.by.person,):
        yield Who(roles.get(person), person)


def _grounds(fact: e.Fact, edition: Edition | None) -> Iterator[Ground]:
    for of in ("reasons", "closed"):
        act = "suspension" if of == "closed" else REASONS_OF.get(type(fact))
        for reason in getattr(fact, of, ()):
            listed = edition.reasons_by_act.get(act or "", {}).get(reason.code) if edition else None
            clause = listed.clause if listed else None
            yield Ground(of, reason.text, act, reason.code, clause, assumed=clause is None)
    for of in ("grounds", "reason", "recommendation", "notice"):
        if text := getattr(fact, of, ""):
            yield Ground(of, text)


def _evidence(fact: e.Fact) -> Iterator[Evidence]:
    for sha256 in getattr(fact, "evidence", ()):
        yield Evidence("evidence", sha256)
    for of in ("request_sha256", "proof_sha256", "sha256", "line_sha256", "digest"):
        if sha256 := getattr(fact, of, None):
            yield Evidence(of, sha256)
