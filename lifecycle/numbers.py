"""Certificate numbers: a series gives each serial once, and a claim takes each number for ever."""

from uuid import UUID, uuid5

_SERIES = UUID("f7a1b9c0-5f7e-5a1d-8c44-3a9d0be1c733")
_CLAIM = UUID("3c9d6e5b-0a2f-5c3e-9d10-7be54fa2d844")


def series_id(scheme: str, year: int) -> UUID:
    """The stream of a scheme's serials of one year; its version is the last serial taken."""
    return uuid5(_SERIES, f"{scheme}/{year}")


def claim_id(normalised_number: str) -> UUID:
    """The stream that a number claims: a second claim meets its first version, so a number is taken once, for ever."""
    return uuid5(_CLAIM, normalised_number)
