"""Who is alive on a data folder: two locks that the kernel lets go when their last holder ends.

`launcher.lock` is held by the process that runs the server. `server.lock` is inherited by initdb, postgres and all
its children: it is free exactly when every one of them has ended, however that came about.
"""

import fcntl
import os
import signal
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep

from psycopg import pq

from api.postgres.address import ping
from api.postgres.binaries import PostgresUnavailable
from api.postgres.seat import folder_in_use

PATIENCE_SECONDS = 60.0
POLL_SECONDS = 0.02
SOCKET_LINE = 4  # of postmaster.pid, from 0; the postmaster's id is on line 0


@contextmanager
def claimed(home: Path) -> Generator[None]:
    """Nobody else launches on this folder meanwhile. Raises PostgresUnavailable naming the process that does."""
    path = home / "launcher.lock"
    lock = _opened(path)
    try:
        if not _locked(lock):
            holder = path.read_text().strip() or "unknown"
            raise PostgresUnavailable(
                f"The database in {home} is in use by process {holder}. Stop that process, or choose another folder."
            )
        os.ftruncate(lock, 0)
        os.pwrite(lock, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(lock)


@contextmanager
def alone(home: Path) -> Generator[int]:
    """No process of any server of this folder lives; a program that inherits the lock given keeps others out.

    A server left behind by a launcher that died is asked to shut down, and waited for. Raises PostgresUnavailable if
    it has not ended within a minute.
    """
    lock = _opened(home / "server.lock")
    try:
        if not _locked(lock):
            cluster = folder_in_use(home) / "cluster"
            _ask_to_stop(cluster)
            _wait_for(lock, cluster)
        yield lock
    finally:
        os.close(lock)  # never unlocked: that would take the lock from those who inherited it


def pid_file(cluster: Path) -> list[str]:
    """The lines of the cluster's postmaster.pid; none if there is no such file."""
    try:
        return (cluster / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return []


def _opened(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise PostgresUnavailable(f"{path} cannot be used: {error.strerror}. Choose a folder of your own.") from error


def _locked(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _ask_to_stop(cluster: Path) -> None:
    lines = pid_file(cluster)
    # Somebody answers on the private socket that this file names: the postmaster lives, and the id is still its own.
    if len(lines) > SOCKET_LINE and ping(Path(lines[SOCKET_LINE])) in (pq.Ping.OK, pq.Ping.REJECT):
        with suppress(ProcessLookupError):
            os.kill(int(lines[0]), signal.SIGINT)


def _wait_for(lock: int, cluster: Path) -> None:
    deadline = monotonic() + PATIENCE_SECONDS
    while not _locked(lock):
        if monotonic() > deadline:
            last = (pid_file(cluster) or ["unknown"])[0]
            raise PostgresUnavailable(
                f"Processes of an earlier server on {cluster} still run (the process id of its postmaster was {last}). "
                "End them, or choose another folder."
            )
        sleep(POLL_SECONDS)
