"""Where the server listens: a socket in a private folder, and never the network."""

import re
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from psycopg import pq

PORT = 5432  # a part of the socket's name
LONGEST_PATH_BYTES = 80


@contextmanager
def socket_folder(home: Path) -> Generator[Path]:
    """A folder for the socket that only we may enter, with a path short enough for every system.

    In ``home`` if that is short, and free of the characters that PostgreSQL reads as several folders; else a temporary
    one, removed afterwards.
    """
    folder = home / "socket"
    if len(bytes(folder / f".s.PGSQL.{PORT}")) < LONGEST_PATH_BYTES and re.fullmatch(r"[\w/.+~-]+", str(folder)):
        folder.mkdir(mode=0o700, exist_ok=True)
        yield folder
        return
    folder = Path(tempfile.mkdtemp(prefix="certlife-", dir=min(tempfile.gettempdir(), "/tmp", key=len)))  # noqa: S108
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def socket_url(folder: Path, dbname: str, user: str) -> str:
    """The address of a database behind the socket in that folder, for one role."""
    return f"postgresql://{quote(user, safe='')}@/{quote(dbname, safe='')}?host={quote(str(folder))}&port={PORT}"


def ping(folder: Path) -> pq.Ping:
    """Whether a server behind the socket in that folder accepts connections, refuses for now, or does not answer."""
    return pq.Ping(pq.PGconn.ping(socket_url(folder, "postgres", "postgres").encode()))
