"""Signing keys: each signs for one purpose until another takes its place; its public half stands in the log for ever.

The private halves are files beside the service, never in the database.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from lifecycle import events as e
from lifecycle.decisions.moment import Moment
from lifecycle.events import Recorded


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The public half of a key; ``kid`` is its RFC 7638 thumbprint, ``public_key`` the curve's point in base64url."""

    purpose: str
    kid: str
    curve: str
    public_key: str
    retired: bool = False


@dataclass(frozen=True, slots=True)
class SigningKeys:
    """Every key ever added, in that order, by its kid, as the register's stream tells at ``version``."""

    version: int = 0
    by_kid: Mapping[str, SigningKey] = field(default_factory=dict)

    def after(self, history: Iterable[Recorded]) -> "SigningKeys":
        """The keys once ``history`` has been recorded too."""
        version, by_kid = self.version, dict(self.by_kid)
        for recorded in history:
            version = recorded.version
            match recorded.fact:
                case e.SigningKeyAdded() as added:
                    key = SigningKey(added.purpose, added.kid, added.curve, added.public_key)
                    by_kid[added.kid] = key
                case e.SigningKeyRetired() as retired:
                    by_kid[retired.kid] = replace(by_kid[retired.kid], retired=True)
        return SigningKeys(version, by_kid)

    def of(self, purpose: str) -> list[SigningKey]:
        """The keys of a purpose, retired ones too."""
        return [key for key in self.by_kid.values() if key.purpose == purpose]

    def current(self, purpose: str) -> SigningKey | None:
        """The key that signs for the purpose."""
        return next((key for key in reversed(self.of(purpose)) if not key.retired), None)


def add(known: SigningKeys, key: SigningKey, reason: str, moment: Moment) -> list[e.Fact]:
    """The key signs; the one that did before is retired for ``reason``."""
    stamp = moment.stamp(moment.today)
    retired = [
        e.SigningKeyRetired(**stamp, purpose=each.purpose, kid=each.kid, reason=reason)
        for each in known.of(key.purpose)
        if not each.retired
    ]
    added = e.SigningKeyAdded(**stamp, purpose=key.purpose, kid=key.kid, curve=key.curve, public_key=key.public_key)
    return [*retired, added]


def add_first(known: SigningKeys, key: SigningKey, moment: Moment) -> list[e.Fact]:
    """The key signs, where none does yet."""
    return [] if known.current(key.purpose) else add(known, key, "", moment)
