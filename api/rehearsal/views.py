"""Three views of one certificate: as decided then, the same evidence under the other edition, and what would have been
said had later corrections been known."""

from collections.abc import Iterator
from uuid import UUID

from api.house import House
from api.terminal import Unfit
from lifecycle.events import NumberClaimed
from lifecycle.numbers import claim_id
from lifecycle.rehearsal.comparison import Comparing
from lifecycle.rehearsal.views import three_views
from lifecycle.rules import normalise_number

HEAD = (
    "当时的决定 as decided then | 同样证据按另一版本 the same evidence under the other edition | "
    "若已知后来的勘误 had later corrections been known"
)


def views(house: House, comparing: Comparing, named: str) -> Iterator[str]:
    """A row for each question, with the three answers to it."""
    certificate = house.register.certificate(_id(house, named))
    yield f"{certificate.label}  {certificate.holders.last or ''}"
    yield HEAD
    for row in three_views(certificate.id, certificate.history, comparing):
        yield f"  {row.on}  {row.topic} @{row.version}  {row.path}:  {row.then} | {row.under} | {row.corrected}"


def _id(house: House, named: str) -> UUID:
    try:
        return UUID(named)
    except ValueError:
        claims = list(house.register.events.get(claim_id(normalise_number(named))))
    if not claims or not isinstance(claim := getattr(claims[0], "fact", None), NumberClaimed):
        raise Unfit(f"{named} is neither the id of a certificate nor a certificate number.")
    return claim.certificate
