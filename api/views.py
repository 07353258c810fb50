"""What staff and holders are shown of a certificate. A holder sees no persons and no internal reasons."""

from datetime import date
from typing import Any

import msgspec

from lifecycle import events as e
from lifecycle.certificate import Case, Certificate, Proposal
from lifecycle.events import Recorded

PRIVATE = frozenset({
    "by", "signed_by", "proposal", "team", "cause", "grounds", "recommendation", "notice", "body", "reason",
})  # fmt: skip
"""Members of a fact that a holder is not shown."""

INTERNAL = (e.ActProposed, e.ProposalRejected)
"""Facts that a holder is not shown: what is proposed concerns it when it is decided."""

KINDS_OF_HOLDER = frozenset({"visit", "renewal", "appeal_decision", "complaint_decision"})
"""Deadlines that a holder is shown; the others are work of staff."""


def certificate_view(certificate: Certificate, today: date, *, full: bool) -> dict[str, Any]:
    """The state on ``today``; with ``full``, persons and proposals too."""
    standing = certificate.standing_on(today)
    return {
        "certificate_id": certificate.id,
        "version": certificate.version,
        "organisation": certificate.organisation,
        "scheme": certificate.scheme,
        "edition": certificate.edition,
        "certificate_number": certificate.numbers.at(today) or certificate.numbers.last,
        "document": certificate.document,
        "status": certificate.status_on(today),
        "status_since": standing.since if standing else None,
        "suspended_until": standing.suspended_until if standing else None,
        "level": certificate.levels.at(today),
        "certification_type": certificate.types.at(today),
        "holder": certificate.holders.at(today),
        "address": certificate.addresses.at(today),
        "scope": certificate.scopes.at(today),
        "first_certified_on": certificate.first_certified_on,
        "periods": [
            {"valid_from": start, "valid_until": end}
            for start, end in zip(certificate.periods.days, certificate.periods.values, strict=True)
        ],
        "due": certificate.due,
        "withdrawal_open_since": certificate.withdrawal_since,
        "cases": [_case(case, full=full) for case in certificate.cases.values()],
        "proposals": [_proposal(each) for each in certificate.proposals.values()] if full else [],
        "unsupported": [{"version": v, "since": since} for v, since in certificate.unsupported.items()] if full else [],
    }


def event_view(recorded: Recorded, *, full: bool) -> dict[str, Any]:
    """One fact of the stream with its columns; without ``full`` persons and internal reasons are left out."""
    fact = msgspec.to_builtins(recorded.fact)
    if not full:
        fact = {name: without_texts(name, value) for name, value in fact.items() if name not in PRIVATE}
    return {
        "version": recorded.version,
        "position": recorded.position,
        "recorded_at": recorded.recorded_at,
        "event_id": f"{recorded.originator_id}/{recorded.version}",
        **fact,
        "type": e.topic_of(recorded.fact),
    }


def without_texts(name: str, value: Any) -> Any:
    """The value of a fact's member with the codes of reasons alone, also where a correction changes them."""
    if name == "changes":
        return [
            {at: each if at == "path" else without_texts(change["path"], each) for at, each in change.items()}
            for change in value
        ]
    if name in ("reasons", "closed", "/reasons"):
        return [{"code": reason["code"]} for reason in value or ()]
    return value


def _case(case: Case, *, full: bool) -> dict[str, Any]:
    shown = {
        "case": case.version,
        "kind": case.kind,
        "stage": case.stage,
        "opened_on": case.opened_on,
        "draw": case.draw,
        "quota": case.quota,
        "on_site_to": case.on_site_to,
        "open_nonconformities": case.open_nonconformities,
        "score": case.grade.score if case.grade else None,
        "level": case.grade.level if case.grade else None,
        "because": case.grade.because if case.grade else None,
        "against": case.against,
        "upheld": case.upheld,
        "decide_by": case.decide_by,
    }
    if full:
        shown |= {"team": sorted(case.team), "reviewers": sorted(case.reviewers)}
    return shown


def _proposal(proposal: Proposal) -> dict[str, Any]:
    proposed = proposal.proposed
    return {
        "proposal": proposal.number,
        "state": proposal.state,
        "act": proposed.act,
        "body": proposed.body,
        "digest": proposed.digest,
        "proposed_by": proposed.by.person,
        "act_on": proposed.act_on,
        "expires_on": proposed.expires_on,
    }
