"""Values as PostgreSQL's binary protocol takes them, for statements that are sent without a cursor."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from struct import Struct

UUIDS, INTEGERS, TEXTS, BYTEAS = 2950, 23, 25, 17
"""PostgreSQL's ids of the types that arrays are made of."""
FIRST_INSTANT = datetime(2000, 1, 1, tzinfo=UTC)
_FIRST_DAY = date(2000, 1, 1).toordinal()
_MICROSECOND = timedelta(microseconds=1)

integer: Callable[[int], bytes] = Struct("!i").pack
_bigint: Callable[[int], bytes] = Struct("!q").pack
_array_head: Callable[..., bytes] = Struct("!iiIii").pack


def day(value: date | None) -> bytes | None:
    """A ``date``."""
    return None if value is None else integer(value.toordinal() - _FIRST_DAY)


def instant(value: datetime | None) -> bytes | None:
    """A ``timestamptz``."""
    return None if value is None else _bigint((value - FIRST_INSTANT) // _MICROSECOND)


def array(type_id: int, items: Sequence[bytes]) -> bytes:
    """One dimension, no NULL among the items, counted from 1."""
    return _array_head(1, 0, type_id, len(items), 1) + b"".join(integer(len(item)) + item for item in items)
