"""Processes that are made to hold still."""

import os
import signal
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def holding_still(*pids: int) -> Generator[None]:
    """The processes do nothing inside the `with`."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
