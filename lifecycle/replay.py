"""A history's recorded questions asked again, each under the edition that was asked then.

The walk goes on with the new answers; a correction recomputes what differs. It invents no behaviour: what persons
decided stands, and where the record no longer supports it, it is named.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from lifecycle import events as e
from lifecycle.amendment import amend, patch
from lifecycle.certificate import Case, Certificate, evolve
from lifecycle.decisions.issuance import grade_earned
from lifecycle.events import Recorded
from lifecycle.questions import BAR, LevelGiven, Outcomes, as_asked, ask, due_of_level
from lifecycle.rules import Edition, MalformedFindings
from lifecycle.rules.scheme_terms import NO_LEVEL


@dataclass(slots=True)
class Replay:
    """What came out: the state, the outcomes that differ from the record, and the decisions without support."""

    certificate: Certificate
    differences: list[e.Recomputed] = field(default_factory=list)
    unsupported: list[int] = field(default_factory=list)
    due_version: int | None = None
    """The version of the last fact that set the due date."""


@dataclass(slots=True)
class AsDecided:
    """What persons decided stands."""

    certificate: Certificate

    @property
    def level(self) -> str | None:
        return self.certificate.levels.last

    @property
    def due(self) -> e.Due | None:
        return self.certificate.due

    def earned(self, case: int) -> str | None:
        grade = self.certificate.cases[case].grade
        return grade and grade.level

    def decided(self, fact: LevelGiven, earned: str | None) -> str | None:
        return fact.level


_DECIDED = {
    **dict.fromkeys((e.CertificateIssued, e.CertificateRenewed, e.GradeChanged), ("/level", "/score", "/because")),
    **dict.fromkeys((e.CertificateSuspended, e.SuspensionExtended), ("/ends_on",)),
    e.CertificateWithdrawn: (BAR,),
}
"""What persons decided, or what another stream holds: no correction recomputes it."""


def replay(id: UUID, history: Sequence[Recorded], editions: Mapping[str, Edition]) -> Replay:
    """The history, corrections applied, with every question asked again under the edition that was asked then."""
    result = Replay(Certificate(id))
    for recorded in amend(history):
        fact = recorded.fact
        edition = editions.get(fact.edition or result.certificate.edition)
        asked = _recomputed(result.certificate, fact, edition and as_asked(edition, fact, editions))
        if not supported(result.certificate, fact, edition):
            result.unsupported.append(recorded.version)
        result.differences += _differences(recorded, asked)
        if "/due" in asked:
            result.due_version = recorded.version
        evolve(result.certificate, recorded.version, patch(fact, asked) if asked else fact)
    return result


def _recomputed(certificate: Certificate, fact: e.Fact, edition: Edition | None) -> Outcomes:
    if edition is None:
        return {}
    decided = AsDecided(certificate)
    try:
        asked = ask(certificate, decided, fact, edition)
    except MalformedFindings:  # a mark is gone on which a change of grade rested; what was decided stands
        if not isinstance(fact, e.GradeChanged):
            raise
        asked = {"/due": due_of_level(certificate, decided, fact.level, fact.effective_on, edition)}
    return {path: value for path, value in asked.items() if path not in _DECIDED.get(type(fact), ())}


def _differences(recorded: Recorded, asked: dict[str, Any]) -> list[e.Recomputed]:
    found = []
    for path, value in asked.items():
        stands = getattr(recorded.fact, path[1:])
        if stands != value:
            found.append(e.Recomputed(recorded.version, path, e.plain(stands), e.plain(value)))
    return found


def supported(certificate: Certificate, fact: e.Fact, edition: Edition | None) -> bool:
    """Does the record, as it now reads, still carry this decision?"""
    case = certificate.cases.get(fact.case or 0)
    match fact:
        case e.CertificationGranted() | e.CertificateRenewed():
            return case is not None and case.grade is not None and case.grade.level == fact.level
        case e.GradeChanged():
            return _level_follows(certificate, case, edition, fact) == fact.level
        case e.CertificationMaintained():
            return case.assessment is not None and not case.open_nonconformities and _same_level(certificate, case)
        case e.CertificateSuspended() | e.CertificateWithdrawn():
            return case is None or case.assessment is not None
        case _:
            return True


def _same_level(certificate: Certificate, case: Case) -> bool:
    return case.kind != "regrade" or case.grade.level == certificate.levels.last


def _level_follows(certificate: Certificate, case: Case, edition: Edition, fact: e.GradeChanged) -> str:
    if case.assessment is None:
        return NO_LEVEL
    if case.kind == "visit" or fact.cause.kind == "rehearsal":
        try:
            return grade_earned(certificate, edition, case).level
        except MalformedFindings:
            return NO_LEVEL
    return case.grade.level
