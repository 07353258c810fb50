"""The running server, and what one may do to it."""

import os
import signal
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic
from types import MappingProxyType

from psycopg import pq

from api.postgres.address import PORT, ping, socket_folder, socket_url
from api.postgres.binaries import PostgresUnavailable, find_binaries
from api.postgres.cluster import SUPERUSER, make_cluster
from api.postgres.guard import Guarded
from api.postgres.locks import PATIENCE_SECONDS, POLL_SECONDS, alone, claimed, pid_file
from api.postgres.seat import Seat, folder_in_use, take_seat

LOG_SHOWN_BYTES = 2000
NO_SETTINGS: Mapping[str, str] = MappingProxyType({})


@contextmanager
def running(
    data_dir: Path, *, environ: Mapping[str, str] = os.environ, settings: Mapping[str, str] = NO_SETTINGS
) -> Generator["Server"]:
    """The server of this data folder accepts connections inside the `with`, and has stopped after it.

    ``data_dir`` is made if need be, with an empty database `certlife` of the role `certlife`. ``settings`` are
    PostgreSQL's own ("fsync": "off"); without them it is as durable as PostgreSQL is by default. A server left behind
    by a process that died is stopped first. Raises PostgresUnavailable if another process uses the folder, naming
    it; if no usable PostgreSQL is found; or if it does not start, with the end of its log.
    """
    home = data_dir.expanduser().absolute()
    home.mkdir(parents=True, exist_ok=True, mode=0o711)
    with claimed(home):
        seat = _prepared_seat(home, environ, settings)
        with socket_folder(seat.folder) as entrance:
            seat.account.own(entrance)
            server = Server(home, seat, entrance, settings)
            try:
                server.start()
                yield server
            finally:
                server.stop()


class Server:
    """A PostgreSQL of our own. Made by `running`."""

    def __init__(self, home: Path, seat: Seat, entrance: Path, settings: Mapping[str, str]) -> None:
        self._home = home
        self._seat = seat
        self._entrance = entrance
        self._settings = settings
        self._log = seat.folder / "log"
        self._postmaster: Guarded | None = None
        with suppress(FileNotFoundError):
            self._log.replace(seat.folder / "log.previous")
        self._log.touch(mode=0o600)

    @property
    def pid(self) -> int | None:
        """The process id of the postmaster; of the last one, if it is down; None before the first start."""
        return self._postmaster and self._postmaster.pid

    @property
    def guard_pid(self) -> int | None:
        """The process id of the guard that ends the server when we die."""
        return self._postmaster and self._postmaster.guard_pid

    def url(self, dbname: str = "certlife", user: str = SUPERUSER) -> str:
        """The address of a database over the private socket, for one role; no password is asked."""
        return socket_url(self._entrance, dbname, user)

    def start(self) -> None:
        """Connections are accepted, after recovery if the server had crashed. Does nothing if it runs already."""
        if self._postmaster is not None and not self._postmaster.has_ended():
            return
        with alone(self._home) as lock, self._log.open("ab") as log:
            already_said = log.tell()
            self._postmaster = Guarded(
                self._seat.account.start(self._command(), output=log, inherit=(lock,), told=self._stale_pid())
            )
        self._wait_for_connections(self._postmaster, already_said)

    def stop(self) -> None:
        """The server has ended: in good order, or by force if it does not within a minute."""
        for request in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            if self._ends_on(request):
                return

    def restart_immediately(self) -> None:
        """Every connection was cut, nothing was flushed, and after crash recovery connections are accepted again."""
        self._ends_on(signal.SIGQUIT)
        self.start()

    def kill(self) -> None:
        """The postmaster is gone as by kill -9, and its pid file stays. `start` brings the server back."""
        self._ends_on(signal.SIGKILL)

    def _ends_on(self, request: signal.Signals) -> bool:
        return self._postmaster is None or self._postmaster.ends_on(request, within_seconds=PATIENCE_SECONDS)

    def _command(self) -> list[str]:
        fixed = {
            "listen_addresses": "",
            "port": str(PORT),
            "unix_socket_directories": str(self._entrance),
            "unix_socket_permissions": "0700",
            "logging_collector": "off",
        }
        chosen = [f"--{name}={value}" for name, value in {**self._settings, **fixed}.items()]
        return [self._seat.program("postgres"), "-D", str(self._seat.cluster), *chosen]

    def _stale_pid(self) -> dict[str, str]:
        # We hold server.lock, so the process in the pid file has ended, even where its number now belongs to another.
        # Told so in this way, postgres still refuses if the shared memory is in use; unlinking would prevent that.
        lines = pid_file(self._seat.cluster)
        return {"PG_GRANDPARENT_PID": lines[0]} if lines else {}

    def _wait_for_connections(self, postmaster: Guarded, already_said: int) -> None:
        deadline = monotonic() + PATIENCE_SECONDS
        while not self._accepts_connections(postmaster):
            if postmaster.has_ended(within_seconds=POLL_SECONDS) or monotonic() > deadline:
                self.stop()
                said = self._log.read_bytes()[already_said:][-LOG_SHOWN_BYTES:].decode(errors="replace").strip()
                raise PostgresUnavailable(
                    f"PostgreSQL did not start on {self._seat.cluster}. Its log {self._log} ends:\n{said}"
                )

    def _accepts_connections(self, postmaster: Guarded) -> bool:
        """Whether a connection is accepted, and by this postmaster."""
        return pid_file(self._seat.cluster)[:1] == [str(postmaster.pid)] and ping(self._entrance) == pq.Ping.OK


def _prepared_seat(home: Path, environ: Mapping[str, str], settings: Mapping[str, str]) -> Seat:
    with alone(home) as lock:
        version = folder_in_use(home) / "cluster" / "PG_VERSION"
        binaries = find_binaries(environ, major=int(version.read_text()) if version.exists() else None)
        seat = take_seat(home, binaries, _for_server(environ))
        if not seat.cluster.exists():
            make_cluster(seat, lock, settings)
    return seat


def _for_server(environ: Mapping[str, str]) -> dict[str, str]:
    # PGPORT, PGDATA and their like would be obeyed by the server too, and our own settings may hold secrets.
    kept = {name: value for name, value in environ.items() if not name.startswith(("PG", "CERTLIFE_"))}
    return kept | {"LC_ALL": "C"}  # without a locale that exists, postgres does not start on macOS
