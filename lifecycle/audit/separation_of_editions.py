"""Were editions published, rehearsals approved and adoptions signed by those who may? Asked of the log alone, as
``separation`` asks it of every other event.
"""

from typing import Any

from lifecycle import commands as c
from lifecycle import errors
from lifecycle import events as e
from lifecycle.audit.breach import NotAsProposed, OtherSigners
from lifecycle.audit.persons_known import Known
from lifecycle.certificate import Certificate
from lifecycle.decide import require_role
from lifecycle.duties import DUTIES
from lifecycle.events import Recorded
from lifecycle.rehearsal.state import Rehearsal
from lifecycle.rules import shipped_editions

RECORDED_BY: dict[type[e.Fact], type[c.Command]] = {
    e.EditionProposed: c.PublishEdition,
    e.EditionPublished: c.PublishEdition,
    e.ProposalRejected: c.PublishEdition,
    e.RehearsalRequested: c.Rehearse,
    e.RehearsalApproved: c.ApproveRehearsal,
    e.AdoptionStarted: c.Adopt,
    e.AdoptionHalted: c.Adopt,
    e.EditionAdopted: c.Adopt,
    e.GradeChanged: c.Adopt,
    e.CertificateReissued: c.Adopt,
}
"""The command that records each fact of an edition on its way, to the certificates that take it."""


def concerns(recorded: Recorded, certificate: Certificate) -> bool:
    """Is the event of an edition, a rehearsal or an adoption?"""
    fact = recorded.fact
    if isinstance(fact, e.ProposalRejected):
        return isinstance(_proposed(certificate, fact), e.EditionProposed)
    if isinstance(fact, e.GradeChanged | e.CertificateReissued):
        return _is_of_adoption(fact, certificate)
    return type(fact) in RECORDED_BY


def held_role(recorded: Recorded) -> None:
    """The role allows the act; a shipped edition is published by nobody's act."""
    fact = recorded.fact
    duty, command = DUTIES[RECORDED_BY[type(fact)]], RECORDED_BY[type(fact)]
    approving = isinstance(fact, e.EditionPublished | e.ProposalRejected)
    if isinstance(fact, e.EditionPublished) and fact.proposal is None:
        return
    require_role(fact.by.role, command, duty.approved_by if approving else duty.by, approving=approving)  # pyright: ignore[reportArgumentType]


def two_persons(recorded: Recorded, certificate: Certificate, known: Known) -> None:
    """Two published the edition; two approved its rehearsal, and signed for each certificate."""
    for rule in BY_TWO:
        rule(recorded, certificate, known)


def published_by_two(recorded: Recorded, certificate: Certificate, known: Known) -> None:
    """One person proposed the text, another published it, and both signed; what ships needs nobody."""
    fact = recorded.fact
    if not isinstance(fact, e.EditionPublished):
        return
    if fact.proposal is None:
        if fact.digest not in {edition.digest for edition in shipped_editions().values()}:
            raise errors.SecondPersonNeeded(person=fact.by.person)
        return
    proposed = _proposed(certificate, fact)
    if not isinstance(proposed, e.EditionProposed):
        raise NotAsProposed(proposal=fact.proposal, problem="was never made")
    if proposed.digest != fact.digest:
        raise NotAsProposed(proposal=fact.proposal, problem="was of another text")
    if proposed.by.person == fact.by.person:
        raise errors.SecondPersonNeeded(person=fact.by.person)
    _require_signers(fact, (proposed.by.person, fact.by.person))


def approved_by_no_author(recorded: Recorded, certificate: Certificate, known: Known) -> None:
    fact = recorded.fact
    if isinstance(fact, e.RehearsalApproved) and fact.by.person == known.authors.get(fact.edition or ""):
        raise errors.AuthorMayNotApprove(person=fact.by.person, edition=fact.edition)


def adopted_by_two(recorded: Recorded, certificate: Certificate, known: Known) -> None:
    """Those signed whose approval of the rehearsal held for the certificate: free of its teams and of its holder."""
    fact = recorded.fact
    if not isinstance(fact, e.EditionAdopted) and not _is_of_adoption(fact, certificate):
        return
    approvals = known.approvals(fact.cause.id, recorded.position or 0)
    conflicts = known.moment(recorded, {each.by.person for each in approvals}).conflicts
    barred = {person for case in certificate.cases.values() for person in case.team}
    barred |= {person for person, organisations in conflicts.items() if certificate.organisation in organisations}
    rehearsal = Rehearsal(certificate.id, approvals=approvals)
    _require_signers(fact, rehearsal.signers(certificate.id, barred) or ())


BY_TWO = (published_by_two, approved_by_no_author, adopted_by_two)


def _require_signers(fact: e.Fact, signers: tuple[str, ...]) -> None:
    if fact.signed_by != signers:
        raise OtherSigners(said=", ".join(fact.signed_by) or "nobody", found=", ".join(signers) or "nobody")


def _proposed(certificate: Certificate, fact: e.Fact) -> Any:
    """What the stream has under the proposal's number."""
    return next((each.fact for each in certificate.history if each.version == fact.proposal), None)


def _is_of_adoption(fact: e.Fact, certificate: Certificate) -> bool:
    """A change of grade, or the document that prints it, recorded with the edition adopted."""
    before = certificate.history[-1].fact if certificate.history else None
    together = isinstance(before, e.EditionAdopted | e.GradeChanged) and before.cause == fact.cause
    return together and fact.cause.kind == "rehearsal"
