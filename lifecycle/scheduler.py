"""The clock: asks what falls due, and has the service record it. Once only, however late, however many clocks.

A tick is safe to run at any time, anywhere, any number of times: each fact is decided on the certificate's own stream,
whose (id, version) key lets it be recorded once. APScheduler only calls the tick.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Protocol
from uuid import UUID

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from lifecycle import errors
from lifecycle import events as e
from lifecycle.service import Register
from lifecycle.store import StoreUnavailable

_log = structlog.get_logger()


class DueDates(Protocol):
    """Pages of certificates for which something is owed by a day, oldest first."""

    def __call__(self, by: date) -> Iterable[list[UUID]]: ...


@dataclass(slots=True)
class Tick:
    """One round: what was recorded, and which certificates could not be handled."""

    on: date
    recorded: list[tuple[UUID, e.Fact]] = field(default_factory=list)
    failed: list[tuple[UUID, str]] = field(default_factory=list)


def tick(register: Register, due_dates: DueDates, on: date, *, dry_run: bool = False) -> Tick:
    """Every fact owed by ``on`` is recorded; with ``dry_run`` it is only told what would be.

    A certificate that cannot be handled is named, and the others go on; but without a database none can be. Raises
    DayInFuture, StoreUnavailable.
    """
    result = Tick(on)
    for certificate_id in _each(due_dates(on)):
        try:
            facts = register.tick(certificate_id, on, dry_run=dry_run)
        except (errors.DayInFuture, StoreUnavailable):
            raise
        except Exception as error:
            _log.error("tick passed over a certificate", certificate=str(certificate_id), problem=str(error))
            result.failed.append((certificate_id, f"{type(error).__name__}: {error}"))
        else:
            result.recorded += [(certificate_id, fact) for fact in facts]
    return result


def why(fact: e.Fact) -> str:
    """The ground of a clock's fact, for people: "last visit 2025-03-31 + 12 months, edition ..."."""
    match fact:
        case e.SurveillanceDue():
            return (
                f"due on {fact.due_on}: last check {fact.anchor_on} + {fact.interval_months} months, "
                f"edition {fact.edition}; the notice window opens on {fact.effective_on}"
            )
        case e.SurveillanceOverdue():
            return f"was due on {fact.due_on}, edition {fact.edition}; overdue from {fact.effective_on}"
        case e.CertificateExpired():
            return f"last valid day {fact.valid_until}"
        case _:
            return ""


def start(run: Callable[[], object], every_seconds: int) -> BackgroundScheduler:
    """``run`` is called now, and then every so many seconds, never twice at once; missed calls are made up by one."""
    scheduler = BackgroundScheduler(executors={"default": ThreadPoolExecutor(1)}, timezone="UTC")
    at_once = datetime.now(UTC)
    once = {"coalesce": True, "misfire_grace_time": None, "max_instances": 1}
    scheduler.add_job(run, "interval", seconds=every_seconds, next_run_time=at_once, **once)
    scheduler.start()
    return scheduler


def _each(pages: Iterable[list[UUID]]) -> Iterator[UUID]:
    """Each certificate once."""
    seen: set[UUID] = set()
    for page in pages:
        for certificate_id in page:
            if certificate_id not in seen:
                seen.add(certificate_id)
                yield certificate_id
