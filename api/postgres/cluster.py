"""A cluster is whole or is not there."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from api.postgres.binaries import PostgresUnavailable
from api.postgres.seat import Seat

SUPERUSER = "certlife"
LOCALES = ("C.UTF-8", "C")  # not every macOS has the first; both sort by code point
CREATE_DATABASE = Path(__file__).with_name("create_database.sql")


def make_cluster(seat: Seat, lock: int, settings: Mapping[str, str]) -> None:
    """The seat has a cluster, with an empty database `certlife` of the superuser `certlife`.

    It is made under another name and renamed when it is whole; what an interrupted start left is thrown away. The
    programs inherit ``lock``. Raises PostgresUnavailable with what they said.
    """
    draft = seat.folder / "cluster.unfinished"
    refusals: list[str] = []
    for locale in LOCALES:
        _empty(seat, draft)
        status, said = seat.account.run(_initdb(seat, draft, locale, settings), inherit=(lock,))
        if status == 0:
            break
        refusals.append(said)
    else:
        raise PostgresUnavailable(f"initdb failed in {draft}:\n" + "\n".join(refusals))
    _create_database(seat, draft, lock)
    draft.rename(seat.cluster)
    _sync(seat.folder)


def _empty(seat: Seat, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    seat.account.own(folder)


def _initdb(seat: Seat, draft: Path, locale: str, settings: Mapping[str, str]) -> list[str]:
    options = ["--auth=trust", "--encoding=UTF8", f"--locale={locale}", "--no-instructions"]
    if settings.get("fsync") == "off":
        options.append("--no-sync")
    return [seat.program("initdb"), "-D", str(draft), "-U", SUPERUSER, *options]


def _create_database(seat: Seat, draft: Path, lock: int) -> None:
    alone = [seat.program("postgres"), "--single", "-c", "exit_on_error=on", "-D", str(draft), "postgres"]
    with CREATE_DATABASE.open("rb") as sql:
        status, said = seat.account.run(alone, read=sql, inherit=(lock,))
    if status != 0:
        raise PostgresUnavailable(f"The database could not be created in {draft}:\n{said}")


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
