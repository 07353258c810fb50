"""The private halves of signing keys: files that the service's account alone may read, one folder for each purpose."""

import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

CURVE = "Ed25519"
KID = re.compile(r"[A-Za-z0-9_-]{43}")
"""An RFC 7638 thumbprint; nothing else becomes part of a file's name."""
REMEDY = "Restore it, or run `certlife keys rotate-signing`."
PRIVATE_TO_OWNER = 0o077
"""The permissions that nobody but the owner may have."""


class KeyFolderRefused(Exception):
    """A folder or file of private keys is not fit to be used; the message says what would be."""


@dataclass(frozen=True, slots=True)
class KeyFolder:
    """The folder of one purpose; each file in it is one private key, named by its kid.

    Everything raises KeyFolderRefused where the folder or a file is another account's, or others may read it.
    """

    path: Path

    def make(self) -> OKPKey:
        """A new key, its private half kept here."""
        key = OKPKey.generate_key(CURVE, auto_kid=True)
        self._prepare()
        with _created(self._file(str(key.kid))) as descriptor:
            os.write(descriptor, msgspec.json.encode(key.as_dict(private=True)))
            os.fsync(descriptor)
        self._sync()
        return key

    def find(self, kid: str) -> OKPKey | None:
        """The key with that kid; None where its private half is not kept here."""
        if not KID.fullmatch(kid):
            return None
        try:
            _require_private(self.path, os.stat(self.path))
            descriptor = os.open(self._file(kid), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        with open(descriptor, "rb") as file:
            _require_private(self._file(kid), os.fstat(descriptor))
            return _read(self._file(kid), kid, file.read(10_000))

    def remove(self, kid: str) -> None:
        """The private half is not kept any more."""
        self._file(kid).unlink(missing_ok=True)
        self._sync()

    def _file(self, kid: str) -> Path:
        return self.path / f"{kid}.jwk"

    def _prepare(self) -> None:
        """The folder exists, and those above it that hold keys alone, for this account only."""
        self.path.parent.parent.parent.mkdir(parents=True, exist_ok=True)
        for folder in (self.path.parent.parent, self.path.parent, self.path):
            folder.mkdir(mode=0o700, exist_ok=True)
        _require_private(self.path, os.stat(self.path))

    def _sync(self) -> None:
        """What was done to the folder outlives a power cut."""
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def _created(file: Path) -> Iterator[int]:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _read(file: Path, kid: str, text: bytes) -> OKPKey:
    try:
        key = OKPKey.import_key(msgspec.json.decode(text, type=dict[str, str]))
    except (JoseError, ValueError, KeyError) as error:
        raise KeyFolderRefused(f"{file} is no private key. {REMEDY}") from error
    if key.thumbprint() != kid or not key.is_private:
        raise KeyFolderRefused(f"{file} is not the private key that it is named for. {REMEDY}")
    return key


def _require_private(path: Path, found: os.stat_result) -> None:
    if found.st_uid != os.geteuid():
        raise KeyFolderRefused(f"{path} belongs to another account. Run this as that account, or give it away: "
                               f"chown {os.geteuid()} {path}")  # fmt: skip
    if stat.S_IMODE(found.st_mode) & PRIVATE_TO_OWNER:
        mode = 700 if stat.S_ISDIR(found.st_mode) else 600
        raise KeyFolderRefused(f"{path} can be read by other accounts, so its keys are not private any more. "
                               f"Run `chmod {mode} {path}`, then `certlife keys rotate-signing`.")  # fmt: skip
