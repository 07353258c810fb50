"""The door to every decision on a certificate: by one person, or proposed by one and approved by another.

First the clock's facts that are owed by today are put before the act (``decisions.clock``), so that the act is judged
as if the clock had been punctual. Then the role is checked against ``duties``, and the one function of the command
decides.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from lifecycle import commands as c
from lifecycle import errors
from lifecycle import events as e
from lifecycle.certificate import Certificate, Proposal, evolve
from lifecycle.decisions import application, correction, dispute, issuance, standing, visit
from lifecycle.decisions.clock import owed
from lifecycle.decisions.moment import Moment
from lifecycle.documents import require_printable
from lifecycle.duties import DUTIES, ON_BEHALF, Roles
from lifecycle.rules import Edition

Decision = Callable[[Certificate, Any, Moment], list[e.Fact]]


def decide(certificate: Certificate, command: c.Command, moment: Moment) -> list[e.Fact]:
    """The facts that one person's act records, those owed by the clock first. Raises the Refusal that stands in the
    way, SecondPersonNeeded for an act that two sign."""
    require_role(moment.by.role, command, DUTIES[type(command)].by)
    if needs_second(certificate, command, moment):
        raise errors.SecondPersonNeeded(person=moment.by.person)
    before = _catch_up(certificate, moment)
    return before + _decide(certificate, command, moment)


def propose(certificate: Certificate, command: c.Command, moment: Moment) -> list[e.Fact]:
    """The proposal of an act that another person has to approve; refused where the act itself would be refused.

    An act for a later day is tried on the state as it would be that day, and can be approved from that day on.
    """
    require_role(moment.by.role, command, DUTIES[type(command)].by)
    edition = _edition_for(certificate, command, moment)
    before = _catch_up(certificate, moment)
    act_on = max(moment.today, command.effective_on or moment.today)
    _decide(certificate, command, replace(moment, today=act_on, signed_by=(moment.by.person,)))
    return [
        *before,
        e.ActProposed(
            **moment.stamp(moment.today),
            act=c.name_of(command),
            body=c.body_of(command),
            digest=c.digest_of(certificate.id, command),
            act_on=act_on,
            expires_on=act_on + timedelta(days=edition.proposal_days),
        ),
    ]


def approve(certificate: Certificate, number: int, digest: str, moment: Moment) -> list[e.Fact]:
    """The proposed act, decided again on the state of this moment and signed by both."""
    proposal = open_proposal(certificate, number, moment.today)
    proposed, command = proposal.proposed, command_of(proposal)
    if moment.by.person == proposed.by.person:
        raise errors.SecondPersonNeeded(person=moment.by.person)
    duty = DUTIES[type(command)]
    require_role(moment.by.role, command, duty.approved_by or duty.by, approving=True)
    if digest != proposed.digest:
        raise errors.DigestDiffers(digest=digest, proposal=number, expected=proposed.digest)
    if moment.today < proposed.act_on:
        raise errors.ProposalNotYet(proposal=number, act_on=proposed.act_on)
    before = _catch_up(certificate, moment)
    signed = replace(moment, signed_by=(proposed.by.person, moment.by.person), proposal=number)
    return before + _decide(certificate, command, signed)


def reject(certificate: Certificate, number: int, reason: str, moment: Moment) -> list[e.Fact]:
    """The proposal is closed without effect, by its author or by anybody who might have approved it."""
    proposal = open_proposal(certificate, number, moment.today)
    command = command_of(proposal)
    duty = DUTIES[type(command)]
    if moment.by.person != proposal.proposed.by.person:
        require_role(moment.by.role, command, duty.approved_by or duty.by, approving=True)
    before = _catch_up(certificate, moment)
    stamp = replace(moment, proposal=number).stamp(moment.today)
    return [*before, e.ProposalRejected(**stamp, reason=reason)]


def needs_second(certificate: Certificate, command: c.Command, moment: Moment) -> bool:
    """Do two persons sign this act: by its kind, or because it is back-dated past what one person may?"""
    edition = _edition_for(certificate, command, moment)
    if DUTIES[type(command)].approved_by:
        return True
    if command.effective_on is None:
        return False
    return moment.today - command.effective_on > timedelta(days=edition.back_dating_days)


def open_proposal(certificate: Certificate, number: int, today: date) -> Proposal:
    """The proposal with that number, if it can still be approved. Raises ProposalUnknown, -Closed or -Lapsed."""
    proposal = certificate.proposals.get(number)
    if proposal is None:
        still_open = [str(p.number) for p in certificate.proposals.values() if p.state == "open"]
        raise errors.ProposalUnknown(proposal=number, open=", ".join(still_open) or "none")
    if proposal.state != "open":
        raise errors.ProposalClosed(proposal=number, state=proposal.state)
    if today > proposal.proposed.expires_on:
        raise errors.ProposalLapsed(proposal=number, expires_on=proposal.proposed.expires_on)
    return proposal


def command_of(proposal: Proposal) -> c.Command:
    """The command that was proposed."""
    return c.read(c.COMMANDS[proposal.proposed.act], proposal.proposed.body)


def require_role(
    role: e.Role, command: c.Command | c.ApproveEdition | c.RejectEdition, allowed: Roles, *, approving: bool = False
) -> None:
    """Raises RoleNotAllowed, and Malformed where a registrar acts for the holder without the digest of its request."""
    if role not in allowed:
        act = f"approve {c.name_of(command)}" if approving else c.name_of(command)
        raise errors.RoleNotAllowed(role=role, act=act, allowed=", ".join(sorted(allowed)) or "nobody")
    if role == "registrar" and type(command) in ON_BEHALF and command.request_sha256 is None:
        raise errors.Malformed(
            problem="a registrar who acts for the holder gives request_sha256, the digest of the request received"
        )


def _catch_up(certificate: Certificate, moment: Moment) -> list[e.Fact]:
    facts = owed(certificate, moment.today)
    for fact in facts:
        evolve(certificate, certificate.version + 1, fact)
    return facts


def _decide(certificate: Certificate, command: c.Command, moment: Moment) -> list[e.Fact]:
    facts = DECISIONS[type(command)](certificate, command, moment)
    require_printable(certificate, facts, moment.editions, moment.glyphs)
    return facts


def _edition_for(certificate: Certificate, command: c.Command, moment: Moment) -> Edition:
    """The certificate's edition; before it has one, that of the scheme applied for.

    Raises CertificateUnknown for any other act where the application itself waits for its approval.
    """
    if certificate.edition:
        return moment.edition_of(certificate)
    if not isinstance(command, c.SubmitApplication):
        raise errors.CertificateUnknown(certificate=certificate.label)
    return application.edition_applied_for(certificate, command, moment, moment.today)


def _plan(certificate: Certificate, command: c.Plan, moment: Moment) -> list[e.Fact]:
    return _of_visit(certificate, command, visit.plan, application.plan_assessment)(certificate, command, moment)


def _record(certificate: Certificate, command: c.RecordAssessment, moment: Moment) -> list[e.Fact]:
    return _of_visit(certificate, command, visit.record, application.record_assessment)(certificate, command, moment)


def _of_visit(certificate: Certificate, command: c.CaseCommand, for_visit: Decision, otherwise: Decision) -> Decision:
    case = certificate.cases.get(command.case)
    return for_visit if case is not None and case.kind == "visit" else otherwise


_OUTCOMES: dict[str, Decision] = {
    "grant": application.grant,
    "refuse": application.refuse,
    "maintain": visit.maintain,
    "change_grade": issuance.change_grade,
    "renew": issuance.renew,
}


def _outcome(certificate: Certificate, command: c.Decide, moment: Moment) -> list[e.Fact]:
    return _OUTCOMES[command.outcome](certificate, command, moment)


DECISIONS: dict[type[c.Command], Decision] = {
    c.SubmitApplication: application.submit,
    c.ReviewApplication: application.review_application,
    c.WithdrawApplication: application.withdraw_application,
    c.Plan: _plan,
    c.RecordAssessment: _record,
    c.CloseNonconformity: application.close_nonconformity,
    c.ReviewAssessment: application.review_assessment,
    c.Decide: _outcome,
    c.Issue: issuance.issue,
    c.Reissue: issuance.reissue,
    c.RequestVisit: visit.request,
    c.Suspend: standing.suspend,
    c.ExtendSuspension: standing.extend,
    c.Reinstate: standing.reinstate,
    c.ProceedToWithdrawal: standing.proceed_to_withdrawal,
    c.Withdraw: standing.withdraw,
    c.Cancel: standing.cancel,
    c.Notify: dispute.notify,
    c.LodgeAppeal: dispute.lodge_appeal,
    c.LodgeComplaint: dispute.lodge_complaint,
    c.DecideDispute: dispute.decide,
    c.Correct: correction.correct,
}
"""One function for each command on a certificate."""
