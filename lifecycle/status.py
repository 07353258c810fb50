"""What the public is told of a certificate number, for a legal day.

Computed from dates alone, so it is right whether or not a clock has run. It shows status, dates, level, scope and
holder; never a score, a cause, a person, a proposal or an appeal (domain.md, section 5, case 15).
"""

from collections.abc import Mapping
from datetime import date
from typing import Literal

import msgspec

from lifecycle import events as e
from lifecycle.certificate import Certificate

Stars = Mapping[str, Mapping[str, int | None]]
"""For each edition, the stars of each of its levels: an edition never changes, so this is no rule but a name."""

PublicStatus = Literal["valid", "suspended", "withdrawn", "cancelled", "expired", "superseded", "unknown"]


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The public record of one number on one day; days are legal dates of Asia/Shanghai."""

    certificate_number: str
    status: PublicStatus
    status_since: date | None = None
    holder: str | None = None
    scheme: str | None = None
    edition: str | None = None
    certification_type: str | None = None
    level: str | None = None
    stars: int | None = None
    scope: str | None = None
    valid_from: date | None = None
    valid_until: date | None = None
    suspended_until: date | None = None
    first_certified_on: date | None = None
    superseded_by: str | None = None


def answer_on(certificate: Certificate, number: str, day: date, stars: Stars) -> Answer:
    """The public answer for ``number`` on ``day``; ``stars`` gives each level's, edition by edition.

    Before the day from which the number stood it is ``unknown``; from the day on which another took its place it is
    ``superseded``, with the number that is current on ``day``.
    """
    current = certificate.numbers.at(day)
    introduced = next(
        (d for d, n in zip(certificate.numbers.days, certificate.numbers.values, strict=True) if n == number), None
    )
    if current is None or introduced is None or day < introduced:
        return Answer(certificate_number=number, status="unknown")
    if current != number:
        replaced_on = _replaced_on(certificate, number)
        shown = _describe(certificate, number, replaced_on - e.ONE_DAY, stars)
        return msgspec.structs.replace(
            shown, status="superseded", status_since=replaced_on, suspended_until=None, superseded_by=current
        )
    return _describe(certificate, number, day, stars)


def turns(certificate: Certificate) -> list[date]:
    """The days on which the public answer for its numbers may turn, in order; between two of them it does not."""
    days = {
        *(standing.on for standing in certificate.standings),
        *(until + e.ONE_DAY for until in certificate.periods.values),
        *certificate.periods.days,
    }
    for line in (
        certificate.levels, certificate.numbers, certificate.holders, certificate.scopes, certificate.types,
        certificate.editions,
    ):  # fmt: skip
        days.update(line.days)
    return sorted(days)


def segments(certificate: Certificate, number: str, stars: Stars) -> list[tuple[date, Answer]]:
    """The public answers of ``number`` from its first day on, each with the day from which it holds."""
    found: list[tuple[date, Answer]] = []
    for day in turns(certificate):
        answer = answer_on(certificate, number, day, stars)
        if answer.status != "unknown" and (not found or found[-1][1] != answer):
            found.append((day, answer))
    return found


def _replaced_on(certificate: Certificate, number: str) -> date:
    index = max(i for i, n in enumerate(certificate.numbers.values) if n == number)
    return certificate.numbers.days[index + 1]


def _describe(certificate: Certificate, number: str, day: date, stars: Stars) -> Answer:
    standing = certificate.standing_on(day)
    edition, level = certificate.editions.at(day), certificate.levels.at(day)
    started = [d for d in certificate.periods.days if d <= day]
    return Answer(
        certificate_number=number,
        status="valid" if standing.status == "active" else standing.status,
        status_since=standing.since,
        holder=certificate.holders.at(day),
        scheme=certificate.scheme,
        edition=edition,
        certification_type=certificate.types.at(day),
        level=level,
        stars=stars.get(edition, {}).get(level),
        scope=certificate.scopes.at(day),
        valid_from=started[-1],
        valid_until=certificate.periods.at(day),
        suspended_until=standing.suspended_until if standing.status == "suspended" else None,
        first_certified_on=certificate.first_certified_on,
    )
