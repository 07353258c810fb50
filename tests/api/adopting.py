"""Adopters that are killed or stumble, and certificates enough for them: copies of one, as they stand in the log."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import psycopg

from lifecycle import commands as c
from lifecycle import events as e
from lifecycle.certificate import Certificate
from lifecycle.rehearsal.adoption import Adopted, Run
from lifecycle.rehearsal.comparison import Line
from lifecycle.rehearsal.lines import KeptLine
from lifecycle.rehearsal.requests import Rehearsals
from lifecycle.service import Register
from lifecycle.work import Request, Work
from tests.databases import Database

BY = e.By("sam", "scheme_manager", "k-sam")


class Standing:
    """A present that stands still."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def instant(self) -> datetime:
        return self.now


def copies(database: Database, of: UUID, how_many: int) -> list[UUID]:
    """So many certificates more, each with the same history under an id of its own."""
    with psycopg.connect(database.owner_url) as connection:
        ids = [uuid4() for _ in range(how_many)]
        for id in ids:
            connection.execute(
                "INSERT INTO certlife.events (originator_id, originator_version, topic, state, recorded_at)"
                " SELECT %(id)s, originator_version, topic, state, (SELECT max(recorded_at) FROM certlife.events)"
                " FROM certlife.events WHERE originator_id = %(of)s ORDER BY originator_version",
                {"id": id, "of": of},
            )
    return ids


def starts(register: Register, id: UUID) -> None:
    """An adoption is begun; nobody runs it yet."""
    Rehearsals(register).step(Request(BY, uuid4().hex, "00" * 32), id, c.Adopt())


def adopting(kind: str, service_url: str, now: datetime, id: UUID) -> None:
    """Runs the adoption to its end."""
    register = Register({"CERTLIFE_DATABASE_URL": service_url}, Standing(now))
    register.open()
    for _ in RUNS[kind].of(register, id, BY).adopt():
        pass


class InTwo(Run):
    """Mutant: the edition in one transaction, what follows from it in another."""

    def _recorded(self, kept: KeptLine) -> Adopted:
        work, done = self._decided(kept)
        if work is None:
            return done
        first = next(n for n, each in enumerate(work.records, 1) if isinstance(each.fact, e.EditionAdopted))
        for part in (work.records[:first], work.records[first:]):
            if part:
                self.register.save(*part, now=self.register.clock.instant())
        return done


class Headstrong(Run):
    """Mutant: after a conflict appends the same facts again, without deciding again."""

    def _recorded(self, kept: KeptLine) -> Adopted:
        work, done = self._decided(kept)
        while work is not None:
            try:
                self.register.save(*work.records, now=self.register.clock.instant())
            except Exception:
                version = self.register.certificate(kept.line.certificate).version
                again = Work(work.subject, version)
                again.add(work.subject, version, done.facts)
                work = again
                continue
            break
        return done


class Credulous(Run):
    """Mutant: takes every line for fresh."""

    def is_fresh(self, certificate: Certificate, line: Line) -> bool:
        return True


class Partial(Run):
    """Mutant: asks nobody on which team he stood."""

    def _barred(self, certificate: Certificate) -> frozenset[str]:
        return frozenset()


RUNS: dict[str, Any] = {run.__name__: run for run in (Run, InTwo, Headstrong, Credulous, Partial)}
