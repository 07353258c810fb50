"""One certificate takes an edition: pure, and refused for it alone, with the reason for which it is set aside.

Where the edition's transition says so, the level that the evidence earns under it is given at once, with the document
that prints it. What the level rests on is the case that gave it.
"""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from lifecycle import events as e
from lifecycle.amendment import amend
from lifecycle.certificate import Case, Certificate, evolve
from lifecycle.comparison import Line
from lifecycle.decisions.application import grade_of
from lifecycle.decisions.issuance import composite, due_under, regraded, texts_on
from lifecycle.decisions.moment import Moment
from lifecycle.rules import Edition, Grade, MalformedFindings
from lifecycle.rules.translation import asked_of
from lifecycle.transitions import STATUS

Why = Literal[
    "excluded", "moved", "elements", "level_unknown", "not_judged", "no_level", "level_differs", "renewed_early",
    "under_repair",
]  # fmt: skip


class NotAdopted(Exception):
    """The certificate stays as it is: for the next rehearsal, or to be decided singly."""

    def __init__(self, why: Why) -> None:
        self.why: Why = why
        super().__init__(why)


@dataclass(frozen=True, slots=True)
class Cited:
    """The line that an adoption cites, and the rehearsal that it stands in."""

    rehearsal: UUID
    line: Line
    sha256: str


def may_adopt(certificate: Certificate, moment: Moment) -> bool:
    """Is it in force? An ended certificate never gets another edition."""
    return (certificate.status_on(moment.today), e.GradeChanged) in STATUS


def adopt(certificate: Certificate, edition: Edition, cited: Cited, moment: Moment) -> list[e.Fact]:
    """The edition adopted, and what follows from it at once. Raises NotAdopted."""
    if asked_of(edition, moment.edition_of(certificate)) is not edition:
        raise NotAdopted("elements")
    grade, case = _changed_grade(certificate, edition, cited.line)
    today, level = moment.today, certificate.levels.last
    if level not in edition.levels:
        raise NotAdopted("level_unknown")
    adopted = e.EditionAdopted(
        **moment.stamp(today, edition=edition.id),
        old=certificate.edition,
        new=edition.id,
        rehearsal=cited.rehearsal,
        line_sha256=cited.sha256,
        due=due_under(certificate, certificate.due, edition, level, today),
    )
    if grade is None or case is None:
        return [adopted]
    if certificate.periods.days[-1] > today:
        raise NotAdopted("renewed_early")
    evolve(certificate, certificate.version + 1, adopted)
    texts, applied_for = texts_on(certificate, today), certificate.types.at(today)
    return [adopted, *regraded(certificate, case, grade, texts, applied_for, moment, today)]


def _changed_grade(certificate: Certificate, edition: Edition, line: Line) -> tuple[Grade | None, Case | None]:
    """The level to give, and the case that earns it; None where it stays."""
    said = edition.succession
    if said is None or said.grade_at_adoption != "changed" or line.after.level == certificate.levels.last:
        return None, None
    if line.after.level is None:
        raise NotAdopted("not_judged")
    case = _ground(certificate)
    try:
        grade = composite(certificate, edition) if case.kind == "visit" else grade_of(edition, case)
    except MalformedFindings:
        raise NotAdopted("not_judged") from None
    if grade.level not in edition.levels:
        raise NotAdopted("no_level")
    if grade.level != line.after.level:
        raise NotAdopted("level_differs")
    return grade, case


def _ground(certificate: Certificate) -> Case:
    """The case that gave the level."""
    given = (e.CertificateIssued, e.CertificateRenewed, e.GradeChanged)
    fact = next(each.fact for each in reversed(amend(certificate.history)) if isinstance(each.fact, given))
    return certificate.cases[fact.case or 0]
