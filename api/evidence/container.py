"""The zip of a bundle: stored, with one fixed time, its manifest last; its bytes follow from its contents alone.

``verify`` reads it, alone and elsewhere; so what the bytes are stands there, and is written from there.
"""

from collections.abc import Callable
from hashlib import sha256
from importlib.resources import files
from typing import IO
from zlib import crc32

from api.evidence.verify import BUNDLE, FILE, FILES, directory_end, directory_entry, local_header
from lifecycle.errors import Refusal
from projections.note import VerifierKey, signed_note

MANIFEST, VERIFIER = "manifest", "verify.py"


class EvidenceTooLarge(Refusal):
    code = "evidence_too_large"
    kind = "state"
    en = "The bundle of {certificate} would exceed its limits at {name}: {files} files of {mebibytes} MiB in all."
    zh = "{certificate} 的证据包在 {name} 处将超出限制：共 {files} 个文件、{mebibytes} MiB。"


def verifier() -> bytes:
    """The program that checks a bundle, as each bundle holds it."""
    return (files("api.evidence") / VERIFIER).read_bytes()


class Container:
    """Files are added in the order in which they will be listed; ``close`` adds the signed list."""

    def __init__(self, file: IO[bytes], certificate: str) -> None:
        self._file = file
        self._certificate = certificate
        self._directory = bytearray()
        self._listed: list[str] = []
        self._at = 0

    def has_room_for(self, content: bytes) -> bool:
        """Whether it could be added, and the rest too."""
        return len(content) <= FILE and len(self._listed) + 3 < FILES and self._at + len(content) <= BUNDLE - 2 * FILE

    def add(self, name: str, content: bytes) -> None:
        """Raises EvidenceTooLarge."""
        if not self.has_room_for(content):
            raise EvidenceTooLarge(certificate=self._certificate, name=name, files=FILES, mebibytes=BUNDLE >> 20)
        self._write(name, content)
        self._listed.append(f"{sha256(content).hexdigest()} {len(content)} {name}\n")

    def close(self, head: str, key: VerifierKey, sign: Callable[[bytes], bytes]) -> int:
        """The manifest is added, signed; answers the size of the whole."""
        self._write(MANIFEST, signed_note(head + "".join(self._listed), key, sign).encode())
        end = self._directory + directory_end(len(self._listed) + 1, len(self._directory), self._at)
        self._file.write(end)
        return self._at + len(end)

    def _write(self, name: str, content: bytes) -> None:
        crc = crc32(content)
        self._directory += directory_entry(name, crc, len(content), self._at)
        header = local_header(name, crc, len(content))
        self._file.write(header)
        self._file.write(content)
        self._at += len(header) + len(content)
