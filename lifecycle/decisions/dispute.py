"""Notices, appeals and complaints. An appeal leaves the decision in force; it acts only through a further fact."""

from collections.abc import Mapping
from datetime import date

from lifecycle import commands as c
from lifecycle import errors
from lifecycle import events as e
from lifecycle.certificate import Case, Certificate, fold
from lifecycle.decisions.moment import Moment
from lifecycle.decisions.permission import concerned_cases, enter, enter_case, require_no_conflict, require_past
from lifecycle.rules import Edition


def notify(certificate: Certificate, command: c.Notify, moment: Moment) -> list[e.Fact]:
    on = enter(certificate, command, e.HolderNotified, moment)
    told = require_fact(certificate, command.of)
    require_past("served_on", command.served_on, moment)
    if command.served_on < told.effective_on:
        raise errors.BeforeItsGround(
            act="notify", on=command.served_on, ground=f"event {command.of}", ground_on=told.effective_on
        )
    return [
        e.HolderNotified(
            **moment.stamp(on),
            of=command.of,
            served_on=command.served_on,
            proof_sha256=command.proof_sha256,
            notice_sha256=command.notice_sha256,
        )
    ]


def lodge_appeal(certificate: Certificate, command: c.LodgeAppeal, moment: Moment) -> list[e.Fact]:
    """An appeal names the fact it is against; its time runs from the day after the notice of it was served."""
    on = enter(certificate, command, e.AppealLodged, moment)
    against = _disputed(certificate, command.against)
    until_on = appeal_until(certificate, against, moment.editions)
    if until_on is not None and on > until_on:
        raise errors.AppealTooLate(version=against, until_on=until_on)
    return [
        e.AppealLodged(
            **moment.stamp(on, case=certificate.version + 1, edition=certificate.edition),
            against=against,
            grounds=command.grounds,
            decide_by=moment.edition_of(certificate).appeal_decided_by(on),
            request_sha256=command.request_sha256,
        )
    ]


def lodge_complaint(certificate: Certificate, command: c.LodgeComplaint, moment: Moment) -> list[e.Fact]:
    on = enter(certificate, command, e.ComplaintLodged, moment)
    return [
        e.ComplaintLodged(
            **moment.stamp(on, case=certificate.version + 1, edition=certificate.edition),
            grounds=command.grounds,
            decide_by=moment.edition_of(certificate).complaint_decided_by(on),
            request_sha256=command.request_sha256,
        )
    ]


def decide(certificate: Certificate, command: c.DecideDispute, moment: Moment) -> list[e.Fact]:
    """Upheld or not, by somebody who neither assessed nor decided what it is about."""
    outcome = e.AppealDecided
    if command.case in certificate.cases and certificate.cases[command.case].kind == "complaint":
        outcome = e.ComplaintDecided
    case, on = enter_case(certificate, command.case, command, outcome, moment)
    require_uninvolved(certificate, case, moment)
    return [outcome(**moment.stamp(on, case=case.version), upheld=command.upheld, grounds=command.grounds)]


def appeal_until(certificate: Certificate, version: int, editions: Mapping[str, Edition]) -> date | None:
    """The last day to appeal against the fact, counted from the day after the first notice of it was served.

    None where none was served: the time has not begun to run, and an appeal is in time.
    """
    served_on = first_served_on(certificate, version)
    return served_on and editions[certificate.edition].appeal_until(served_on)


def require_uninvolved(certificate: Certificate, case: Case, moment: Moment) -> None:
    """Raises InvolvedInAppealed or ConflictOfInterest unless every signer is free of what the case is about."""
    involved = _involved(certificate, case)
    for person in moment.signers:
        if person in involved:
            raise errors.InvolvedInAppealed(person=person, case=case.version)
    require_no_conflict(certificate, moment.signers, moment)


def require_fact(certificate: Certificate, version: int) -> e.Fact:
    """The fact with that version, as recorded. Raises FactUnknown."""
    if not 1 <= version <= len(certificate.history):
        raise errors.FactUnknown(certificate=certificate.label, version=version, last=len(certificate.history))
    return certificate.fact(version)


def _disputed(certificate: Certificate, named: int | str) -> int:
    """The version of the fact that is named. Raises EventOfAnother and FactUnknown."""
    if isinstance(named, str):
        id, _, version = named.partition("/")
        if id != str(certificate.id):
            raise errors.EventOfAnother(event=named, certificate=certificate.label)
        named = int(version)
    require_fact(certificate, named)
    return named


def first_served_on(certificate: Certificate, version: int) -> date | None:
    """The day on which the first notice of that fact was served."""
    facts = (recorded.fact for recorded in certificate.history)
    return next((f.served_on for f in facts if isinstance(f, e.HolderNotified) and f.of == version), None)


def _involved(certificate: Certificate, case: Case) -> frozenset[str]:
    """Who recorded what is appealed against, and every team and signer of its case, or, where it has none, its signers
    and the teams of the cases it was about; of a complaint, every team and signer of the certificate."""
    if case.against is None:
        facts = [recorded.fact for recorded in certificate.history]
        teams = [other.team for other in certificate.cases.values()]
        return frozenset().union(*teams, *(fact.signed_by for fact in facts))
    fact = certificate.fact(case.against)
    if fact.case in certificate.cases:
        signed = [recorded.fact.signed_by for recorded in certificate.history if recorded.fact.case == fact.case]
        cases = [certificate.cases[fact.case]]
    else:
        signed = [fact.signed_by]
        cases = concerned_cases(fold(certificate.id, certificate.history[: case.against]))
    return frozenset({fact.by.person}).union(*signed, *(each.team for each in cases))
