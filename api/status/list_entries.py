"""What a status list says: two bits for each number, from the register, packed as the IETF's Token Status List is."""

import base64
import zlib
from datetime import date, datetime
from typing import Any, NamedTuple

from psycopg import Connection

from lifecycle.sql import load
from lifecycle.status import PublicStatus

SQL = load("status_list", "api.status")
BITS = 2

VALID, INVALID, SUSPENDED, NOT_SAID = 0, 1, 2, 3
"""The registered values, and 3, which is the application's own: the list does not say, the look-up does."""

MEANINGS: dict[PublicStatus, int] = {
    "valid": VALID,
    "suspended": SUSPENDED,
    "withdrawn": INVALID,
    "cancelled": INVALID,
    "expired": INVALID,
    "unknown": INVALID,
    "superseded": NOT_SAID,
}
"""What an entry says. A superseded number names another that may be valid; of one under repair nothing can be said."""

_DIGITS = bytes.maketrans(b"0123", bytes((VALID, INVALID, SUSPENDED, NOT_SAID)))


class PlacesMissing(Exception):
    """The register does not have every place of a list, so nobody could say which entry is whose."""


class Entries(NamedTuple):
    """What a list says, one digit an entry, and how far the register had come."""

    position: int
    complete_until: datetime
    said: str


def entries_on(connection: Connection, places: range, on: date) -> Entries:
    """What the register says of each of the places on the day. Raises PlacesMissing."""
    values = {
        "first": places.start,
        "after": places.stop,
        "on": on,
        "statuses": list(MEANINGS),
        "values": [str(value) for value in MEANINGS.values()],
        "otherwise": str(MEANINGS["unknown"]),
        "not_said": str(NOT_SAID),
    }
    row = connection.execute(SQL["select_entries"], values).fetchone()
    if row is None or row[2] is None or row[2] - places.start + 1 != len(row[3]):
        raise PlacesMissing(f"the register has no number at some place from {places.start} on: no list is made of it")
    return Entries(row[0], row[1], row[3])


def packed(said: str) -> bytes:
    """Four entries a byte, the first in the lowest bits; what fills up the last byte is nobody's, and INVALID."""
    values = said.encode().translate(_DIGITS)
    values += bytes([INVALID]) * (-len(values) % 4)
    quarters = (values[place::4] for place in range(4))
    return bytes(a | b << 2 | c << 4 | d << 6 for a, b, c, d in zip(*quarters, strict=True))


def claim(said: str) -> dict[str, Any]:
    """The entries as the claim ``status_list`` of a token holds them."""
    compressed = zlib.compress(packed(said), level=9)
    return {"bits": BITS, "lst": base64.urlsafe_b64encode(compressed).rstrip(b"=").decode()}
