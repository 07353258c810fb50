"""Makes rehearsals and carries out adoptions beside the requests, a thread each; what is cut short is gone on with."""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from time import monotonic
from typing import Any
from uuid import UUID

import psycopg
import structlog

from lifecycle import events as e
from lifecycle.rehearsal.adoption import Run, cut_short
from lifecycle.rehearsal.run import rehearse
from lifecycle.service import Register

_log = structlog.get_logger()


class Stopped(Exception):
    """The process ends; what was under way stands where it is."""


@dataclass(slots=True)
class Progress:
    """How far this process has come: ``done`` lines ``of`` so many, None where that is not known yet."""

    of: int | None = None
    done: int = 0
    began: float = field(default_factory=monotonic)

    def told(self) -> dict[str, Any]:
        seconds = max(0.001, monotonic() - self.began)
        left = None if self.of is None or not self.done else int((self.of - self.done) * seconds / self.done)
        return {"done": self.done, "of": self.of, "per_second": int(self.done / seconds), "seconds_left": left}


class Runner:
    """What runs, by rehearsal; a rehearsal runs at most once in a process."""

    def __init__(self, register: Register, reading: Callable[[], AbstractContextManager[psycopg.Connection]]) -> None:
        self.register, self._reading = register, reading
        self._running: dict[UUID, tuple[threading.Thread, Progress]] = {}
        self._starting, self._stopping = threading.Lock(), threading.Event()

    def rehearse(self, id: UUID) -> None:
        """The rehearsal is being made."""

        def work(progress: Progress) -> None:
            with self._reading() as connection:
                rehearse(self.register, connection, id, lambda lines: self._reached(progress, lines))

        self._start(id, work)

    def adopt(self, id: UUID, by: e.By) -> None:
        """The adoption is under way; what cuts it short stands in the rehearsal's stream."""

        def work(progress: Progress) -> None:
            try:
                run = Run.of(self.register, id, by)
                progress.of = run.lines
                for done, _ in enumerate(run.adopt(), 1):
                    self._reached(progress, done)
            except Stopped:
                raise
            except Exception as error:
                cut_short(self.register, id, by, f"{type(error).__name__}: {error}")
                raise

        self._start(id, work)

    def progress(self, id: UUID) -> dict[str, Any] | None:
        """How far this process has come with it; None where it runs elsewhere or not at all."""
        running = self._running.get(id)
        return running[1].told() if running and running[0].is_alive() else None

    def wait(self, id: UUID) -> None:
        """Whatever ran for it in this process has ended."""
        if id in self._running:
            self._running[id][0].join()

    def stop(self) -> None:
        """Nothing runs any more."""
        self._stopping.set()
        for thread, _ in list(self._running.values()):
            thread.join()

    def _reached(self, progress: Progress, done: int) -> None:
        progress.done = done
        if self._stopping.is_set():
            raise Stopped

    def _start(self, id: UUID, work: Callable[[Progress], None]) -> None:
        with self._starting:
            running = self._running.get(id)
            if running is not None and running[0].is_alive():
                return
            progress = Progress()
            thread = threading.Thread(target=_logged, args=(id, work, progress), daemon=True, name=f"rehearsal {id}")
            self._running[id] = thread, progress
            thread.start()


def _logged(id: UUID, work: Callable[[Progress], None], progress: Progress) -> None:
    try:
        work(progress)
    except Stopped:
        return
    except Exception as error:
        _log.error("a rehearsal or its adoption was cut short", rehearsal=str(id), problem=str(error))
