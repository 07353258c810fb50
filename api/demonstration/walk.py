"""One certificate's whole life over real HTTP, step by step: the demonstration's check.

Every step says what was asked, which facts it recorded and what the public is told afterwards; a step that does not
lead where it must raises StepFailed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from api.demonstration.client import Client
from api.demonstration.staff import new_person
from api.house import House
from lifecycle.organisation import check_character
from lifecycle.periods import day_start

DECIDERS = ("decider-1", "decider-2")
SCHEME = "CSP-S01-001"


class StepFailed(Exception):
    """A step did not lead where it must."""


class Step(NamedTuple):
    """What one step did."""

    on: date
    zh: str
    en: str
    events: tuple[str, ...]
    status: str


@dataclass(slots=True)
class Walk:
    """The walker: a simulated house, its service's address, and the certificate so far."""

    house: House
    client: Client
    certificate: str = ""
    number: str = ""
    seen: int = 0

    def steps(self) -> Iterator[Step]:
        """Every step of the life, each carried out when it is asked for."""
        yield from self._to_issue()
        yield from self._surveillance()
        yield from self._suspension()
        yield from self._to_the_end()

    def _to_issue(self) -> Iterator[Step]:
        organisation = self._organisation()
        self._apply("initial", organisation)
        case = 1
        yield self._step("提交认证委托", "application submitted", "none", "application-submitted.v1")
        self._in_case(case, "review", "registrar", outcome="accepted")
        yield self._step("受理", "application accepted", "none", "application-accepted.v1")
        self._in_case(case, "plan", "registrar", **self._site(), team=["assessor-1"])
        yield self._step("策划评估", "assessment planned", "none", "assessment-planned.v1")
        self._in_case(case, "assessment", "assessor-1", **self._site(), findings=self._findings())
        yield self._step("记录评估（24 个要素）", "assessment recorded, 24 elements", "none", "assessment-recorded.v1")
        self._in_case(case, "assessment-review", "reviewer", recommendation="grant")
        yield self._step("复核与定级", "reviewed and graded", "none", "assessment-reviewed.v1", "grade-determined.v1")
        self._decide(case, "grant")
        yield self._step("认证决定（两人签署）", "granted, signed by two", "none", "certification-granted.v1")
        issued = self.client.post(f"/certificates/{self.certificate}/issuances", "registrar")
        self.number = issued["certificate_number"]
        yield self._step("颁证", "certificate issued", "valid", "certificate-issued.v1")

    def _surveillance(self) -> Iterator[Step]:
        due = self._state()["due"]
        self._move_to(date.fromisoformat(due["notice_on"]))
        self._tick()
        yield self._step("监督到期提醒", "surveillance due", "valid", "surveillance-due.v1")
        case = self._last_case("visit")
        self._move_to(date.fromisoformat(due["visit_on"]) - timedelta(days=30))
        self._in_case(case, "plan", "registrar", **self._site(), team=["assessor-2"])
        yield self._step(
            "策划监督（可复现抽样）", "visit planned, reproducible draw", "valid", "surveillance-planned.v1"
        )
        self._in_case(case, "assessment", "assessor-2", **self._site(), findings=self._findings(self._draw(case)))
        yield self._step("记录监督", "visit recorded", "valid", "surveillance-recorded.v1")
        self._decide(case, "maintain")
        yield self._step("维持认证", "certification maintained", "valid", "certification-maintained.v1")

    def _suspension(self) -> Iterator[Step]:
        base = f"/certificates/{self.certificate}"
        reasons = [{"code": "obligations_unmet", "text": "fee not paid"}]
        self.client.both(f"{base}/suspensions", DECIDERS, reasons=reasons)
        yield self._step("暂停（两人签署）", "suspended, signed by two", "suspended", "certificate-suspended.v1")
        self._move_to(self.house.today() + timedelta(days=20))
        self.client.both(f"{base}/reinstatements", DECIDERS, grounds="paid", closed=reasons)
        yield self._step("恢复", "reinstated", "valid", "certificate-reinstated.v1")

    def _to_the_end(self) -> Iterator[Step]:
        until = date.fromisoformat(self._state()["periods"][-1]["valid_until"])
        self._move_to(until - timedelta(days=60))
        self._apply("renewal", self._state()["organisation"])
        case = self._last_case("renewal")
        self._in_case(case, "review", "registrar", outcome="accepted")
        self._in_case(case, "plan", "registrar", **self._site(), team=["assessor-1"])
        self._in_case(case, "assessment", "assessor-1", **self._site(), findings=self._findings())
        self._in_case(case, "assessment-review", "reviewer", recommendation="renew")
        yield self._step("再认证评估", "renewal assessed and graded", "valid", "grade-determined.v1")
        self._decide(case, "renew")
        yield self._step("再认证（两人签署）", "renewed, signed by two", "valid", "certificate-renewed.v1")
        until = date.fromisoformat(self._state()["periods"][-1]["valid_until"])
        self._move_to(until + timedelta(days=1))
        yield self._step("有效期届满（未等时钟）", "validity passed; no clock has run", "expired")
        self._tick()
        yield self._step("过期失效", "expiry recorded by the clock", "expired", "certificate-expired.v1")

    # ---- acts --------------------------------------------------------------------------------------------------------

    def _organisation(self) -> str:
        body = "91110108MA0000001"
        body = body[:9] + f"{self.house.register.recorder.max_notification_id():08d}"
        answer = self.client.post(
            "/organisations", "registrar", unified_code=body + check_character(body),
            name="示范报警运营有限公司", address="北京市海淀区示范路 1 号",
        )  # fmt: skip
        organisation = answer["organisation_id"]
        self.client.secrets["holder"] = new_person(
            self.house.register, f"holder-{organisation[:8]}", "applicant", UUID(organisation)
        )
        return organisation

    def _apply(self, kind: str, organisation: str) -> None:
        body = {
            "kind": kind, "organisation": organisation, "scheme": SCHEME, "certification_type": "star",
            "holder": "示范报警运营有限公司", "address": "北京市海淀区示范路 1 号",
            "scope": "报警运营服务 alarm operation",
        }  # fmt: skip
        if kind == "renewal":
            body["certificate_id"] = self.certificate
        answer = self.client.post("/applications", "holder", **body)
        self.certificate = answer["certificate_id"]

    def _in_case(self, case: int, what: str, person: str, **body: Any) -> dict[str, Any]:
        return self.client.post(f"/certificates/{self.certificate}/cases/{case}/{what}", person, **body)

    def _decide(self, case: int, outcome: str) -> None:
        self.client.both(f"/certificates/{self.certificate}/cases/{case}/decision", DECIDERS, outcome=outcome)

    def _site(self) -> dict[str, str]:
        today = self.house.today().isoformat()
        return {"on_site_from": today, "on_site_to": today}

    def _findings(self, elements: list[str] | None = None) -> list[dict[str, str]]:
        """Full marks but for three: 97 of 100."""
        edition = self.house.register.editions["CSP-S01-001:2021"]
        lost = {"5.2.1": 2, "5.3.1": 1}
        return [
            {"element": code, "outcome": "conforming", "marks": str(element.weight - lost.get(code, 0))}
            for code, element in edition.elements.items()
            if elements is None or code in elements
        ]

    def _draw(self, case: int) -> list[str]:
        return next(each["draw"] for each in self._state()["cases"] if each["case"] == case)

    # ---- time, and reading back --------------------------------------------------------------------------------------

    def _move_to(self, day: date) -> None:
        self.house.present.move_to(day_start(day) + timedelta(hours=1))

    def _tick(self) -> None:
        self.house.catch_up()
        self.house.tick_today()

    def _state(self) -> dict[str, Any]:
        return self.client.get(f"/certificates/{self.certificate}", "auditor")

    def _last_case(self, kind: str) -> int:
        return max(case["case"] for case in self._state()["cases"] if case["kind"] == kind)

    def _step(self, zh: str, en: str, status: str, *events: str) -> Step:
        """The step, its facts read back from the stream and its status from the public look-up."""
        stream = self.client.get(f"/certificates/{self.certificate}/events", "auditor")["items"]
        new = [event["type"] for event in stream[self.seen :]]
        position, self.seen = stream[-1]["position"], len(stream)
        found = "none"
        if self.number:
            self.house.catch_up()
            found = self.client.get(f"/status/{self.number}", min_position=position)["status"]
        if found != status or not set(events) <= set(new):
            raise StepFailed(f"{en}: expected {events} and {status}, found {tuple(new)} and {found}")
        return Step(self.house.today(), zh, en, tuple(new), found)
