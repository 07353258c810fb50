"""Keys that the service keeps to itself: files that its account alone may read, one folder for each purpose.

They are the private halves of signing keys, and the master keys that wrap the keys of persons.
"""

import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import OctKey, OKPKey

CURVE = "Ed25519"
"""What an OKPKey is generated on; an OctKey has 256 random bits."""
KID = re.compile(r"[A-Za-z0-9_-]{43}")
"""An RFC 7638 thumbprint; nothing else becomes part of a file's name."""
REMEDY = {
    OKPKey: "Restore it, or run `certlife keys rotate-signing`.",
    OctKey: "Restore it: what it wraps opens with nothing else.",
}
ROTATE = {OKPKey: "certlife keys rotate-signing", OctKey: "certlife keys rotate-master"}
PRIVATE_TO_OWNER = 0o077
"""The permissions that nobody but the owner may have."""


K = TypeVar("K", OKPKey, OctKey)


class KeyFolderRefused(Exception):
    """A folder or file of private keys is not fit to be used; the message says what would be."""


@dataclass(frozen=True, slots=True)
class KeyFolder(Generic[K]):
    """The folder of one purpose; each file in it is one private key of that kind, named by its kid.

    Everything raises KeyFolderRefused where the folder or a file is another account's, or others may read it.
    """

    path: Path
    kind: type[K] = OKPKey  # pyright: ignore[reportAssignmentType]

    def make(self) -> K:
        """A new key, its private half kept here."""
        key = self.kind.generate_key(auto_kid=True)
        self._prepare()
        with _created(self._file(str(key.kid))) as descriptor:
            os.write(descriptor, msgspec.json.encode(key.as_dict(private=True)))
            os.fsync(descriptor)
        self._sync()
        return key

    def find(self, kid: str) -> K | None:
        """The key with that kid; None where its private half is not kept here."""
        if not KID.fullmatch(kid):
            return None
        try:
            _require_private(self.path, os.stat(self.path), self.kind)
            descriptor = os.open(self._file(kid), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        with open(descriptor, "rb") as file:
            _require_private(self._file(kid), os.fstat(descriptor), self.kind)
            return _read(self._file(kid), kid, file.read(10_000), self.kind)

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
        _require_private(self.path, os.stat(self.path), self.kind)

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


def _read(file: Path, kid: str, text: bytes, kind: type[K]) -> K:
    try:
        key = kind.import_key(msgspec.json.decode(text, type=dict[str, str]))  # pyright: ignore[reportArgumentType]
    except (JoseError, ValueError, KeyError) as error:
        raise KeyFolderRefused(f"{file} is no private key. {REMEDY[kind]}") from error
    if key.thumbprint() != kid or not key.is_private:
        raise KeyFolderRefused(f"{file} is not the private key that it is named for. {REMEDY[kind]}")
    return key


def _require_private(path: Path, found: os.stat_result, kind: type) -> None:
    if found.st_uid != os.geteuid():
        raise KeyFolderRefused(f"{path} belongs to another account. Run this as that account, or give it away: "
                               f"chown {os.geteuid()} {path}")  # fmt: skip
    if stat.S_IMODE(found.st_mode) & PRIVATE_TO_OWNER:
        mode = 700 if stat.S_ISDIR(found.st_mode) else 600
        raise KeyFolderRefused(f"{path} can be read by other accounts, so its keys are not private any more. "
                               f"Run `chmod {mode} {path}`, then `{ROTATE[kind]}`.")  # fmt: skip
