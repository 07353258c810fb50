"""A certificate as it was known while its history was being recorded, and as the whole history tells it now."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from lifecycle import events as e
from lifecycle.amendment import amend
from lifecycle.certificate import Certificate, evolve, fold
from lifecycle.events import Recorded


def as_known_at(certificate: Certificate, at: datetime) -> Certificate:
    """The certificate by what had been recorded at the instant; of version 0 where nothing had."""
    return fold(certificate.id, [each for each in certificate.history if each.recorded_at and each.recorded_at <= at])


class AsKnownNow:
    """Every event as all corrections have it, those recorded later too; what was voided is left out.

    ``state`` is what stands after the events taken so far.
    """

    def __init__(self, id: UUID, history: Sequence[Recorded]) -> None:
        self.events = self._told(history)
        self.state = Certificate(id)
        self.taken: list[Recorded] = []
        self.state.history = self.taken

    def take(self, recorded: Recorded) -> None:
        """The state is one event further on."""
        self.taken.append(recorded)
        evolve(self.state, recorded.version, recorded.fact)

    def _told(self, history: Sequence[Recorded]) -> Sequence[Recorded]:
        return amend(history)


class AsKnownThen(AsKnownNow):
    """Every event as it was recorded; a correction changes what stands from its own recording on."""

    def take(self, recorded: Recorded) -> None:
        if not isinstance(recorded.fact, e.RecordCorrected):
            super().take(recorded)
            return
        self.taken.append(recorded)
        self.state = fold(self.state.id, self.taken)

    def _told(self, history: Sequence[Recorded]) -> Sequence[Recorded]:
        return history
