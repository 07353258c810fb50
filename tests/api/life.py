"""One certificate at an office, told in acts over HTTP; each of these acts is expected to succeed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from lifecycle.rules import Edition
from tests.api.office import Office, answered

CSP = "CSP-S01-001"
EDITION = "CSP-S01-001:2021"
SHA = "0" * 64
DECIDERS = ("dora", "dan")

Json = dict[str, Any]


def reasons(*codes: str, text: str = "in the file") -> list[Json]:
    return [{"code": code, "text": text} for code in codes]


@dataclass
class Life:
    """A certificate on its way; ``case`` is the one that acts in a case are about, ``proposed`` the last proposal."""

    office: Office
    holder: str = "holder"
    id: str = ""
    number: str = ""
    case: int = 1
    proposed: Json = field(default_factory=dict)

    # ---- asking ------------------------------------------------------------------------------------------------------

    def post(self, what: str, person: str, body: Json | None = None, **sent: Any) -> Any:
        """The bare response to a command on the certificate."""
        return self.office.post(f"/certificates/{self.id}/{what}", person, body, **sent)

    def in_case(self, what: str, person: str, body: Json | None = None, **sent: Any) -> Any:
        return self.post(f"cases/{self.case}/{what}", person, body, **sent)

    def does(self, what: str, person: str, body: Json | None = None) -> Json:
        return answered(self.post(what, person, body))

    def does_in_case(self, what: str, person: str, body: Json | None = None) -> Json:
        return answered(self.in_case(what, person, body))

    def proposes(self, what: str, body: Json, person: str = DECIDERS[0]) -> Life:
        self.proposed = answered(self.post(what, person, body), 202)
        return self

    def approves(self, person: str = DECIDERS[1], **sent: Any) -> Any:
        """The bare response to an approval of the last proposal."""
        what = f"proposals/{self.proposed['proposal']}/approvals"
        return self.post(what, person, {"digest": self.proposed["digest"]}, **sent)

    def both(self, what: str, body: Json, persons: tuple[str, str] = DECIDERS) -> Json:
        """Two persons act: the first proposes, the second approves."""
        return answered(self.proposes(what, body, persons[0]).approves(persons[1]))

    # ---- reading back ------------------------------------------------------------------------------------------------

    def view(self, person: str = "aud") -> Json:
        return answered(self.office.get(f"/certificates/{self.id}", person))

    def stream(self, person: str = "aud") -> list[Json]:
        return answered(self.office.get(f"/certificates/{self.id}/events", person))["items"]

    @property
    def types(self) -> list[str]:
        return [event["type"].removesuffix(".v1") for event in self.stream()]

    def version_of(self, topic: str) -> int:
        """The version of the last such event."""
        return max(event["version"] for event in self.stream() if event["type"] == f"{topic}.v1")

    def status(self, person: str | None = None, **query: Any) -> str:
        return self.office.status(self.number, person, **query)["status"]

    def last_case(self, kind: str) -> int:
        return max(case["case"] for case in self.view()["cases"] if case["kind"] == kind)

    # ---- chapters ----------------------------------------------------------------------------------------------------

    def application(self, kind: str = "initial", **given: Any) -> Json:
        body = {
            "kind": kind, "organisation": str(self.office.organisations[self.holder]), "scheme": CSP,
            "certification_type": "star", "holder": "Example Alarm Ltd", "address": "1 Example Road",
            "scope": "alarm operation",
        }  # fmt: skip
        return body | ({} if kind == "initial" else {"certificate_id": self.id}) | given

    def applies(self, kind: str = "initial", **given: Any) -> Life:
        response = self.office.post("/applications", self.holder, self.application(kind, **given))
        self.id = answered(response, 201 if kind == "initial" else 200)["certificate_id"]
        self.case = 1 if kind == "initial" else self.last_case(kind)
        return self

    def accepted(self) -> Life:
        self.does_in_case("review", "reg", {"outcome": "accepted"})
        return self

    def site(self, on: date | None = None) -> Json:
        day = (on or self.office.today).isoformat()
        return {"on_site_from": day, "on_site_to": day}

    def planned(self, team: Iterable[str] = ("ana",), **given: Any) -> Life:
        self.does_in_case("plan", "reg", self.site() | {"team": list(team)} | given)
        return self

    @property
    def edition(self) -> Edition:
        """The certificate's, or the first."""
        register = self.office.house.register
        return register.editions[register.certificate(UUID(self.id)).edition if self.id else EDITION]

    def findings(
        self,
        lost: int = 0,
        nonconforming: Iterable[str] = (),
        elements: Iterable[str] | None = None,
        scored: bool = True,
    ) -> list[Json]:
        """Full marks less ``lost``, which is taken from the elements in order."""
        edition, found = self.edition, []
        for code in edition.elements if elements is None else elements:
            weight = int(edition.elements[code].weight)
            lost, taken = max(0, lost - weight), min(lost, weight)
            outcome = "nonconforming" if code in nonconforming else "conforming"
            marks = {"marks": str(weight - taken)} if scored else {}
            found.append({"element": code, "outcome": outcome} | marks)
        return found

    def assessment(self, **given: Any) -> Json:
        """The body of a record of an assessment made today."""
        return self.site() | {"findings": self.findings(**given)}

    def assessed(self, by: str = "ana", **given: Any) -> Life:
        self.does_in_case("assessment", by, self.assessment(**given))
        return self

    def reviewed(self, by: str = "rev") -> Life:
        self.does_in_case("assessment-review", by, {"recommendation": "as found"})
        return self

    def graded(self, kind: str = "initial", **found: Any) -> Life:
        """An application carried to its grade, all on one day."""
        return self.applies(kind).accepted().planned().assessed(**found).reviewed()

    def decided(self, outcome: str, **given: Any) -> Json:
        return self.both(f"cases/{self.case}/decision", {"outcome": outcome} | given)

    def granted(self, **found: Any) -> Life:
        self.graded(**found).decided("grant")
        return self

    def issued(self, **found: Any) -> Life:
        """A certificate issued today."""
        self.granted(**found)
        self.number = self.does("issuances", "reg")["certificate_number"]
        return self

    def visit_opened(self) -> Life:
        """A visit wished, if none is open."""
        self.does("visits", "reg", {"grounds": "early visit"})
        self.case = self.last_case("visit")
        return self

    def drawn(self) -> list[str]:
        return next(case["draw"] for case in self.view()["cases"] if case["case"] == self.case)

    def visited(self, **found: Any) -> Life:
        """The open visit planned and recorded today."""
        self.planned()
        return self.assessed(**({"elements": self.drawn()} | found))

    def suspended(self, **given: Any) -> Life:
        self.both("suspensions", {"reasons": reasons("mark_misused")} | given)
        return self

    def reinstated(self, **given: Any) -> Life:
        self.both("reinstatements", {"grounds": "put right", "closed": reasons("mark_misused")} | given)
        return self

    def withdrawn(self) -> Life:
        self.both("withdrawals", {"reasons": reasons("requirements_not_met")})
        return self

    def cancelled(self) -> Life:
        self.does("cancellations", self.holder, {"reasons": reasons("holder_request")})
        return self

    def expired(self) -> Life:
        """The day after its last valid day has come, and no clock has run."""
        self.office.moves_to(date.fromisoformat(self.view()["periods"][-1]["valid_until"]) + timedelta(days=1))
        return self

    def appealed(self, against: int) -> Life:
        self.does("appeals", self.holder, {"against": against, "grounds": "we differ"})
        self.case = self.last_case("appeal")
        return self

    def complained(self) -> Life:
        self.does("complaints", self.holder, {"grounds": "nobody answers"})
        self.case = self.last_case("complaint")
        return self


def later(life: Life, days: int) -> str:
    """The legal day so many days from today."""
    return (life.office.today + timedelta(days=days)).isoformat()


STAGES: dict[str, Callable[[Life], Any]] = {
    "opened": Life.applies,
    "accepted": lambda life: life.applies().accepted(),
    "planned": lambda life: life.applies().accepted().planned(),
    "assessed": lambda life: life.applies().accepted().planned().assessed(),
    "nonconforming": lambda life: life.applies().accepted().planned().assessed(nonconforming=["5.2.1"]),
    "graded": Life.graded,
    "proposed": lambda life: life.graded().proposes("cases/1/decision", {"outcome": "grant"}),
    "granted": Life.granted,
    "active": Life.issued,
    "suspended": lambda life: life.issued().suspended(ends_on=later(life, 30)),
    "withdrawal_open": lambda life: life.issued().does(
        "withdrawal-proceedings", "dora", {"step": "open", "reasons": reasons("requirements_not_met")}
    ),
    "withdrawn": lambda life: life.issued().withdrawn(),
    "cancelled": lambda life: life.issued().cancelled(),
    "visit_opened": lambda life: life.issued().visit_opened(),
    "visit_planned": lambda life: life.issued().visit_opened().planned(),
    "appealed": lambda life: life.issued().appealed(against=life.version_of("certificate-issued")),
    "complained": lambda life: life.issued().complained(),
}
"""How a new certificate is carried to each stage, all on one day."""


def life_at(office: Office, stage: str, holder: str = "holder") -> Life:
    """A new certificate, carried to that stage; the holder of one withdrawn for cause is barred, so it is another's."""
    life = Life(office, "former" if stage == "withdrawn" else holder)
    STAGES[stage](life)
    return life


def resting_at(office: Office, stage: str) -> Life:
    """A certificate at that stage for tests that record nothing: one for all of them."""
    if stage not in office.resting:
        office.resting[stage] = life_at(office, stage)
    return replace(office.resting[stage])
