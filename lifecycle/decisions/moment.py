"""What a decision is told: the day, who asks, who signs, the editions, and what other streams say."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from lifecycle import events as e
from lifecycle.certificate import Certificate
from lifecycle.documents import EVERY_GLYPH, Glyphs
from lifecycle.rules import Edition


@dataclass(frozen=True, slots=True)
class Moment:
    """One moment of decision.

    ``signers`` are the persons whose act it is, the proposer first. ``number`` is the next free certificate number,
    where the act may need one. ``conflicts`` says for each person concerned the organisations that person has declared
    an interest in; a person missing there is not registered. ``erased`` are those of them who act no more. ``glyphs``
    can be printed.
    """

    today: date
    by: e.By
    cause: e.Cause
    editions: Mapping[str, Edition]
    signed_by: tuple[str, ...] = ()
    proposal: int | None = None
    number: str | None = None
    conflicts: Mapping[str, frozenset[UUID]] = field(default_factory=dict)
    erased: frozenset[str] = frozenset()
    glyphs: Glyphs = EVERY_GLYPH

    @property
    def signers(self) -> tuple[str, ...]:
        return self.signed_by or (self.by.person,)

    def edition_of(self, certificate: Certificate) -> Edition:
        return self.editions[certificate.edition]

    def stamp(self, on: date, *, case: int | None = None, edition: str | None = None) -> dict[str, Any]:
        """What every fact of this act carries."""
        return {
            "effective_on": on,
            "by": self.by,
            "cause": self.cause,
            "signed_by": self.signed_by,
            "proposal": self.proposal,
            "case": case,
            "edition": edition,
        }
