"""Makes a rehearsal that was requested: asks all recorded questions again, keeps every line, completes it.

Safe to run at any time, anywhere, any number of times: the same facts make the same lines, and it is completed once.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from lifecycle import events as e
from lifecycle.bulk import FACTS_SORTED, spans
from lifecycle.decisions.moment import Moment
from lifecycle.rehearsal import lines as rehearsal_lines
from lifecycle.rehearsal.comparison import Comparing, Line
from lifecycle.rehearsal.lines import LineEdited
from lifecycle.rehearsal.rehearsing import lines
from lifecycle.rehearsal.report import Report, Scope, Tally
from lifecycle.rehearsal.state import Rehearsal, rehearsal_of
from lifecycle.service import Register


def rehearsal(register: Register, id: UUID) -> Rehearsal:
    """The rehearsal as it stands. Raises RehearsalUnknown."""
    return rehearsal_of(id, register.events.get(id))


def rehearse(
    register: Register, connection: psycopg.Connection, id: UUID, told: Callable[[int], None] = lambda lines: None
) -> Rehearsal:
    """The rehearsal is completed; ``told`` hears how many lines there are so far."""
    found = rehearsal(register, id)
    if found.completed is not None:
        return found
    tally, digests = _tally(register, found), hashlib.sha256()
    count = 0
    for batch in _batches(_judged(register, connection, found, tally)):
        rehearsal_lines.keep(register.recorder, id, batch)
        for line in batch:
            digests.update(rehearsal_lines.sha256_of(line))
        count += len(batch)
        told(count)
    return _complete(register, found, tally.report(found.asked.log_position), count, digests.hexdigest())


def comparing(register: Register, found: Rehearsal) -> Comparing:
    """How the rehearsal compares."""
    return Comparing(register.editions[found.edition], register.editions, found.asked.asked_on)


def require_kept(register: Register, found: Rehearsal) -> None:
    """Raises LineEdited unless all lines that are kept are those with which the rehearsal was completed."""
    completed, digests, count = found.completed, hashlib.sha256(), 0
    for kept in rehearsal_lines.each(register.recorder, found.id):
        digests.update(kept.bytes_sha256)
        count += 1
    if completed is None or (count, digests.hexdigest()) != (completed.lines, completed.lines_sha256):
        raise LineEdited(found.id, f"there are {count}, with another digest")


def _judged(register: Register, connection: psycopg.Connection, found: Rehearsal, tally: Tally) -> Iterator[Line]:
    """The lines in the order of their certificates; what is under repair has none, and is counted."""
    upto = found.asked.log_position
    for line in lines(connection, comparing(register, found), spans(upto, FACTS_SORTED), upto):
        tally.add(line)
        if isinstance(line, Line):
            yield line


def _tally(register: Register, found: Rehearsal) -> Tally:
    asked = comparing(register, found)
    return Tally(asked.edition, None, Scope(asked.edition.scheme), asked.on)


def _batches(made: Iterable[Line]) -> Iterator[list[Line]]:
    batch: list[Line] = []
    for line in made:
        batch.append(line)
        if len(batch) == rehearsal_lines.PAGE:
            yield batch
            batch = []
    if batch:
        yield batch


def _complete(register: Register, found: Rehearsal, report: Report, count: int, digest: str) -> Rehearsal:
    def facts(stands: Rehearsal, moment: Moment) -> list[e.Fact]:
        if stands.completed is not None:
            return []
        return [
            e.RehearsalCompleted(
                **moment.stamp(moment.today, edition=stands.edition),
                report=e.plain(without_lines(report)),
                report_sha256=hashlib.sha256(msgspec.json.encode(report)).hexdigest(),
                lines=count,
                lines_sha256=digest,
            )
        ]

    register.add_to(lambda: rehearsal(register, found.id), facts, found.asked.by, _cause(found.id))
    return rehearsal(register, found.id)


def without_lines(report: Report) -> dict[str, Any]:
    """The report's counts; of the certificate whose grade rises its id alone."""
    told = msgspec.structs.asdict(report)
    told |= {name: len(told[name]) for name in ("lines", "not_judged", "set_aside")}
    rises = report.any_grade_rises
    example = rises.example.certificate if rises.example else None
    return told | {"any_grade_rises": msgspec.structs.asdict(rises) | {"example": example}}


def _cause(id: UUID) -> e.Cause:
    return e.Cause("rehearsal", str(id))
