"""More processes that read parts of a rebuild: ``python -m projections.hands``, told by its input what to do.

They are polite: where something else wants the processor, they wait. They end when nothing is left to read, or when
whoever started them has gone.
"""

import gc
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from select import select
from typing import Any

NICENESS = 10


@contextmanager
def helped(told: Any, hands: int) -> Iterator[Callable[[], bool]]:
    """Tells whether any of so many helpers, ``told`` where to take part in what, is at work; at the end none is."""
    with ExitStack() as stack:
        helpers = [stack.enter_context(_helper(pickle.dumps(told))) for _ in range(hands)]
        yield lambda: any(helper.poll() is None for helper in helpers)


@contextmanager
def _helper(told: bytes) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "projections.hands"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True) as helper:  # noqa: S603
        try:
            if helper.stdin is not None:
                helper.stdin.write(told)
                helper.stdin.flush()
            yield helper
        finally:
            helper.kill()


def main() -> None:
    """Reads part after part."""
    from projections.rebuild import taking_part

    os.nice(NICENESS)
    gc.disable()  # millions of objects, none of which refers to itself
    told = pickle.load(sys.stdin.buffer)  # noqa: S301 - by a pipe from who started it
    with taking_part(*told) as read_part:
        while not select([sys.stdin], [], [], 0)[0] and read_part():
            pass


if __name__ == "__main__":
    main()
