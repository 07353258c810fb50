"""Keys: each is issued to one person in one role; only the SHA-256 of its secret is kept."""

import hashlib
import secrets
from uuid import UUID

from lifecycle import events as e
from lifecycle.commands import IssueKey
from lifecycle.decisions.moment import Moment

REGISTER = UUID("5e0a9c1d-2b7f-5c43-9f58-6d1e7a3b9c66")
"""The stream of the register itself: keys issued and revoked."""


def new_secret() -> str:
    """A secret of 256 random bits, as it is handed to the person once."""
    return "certlife_" + secrets.token_urlsafe(32)


def sha256_of(secret: str) -> bytes:
    """What the register keeps of a secret."""
    return hashlib.sha256(secret.encode()).digest()


def issue(key: str, secret: str, command: IssueKey, moment: Moment) -> list[e.Fact]:
    return [
        e.KeyIssued(
            **moment.stamp(moment.today),
            key=key,
            person=command.person,
            role=command.role,
            organisation=command.organisation,
            secret_sha256=sha256_of(secret).hex(),
        )
    ]


def revoke(key: str, reason: str, moment: Moment) -> list[e.Fact]:
    return [e.KeyRevoked(**moment.stamp(moment.today), key=key, reason=reason)]
