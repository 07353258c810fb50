"""One certificate takes an edition: pure, and refused for it alone, with the reason for which it is set aside.

Where the two editions judge other elements or weights, the fact says what each element takes over: the day of its last
check, and whether the last finding stands. Where the edition's transition says so, the level that the evidence earns
under it is given at once, with the document that prints it; what the level rests on is the case that gave it, and
findings that do not stand exactly earn nothing.
"""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from lifecycle import events as e
from lifecycle.amendment import amend
from lifecycle.certificate import Case, Certificate, evolve
from lifecycle.decisions.issuance import due_under, grade_earned, regraded, texts_on
from lifecycle.decisions.moment import Moment
from lifecycle.rehearsal.comparison import Line
from lifecycle.rules import Edition, MalformedFindings
from lifecycle.rules.translation import asked_of, follows
from lifecycle.transitions import STATUS, Stage

Why = Literal[
    "excluded", "moved", "undecided", "not_followed", "level_unknown", "type_unknown", "not_judged", "no_level",
    "level_differs", "renewed_early", "unprintable", "no_number", "under_repair",
]  # fmt: skip

JUDGED: frozenset[Stage] = frozenset({"assessed", "reviewed", "graded"})
"""A renewal or regrade at such a stage was assessed by the old edition, and is decided under it; as is a visit whose
sample was drawn from other elements."""


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
    asked, level = _asked(certificate, edition, moment), certificate.levels.last
    adopted = e.EditionAdopted(
        **moment.stamp(moment.today, edition=edition.id),
        old=certificate.edition,
        new=edition.id,
        rehearsal=cited.rehearsal,
        line_sha256=cited.sha256,
        due=due_under(certificate, certificate.due, asked, level, moment.today),
        carried=asked.carried(certificate.checks),
    )
    said, told = edition.succession, cited.line.after.level
    if said is None or said.grade_at_adoption != "changed" or told in (None, level):
        return [adopted]
    evolve(certificate, certificate.version + 1, adopted)
    return [adopted, *_given(certificate, edition, told, moment)]


def _asked(certificate: Certificate, edition: Edition, moment: Moment) -> Edition:
    """The edition, to be asked with what was found under the certificate's own. Raises NotAdopted."""
    old = moment.edition_of(certificate)
    asked = asked_of(edition, old, moment.editions)
    if not follows(edition, old, moment.editions):
        raise NotAdopted("not_followed")
    under_way = [case for case in certificate.cases.values() if case.is_open]
    if any(asked is not edition if case.draw else case.stage in JUDGED for case in under_way):
        raise NotAdopted("undecided")
    if certificate.levels.last not in edition.levels:
        raise NotAdopted("level_unknown")
    if certificate.types.last not in edition.certification_types:
        raise NotAdopted("type_unknown")
    return asked


def _given(certificate: Certificate, edition: Edition, level: str, moment: Moment) -> list[e.Fact]:
    """The level that the line tells, with its document, if the case that gave the one before earns it."""
    case, today = _ground(certificate), moment.today
    try:
        grade = grade_earned(certificate, edition, case)
    except MalformedFindings:
        raise NotAdopted("not_judged") from None
    if grade.level not in edition.levels:
        raise NotAdopted("no_level")
    if grade.level != level:
        raise NotAdopted("level_differs")
    if certificate.periods.days[-1] > today:
        raise NotAdopted("renewed_early")
    texts, applied_for = texts_on(certificate, today), certificate.types.at(today)
    return regraded(certificate, case, grade, texts, applied_for, moment, today)


def _ground(certificate: Certificate) -> Case:
    """The case that gave the level."""
    given = (e.CertificateIssued, e.CertificateRenewed, e.GradeChanged)
    fact = next(each.fact for each in reversed(amend(certificate.history)) if isinstance(each.fact, given))
    return certificate.cases[fact.case or 0]
