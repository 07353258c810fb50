"""Registers with a fault put into them, each of which the tests must find."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from lifecycle import events as e
from lifecycle.certificate import Certificate
from lifecycle.decisions.clock import owed
from lifecycle.events import Recorded
from lifecycle.periods import legal_day
from lifecycle.service import Register
from lifecycle.store import VersionConflict
from lifecycle.work import Work


class Forgetful(Register):
    """It does not know what it has announced."""

    def certificate(self, certificate_id: UUID) -> Certificate:
        found = super().certificate(certificate_id)
        found.due_announced.clear()
        found.overdue_announced.clear()
        return found


class Headstrong(Register):
    """After a conflict it appends again what it had decided before."""

    def tick(self, certificate_id: UUID, on: date | None = None, *, dry_run: bool = False) -> list[e.Fact]:
        today = legal_day(self.recorder.present(self.clock.instant()))
        facts = owed(self.certificate(certificate_id), min(on or today, today))
        while facts:
            version = self.certificate(certificate_id).version
            work = Work(certificate_id, version)
            work.add(certificate_id, version, facts)
            try:
                self.save(*work.records, now=self.clock.instant())
            except VersionConflict:
                continue
            return facts
        return []


class Credulous(Register):
    """It believes whoever tells it the day."""

    def tick(self, certificate_id: UUID, on: date | None = None, *, dry_run: bool = False) -> list[e.Fact]:
        certificate = self.certificate(certificate_id)
        version = certificate.version
        facts = owed(certificate, on or legal_day(self.recorder.present(self.clock.instant())))
        if facts:
            work = Work(certificate_id, version)
            work.add(certificate_id, version, facts)
            self.save(*work.records, now=self.clock.instant())
        return facts


class Overriding(Register):
    """Whatever it decided is recorded, also when somebody else was faster."""

    def save(self, *records: Recorded, **given: Any) -> list[Any]:
        while True:
            try:
                return super().save(*records, **given)
            except VersionConflict:
                records = tuple(self._behind(records))

    def _behind(self, records: Sequence[Recorded]) -> Iterator[Recorded]:
        added: Counter[UUID] = Counter()
        for record in records:
            id = record.originator_id
            added[id] += 1
            (last,) = self.recorder.select_events(id, desc=True, limit=1) or (None,)
            yield Recorded(id, (last.originator_version if last else 0) + added[id], record.fact)
