"""Checks shared out among processes, each taking the next that is left; what they say comes together here."""

import gc
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from queue import Empty
from typing import Any

SECONDS = 1.0
WAYS = multiprocessing.get_context("spawn")

Look = Callable[[Iterator[Any]], Iterator[Any]]
"""What is said of one check after the other."""


class HandLost(Exception):
    """A process that looked at something was ended by somebody."""

    def __init__(self) -> None:
        super().__init__("A process that took part in the checks was ended before it had finished. Run them again.")


def shared(checks: Sequence[Any], hands: int, look: Look) -> Iterator[Any]:
    """Whatever is said of all checks, by so many processes, as it comes. Raises HandLost."""
    left, said = WAYS.Queue(), WAYS.Queue()
    for each in (*checks, *[None] * hands):
        left.put(each)
    with _at_work([WAYS.Process(target=_hand, args=(left, said, look), daemon=True) for _ in range(hands)]) as at_work:
        ended = 0
        while ended < hands:
            try:
                each = said.get(timeout=SECONDS)
            except Empty:
                if any(process.exitcode for process in at_work):
                    raise HandLost from None
                continue
            if each is None:
                ended += 1
            else:
                yield each


@contextmanager
def _at_work(processes: list[BaseProcess]) -> Iterator[list[BaseProcess]]:
    try:
        for process in processes:
            process.start()
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.join()


def _hand(left: Any, said: Any, look: Look) -> None:
    gc.freeze()
    gc.disable()  # millions of objects, none of which refers to itself
    for each in look(iter(left.get, None)):
        said.put(each)
    said.put(None)
