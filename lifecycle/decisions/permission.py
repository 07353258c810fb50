"""May this act happen now? The checks that every decision shares: status, stage, days, persons, reasons.

Legality is judged on the legal day of recording and on the day the act takes effect, both from dates, whether or not a
clock has run (domain.md, "Settled readings").
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import date

from lifecycle import errors
from lifecycle import events as e
from lifecycle.certificate import Case, Certificate
from lifecycle.commands import Command, name_of
from lifecycle.decisions.moment import Moment
from lifecycle.rules import Edition
from lifecycle.transitions import STAGE, STATUS, STATUSES, type_of_fact


def day_of_effect(certificate: Certificate, command: Command, moment: Moment) -> date:
    """The day on which the command takes effect: as named, else today.

    Raises DayInFuture, and BeforeLastStatusAct for a day before the certificate's last status act.
    """
    on = command.effective_on or moment.today
    if on > moment.today:
        raise errors.DayInFuture(what="effective_on", on=on, today=moment.today)
    if certificate.last_act_on and on < certificate.last_act_on:
        raise errors.BeforeLastStatusAct(
            act=name_of(command), certificate=certificate.label, on=on, last_on=certificate.last_act_on
        )
    return on


def require_status(certificate: Certificate, command: Command, fact: type_of_fact, moment: Moment) -> None:
    """Raises NotAllowedInStatus unless the table allows the fact today and on the day it takes effect."""
    for day in (moment.today, command.effective_on or moment.today):
        status = certificate.status_on(day)
        if (status, fact) not in STATUS:
            standing = certificate.standing_on(day)
            raise errors.NotAllowedInStatus(
                act=name_of(command),
                certificate=certificate.label,
                on=day,
                status=status,
                since=standing.since if standing else "-",
                allowed=_listed(s for s in STATUSES if (s, fact) in STATUS),
            )


def require_case(certificate: Certificate, number: int) -> Case:
    """The case with that number. Raises CaseUnknown."""
    if number not in certificate.cases:
        raise errors.CaseUnknown(certificate=certificate.label, case=number, cases=_listed(certificate.cases))
    return certificate.cases[number]


def require_stage(certificate: Certificate, case: Case, command: Command, fact: type_of_fact) -> None:
    """Raises NotAllowedAtStage unless the table allows the fact at the case's stage."""
    if (case.kind, case.stage, fact) not in STAGE:
        raise errors.NotAllowedAtStage(
            act=name_of(command),
            certificate=certificate.label,
            case=case.version,
            kind=case.kind,
            stage=case.stage,
            allowed=_listed(stage for kind, stage, f in STAGE if kind == case.kind and f is fact),
        )


def enter(certificate: Certificate, command: Command, fact: type_of_fact, moment: Moment) -> date:
    """The day of effect of an act that the certificate's status allows."""
    require_status(certificate, command, fact, moment)
    return day_of_effect(certificate, command, moment)


def enter_case(
    certificate: Certificate, number: int, command: Command, fact: type_of_fact, moment: Moment
) -> tuple[Case, date]:
    """The case, and the day of effect, of an act that status and stage allow.

    No act of a case takes effect before the last one of that case.
    """
    case = require_case(certificate, number)
    require_status(certificate, command, fact, moment)
    require_stage(certificate, case, command, fact)
    on = day_of_effect(certificate, command, moment)
    require_not_before(command, on, "the last act of the case", case.last_on)
    return case, on


def require_not_before(command: Command, on: date, ground: str, ground_on: date | None) -> None:
    """Raises BeforeItsGround where the act would take effect before what it rests on."""
    if ground_on is not None and on < ground_on:
        raise errors.BeforeItsGround(act=name_of(command), on=on, ground=ground, ground_on=ground_on)


def require_past(what: str, day: date, moment: Moment) -> None:
    """Raises DayInFuture for a day that has not come."""
    if day > moment.today:
        raise errors.DayInFuture(what=what, on=day, today=moment.today)


def require_order(first_name: str, first: date, second_name: str, second: date) -> None:
    if first > second:
        raise errors.DaysOutOfOrder(first_name=first_name, first=first, second_name=second_name, second=second)


def require_reasons(reasons: Iterable[e.Reason], act: str, edition: Edition) -> None:
    """Raises ReasonUnknown unless the edition lists each reason for that kind of act."""
    known: Mapping[str, object] = edition.reasons(act)
    for reason in reasons:
        if reason.code not in known:
            raise errors.ReasonUnknown(reason=reason.code, act=act, edition=edition.id, known=_listed(known))


def require_no_conflict(certificate: Certificate, persons: Iterable[str], moment: Moment) -> None:
    """Raises PersonUnknown, or ConflictOfInterest where one declared an interest in the certificate's organisation."""
    for person in persons:
        if person not in moment.conflicts:
            raise errors.PersonUnknown(person=person)
        if certificate.organisation in moment.conflicts[person]:
            raise errors.ConflictOfInterest(person=person)


def require_serving(certificate: Certificate, team: Iterable[str], moment: Moment) -> None:
    """Raises PersonErased where one of the team acts no more, and what ``require_no_conflict`` raises."""
    require_no_conflict(certificate, team, moment)
    for person in moment.erased.intersection(team):
        raise errors.PersonErased(person=person)


def require_independent(certificate: Certificate, case: Case | None, command: Command, moment: Moment) -> None:
    """Raises StoodOnTeam, ReviewedCase or ConflictOfInterest unless every signer is free of the case.

    An act that names no case is measured against every open case and the one last assessed, so that leaving the case
    out opens no way round.
    """
    for concerned in [case] if case else concerned_cases(certificate):
        for person in moment.signers:
            if person in concerned.team:
                raise errors.StoodOnTeam(person=person, act=name_of(command), case=concerned.version)
            if person in concerned.reviewers and not moment.edition_of(certificate).reviewer_may_sign:
                raise errors.ReviewedCase(
                    person=person, act=name_of(command), case=concerned.version, edition=certificate.edition
                )
    require_no_conflict(certificate, moment.signers, moment)


def concerned_cases(certificate: Certificate) -> list[Case]:
    """The cases that an act without a case is about: every open one, and the one assessed last."""
    last_assessed = certificate.assessed_cases[-1:]
    return [case for case in certificate.cases.values() if case.is_open or case in last_assessed]


def _listed(items: Iterable[object] | Collection[object]) -> str:
    return ", ".join(str(item) for item in items) or "none"
