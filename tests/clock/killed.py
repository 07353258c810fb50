"""Processes that are there to be killed: forked from one that has imported everything, so that they begin at once."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable
from multiprocessing import get_context, parent_process
from typing import Any

FORK = get_context("forkserver")
FORK.set_forkserver_preload(
    ["tests.clock.killed", "tests.clock.serving", "tests.clock.ticking", "tests.projections.following"]
)


class Killed:
    """A process that runs ``act`` again and again, each time from nothing, and is killed in the middle of it."""

    def __init__(self, act: Callable[..., object], *given: Any) -> None:
        self._act, self._given = act, given

    def start(self) -> Killed:
        self._process = FORK.Process(target=_obey, args=(self._act, self._given), daemon=True)
        self._process.start()
        return self

    @property
    def ended(self) -> bool:
        """It came to the end of its act, or died by itself."""
        return not self._process.is_alive()

    def kill(self) -> None:
        """Dead, as by kill -9, and seen dead."""
        self._process.kill()
        self._process.join()


def a_moment(steps: int = 40_000) -> None:
    """Less than a few transactions take, and never the same."""
    for _ in range(random.randrange(steps)):
        pass


def _obey(act: Callable[..., object], given: tuple[Any, ...]) -> None:
    """The process does not outlive those who started it."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    act(*given)


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)
