"""Certificates that look real: lives of many certificates, told through the real service in simulated time.

The rates are aggregates of one real body, 2014-16 (domain.md, section 7): suspended at least once 9.3 %, nearly always
for six months, first 9 to 12 months after issue; withdrawn 3 %, half of them the day after a suspension ended; a visit
leads to a re-issue in 10 %; assessment to decision 34 days in the median; decision to issue the same day 56 %, within 4
days 77 %. The same seed gives the same lives.
"""

import heapq
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from api.demonstration.staff import STAFF
from api.house import House
from lifecycle import commands as c
from lifecycle import events as e
from lifecycle.certificate import Certificate
from lifecycle.organisation import check_character
from lifecycle.periods import add_months, day_start, legal_day
from lifecycle.service import Answer, Request

Life = Generator[date, None, None]
"""A life asks for the day of its next act, and acts when it is resumed on that day."""

SCHEME = "CSP-S01-001"
PLACES = ("北京", "上海", "广州", "深圳", "杭州", "成都", "武汉", "西安", "南京", "重庆")
NAMES = ("安盾", "天卫", "金锁", "长城", "联防", "众安", "平安居", "守望", "安邦", "铁卫")


COMPLAINT = c.LodgeComplaint(grounds="The operator did not answer three alarms in a row.", request_sha256="0" * 64)
"""A command that one person gives at any time, any number of times."""


@dataclass(slots=True)
class Progress:
    """How far the generation has come."""

    day: date
    applied: int
    facts: int
    share: float


@dataclass(slots=True)
class Teller:
    """Tells the lives in the order of their days."""

    house: House
    certificates: int
    seed: int
    start: date
    end: date
    facts: int = 0
    applied: int = 0
    serial: int = 0
    queue: list[tuple[date, int, Life]] = field(default_factory=list)

    def run(self) -> Iterator[Progress]:
        """Every act up to ``end``, the present moved along; progress is told once a simulated week."""
        for index in range(self.certificates):
            life = self._life(Random(f"{self.seed}/{index}"), index)
            heapq.heappush(self.queue, (next(life), index, life))
        told = self.start
        ticked = self.start
        while self.queue and self.queue[0][0] <= self.end:
            day, index, life = heapq.heappop(self.queue)
            self._move_to(day)
            following = next(life, None)
            if following is not None:
                heapq.heappush(self.queue, (max(following, day), index, life))
            if day - ticked >= timedelta(days=28):
                ticked = day
                self._tick()
            if day - told >= timedelta(days=7):
                told = day
                yield self._progress(day)
        self._move_to(self.end)
        self._tick()
        yield self._progress(self.end)

    def _progress(self, day: date) -> Progress:
        span = max(1, (self.end - self.start).days)
        return Progress(day, self.applied, self.facts, min(1.0, (day - self.start).days / span))

    def _move_to(self, day: date) -> None:
        """Forward to 09:00 in Shanghai of that day, unless it is later already."""
        instant = day_start(day) + timedelta(hours=9)
        if instant > self.house.present.instant():
            self.house.present.move_to(instant)

    def _tick(self) -> None:
        self.house.catch_up()
        self.facts += len(self.house.tick_today().recorded)

    # ---- one life ----------------------------------------------------------------------------------------------------

    def _life(self, rng: Random, index: int) -> Life:
        span = (self.end - self.start).days
        yield self.start + timedelta(days=rng.randrange(max(1, span - 30)) if index else 0)
        body = Acts(self, rng, index)
        self.applied += 1
        body.apply("initial")
        yield from body.to_grade()
        yield body.today + timedelta(days=round(rng.lognormvariate(3.5, 0.5)))
        body.decide("grant")
        yield body.today + timedelta(days=_days_to_issue(rng))
        body.issue()
        yield from self._in_force(rng, body)

    def _in_force(self, rng: Random, body: "Acts") -> Life:
        fate = rng.random()
        months = 9 if rng.random() < 0.62 else rng.choice((10, 11, 12))
        suspend_on = add_months(body.today, months) if fate < 0.093 else None
        withdrawn = fate < 0.015 or fate >= 0.985
        while True:
            due = body.certificate().due
            visit_on = due.visit_on - timedelta(days=rng.randrange(0, 170) if rng.random() < 0.98 else -20)
            if suspend_on is not None and suspend_on <= visit_on:
                yield suspend_on
                suspend_on = None
                yield from self._suspended(rng, body, withdrawn)
                if withdrawn:
                    return
                continue
            valid_until = body.certificate().valid_until
            if visit_on >= valid_until - timedelta(days=60):
                if withdrawn or rng.random() < 0.15:
                    return
                yield valid_until - timedelta(days=rng.randrange(50, 80))
                body.apply("renewal")
                yield from body.to_grade()
                yield min(body.today + timedelta(days=rng.randrange(10, 30)), valid_until)
                body.decide("renew")
                continue
            yield visit_on
            if withdrawn and rng.random() < 0.5:
                body.withdraw()
                return
            yield from body.visit()

    def _suspended(self, rng: Random, body: "Acts", withdrawn: bool) -> Life:
        ends_on = body.suspend()
        if withdrawn:
            yield ends_on + timedelta(days=1)
            body.withdraw()
            return
        yield ends_on - timedelta(days=rng.randrange(3, 20))
        if body.today >= body.certificate().due.notice_on:
            yield from body.visit()
        body.reinstate()


@dataclass(slots=True)
class Acts:
    """The acts of staff and holder on one certificate."""

    teller: Teller
    rng: Random
    index: int
    id: UUID | None = None
    organisation: UUID | None = None

    @property
    def today(self) -> date:
        return legal_day(self.teller.house.present.instant())

    def certificate(self) -> Certificate:
        return self.teller.house.register.certificate(self.id)

    def apply(self, kind: str) -> None:
        if self.organisation is None:
            self.organisation = self._organisation()
        place, name = PLACES[self.index % 10], NAMES[self.index // 10 % 10]
        answer = self._do(
            "registrar",
            c.SubmitApplication(
                kind=kind,
                organisation=self.organisation,
                scheme=SCHEME,
                certification_type="star" if self.index % 8 else "conformity",
                holder=f"{place}{name}报警服务有限公司 {self.index:05d}",
                address=f"{place}市示范路 {self.index + 1} 号",
                scope="报警运营服务 alarm operation services",
                accepts_conformity=True,
                certificate_id=self.id,
                request_sha256="0" * 64,
            ),
        )
        self.id = answer.id

    def to_grade(self) -> Life:
        """Accepted, planned, assessed and reviewed, over some weeks."""
        case = self._case("initial", "renewal")
        self._do("registrar", c.ReviewApplication(case=case, outcome="accepted"))
        yield self.today + timedelta(days=self.rng.randrange(3, 15))
        assessor = self.rng.choice(("assessor-1", "assessor-2"))
        first, last = self.today + timedelta(days=2), self.today + timedelta(days=3)
        self._do("registrar", c.Plan(case=case, team=(assessor,), on_site_from=first, on_site_to=last))
        yield last
        certification_type = self.certificate().cases[case].application.certification_type
        findings = self._findings(certification_type, None)
        self._do(assessor, c.RecordAssessment(case=case, on_site_from=first, on_site_to=last, findings=findings))
        yield self.today + timedelta(days=self.rng.randrange(1, 6))
        self._do("reviewer", c.ReviewAssessment(case=case, recommendation="grant"))

    def visit(self) -> Life:
        """A visit, planned and recorded on its day, and decided ten days later."""
        self.teller.facts += len(self.teller.house.register.tick(self.id))
        if not self.certificate().open_case("visit"):
            self._do("registrar", c.RequestVisit(grounds="annual visit"))
        case = self._case("visit")
        assessor = self.rng.choice(("assessor-1", "assessor-2"))
        today = self.today
        self._do("registrar", c.Plan(case=case, team=(assessor,), on_site_from=today, on_site_to=today))
        certificate = self.certificate()
        findings = self._findings(certificate.types.last, certificate.cases[case].draw)
        self._do(assessor, c.RecordAssessment(case=case, on_site_from=today, on_site_to=today, findings=findings))
        yield today + timedelta(days=10)
        self.decide("maintain", case)
        if self.rng.random() < 0.10:
            self._do(
                "registrar",
                c.Reissue(reasons=(e.Reason("address_changed"),), address=f"新址路 {self.rng.randrange(1, 999)} 号"),
            )

    def decide(self, outcome: str, case: int | None = None) -> None:
        self._both(c.Decide(case=case or self._case("initial", "renewal"), outcome=outcome))

    def issue(self) -> None:
        self._do("registrar", c.Issue())

    def suspend(self) -> date:
        """The last suspended day."""
        self._both(c.Suspend(reasons=(e.Reason("obligations_unmet"),)))
        return self.certificate().standings[-1].suspended_until

    def reinstate(self) -> None:
        self._both(c.Reinstate(grounds="obligations met", closed=(e.Reason("obligations_unmet"),)))

    def withdraw(self) -> None:
        self._both(c.Withdraw(reasons=(e.Reason("requirements_not_met"),)))

    def complain(self) -> None:
        self._do("registrar", COMPLAINT)

    def _organisation(self) -> UUID:
        body = f"91110108M{self.index:08d}"
        command = c.RegisterOrganisation(
            unified_code=body + check_character(body),
            name=f"{PLACES[self.index % 10]}{NAMES[self.index // 10 % 10]}报警服务有限公司 {self.index:05d}",
            address=f"{PLACES[self.index % 10]}市示范路 {self.index + 1} 号",
        )
        return self.teller.house.register.register_organisation(self._request("registrar"), command).id

    def _findings(self, certification_type: str, elements: tuple[str, ...] | None) -> tuple[e.Finding, ...]:
        edition = self.teller.house.register.editions[self.certificate().edition]
        scored = edition.certification_types[certification_type].scored
        return tuple(
            e.Finding(code, "conforming", self._marks(edition.elements[code].weight) if scored else None)
            for code in (elements or edition.elements)
        )

    def _marks(self, weight: Any) -> str:
        """Mostly full marks, in steps of a half."""
        lost = self.rng.choices((0, 1, 2), (78, 16, 6))[0]
        return f"{max(0, int(weight * 2) - lost) / 2:g}"

    def _case(self, *kinds: e.CaseKind) -> int:
        return max(case.version for case in self.certificate().cases.values() if case.kind in kinds and case.is_open)

    def _request(self, person: str) -> Request:
        self.teller.serial += 1
        by = e.By(person, STAFF[person], f"generated-{person}")
        return Request(by, f"generated-{self.teller.seed}-{self.teller.serial}", "00" * 32)

    def _do(self, person: str, command: c.Command) -> Answer:
        answer = self.teller.house.register.execute(self._request(person), command, self.id)
        self.teller.facts += len(answer.events)
        return answer

    def _both(self, command: c.Command) -> None:
        proposed = self._do("decider-1", command)
        approval = c.Approve(digest=proposed.digest)
        answer = self.teller.house.register.approve(self._request("decider-2"), self.id, proposed.proposal, approval)
        self.teller.facts += len(answer.events)


def _days_to_issue(rng: Random) -> int:
    share = rng.random()
    return 0 if share < 0.56 else rng.randrange(1, 5) if share < 0.77 else rng.randrange(5, 20)


def generate(house: House, certificates: int, seed: int, end: datetime, *, years: int = 5) -> Iterator[Progress]:
    """Lives of so many certificates over the years before ``end``; the register's present ends there.

    Works on a simulation only, whose log ends before those years begin.
    """
    last_day = legal_day(end)
    start = last_day - timedelta(days=365 * years)
    return Teller(house, certificates, seed, start, last_day).run()
