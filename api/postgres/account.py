"""Who PostgreSQL runs as: it refuses to run as root."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from api.postgres.binaries import PostgresUnavailable
from api.postgres.guard import SHELL

UNPRIVILEGED = ("nobody", "postgres", "_postgres", "daemon")
NOBODY = 65534


@dataclass(frozen=True)
class Account:
    """Who a program is started as: in a user namespace that ``prefix`` enters, under ids, or (neither) as ourselves."""

    environ: Mapping[str, str] = field(repr=False)
    prefix: tuple[str, ...] = ()
    uid: int | None = None
    gid: int | None = None

    def start(
        self,
        command: list[str],
        *,
        output: IO[bytes] | int,
        read: IO[bytes] | int = subprocess.DEVNULL,
        inherit: tuple[int, ...] = (),
        told: Mapping[str, str] | None = None,
    ) -> "subprocess.Popen[bytes]":
        """The program runs, in a session of its own, so that Ctrl-C in a terminal reaches only us.

        It prints to ``output``, reads ``read``, inherits the descriptors ``inherit``, and finds ``told`` in its
        environment. Raises OSError if this account may not be used.
        """
        return subprocess.Popen(
            [*self.prefix, *command],
            stdin=read,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**self.environ, **(told or {})},
            pass_fds=inherit,
            cwd="/",
            start_new_session=True,
            user=self.uid,
            group=self.gid,
            extra_groups=None if self.uid is None else [],
        )

    def run(
        self, command: list[str], *, read: IO[bytes] | int = subprocess.DEVNULL, inherit: tuple[int, ...] = ()
    ) -> tuple[int, str]:
        """The program's exit status and everything it printed."""
        with self.start(command, output=subprocess.PIPE, read=read, inherit=inherit) as process:
            printed, _ = process.communicate()
        return process.returncode, printed.decode(errors="replace").strip()

    def can_run(self, *command: str) -> bool:
        """Whether the program starts and succeeds under this account."""
        try:
            return self.run(list(command))[0] == 0
        except OSError:
            return False

    def can_enter(self, folder: Path) -> bool:
        """Whether this account reaches what lies in the folder."""
        return self.can_run(SHELL, "-c", 'test -x "$1"', SHELL, str(folder))

    def own(self, path: Path) -> None:
        """The path, which we made, and all in it belongs to this account."""
        if self.uid is None or self.gid is None or path.stat().st_uid == self.uid:
            return
        for each in (*path.rglob("*"), path):  # the path last: if we are stopped half way, all of it is done again
            os.chown(each, self.uid, self.gid, follow_symlinks=False)


def account_for(cluster: Path, home: Path, binaries: Path, environ: Mapping[str, str]) -> Account:
    """Who runs the cluster: ourselves, unless we are root.

    Root hands over to the owner of an existing cluster; else enters a user namespace as nobody (the files stay root's,
    and no permission is loosened); else uses an existing unprivileged account. No account is ever made.
    Raises PostgresUnavailable if nothing of this is possible.
    """
    if os.geteuid() != 0:
        return Account(environ)
    owner = cluster.stat() if cluster.exists() else None
    if owner is not None and owner.st_uid != 0:
        return Account(environ, uid=owner.st_uid, gid=owner.st_gid)
    for account in _namespace(environ):
        if account.can_enter(home) and account.can_run(str(binaries / "postgres"), "--version"):
            return account
    for account in _existing(environ):
        if account.can_run(SHELL, "-c", ":"):
            return account
    raise PostgresUnavailable(
        "PostgreSQL does not run as root: this system allows no user namespace (`unshare -U`), and none of the "
        f"accounts {', '.join(UNPRIVILEGED)} can be used. Start as a normal user, or name a running server by "
        "CERTLIFE_DATABASE_URL."
    )


def _namespace(environ: Mapping[str, str]) -> Iterator[Account]:
    unshare = shutil.which("unshare", path=environ.get("PATH", os.defpath))
    if unshare:
        yield Account(environ, prefix=(unshare, "-U", f"--map-user={NOBODY}", f"--map-group={NOBODY}"))


def _existing(environ: Mapping[str, str]) -> Iterator[Account]:
    for name in UNPRIVILEGED:
        with suppress(KeyError):
            entry = pwd.getpwnam(name)
            yield Account(environ, uid=entry.pw_uid, gid=entry.pw_gid)
