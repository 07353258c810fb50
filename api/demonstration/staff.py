"""The persons of a demonstration: one for each role and as many as the duties need to be kept apart."""

from uuid import UUID

from lifecycle import commands as c
from lifecycle import events as e
from lifecycle.service import Register, Request

ADMINISTRATOR = e.By("demo-administrator", "administrator", "demo")

STAFF: dict[str, e.Role] = {
    "registrar": "registrar",
    "assessor-1": "assessor",
    "assessor-2": "assessor",
    "reviewer": "assessor",
    "decider-1": "decision_maker",
    "decider-2": "decision_maker",
    "scheme-manager": "scheme_manager",
    "auditor": "auditor",
    "administrator": "administrator",
    "clock": "clock",
}


def register_staff(register: Register) -> dict[str, str]:
    """Each person's secret, by the person's id."""
    return {person: new_person(register, person, role) for person, role in STAFF.items()}


def new_person(register: Register, person: str, role: e.Role, organisation: UUID | None = None) -> str:
    """The secret of a new person's key."""
    request = Request(ADMINISTRATOR, f"person-{person}", "00" * 32)
    register.register_person(request, c.RegisterPerson(person=person))
    _, secret = register.issue_key(ADMINISTRATOR, c.IssueKey(person=person, role=role, organisation=organisation))
    return secret
