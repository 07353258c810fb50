"""One lawful request for every command, written by hand from the interface: where, by whom, with what, and what follows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any

from lifecycle.organisation import check_character
from tests.api.life import SHA, Json, Life, later, life_at, reasons, resting_at
from tests.api.office import Office

_fresh = count(100)


@dataclass(frozen=True)
class Lawful:
    """A request that is carried out by ``by`` on a certificate at the stage ``at``, and the facts it records."""

    address: str
    at: str
    by: str
    body: Callable[[Life], Json]
    records: tuple[str, ...]
    status: int = 200

    @property
    def name(self) -> str:
        return self.address.rsplit("/", 1)[1] + (f"-{self.at}" if self.address.endswith("outcome") else "")

    @property
    def about_certificate(self) -> bool:
        return "{certificate_id}" in self.address

    def path(self, life: Life) -> str:
        return self.address.format(
            certificate_id=life.id, case=life.case, proposal=life.proposed.get("proposal", 0), person="ana"
        )

    def sent(self, life: Life, **given: Any) -> Any:
        """The bare response."""
        person = given.pop("person", life.holder if self.by == "holder" else self.by)
        body = given.pop("body", None) or self.body(life)
        return life.office.post(self.path(life), person, body, **given)


def _unified_code() -> str:
    body = f"91110108{next(_fresh):09d}"
    return body + check_character(body)


def _fixed(**body: Any) -> Callable[[Life], Json]:
    return lambda life: body


_CERTIFICATE = "/certificates/{certificate_id}"
_CASE = f"{_CERTIFICATE}/cases/{{case}}"
_MISUSED = reasons("mark_misused")
_APPEAL = _fixed(upheld=False, grounds="the record is right")

LAWFUL: tuple[Lawful, ...] = (
    Lawful(
        "/organisations", "nothing", "reg",
        lambda life: {"unified_code": _unified_code(), "name": "新公司", "address": "北京"},
        ("organisation-registered",), 201,
    ),
    Lawful("/persons", "nothing", "adm", lambda life: {"person": f"p{next(_fresh)}"}, ("person-registered",), 201),
    Lawful(
        "/persons/{person}/conflicts", "nothing", "reg",
        lambda life: {"organisation": str(life.office.organisations["former"]), "grounds": "worked there"},
        ("conflict-declared",),
    ),
    Lawful("/applications", "nothing", "holder", lambda life: life.application(), ("application-submitted",), 201),
    Lawful(f"{_CASE}/review", "opened", "reg", _fixed(outcome="accepted"), ("application-accepted",)),
    Lawful(f"{_CASE}/withdrawal", "opened", "holder", _fixed(), ("application-withdrawn",)),
    Lawful(f"{_CASE}/plan", "accepted", "reg", lambda life: life.site() | {"team": ["ana"]}, ("assessment-planned",)),
    Lawful(f"{_CASE}/assessment", "planned", "ana", Life.assessment, ("assessment-recorded",)),
    Lawful(f"{_CASE}/nonconformity-closures", "nonconforming", "ana", _fixed(element="5.2.1", evidence=[SHA]),
           ("nonconformity-closed",)),
    Lawful(f"{_CASE}/assessment-review", "assessed", "rev", _fixed(recommendation="grant"),
           ("assessment-reviewed", "grade-determined")),
    Lawful(f"{_CASE}/decision", "graded", "dora", _fixed(outcome="grant"), ("act-proposed",), 202),
    Lawful(f"{_CASE}/outcome", "appealed", "dina", _APPEAL, ("appeal-decided",)),
    Lawful(f"{_CASE}/outcome", "complained", "dina", _APPEAL, ("complaint-decided",)),
    Lawful(f"{_CERTIFICATE}/issuances", "granted", "reg", _fixed(), ("certificate-issued",)),
    Lawful(f"{_CERTIFICATE}/reissues", "active", "reg",
           _fixed(reasons=reasons("name_changed"), holder="Example Alarm and Guard Ltd"), ("certificate-reissued",)),
    Lawful(
        f"{_CERTIFICATE}/notices", "active", "reg",
        lambda life: {"of": 1, "served_on": life.office.today.isoformat(), "proof_sha256": SHA}, ("holder-notified",),
    ),
    Lawful(f"{_CERTIFICATE}/visits", "active", "reg", _fixed(grounds="a wish"), ("surveillance-requested",)),
    Lawful(f"{_CERTIFICATE}/suspensions", "active", "dora", _fixed(reasons=_MISUSED), ("act-proposed",), 202),
    Lawful(
        f"{_CERTIFICATE}/suspension-extensions", "suspended", "dora",
        lambda life: {"reasons": _MISUSED, "ends_on": later(life, 60)}, ("act-proposed",), 202,
    ),
    Lawful(f"{_CERTIFICATE}/reinstatements", "suspended", "dora", _fixed(grounds="put right", closed=_MISUSED),
           ("act-proposed",), 202),
    Lawful(f"{_CERTIFICATE}/withdrawal-proceedings", "active", "dora",
           _fixed(step="open", reasons=reasons("requirements_not_met")), ("withdrawal-opened",)),
    Lawful(f"{_CERTIFICATE}/withdrawals", "active", "dora", _fixed(reasons=reasons("requirements_not_met")),
           ("act-proposed",), 202),
    Lawful(f"{_CERTIFICATE}/cancellations", "active", "holder", _fixed(reasons=reasons("holder_request")),
           ("certificate-cancelled",)),
    Lawful(
        f"{_CERTIFICATE}/corrections", "active", "reg",
        lambda life: {
            "target": life.version_of("certificate-issued"), "reason": "a slip",
            "changes": [{"path": "/holder", "old": "Example Alarm Ltd", "new": "Example Alarms Ltd"}],
        },
        ("act-proposed",), 202,
    ),
    Lawful(
        f"{_CERTIFICATE}/appeals", "active", "holder",
        lambda life: {"against": life.version_of("certificate-issued"), "grounds": "we differ"}, ("appeal-lodged",),
    ),
    Lawful(f"{_CERTIFICATE}/complaints", "active", "holder", _fixed(grounds="nobody answers"), ("complaint-lodged",)),
    Lawful(f"{_CERTIFICATE}/proposals/{{proposal}}/approvals", "proposed", "dan",
           lambda life: {"digest": life.proposed["digest"]}, ("certification-granted",)),
    Lawful(f"{_CERTIFICATE}/proposals/{{proposal}}/rejections", "proposed", "dan", _fixed(reason="not so"),
           ("proposal-rejected",)),
)  # fmt: skip


def life_for(office: Office, lawful: Lawful) -> Life:
    """A new certificate at the stage that the request is lawful at."""
    return Life(office) if lawful.at == "nothing" else life_at(office, lawful.at)


def resting_for(office: Office, lawful: Lawful) -> Life:
    """The same for tests that record nothing: one certificate for all of them."""
    return Life(office) if lawful.at == "nothing" else resting_at(office, lawful.at)
