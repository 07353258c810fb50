"""What falls due by that day? For the clock, what a tick records; for persons, what waits to be done."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Connection
from psycopg.rows import dict_row

from lifecycle.certificate import Certificate
from lifecycle.events import ONE_DAY, Due
from lifecycle.sql import load
from lifecycle.transitions import LIVE
from projections.folds import Claim
from projections.tables import Rows, Span, copy_in, digest, packed

SQL = load("deadlines", "projections")
TABLES = ("create_deadline",)
INDEXES = ("create_deadline_clock_index", "create_deadline_due_index")

FIRST = UUID(int=0)


class Deadline(NamedTuple):
    """One thing that falls due on a day; ``subject`` is the case, proposal or fact it is about, or 0."""

    kind: str
    due_on: date
    subject: int = 0
    clock: bool = False


class DeadlinesProjection:
    """The deadlines' rows."""

    name = "deadlines"
    version = 2
    definition = digest(SQL, *TABLES, *INDEXES)
    unseen = frozenset[str]()

    def create(self, connection: Connection) -> None:
        for statement in TABLES:
            connection.execute(SQL[statement])

    def index(self, connection: Connection) -> None:
        for statement in INDEXES:
            connection.execute(SQL[statement])

    def put(self, connection: Connection, certificates: Sequence[Certificate]) -> None:
        self.withhold(connection, [certificate.id for certificate in certificates])
        rows = [_row(certificate, deadline) for certificate in certificates for deadline in deadlines(certificate)]
        if rows:
            columns = (list(column) for column in zip(*rows, strict=True))
            connection.execute(SQL["insert_deadlines"], dict(zip(COLUMNS, columns, strict=True)))

    def claim(self, connection: Connection, claims: Sequence[Claim]) -> None:
        """A number claimed falls due for nobody."""

    def withhold(self, connection: Connection, certificate_ids: Sequence[UUID]) -> None:
        connection.execute(SQL["delete_deadlines"], {"certificate_ids": list(certificate_ids)})

    def learn(self, connection: Connection, claims: Iterable[Claim]) -> None:
        """Which numbers were claimed matters to nobody here."""

    def rows(self, certificate: Certificate) -> Rows:
        return ([_row(certificate, deadline) for deadline in deadlines(certificate)],)

    def load(self, connection: Connection, span: Span, rows: Iterable[Rows]) -> None:
        due = b"".join([packed(row) for (found,) in rows for row in found])  # all is read before anything is written
        copy_in(connection, SQL["copy_deadline"], [due])

    def place(self, connection: Connection, span: Span) -> None:
        """No number has a place here."""

    def settle(self, connection: Connection) -> None:
        self.index(connection)
        connection.execute(SQL["analyze_deadline"])

    def swap(self, connection: Connection) -> None:
        connection.execute(SQL["swap_deadline"])

    def discard(self, connection: Connection) -> None:
        connection.execute(SQL["discard_deadline"])


def deadlines(certificate: Certificate) -> Iterator[Deadline]:
    """Everything about the certificate that falls due some day, from its state alone."""
    if certificate.status in LIVE and certificate.due and certificate.valid_until:
        yield from _of_the_clock(certificate, certificate.due, certificate.valid_until)
        yield from _of_the_certificate(certificate, certificate.due, certificate.valid_until)
    yield from _of_cases(certificate)
    for proposal in certificate.proposals.values():
        if proposal.state == "open":
            yield Deadline("proposal", proposal.proposed.expires_on, proposal.number)
    for version, since_on in certificate.unsupported.items():
        yield Deadline("decide_again", since_on, version)


def _of_the_clock(certificate: Certificate, due: Due, valid_until: date) -> Iterator[Deadline]:
    yield Deadline("certificate_expired", valid_until + ONE_DAY, clock=True)
    if due.visit_on not in certificate.due_announced and due.notice_on <= valid_until:
        yield Deadline("surveillance_due", due.notice_on, clock=True)
    if due.visit_on not in certificate.overdue_announced and due.overdue_on <= valid_until:
        yield Deadline("surveillance_overdue", due.overdue_on, clock=True)


def _of_the_certificate(certificate: Certificate, due: Due, valid_until: date) -> Iterator[Deadline]:
    yield Deadline("renewal", valid_until)
    yield Deadline("visit", due.visit_on)
    if certificate.status == "active":
        yield Deadline("suspension_proposal", due.overdue_on)
    elif (ends_on := certificate.standings[-1].suspended_until) is not None:
        yield Deadline("withdrawal_proposal", ends_on + ONE_DAY)


def _of_cases(certificate: Certificate) -> Iterator[Deadline]:
    for case in certificate.cases.values():
        if case.is_open and case.decide_by is not None:
            yield Deadline(f"{case.kind}_decision", case.decide_by, case.version)


def clock_due(connection: Connection, by: date, page: int = 500) -> Iterator[list[UUID]]:
    """Pages of certificates for which the clock has something to record by ``by``, oldest first.

    Paged by key, so that a certificate that cannot be handled does not keep the others waiting.
    """
    after_on, after_id = date.min, FIRST
    while True:
        values = {"by": by, "after_on": after_on, "after_id": after_id, "limit": page}
        rows = connection.execute(SQL["select_clock_due"], values).fetchall()
        if not rows:
            return
        yield list(dict.fromkeys(certificate_id for _, certificate_id in rows))
        after_on, after_id = rows[-1]


def of_persons(connection: Connection, after: tuple[date, UUID, str, int], **asked: Any) -> list[dict[str, Any]]:
    """A page of what waits for persons ``by`` a day, oldest first; ``kind``, ``organisation`` and the kinds that are
    ``shown`` filter if not None."""
    after_on, after_id, after_kind, after_subject = after
    keys = {"after_on": after_on, "after_id": after_id, "after_kind": after_kind, "after_subject": after_subject}
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(SQL["select_deadlines"], asked | keys).fetchall()


def _row(certificate: Certificate, deadline: Deadline) -> tuple[Any, ...]:
    return (
        certificate.id, deadline.kind, deadline.subject, deadline.due_on, deadline.clock, certificate.numbers.last,
        certificate.holders.last or "", certificate.organisation,
    )  # fmt: skip


COLUMNS = ("certificate_ids", "kinds", "subjects", "due_on", "clocks", "numbers", "holders", "organisations")
