"""How a public answer is written: one function a media type, chosen by what the caller accepts.

A form is given the public members, finished and always the same to the byte, and what changes with the moment.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import NamedTuple

import msgspec

from api.status.places import Place

JSON = "application/json"
JWT = "application/jwt"
_encode = msgspec.json.Encoder().encode


class Volatile(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is put beside the public members: for when, as known when, and how far the register had come."""

    status_list: Place | None
    on: date
    known_at: datetime | None
    position: int
    complete_until: datetime | None
    stale: bool
    simulation: bool
    computed_at: datetime
    expires_at: datetime


class Written(NamedTuple):
    """The bytes of an answer, and what they are."""

    media_type: str
    body: bytes


Form = Callable[[bytes, Volatile], Written]
"""Writes an answer from the public members, one JSON object, and the volatile ones."""


def plain(public: bytes, volatile: Volatile) -> Written:
    """One JSON object, unsigned."""
    return Written(JSON, public[:-1] + b"," + _encode(volatile)[1:])


class Forms:
    """The forms in which an answer can be had; ``plain`` is given where the caller does not say."""

    def __init__(self, others: Mapping[str, Form] | None = None) -> None:
        self._by_type: dict[str, Form] = {JSON: plain, **(others or {})}

    def accepted(self, accept: str | None) -> Form:
        """The form that the caller wants most, by its Accept header; ``plain`` if it accepts none of them."""
        if accept is None or accept == "*/*":
            return plain
        return self._by_type.get(accept) or self._by_type[self._wanted_most(accept)]

    def _wanted_most(self, accept: str) -> str:
        """RFC 9110, 12.5.1: the offer with the highest weight; among equals the plain one, which comes first."""
        ranges = dict(weighed(part) for part in accept.split(","))

        def weight(offer: str) -> float:
            ways = (offer, offer.partition("/")[0] + "/*", "*/*")
            return next((ranges[way] for way in ways if way in ranges), 0.0)

        return max(self._by_type, key=weight)


def weighed(part: str) -> tuple[str, float]:
    """One range of an Accept header with its weight; one that cannot be read is not wanted."""
    media_range, *parameters = (word.strip().lower() for word in part.split(";"))
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return media_range, min(1.0, max(0.0, float(parameter[2:])))
            except ValueError:
                return media_range, 0.0
    return media_range, 1.0
