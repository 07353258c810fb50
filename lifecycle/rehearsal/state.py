"""One rehearsal: what an edition would have answered to all that was recorded, who approved it, and its adoption.

It is bound to the digest of the edition and to a position in the log. Two persons approve it, a scheme manager and a
decision maker; who wrote the edition does not. For a certificate on one of whose teams an approver ever stood, that
approval does not count: it is decided singly, by an approval for it alone.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Literal
from uuid import UUID

from lifecycle import errors
from lifecycle import events as e
from lifecycle.commands import Adopt, ApproveRehearsal
from lifecycle.decisions.moment import Moment
from lifecycle.events import Recorded
from lifecycle.rules import Edition

State = Literal["requested", "completed", "adopting", "halted", "adopted"]
APPROVERS: tuple[e.Role, ...] = ("scheme_manager", "decision_maker")
"""One person of each role approves."""


@dataclass(slots=True)
class Rehearsal:
    """The state of one rehearsal."""

    id: UUID
    version: int = 0
    requested: e.RehearsalRequested | None = None
    completed: e.RehearsalCompleted | None = None
    approvals: list[e.RehearsalApproved] = field(default_factory=list)
    finished: e.AdoptionFinished | None = None
    started: e.AdoptionStarted | None = None
    halted: e.AdoptionHalted | None = None
    state: State = "requested"

    @property
    def edition(self) -> str:
        """The id of the edition that is rehearsed."""
        return self.asked.edition or ""

    @property
    def asked(self) -> e.RehearsalRequested:
        """What was asked for. Raises RehearsalUnknown before that."""
        if self.requested is None:
            raise errors.RehearsalUnknown(rehearsal=self.id)
        return self.requested

    def approver(self, role: e.Role, certificate: UUID | None = None, barred: Iterable[str] = ()) -> str | None:
        """Who of that role approved the whole, or the certificate singly; nobody who is barred."""
        given = (
            each.by.person
            for each in self.approvals
            if each.by.role == role and each.certificate in (None, certificate) and each.by.person not in barred
        )
        return next(given, None)

    def signers(self, certificate: UUID, barred: Iterable[str]) -> tuple[str, ...] | None:
        """The two persons whose approval holds for the certificate; None where one is wanting."""
        found = [self.approver(role, certificate, barred) for role in APPROVERS]
        signers = tuple(person for person in found if person)
        return signers if len(set(signers)) == len(APPROVERS) else None


def rehearsal_of(id: UUID, history: Iterable[Recorded]) -> Rehearsal:
    """The rehearsal as its stream adds up. Raises RehearsalUnknown where the stream is that of something else."""
    found = Rehearsal(id)
    for recorded in history:
        found.version = recorded.version
        _evolve(found, recorded.fact)
    if found.requested is None:
        raise errors.RehearsalUnknown(rehearsal=id)
    return found


def _evolve(found: Rehearsal, fact: e.Fact) -> None:
    match fact:
        case e.RehearsalRequested():
            found.requested = fact
        case e.RehearsalCompleted():
            found.completed, found.state = fact, "completed"
        case e.RehearsalApproved():
            found.approvals.append(fact)
        case e.AdoptionStarted():
            found.started, found.halted, found.state = fact, None, "adopting"
        case e.AdoptionHalted():
            found.halted, found.state = fact, "halted"
        case e.AdoptionFinished():
            found.finished, found.state = fact, "adopted"
        case _:
            pass


def request(edition: Edition, log_position: int, moment: Moment) -> list[e.Fact]:
    """The rehearsal waits to be made."""
    return [
        e.RehearsalRequested(
            **moment.stamp(moment.today, edition=edition.id),
            scheme=edition.scheme,
            digest=edition.digest,
            asked_on=moment.today,
            log_position=log_position,
        )
    ]


def approve(
    rehearsal: Rehearsal,
    command: ApproveRehearsal,
    author: str,
    barred_for: Callable[[UUID], frozenset[str]],
    moment: Moment,
) -> list[e.Fact]:
    """One of the two approvals. ``barred_for`` tells who may not decide about a certificate.

    Raises RehearsalNotCompleted, RehearsalDiffers, AuthorMayNotApprove, ApprovedAlready; for one certificate
    StoodOnTeam where the person is barred from deciding about it.
    """
    requested = _completed(rehearsal)
    if (command.digest, command.log_position) != (requested.digest, requested.log_position):
        raise errors.RehearsalDiffers(digest=requested.digest, log_position=requested.log_position)
    person = moment.by.person
    if person == author:
        raise errors.AuthorMayNotApprove(person=person, edition=rehearsal.edition)
    barred: frozenset[str] = frozenset()
    if command.certificate is not None:
        barred = barred_for(command.certificate)
        if person in barred:
            raise errors.StoodOnTeam(person=person, act="approve_rehearsal", case=command.certificate)
    _require_wanted(rehearsal, command.certificate, barred, moment.by)
    return [
        e.RehearsalApproved(
            **moment.stamp(moment.today, edition=rehearsal.edition),
            digest=command.digest,
            log_position=command.log_position,
            certificate=command.certificate,
        )
    ]


def _require_wanted(rehearsal: Rehearsal, certificate: UUID | None, barred: Iterable[str], by: e.By) -> None:
    """Raises ApprovedAlready where one of that role approved, or that person did in the other role."""
    approved = {role: rehearsal.approver(role, certificate, barred) for role in APPROVERS}
    if approved[by.role] or by.person in approved.values():
        wanted = ", ".join(role for role in APPROVERS if not approved[role]) or "nobody"
        names = ", ".join(person for person in approved.values() if person)
        raise errors.ApprovedAlready(subject=certificate or rehearsal.id, approved=names, wanted=wanted)


def step(rehearsal: Rehearsal, command: Adopt, edition: Edition, moment: Moment) -> list[e.Fact]:
    """The adoption begins or goes on, or halts.

    Raises RehearsalNotApproved, EditionNotInForce, EditionSucceedsNone; NoAdoptionToHalt where none is under way.
    """
    stamp = moment.stamp(moment.today, edition=edition.id)
    if command.step == "halt":
        if rehearsal.state != "adopting":
            raise errors.NoAdoptionToHalt(state=rehearsal.state)
        return [e.AdoptionHalted(**stamp, reason=command.reason)]
    require_adoptable(rehearsal, edition, moment.today)
    return [e.AdoptionStarted(**stamp)]


def require_adoptable(rehearsal: Rehearsal, edition: Edition, today: date) -> None:
    """Raises the refusal that stands in the way of an adoption on that day."""
    _completed(rehearsal)
    if wanted := missing(rehearsal):
        raise errors.RehearsalNotApproved(missing=", ".join(wanted))
    if edition.succession is None:
        raise errors.EditionSucceedsNone(edition=edition.id)
    if today < edition.effective_from:
        raise errors.EditionNotInForce(edition=edition.id, effective_from=edition.effective_from)


def missing(rehearsal: Rehearsal) -> list[e.Role]:
    """The roles of which nobody has approved the whole yet."""
    return [role for role in APPROVERS if rehearsal.approver(role) is None]


def _completed(rehearsal: Rehearsal) -> e.RehearsalRequested:
    if rehearsal.completed is None:
        raise errors.RehearsalNotCompleted(rehearsal=rehearsal.id)
    return rehearsal.asked
