"""Folders for a test's servers: quick where the machine allows it, and never left behind for long."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

MEMORY = Path("/dev/shm")
MEMORY_NEEDED_BYTES = 2 * 2**30
PREFIX = f"certlife-tests-{os.geteuid()}-"


@contextmanager
def folder_in_memory() -> Generator[Path]:
    """A folder in the machine's memory; on its disk if there is too little."""
    roomy = MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > MEMORY_NEEDED_BYTES
    with _folder(MEMORY if roomy else Path(tempfile.gettempdir())) as folder:
        yield folder


@contextmanager
def folder_on_disk() -> Generator[Path]:
    """A folder on the machine's disk."""
    with _folder(Path(tempfile.gettempdir())) as folder:
        yield folder


@contextmanager
def _folder(base: Path) -> Generator[Path]:
    """A folder that any account may pass through; removed afterwards, or by the next test run if we are killed."""
    with _alone_in(base):
        _remove_abandoned(base)
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=base))
        folder.chmod(0o711)  # an unprivileged account may have to run the server
        claim = _claim(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if claim is not None:
            os.close(claim)


@contextmanager
def _alone_in(base: Path) -> Generator[None]:
    descriptor = os.open(base / f"{PREFIX}lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _remove_abandoned(base: Path) -> None:
    for folder in base.glob(f"{PREFIX}*/"):
        claim = _claim(folder)
        if claim is not None:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(claim)


def _claim(folder: Path) -> int | None:
    """A descriptor that holds the folder for as long as this process lives; None if another process holds it."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor
