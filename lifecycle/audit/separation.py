"""Was separation of duties kept? Proved from facts alone, event by event: nothing that the service checked is believed.

The rules are those by which decisions are taken, asked again of the state that the stream adds up to before each event:
who signed, in which role, on whose team that person ever stood, what interests had been declared by then.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Any

from lifecycle import commands as c
from lifecycle import errors
from lifecycle import events as e
from lifecycle.audit import separation_of_editions as editions
from lifecycle.audit.breach import (
    Breach,
    ErasedOneself,
    NotAsProposed,
    NotByTheClock,
    NotJudged,
    NotOfThatKey,
    OtherSigners,
    RoleGivenToOneself,
    breach_of,
)
from lifecycle.audit.persons_known import Known
from lifecycle.certificate import Case, Certificate, Proposal, evolve, fold
from lifecycle.decide import require_role
from lifecycle.decisions.application import require_on_team, require_reviewers_free
from lifecycle.decisions.dispute import require_uninvolved
from lifecycle.decisions.moment import Moment
from lifecycle.decisions.permission import require_independent, require_no_conflict, require_serving
from lifecycle.duties import DUTIES
from lifecycle.errors import Refusal
from lifecycle.events import Recorded
from lifecycle.periods import legal_day

CommandType = type[c.Command]

RECORDED_BY: dict[type[e.Fact], CommandType] = {
    e.ApplicationSubmitted: c.SubmitApplication,
    e.ApplicationAccepted: c.ReviewApplication,
    e.ApplicationRejected: c.ReviewApplication,
    e.ApplicationWithdrawn: c.WithdrawApplication,
    e.AssessmentPlanned: c.Plan,
    e.SurveillancePlanned: c.Plan,
    e.AssessmentRecorded: c.RecordAssessment,
    e.SurveillanceRecorded: c.RecordAssessment,
    e.NonconformityClosed: c.CloseNonconformity,
    e.AssessmentReviewed: c.ReviewAssessment,
    e.GradeDetermined: c.ReviewAssessment,
    e.CertificationGranted: c.Decide,
    e.CertificationRefused: c.Decide,
    e.CertificationMaintained: c.Decide,
    e.GradeChanged: c.Decide,
    e.CertificateRenewed: c.Decide,
    e.CertificateIssued: c.Issue,
    e.CertificateReissued: c.Reissue,
    e.SurveillanceRequested: c.RequestVisit,
    e.CertificateSuspended: c.Suspend,
    e.SuspensionExtended: c.ExtendSuspension,
    e.CertificateReinstated: c.Reinstate,
    e.WithdrawalOpened: c.ProceedToWithdrawal,
    e.WithdrawalDropped: c.ProceedToWithdrawal,
    e.CertificateWithdrawn: c.Withdraw,
    e.CertificateCancelled: c.Cancel,
    e.HolderNotified: c.Notify,
    e.AppealLodged: c.LodgeAppeal,
    e.ComplaintLodged: c.LodgeComplaint,
    e.AppealDecided: c.DecideDispute,
    e.ComplaintDecided: c.DecideDispute,
    e.RecordCorrected: c.Correct,
}
"""The command that records each fact of a certificate; a re-issue that prints a change of grade was decided with it."""

OF_PERSONS: dict[type[e.Fact], CommandType] = {e.PersonalDetailsSealed: c.GiveDetails, e.PersonErased: c.ErasePerson}

OF_THE_CLOCK = frozenset({e.SurveillanceDue, e.SurveillanceOverdue, e.CertificateExpired})

INDEPENDENT = frozenset({
    e.CertificationGranted, e.CertificationRefused, e.CertificationMaintained, e.GradeChanged, e.CertificateRenewed,
    e.CertificateSuspended, e.SuspensionExtended, e.CertificateReinstated, e.WithdrawalOpened, e.WithdrawalDropped,
    e.CertificateWithdrawn, e.RecordCorrected,
})  # fmt: skip
"""Facts whose signers have to be free of the case, or of every case that they are about."""


def breaches(history: Sequence[Recorded], known: Known, rules: "Iterable[Rule] | None" = None) -> Iterator[Breach]:
    """The breaches of one stream, a certificate's or any other, in its order; of all RULES unless some are named."""
    seen: list[Recorded] = []
    certificate = Certificate(history[0].originator_id, history=seen)
    asked = RULES if rules is None else tuple(rules)
    for recorded in history:
        yield from _of_event(recorded, certificate, known, asked)
        seen.append(recorded)
        try:
            certificate = _after(certificate, seen)
        except Exception as error:
            yield breach_of(recorded, NotJudged(problem=f"the stream adds up no further: {type(error).__name__}"))
            return


def _of_event(recorded: Recorded, certificate: Certificate, known: Known, rules: "Iterable[Rule]") -> Iterator[Breach]:
    for rule in rules:
        try:
            rule(recorded, certificate, known)
        except Refusal as refusal:
            yield breach_of(recorded, refusal)
        except Exception as error:
            yield breach_of(recorded, NotJudged(problem=f"{type(error).__name__} where {rule.__name__} is asked"))


def _after(certificate: Certificate, history: Sequence[Recorded]) -> Certificate:
    last = history[-1]
    if type(last.fact) is e.RecordCorrected:
        return fold(certificate.id, history)
    if type(last.fact) in RECORDED_BY or type(last.fact) in OF_THE_CLOCK or isinstance(last.fact, _ALSO):
        evolve(certificate, last.version, last.fact)
    return certificate


# ---- what is asked of each event -------------------------------------------------------------------------------------


def held_role(recorded: Recorded, certificate: Certificate, known: Known) -> None:
    """The role allows the act, and the clock alone does the clock's."""
    fact = recorded.fact
    if editions.concerns(recorded, certificate):
        editions.held_role(recorded)
        return
    if type(fact) in OF_THE_CLOCK and fact.by.role != "clock":
        raise NotByTheClock(person=fact.by.person, role=fact.by.role)
    if isinstance(fact, e.ActProposed):
        require_role(fact.by.role, _named(fact.act), DUTIES[_named(fact.act)].by)
    elif isinstance(fact, e.ProposalRejected):
        _require_may_reject(fact, certificate.proposals[fact.proposal or 0])
    elif (command := OF_PERSONS.get(type(fact)) or _command(recorded)) is not None:
        duty = DUTIES[command]
        allowed = (duty.approved_by or duty.by) if fact.proposal is not None else duty.by
        require_role(fact.by.role, command, allowed, approving=fact.proposal is not None)  # pyright: ignore


def two_persons(recorded: Recorded, certificate: Certificate, known: Known) -> None:
    """One person proposed it, another approved it, once, and both signed."""
    if editions.concerns(recorded, certificate):
        editions.two_persons(recorded, certificate, known)
        return
    fact, command = recorded.fact, _command(recorded)
    if command is None:
        return
    if fact.proposal is None:
        if DUTIES[command].approved_by or _back_dated(recorded, certificate, known):
            raise errors.SecondPersonNeeded(person=fact.by.person)
        return
    proposal = certificate.proposals.get(fact.proposal)
    if proposal is None:
        raise NotAsProposed(proposal=fact.proposal, problem="was never made")
    if proposal.proposed.act != c.name_of(command):
        raise NotAsProposed(proposal=fact.proposal, problem=f"was to {proposal.proposed.act}")
    if proposal.state != "open" and not _together(recorded, certificate):
        raise NotAsProposed(proposal=fact.proposal, problem=f"had been {proposal.state} before")
    if proposal.proposed.by.person == fact.by.person:
        raise errors.SecondPersonNeeded(person=fact.by.person)
    if fact.signed_by != (found := (proposal.proposed.by.person, fact.by.person)):
        raise OtherSigners(said=", ".join(fact.signed_by) or "nobody", found=", ".join(found))


def free_of_the_case(recorded: Recorded, certificate: Certificate, known: Known) -> None:
    """Who signed, reviewed or handled it had no part in what it is about; who recorded it was of the team."""
    if editions.concerns(recorded, certificate):
        return
    fact = recorded.fact
    moment = known.moment(recorded, _persons(fact))
    case = certificate.cases.get(fact.case or 0)
    if type(fact) in INDEPENDENT:
        target = certificate.fact(fact.target).case if isinstance(fact, e.RecordCorrected) else fact.case
        of = certificate.cases.get(target or 0)
        require_independent(certificate, of, _command(recorded), moment)  # pyright: ignore[reportArgumentType]
    elif isinstance(fact, e.AssessmentPlanned | e.SurveillancePlanned):
        require_serving(certificate, fact.team, moment)
    elif case is not None:
        _within_case(fact, certificate, case, moment)


def _within_case(fact: e.Fact, certificate: Certificate, case: Case, moment: Moment) -> None:
    match fact:
        case e.AssessmentRecorded() | e.SurveillanceRecorded():
            require_on_team(case, moment, "record_assessment")
            require_no_conflict(certificate, fact.team, moment)
        case e.NonconformityClosed():
            require_on_team(case, moment, "close_nonconformity")
        case e.AssessmentReviewed():
            require_reviewers_free(certificate, case, moment)
        case e.AppealDecided() | e.ComplaintDecided():
            require_uninvolved(certificate, case, moment)


def own_key(recorded: Recorded, certificate: Certificate, known: Known) -> None:
    """The key was that person's, in that role, and nobody gave a role to himself, or erased himself."""
    fact = recorded.fact
    if (problem := known.problem_with(fact.by, recorded.position or 0)) is not None:
        raise NotOfThatKey(person=fact.by.person, role=fact.by.role, key=fact.by.key, problem=problem)
    if isinstance(fact, e.KeyIssued) and fact.by.person == fact.person:
        raise RoleGivenToOneself(person=fact.person, key=fact.key, role=fact.role)
    if isinstance(fact, e.PersonErased) and fact.by.person == fact.person:
        raise ErasedOneself(person=fact.person)


Rule = Callable[[Recorded, Certificate, Known], None]
RULES: tuple[Rule, ...] = (held_role, two_persons, free_of_the_case, own_key)

_ALSO = (e.ActProposed, e.ProposalRejected, e.DocumentSealed, e.EditionAdopted)
"""Facts of certificates that no command of DUTIES records."""


def _command(recorded: Recorded) -> CommandType | None:
    fact = recorded.fact
    if isinstance(fact, e.CertificateReissued) and fact.case != recorded.version:
        return c.Decide
    return RECORDED_BY.get(type(fact))


def _named(act: str) -> Any:
    return c.COMMANDS[act]


def _require_may_reject(fact: e.ProposalRejected, proposal: Proposal) -> None:
    """Its author may, and whoever might have approved it."""
    act = _named(proposal.proposed.act)
    if fact.by.person != proposal.proposed.by.person:
        require_role(fact.by.role, act, DUTIES[act].approved_by or DUTIES[act].by, approving=True)


def _together(recorded: Recorded, certificate: Certificate) -> bool:
    """Whether the same approval recorded the event before: a change of grade, and the document that prints it."""
    before = certificate.history[-1].fact if certificate.history else None
    return before is not None and (before.proposal, before.cause) == (recorded.fact.proposal, recorded.fact.cause)


def _back_dated(recorded: Recorded, certificate: Certificate, known: Known) -> bool:
    """Whether it took effect longer ago than one person may sign for."""
    fact = recorded.fact
    edition = known.editions.get(certificate.edition or fact.edition or "")
    if edition is None or recorded.recorded_at is None:
        return False
    late = legal_day(recorded.recorded_at) - fact.effective_on
    return late > timedelta(days=edition.back_dating_days)


def _persons(fact: e.Fact) -> frozenset[str]:
    return frozenset({fact.by.person, *fact.signed_by, *getattr(fact, "team", ())})
