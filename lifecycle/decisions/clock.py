"""What the clock records: surveillance due and overdue, and the end of validity, each on its own day.

A punctual clock would tick at each 00:00 Asia/Shanghai. A late one, or the next command on the certificate, whichever
comes first, records the same facts with the same days, before anything else is recorded; so the stream reads as if the
clock had been punctual, and only ``recorded_at`` tells the truth about when.
"""

from collections.abc import Iterator
from datetime import date

from lifecycle import events as e
from lifecycle.certificate import Certificate
from lifecycle.transitions import LIVE

CLOCK = e.By("clock", "clock", "clock")


def owed(certificate: Certificate, today: date) -> list[e.Fact]:
    """The facts that a punctual clock would have recorded by 00:00 of ``today``, in the order of their days."""
    if certificate.status not in LIVE:
        return []
    return [fact for _, _, fact in sorted(_owed(certificate, today), key=lambda item: item[:2])]


def _owed(certificate: Certificate, today: date) -> Iterator[tuple[date, int, e.Fact]]:
    due, valid_until = certificate.due, certificate.valid_until
    horizon = min(today, valid_until)
    if due.visit_on not in certificate.due_announced and due.notice_on <= horizon:
        yield due.notice_on, 0, _surveillance_due(certificate, due)
    if due.visit_on not in certificate.overdue_announced and due.overdue_on <= horizon:
        yield due.overdue_on, 1, _surveillance_overdue(certificate, due)
    if today > valid_until:
        ended_on = valid_until + e.ONE_DAY
        yield ended_on, 2, e.CertificateExpired(**_stamp(ended_on), valid_until=valid_until)


def _surveillance_due(certificate: Certificate, due: e.Due) -> e.Fact:
    open_case = certificate.open_case("visit")
    joins = open_case is not None and open_case.stage in ("opened", "planned")
    return e.SurveillanceDue(
        **_stamp(due.notice_on, open_case.version if joins else certificate.version + 1, certificate.edition),
        due_on=due.visit_on,
        anchor_on=due.anchor_on,
        interval_months=due.interval_months,
    )


def _surveillance_overdue(certificate: Certificate, due: e.Due) -> e.Fact:
    return e.SurveillanceOverdue(**_stamp(due.overdue_on, edition=certificate.edition), due_on=due.visit_on)


def _stamp(on: date, case: int | None = None, edition: str | None = None) -> dict:
    return {
        "effective_on": on,
        "by": CLOCK,
        "cause": e.Cause("clock", on.isoformat()),
        "case": case,
        "edition": edition,
    }
