"""Who asks: the person, role and organisation behind a key."""

from dataclasses import dataclass
from uuid import UUID

from fastapi import Request

from api.problems import KeyMissing, KeyNotAccepted
from lifecycle import events as e
from lifecycle.errors import RoleNotAllowed
from lifecycle.keys import sha256_of
from lifecycle.service import Register

STAFF: frozenset[e.Role] = frozenset({"registrar", "assessor", "decision_maker", "scheme_manager", "auditor"})


@dataclass(frozen=True, slots=True)
class Identity:
    """A person in a role; ``organisation`` confines an applicant to its own."""

    by: e.By
    organisation: UUID | None

    @property
    def role(self) -> e.Role:
        return self.by.role


OPERATOR = Identity(e.By("operator", "auditor", "command-line"), None)
"""Who asks on the machine itself."""


def identify(register: Register, request: Request) -> Identity:
    """Whose key the request bears. Raises KeyMissing or KeyNotAccepted."""
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret:
        raise KeyMissing()
    found = register.recorder.key_by_hash(sha256_of(secret.strip()))
    if found is None or found.revoked_at is not None:
        raise KeyNotAccepted()
    return Identity(e.By(found.person, found.role, found.key), found.organisation)


def require(identity: Identity, allowed: frozenset[e.Role], act: str) -> None:
    """Raises RoleNotAllowed."""
    if identity.role not in allowed:
        raise RoleNotAllowed(role=identity.role, act=act, allowed=", ".join(sorted(allowed)) or "nobody")
