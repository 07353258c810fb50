"""Many lives, no two alike: facts of certificates made directly, with what the edition answers, and copied in bulk.

Assessments have all 24 findings, visits a sample; marks, days, fates differ from life to life. Facts lie in the order
of their days, so that those of one certificate are far apart.
"""

import struct
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from uuid import UUID

import psycopg

from api.house import House
from benchmarks.register import COPY_END, COPY_HEAD, SQL
from lifecycle import events as e
from lifecycle.certificate import Certificate, evolve
from lifecycle.periods import add_months
from lifecycle.rules import Edition, shipped_editions

EDITION = "CSP-S01-001:2021"
SHA = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
PEOPLE = ("chen-jing", "liu-yang", "wang-fang", "zhao-lei", "sun-min", "zhou-tao")

_fields = struct.Struct("!hi16siii")
_length = struct.Struct("!i")
_instant = struct.Struct("!iq")


def filled(house: House, certificates: int, facts: int) -> int:
    """The log holds so many lives of about so many ``facts`` each; answers how many facts."""
    with psycopg.connect(house.addresses.owner, autocommit=True) as owner:
        ((instant,),) = owner.execute(SQL["select_last_instant"]).fetchall()
        count, days = _told(certificates, facts, _instant.pack(8, instant))
        with owner.cursor().copy(SQL["copy_events"]) as copy:
            copy.write(COPY_HEAD)
            for day in sorted(days):
                copy.write(days.pop(day))
            copy.write(COPY_END)
        owner.execute(SQL["vacuum"])
    return count


def ids(certificates: int) -> list[UUID]:
    """The ids of the first lives."""
    return [UUID(bytes=_id(seed)) for seed in range(certificates)]


def _told(certificates: int, most: int, instant: bytes) -> tuple[int, dict[date, bytearray]]:
    """How many facts there are, and each day's as rows."""
    count, days = 0, defaultdict[date, bytearray](bytearray)
    for seed in range(certificates):
        id, facts = _id(seed), _Life(seed, shipped_editions()[EDITION], most).told()
        for version, fact in enumerate(facts, 1):
            days[fact.effective_on] += _row(id, version, fact, instant)
        count += len(facts)
    return count, days


def _row(id: bytes, version: int, fact: e.Fact, instant: bytes) -> bytes:
    name, state = e.topic_of(fact).encode(), e.encode(fact)
    head = _fields.pack(5, 16, id, 4, version, len(name))
    return b"".join((head, name, _length.pack(len(state)), state, instant))


def _id(seed: int) -> bytes:
    return Random(f"life {seed}").randbytes(16)


@dataclass
class _Life:
    """One certificate's facts; ``most`` is how many."""

    seed: int
    edition: Edition
    most: int
    facts: list[e.Fact] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = Random(self.seed)
        self.certificate = Certificate(UUID(bytes=_id(self.seed)))
        self.on = date(2021, 1, 4) + timedelta(days=self.chance.randrange(700))

    def told(self) -> list[e.Fact]:
        self._initial()
        while len(self.facts) < self.most - 1:
            if self.certificate.valid_until - self.on < timedelta(days=120):
                self._renewal()
            elif self.chance.random() < 0.05 and self.certificate.status == "active":
                self._suspension()
            else:
                self._visit()
        return self.facts[: self.most]

    def _add(self, fact: type[e.Fact], **given) -> None:
        person = self.chance.choice(PEOPLE)
        stamp = {
            "effective_on": self.on,
            "by": e.By(person, "decision_maker", f"k-{self.chance.getrandbits(48):012x}"),
            "cause": e.Cause("request", f"{self.chance.getrandbits(128):032x}", SHA),
        }
        made = fact(**stamp | given)
        self.facts.append(made)
        evolve(self.certificate, len(self.facts), made)

    def _later(self, least: int, most: int) -> None:
        self.on += timedelta(days=self.chance.randint(least, most))

    def _case(self, kind: str) -> int:
        self._add(
            e.ApplicationSubmitted, case=len(self.facts) + 1, edition=EDITION, kind=kind,
            organisation=UUID(int=self.chance.getrandbits(128)), holder=f"安盾报警服务有限公司 {self.seed:05d}",
            address=f"杭州市示范路 {self.seed % 997} 号", scheme=self.edition.scheme,
            certification_type="star" if self.chance.random() < 0.9 else "conformity",
            accepts_conformity=True, scope="报警运营服务", request_sha256=SHA,
        )  # fmt: skip
        case = len(self.facts)
        self._later(1, 5)
        self._add(e.ApplicationAccepted, case=case)
        self._plan(e.AssessmentPlanned, case)
        return case

    def _plan(self, fact: type[e.Fact], case: int, **given) -> None:
        self._later(3, 20)
        self.team = tuple(self.chance.sample(PEOPLE, 2))
        days = {"on_site_from": self.on, "on_site_to": self.on + timedelta(days=1)}
        self._add(fact, case=case, team=self.team, **days, **given)
        self.on = days["on_site_to"]

    def _site(self) -> dict:
        return {
            "team": self.team,
            "on_site_from": self.on - timedelta(days=1),
            "on_site_to": self.on,
            "evidence": (SHA,),
        }

    def _findings(self, elements, scored: bool) -> tuple[e.Finding, ...]:
        care = self.chance.choice((0.05, 0.2, 0.4))
        return tuple(e.Finding(code, "conforming", self._marks(code, care) if scored else None) for code in elements)

    def _marks(self, code: str, care: float) -> str:
        lost = self.chance.choice((1, 2, 3, 5)) if self.chance.random() < care else 0
        return f"{float(self.edition.elements[code].weight) - lost / 4:g}"

    def _assessed(self, kind: str) -> tuple[int, str]:
        case = self._case(kind)
        state = self.certificate.cases[case]
        scored = self.edition.certification_types[state.application.certification_type].scored
        findings, due = self._findings(self.edition.elements, scored), None
        if self.certificate.due:
            due = self.edition.due(self.on, self.certificate.levels.last, dict.fromkeys(self.edition.elements, self.on))
        self._add(e.AssessmentRecorded, case=case, edition=EDITION, findings=findings, due=due, **self._site())
        self._later(2, 12)
        self._add(e.AssessmentReviewed, case=case, recommendation="as found")
        grade = self.edition.grade(findings, (), state.application.certification_type, True)
        score = f"{grade.score.numerator}/{grade.score.denominator}" if grade.score is not None else None
        self._add(e.GradeDetermined, case=case, edition=EDITION, assessment=state.assessment, score=score,
                  level=grade.level, because=grade.because)  # fmt: skip
        self._later(5, 40)
        return case, grade.level

    def _proposed(self, act: str, case: int | None) -> dict:
        self._add(e.ActProposed, act=act, body={"case": case}, digest=SHA, act_on=self.on,
                  expires_on=self.on + timedelta(days=30))  # fmt: skip
        return {"proposal": len(self.facts), "signed_by": tuple(self.chance.sample(PEOPLE, 2))}

    def _document(self, level: str, valid_from: date, case: int) -> dict:
        application = self.certificate.cases[case].application
        return {
            "case": case, "edition": EDITION, "number": f"CSP-S01-{self.on.year}-{self.seed:05d}",
            "document": self.certificate.document + 1, "valid_from": valid_from,
            "valid_until": self.edition.validity_end(valid_from), "holder": application.holder,
            "first_certified_on": self.certificate.first_certified_on or valid_from, "address": application.address,
            "scope": application.scope, "level": level, "certification_type": application.certification_type,
        }  # fmt: skip

    def _initial(self) -> None:
        case, level = self._assessed("initial")
        self._add(e.CertificationGranted, case=case, edition=EDITION, level=level, **self._proposed("decide", case))
        self._later(0, 4)
        due = self.edition.due(self.on, level, dict.fromkeys(self.edition.elements, self.on))
        self._add(e.CertificateIssued, **self._document(level, self.on, case), due=due)

    def _renewal(self) -> None:
        case, level = self._assessed("renewal")
        signed = self._proposed("decide", case)
        valid_from = self.certificate.valid_until + e.ONE_DAY
        due = self.edition.due(self.certificate.last_check_on, level, self.certificate.checks)
        self._add(e.CertificateRenewed, **self._document(level, valid_from, case), due=due, **signed)

    def _visit(self) -> None:
        due = self.certificate.due
        until = min(due.visit_on, self.certificate.valid_until - timedelta(days=100)) - timedelta(days=30)
        self.on = max(self.on, until - timedelta(days=self.chance.randrange(60)))
        case = len(self.facts) + 1
        self._add(e.SurveillanceDue, case=case, edition=EDITION, due_on=due.visit_on, anchor_on=due.anchor_on,
                  interval_months=due.interval_months, by=e.By("clock", "clock", "clock"))  # fmt: skip
        certificate, level = self.certificate, self.certificate.levels.last
        draw = self.edition.draw(certificate.id, certificate.visits + 1, certificate.last_check_on, self.on, level,
                                 certificate.checks)  # fmt: skip
        quota = self.edition.quota(certificate.last_check_on, self.on)
        self._plan(e.SurveillancePlanned, case, edition=EDITION, draw=draw, quota=quota)
        findings = self._findings(draw, self.edition.certification_types[certificate.types.last].scored)
        quota = self.edition.quota(certificate.last_check_on, self.on)
        due = self.edition.due(self.on, level, certificate.checks | dict.fromkeys(draw, self.on))
        self._add(e.SurveillanceRecorded, case=case, edition=EDITION, findings=findings, drawn=draw, quota=quota,
                  due=due, **self._site())  # fmt: skip
        self._later(5, 20)
        self._add(e.CertificationMaintained, case=case, **self._proposed("decide", case))

    def _suspension(self) -> None:
        self._later(1, 60)
        ends_on = self.edition.suspension_limit(self.on, self.certificate.valid_until)
        self._add(e.CertificateSuspended, edition=EDITION, reasons=(e.Reason("obligations_unmet", "fee not paid"),),
                  ends_on=ends_on, **self._proposed("suspend", None))  # fmt: skip
        self.on = min(add_months(self.on, 2), ends_on)
        self._add(e.CertificateReinstated, grounds="obligations met", closed=(e.Reason("obligations_unmet"),),
                  **self._proposed("reinstate", None))  # fmt: skip
