"""Suspended, extended, reinstated, withdrawn, cancelled."""

from collections.abc import Iterator
from datetime import date

from lifecycle import commands as c
from lifecycle import errors
from lifecycle import events as e
from lifecycle.amendment import amend
from lifecycle.certificate import Case, Certificate
from lifecycle.decisions.moment import Moment
from lifecycle.decisions.permission import (
    enter,
    enter_case,
    require_case,
    require_independent,
    require_order,
    require_reasons,
)
from lifecycle.transitions import LIVE


def suspend(certificate: Certificate, command: c.Suspend, moment: Moment) -> list[e.Fact]:
    """Suspended until ``ends_on``, the last suspended day, within the longest the scheme allows."""
    case, on = _enter_perhaps_in_case(certificate, command, e.CertificateSuspended, moment)
    require_independent(certificate, case, command, moment)
    edition = moment.edition_of(certificate)
    require_reasons(command.reasons, "suspension", edition)
    limit_on = edition.suspension_limit(on, certificate.valid_until)
    ends_on = command.ends_on or limit_on
    require_order("effective_on", on, "ends_on", ends_on)
    if ends_on > limit_on:
        raise errors.SuspensionTooLong(ends_on=ends_on, limit_on=limit_on)
    return [
        e.CertificateSuspended(
            **moment.stamp(on, case=command.case, edition=edition.id),
            reasons=command.reasons,
            ends_on=ends_on,
            notice=command.notice,
        )
    ]


def extend(certificate: Certificate, command: c.ExtendSuspension, moment: Moment) -> list[e.Fact]:
    """A later end; the start stays, and the whole stays within the longest the scheme allows."""
    on = enter(certificate, command, e.SuspensionExtended, moment)
    require_independent(certificate, None, command, moment)
    edition = moment.edition_of(certificate)
    require_reasons(command.reasons, "suspension", edition)
    ends_now_on = certificate.standings[-1].suspended_until
    if command.ends_on <= ends_now_on or command.ends_on < moment.today:
        raise errors.SuspensionEndNotLater(ends_on=command.ends_on, ends_now_on=ends_now_on, today=moment.today)
    limit_on = edition.suspension_limit(certificate.suspended_from, certificate.valid_until)
    if command.ends_on > limit_on:
        raise errors.SuspensionTooLong(ends_on=command.ends_on, limit_on=limit_on)
    return [
        e.SuspensionExtended(**moment.stamp(on, edition=edition.id), reasons=command.reasons, ends_on=command.ends_on)
    ]


def reinstate(certificate: Certificate, command: c.Reinstate, moment: Moment) -> list[e.Fact]:
    """Valid again from the day of decision; ``valid_until`` is left alone. After an end only on an upheld appeal."""
    on = enter(certificate, command, e.CertificateReinstated, moment)
    if on != moment.today:
        raise errors.ReinstatementDayFixed(today=moment.today, on=on)
    _require_still_valid(certificate, command, on)
    require_independent(certificate, None, command, moment)
    if command.appeal is not None or certificate.status not in LIVE:
        require_upheld(certificate, command.appeal, _last_undone_by_reinstatement(certificate))
    if certificate.status == "suspended" and command.appeal is None:
        _require_reasons_closed(certificate, command)
    _require_no_overdue_visit(certificate, on)
    return [
        e.CertificateReinstated(
            **moment.stamp(on), grounds=command.grounds, closed=command.closed, appeal=command.appeal
        )
    ]


def proceed_to_withdrawal(certificate: Certificate, command: c.ProceedToWithdrawal, moment: Moment) -> list[e.Fact]:
    """Opened, with reasons, or dropped, with grounds; while it is open the holder cannot cancel."""
    if command.step == "open":
        on = enter(certificate, command, e.WithdrawalOpened, moment)
        require_independent(certificate, None, command, moment)
        if certificate.withdrawal_since:
            raise errors.WithdrawalAlreadyOpen(certificate=certificate.label, since=certificate.withdrawal_since)
        if not command.reasons:
            raise errors.Malformed(problem="opening a withdrawal gives at least one reason")
        require_reasons(command.reasons, "withdrawal", moment.edition_of(certificate))
        return [e.WithdrawalOpened(**moment.stamp(on), reasons=command.reasons)]
    on = enter(certificate, command, e.WithdrawalDropped, moment)
    require_independent(certificate, None, command, moment)
    if not certificate.withdrawal_since:
        raise errors.NoWithdrawalOpen(certificate=certificate.label)
    if not command.grounds:
        raise errors.Malformed(problem="dropping a withdrawal gives its grounds")
    return [e.WithdrawalDropped(**moment.stamp(on), grounds=command.grounds)]


def withdraw(certificate: Certificate, command: c.Withdraw, moment: Moment) -> list[e.Fact]:
    """Ended for cause by the body."""
    case, on = _enter_perhaps_in_case(certificate, command, e.CertificateWithdrawn, moment)
    require_independent(certificate, case, command, moment)
    require_reasons(command.reasons, "withdrawal", moment.edition_of(certificate))
    return [
        e.CertificateWithdrawn(
            **moment.stamp(on, case=command.case, edition=certificate.edition), reasons=command.reasons
        )
    ]


def cancel(certificate: Certificate, command: c.Cancel, moment: Moment) -> list[e.Fact]:
    """Ended at the holder's request, or because it ceased; not while a withdrawal is open."""
    on = enter(certificate, command, e.CertificateCancelled, moment)
    if certificate.withdrawal_since:
        raise errors.WithdrawalOpenBlocksCancellation(certificate=certificate.label, since=certificate.withdrawal_since)
    require_reasons(command.reasons, "cancellation", moment.edition_of(certificate))
    return [e.CertificateCancelled(**moment.stamp(on), reasons=command.reasons, request_sha256=command.request_sha256)]


def require_upheld(certificate: Certificate, appeal: int | None, since: int) -> None:
    """Raises AppealNotUpheld unless the case is an appeal lodged after the fact ``since``, decided and upheld."""
    case = certificate.cases.get(appeal or 0)
    if case is None or case.kind != "appeal" or not case.upheld or case.version < since:
        raise errors.AppealNotUpheld(certificate=certificate.label, appeal=appeal, since=since)


def _last_undone_by_reinstatement(certificate: Certificate) -> int:
    undone = (e.CertificateSuspended, e.CertificateWithdrawn, e.CertificateCancelled)
    return max(recorded.version for recorded in amend(certificate.history) if isinstance(recorded.fact, undone))


def _require_still_valid(certificate: Certificate, command: c.Reinstate, on: date) -> None:
    """Raises NotAllowedInStatus where what would be reinstated has passed its last valid day."""
    if on > certificate.valid_until:
        raise errors.NotAllowedInStatus(
            act=c.name_of(command),
            certificate=certificate.label,
            on=on,
            status="expired",
            since=certificate.valid_until + e.ONE_DAY,
            allowed=f"valid until {on} or later",
        )


def _enter_perhaps_in_case(certificate: Certificate, command: c.Suspend | c.Withdraw, fact, moment: Moment):
    if command.case is None:
        return None, enter(certificate, command, fact, moment)
    require_case(certificate, command.case)
    return enter_case(certificate, command.case, command, fact, moment)


def _require_reasons_closed(certificate: Certificate, command: c.Reinstate) -> None:
    closed = {reason.code for reason in command.closed}
    if still_open := [r.code for r in certificate.suspension_reasons if r.code not in closed]:
        raise errors.SuspensionReasonsOpen(certificate=certificate.label, reasons=", ".join(still_open))
    if elements := _open_since_their_last_check(certificate):
        raise errors.NonconformityOpen(
            act=c.name_of(command), certificate=certificate.label, elements=", ".join(elements)
        )


def _open_since_their_last_check(certificate: Certificate) -> list[str]:
    """Elements found nonconforming by the visit that checked them last, and not closed. In a case that is decided
    nothing can be closed any more, so there only a later check puts an element right: of one that was split or merged
    since, a check of what stands in its place."""
    is_open: dict[str, bool] = {}
    for _, found in sorted([*_checks(certificate), *certificate.carried], key=lambda each: each[0]):
        if isinstance(found, Case):
            in_visit = found.open_nonconformities if found.kind == "visit" else ()
            is_open |= {element: element in in_visit for element in found.findings}
        else:
            is_open = {each.element: any(is_open.get(code) for code in each.of) for each in found}
    return [element for element, is_so in is_open.items() if is_so]


def _checks(certificate: Certificate) -> Iterator[tuple[int, Case]]:
    for case in certificate.assessed_cases:
        yield case.assessment or 0, case


def _require_no_overdue_visit(certificate: Certificate, on) -> None:
    if certificate.due and on >= certificate.due.overdue_on:
        raise errors.SurveillanceOverdueBlocksReinstatement(
            certificate=certificate.label, on=on, due_on=certificate.due.visit_on
        )
