"""The folder from which others take the ledger's checkpoints: one file each, written whole, and never changed."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lifecycle.errors import Refusal

CHECKPOINT = re.compile(r"checkpoint-(\d{12,18})\.txt")
NOTE_BYTES = 10_000
"""A note is a few hundred; a file that is longer is none."""


class PublishedDiffers(Refusal):
    code = "published_differs"
    kind = "unavailable"
    en = "{file} was published with another content. It is not written again: find out who changed which of the two."
    zh = "{file} 曾以不同内容发布。不予改写：请查明是谁改动了其中哪一份。"


@dataclass(frozen=True, slots=True)
class PublishedFolder:
    """A folder of checkpoints, and of the keys that signed them."""

    path: Path

    def put_note(self, size: int, note: str) -> None:
        """The checkpoint of that size is published. Raises PublishedDiffers, OSError."""
        self._put(f"checkpoint-{size:012}.txt", note)

    def put_key(self, id: str, key: str) -> None:
        """A verifier key is published. Raises PublishedDiffers, OSError."""
        self._put(f"key-{id}.txt", key + "\n")

    def last_note(self) -> tuple[str, str] | None:
        """The text of the greatest checkpoint, and its file; None in an empty folder."""
        names = self._names()
        return self._read(names[-1]) if names else None

    def last_size(self) -> int:
        """How many events the greatest checkpoint covers, by its name."""
        names = self._names()
        return _size(names[-1]) if names else 0

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return self.notes()

    def notes(self) -> Iterator[tuple[str, str]]:
        """The text of every checkpoint and its file, the smallest first."""
        return map(self._read, self._names())

    def _names(self) -> list[str]:
        names = os.listdir(self.path) if self.path.exists() else []
        return sorted((name for name in names if CHECKPOINT.fullmatch(name)), key=_size)

    def _read(self, name: str) -> tuple[str, str]:
        with open(self.path / name, "rb") as file:
            return file.read(NOTE_BYTES).decode("utf-8", "replace"), str(self.path / name)

    def _put(self, name: str, text: str) -> None:
        """The whole file appears at once, under a name that nobody had: a link, unlike a rename, replaces nothing."""
        self.path.mkdir(parents=True, exist_ok=True)
        file, written = self.path / name, self.path / f".{name}.{os.getpid()}"
        try:
            if file.read_bytes() != text.encode():
                raise PublishedDiffers(file=str(file))
            return
        except FileNotFoundError:
            pass
        try:
            with open(written, "wb") as whole:
                whole.write(text.encode())
                whole.flush()
                os.fsync(whole.fileno())
            os.link(written, file)
        except FileExistsError:  # another process was faster
            self._put(name, text)
        finally:
            written.unlink(missing_ok=True)
        self._sync()

    def _sync(self) -> None:
        """The name outlives a power cut too."""
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _size(name: str) -> int:
    return int(name.removeprefix("checkpoint-").removesuffix(".txt"))
