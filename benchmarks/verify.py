"""`certlife verify` over a register in which nothing was changed: seconds, of each check too, and how memory grows.

The register stands on its own PostgreSQL, with receipts, ledger, checkpoint and read models; the command runs as a
process of its own, beside nothing else.
"""

import os
import resource
import subprocess
import sys
from time import perf_counter
from typing import Any, NamedTuple

from api.house import House
from benchmarks.ground import figure, ground, middle
from benchmarks.grown import grown
from benchmarks.serving import CERTLIFE, settings_of

ROUNDS = 5
EVENTS = 1_000_000
SECONDS_A_MILLION = 120.0
"""What it may take."""
CHECKS = ("trail", "ledger", "streams", "register", "deadlines", "receipts", "orphans")


class Run(NamedTuple):
    """How long a process took, and the most memory that it, or one that it started, had."""

    seconds: float
    megabytes: float


def run(events: int | None) -> tuple[int, list[dict[str, Any]]]:
    """The number of rounds and the figures; ``events`` is how many there are to verify."""
    wanted = events or EVENTS
    with ground() as house:
        grown(house, wanted // 10)
        small = _verified(house)
    with ground() as house:
        count = grown(house, wanted)
        whole = [_verified(house) for _ in range(ROUNDS)]
        single = {name: _verified(house, "--only", name) for name in CHECKS}
    seconds = middle([each.seconds for each in whole])
    most = max(each.megabytes for each in whole)
    return ROUNDS, [
        figure("seconds", seconds, SECONDS_A_MILLION * count / 1_000_000, "s"),
        figure("events_a_second", count / seconds, 1_000_000 / SECONDS_A_MILLION, "events/s"),
        figure("memory_growth", most, small.megabytes, "MB"),
        *(figure(f"seconds_{name}", each.seconds, seconds, "s") for name, each in single.items()),
    ]


def _verified(house: House, *options: str) -> Run:
    """Nothing was found."""
    began = perf_counter()
    command = [sys.executable, "-m", "benchmarks.verify", sys.executable, "-c", CERTLIFE, "verify", *options]
    done = subprocess.run(command, env=os.environ | settings_of(house), capture_output=True, text=True, check=False)
    *said, kilobytes = done.stdout.splitlines()
    assert done.returncode == 0, "\n".join([*said, done.stderr])
    return Run(perf_counter() - began, int(kilobytes) / 1024)


def main() -> None:
    """Runs a command, and tells the most memory that a process of it had: a child's begins with its parent's."""
    status = subprocess.run(sys.argv[1:], check=False).returncode
    print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
    sys.exit(status)


if __name__ == "__main__":
    main()
