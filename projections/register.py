"""What is this certificate's state now, or on that day? One row a number with its finished public answers."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

import msgspec
from psycopg import Connection
from psycopg.rows import dict_row

from lifecycle import events as e
from lifecycle import upcast
from lifecycle.certificate import Certificate
from lifecycle.rules import normalise_number
from lifecycle.sql import load
from lifecycle.status import Stars, segments, turns
from projections.folds import Claim
from projections.tables import Rows, Span, copy_in, digest, packed

SQL = load("register", "projections")
TABLES = ("create_register", "create_certificate")
UNSEEN = (
    e.ActProposed, e.ProposalRejected, e.ApplicationAccepted, e.AssessmentPlanned, e.AssessmentReviewed,
    e.NonconformityClosed, e.GradeDetermined, e.CertificationGranted, e.CertificationMaintained, e.SurveillanceDue,
    e.SurveillanceOverdue, e.SurveillanceRequested, e.SurveillancePlanned, e.HolderNotified,
)  # fmt: skip
"""Facts that leave the rows as they are, whatever they follow: the public answer tells nothing of them."""

INDEXES = ("create_register_index", "create_register_place_index", "create_certificate_organisation_index")
NOBODY = UUID(int=0)


class Segment(msgspec.Struct, frozen=True, array_like=True):
    """From ``day`` on, until the next segment's day, the public answer is ``answer``; ``tag`` is its digest."""

    day: date
    tag: str
    answer: msgspec.Raw


_decode = msgspec.json.Decoder(list[Segment]).decode


class Found(msgspec.Struct, frozen=True):
    """What the register has of one number, and how far it had come when it was asked."""

    number: str
    certificate_id: UUID | None
    segments: bytes | None
    under_repair: bool
    list_index: int | None
    position: int
    complete_until: datetime | None

    def around(self, day: date) -> tuple[Segment | None, date | None]:
        """The segment that holds on the day, if the number stood for something, and the day on which it turns."""
        if self.segments is None:
            return None, None
        found = _decode(self.segments)
        index = bisect_right(found, day, key=lambda segment: segment.day)
        turns_on = found[index].day if index < len(found) else None
        return (found[index - 1] if index else None), turns_on

    def until(self, day: date) -> list[Segment]:
        """The segments that began by the day, in order."""
        found = _decode(self.segments) if self.segments is not None else []
        return found[: bisect_right(found, day, key=lambda segment: segment.day)]


class RegisterProjection:
    """The register's rows. ``stars`` names those of each level, edition by edition."""

    name = "register"
    version = 1
    definition = digest(SQL, *TABLES, *INDEXES)
    unseen = frozenset(map(e.topic_of, UNSEEN))

    def __init__(self, stars: Stars) -> None:
        self.stars = stars

    def create(self, connection: Connection) -> None:
        for statement in TABLES:
            connection.execute(SQL[statement])

    def index(self, connection: Connection) -> None:
        for statement in INDEXES:
            connection.execute(SQL[statement])

    def put(self, connection: Connection, certificates: Sequence[Certificate]) -> None:
        numbers = [row for certificate in certificates for row in self._number_rows(certificate)]
        if numbers:
            connection.execute(SQL["upsert_register"], _columns(numbers))
        borne = {"certificate_ids": [c.id for c in certificates], "numbers": [row["numbers"] for row in numbers]}
        connection.execute(SQL["blank_numbers"], borne)
        listed = [_certificate_row(certificate) for certificate in certificates if certificate.scheme]
        if listed:
            connection.execute(SQL["upsert_certificate"], _columns(listed))

    def claim(self, connection: Connection, claims: Sequence[Claim]) -> None:
        if claims:
            numbers, certificate_ids = (list(column) for column in zip(*map(_claimed, claims), strict=True))
            connection.execute(SQL["claim_places"], {"numbers": numbers, "certificate_ids": certificate_ids})

    def withhold(self, connection: Connection, certificate_ids: Sequence[UUID]) -> None:
        ids = {"certificate_ids": list(certificate_ids)}
        claims = [upcast.recorded(*row).fact for row in connection.execute(SQL["select_claims"], ids, binary=True)]
        numbers = [
            {"numbers": normalise_number(claim.number), "certificate_ids": claim.certificate}
            for claim in claims
            if isinstance(claim, e.NumberClaimed)
        ]
        if numbers:
            connection.execute(SQL["withhold_numbers"], _columns(numbers))
        connection.execute(SQL["withhold_certificates"], ids)

    def learn(self, connection: Connection, claims: Iterable[Claim]) -> None:
        connection.execute(SQL["create_claimed"])
        claimed = b"".join([packed(_claimed(claim)) for claim in claims])  # all is read before anything is written
        copy_in(connection, SQL["copy_claimed"], [claimed])
        connection.execute(SQL["create_claimed_index"])

    def rows(self, certificate: Certificate) -> Rows:
        numbers = [tuple(row.values()) for row in self._number_rows(certificate)]
        return numbers, [tuple(_certificate_row(certificate).values())] if certificate.scheme else []

    def load(self, connection: Connection, span: Span, rows: Iterable[Rows]) -> None:
        places = dict(connection.execute(SQL["select_claimed"], span._asdict()).fetchall())
        numbers, certificates = bytearray(), bytearray()
        for borne, listed in rows:
            for row in borne:
                numbers += packed((*row, places.get(row[0])))
            for row in listed:
                certificates += packed(row)
        copy_in(connection, SQL["copy_register"], [numbers])
        copy_in(connection, SQL["copy_certificate"], [certificates])

    def place(self, connection: Connection, span: Span) -> None:
        connection.execute(SQL["place_claimed"], span._asdict())

    def settle(self, connection: Connection) -> None:
        self.index(connection)
        connection.execute(SQL["analyze_register"])

    def swap(self, connection: Connection) -> None:
        connection.execute(SQL["swap_register"])

    def discard(self, connection: Connection) -> None:
        connection.execute(SQL["discard_register"])

    def _number_rows(self, certificate: Certificate) -> Iterable[dict[str, Any]]:
        for number in dict.fromkeys(certificate.numbers.values):
            answers = segments(certificate, number, self.stars)
            yield {
                "numbers": normalise_number(number),
                "certificate_ids": certificate.id,
                "segments": msgspec.json.encode(
                    [
                        Segment(
                            day, sha256(encoded := msgspec.json.encode(answer)).hexdigest()[:32], msgspec.Raw(encoded)
                        )
                        for day, answer in answers
                    ]
                ),
                "turns": _literal(day.isoformat() for day, _ in answers),
                "statuses": _literal(answer.status for _, answer in answers),
            }


def find(connection: Connection, numbers: Sequence[str]) -> list[Found]:
    """What the register has of each normalised number, in the order asked, all as of one position."""
    rows = connection.execute(SQL["select_numbers"], {"numbers": list(numbers)}).fetchall()
    return [
        Found(number, certificate_id, segments, bool(under_repair), list_index, position, complete_until)
        for number, certificate_id, segments, under_repair, list_index, position, complete_until in rows
    ]


def first_numbers(connection: Connection, limit: int) -> list[str]:
    """Some numbers of the register, the first in order."""
    return [number for (number,) in connection.execute(SQL["select_first_numbers"], {"limit": limit}).fetchall()]


def certificates(connection: Connection, **asked: Any) -> list[dict[str, Any]]:
    """A page of certificates: ``status``, ``level``, ``holder``, ``organisation``, ``due_by`` filter where not None, by
    what stands ``on`` that day; at most ``limit`` with an id ``after`` the last page's."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(SQL["select_certificates"], asked).fetchall()


def _certificate_row(certificate: Certificate) -> dict[str, Any]:
    days = turns(certificate)
    application = next(c.application for c in certificate.cases.values() if c.application)
    return {
        "certificate_ids": certificate.id,
        "versions": certificate.version,
        "organisations": certificate.organisation,
        "schemes": certificate.scheme,
        "editions": certificate.edition,
        "numbers": certificate.numbers.last,
        "holders": certificate.holders.last or application.holder,
        "turns": _literal(day.isoformat() for day in days),
        "statuses": _literal(certificate.status_on(day) for day in days),
        "levels": _literal(certificate.levels.at(day) or "none" for day in days),
        "valid_until": certificate.valid_until,
        "due_on": certificate.due.visit_on if certificate.due else None,
    }


def _claimed(claim: Claim) -> tuple[str, UUID]:
    """Which number is whose; one that cannot be read is nobody's, and has a place all the same."""
    position, fact = claim
    return (f"?{position}", NOBODY) if fact is None else (normalise_number(fact.number), fact.certificate)


def _literal(words: Iterable[str]) -> str:
    """A list of days or codes as an array literal; neither holds a character that would need quoting."""
    return "{" + ",".join(words) + "}"


def _columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    return {name: [row[name] for row in rows] for name in rows[0]}
