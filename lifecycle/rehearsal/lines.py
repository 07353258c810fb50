"""The lines of a rehearsal as they are kept: to the byte, in a table that only grows, each with its digest."""

import hashlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from uuid import UUID

import msgspec

from lifecycle.rehearsal.comparison import Line
from lifecycle.sql import load
from lifecycle.store import Recorder

SQL = load("rehearsals")
PAGE = 500


class LineEdited(Exception):
    """A line that is kept is not the one that was made."""

    def __init__(self, rehearsal: UUID, problem: str) -> None:
        super().__init__(f"The lines of rehearsal {rehearsal} are not those that it was completed with: {problem}.")


class KeptLine(NamedTuple):
    """A line, the digest that an adoption cites, and that of its bytes as they are kept, its version included."""

    line: Line
    sha256: str
    bytes_sha256: bytes


def sha256_of(line: Line) -> bytes:
    """The digest of the line as it is kept."""
    return hashlib.sha256(msgspec.json.encode(line)).digest()


def keep(recorder: Recorder, rehearsal: UUID, lines: Sequence[Line]) -> None:
    """The lines are kept, but for those that were before."""
    with recorder.connection() as connection:
        connection.execute(
            SQL["keep_lines"],
            {
                "rehearsal": rehearsal,
                "certificates": [line.certificate for line in lines],
                "affected": [line.is_affected or bool(line.not_judged) for line in lines],
                "lines": [msgspec.json.encode(line) for line in lines],
            },
        )


def page(recorder: Recorder, rehearsal: UUID, after: UUID, limit: int, *, affected: bool = False) -> list[KeptLine]:
    """The next lines in the order of their certificates. Raises LineEdited."""
    bounds = {"rehearsal": rehearsal, "after": after, "of": affected, "limit": limit}
    with recorder.connection() as connection:
        rows = connection.execute(SQL["select_lines"], bounds).fetchall()
    return [_read(rehearsal, *row) for row in rows]


def each(recorder: Recorder, rehearsal: UUID) -> Iterator[KeptLine]:
    """Every line, in the order of their certificates. Raises LineEdited."""
    after = UUID(int=0)
    while found := page(recorder, rehearsal, after, PAGE):
        yield from found
        after = found[-1].line.certificate


def line_of(recorder: Recorder, rehearsal: UUID, certificate: UUID) -> KeptLine | None:
    """The certificate's line, if the rehearsal asked about it. Raises LineEdited."""
    with recorder.connection() as connection:
        row = connection.execute(SQL["select_line"], {"rehearsal": rehearsal, "certificate": certificate}).fetchone()
    return _read(rehearsal, *row) if row else None


def _read(rehearsal: UUID, certificate: UUID, encoded: bytes, sha256: bytes) -> KeptLine:
    line = msgspec.json.decode(encoded, type=Line)
    if sha256_of(line) != sha256 or line.certificate != certificate:
        raise LineEdited(rehearsal, f"that of {certificate} reads otherwise than its digest says")
    return KeptLine(line, line.digest, sha256)
