"""Is a stream, as it stands, a lawful one? Judged event by event, by the rules by which it was decided.

A certificate's stream is a walk of STATUS and STAGE, also as every correction makes it read; where two persons sign,
two did; the clock recorded what was owed. The smaller streams are decided again, and come out as they stand.
"""

from collections.abc import Iterable, Sequence

from lifecycle import commands as c
from lifecycle import errors
from lifecycle import events as e
from lifecycle.amendment import amend
from lifecycle.audit.breach import Breach, NotLawful
from lifecycle.audit.lawful_smaller import astray, breaches_of_smaller, day_of
from lifecycle.audit.persons_known import Known
from lifecycle.audit.separation import OF_THE_CLOCK, breaches, held_role, two_persons
from lifecycle.certificate import Certificate
from lifecycle.decide import open_proposal
from lifecycle.decisions.clock import owed
from lifecycle.decisions.lawfulness import first_unlawful, problems
from lifecycle.events import Recorded
from lifecycle.transitions import STATUS

OF_CERTIFICATES = frozenset(fact for _, fact in STATUS)


def first_breach(history: Sequence[Recorded], known: Known) -> Breach | None:
    """The first event of a whole stream that is not lawful, and why."""
    if type(history[0].fact) in OF_CERTIFICATES:
        return next(breaches(history, known, LAWS), None)
    return next(breaches_of_smaller(history, known), None)


def _a_certificates(recorded: Recorded, certificate: Certificate, known: Known) -> None:
    """It is a certificate's event, and begins with an application, or with its proposal."""
    fact = recorded.fact
    begins = isinstance(fact, e.ApplicationSubmitted | e.ActProposed)
    if type(fact) not in OF_CERTIFICATES or (recorded.version == 1 and not begins):
        raise astray()
    if fact.effective_on > (today := day_of(recorded)):
        raise errors.DayInFuture(what="effective_on", on=fact.effective_on, today=today)


def _in_the_tables(recorded: Recorded, certificate: Certificate, known: Known) -> None:
    unsupported = _unsupported(certificate.history)
    for problem in problems(certificate, recorded, unsupported, known.editions):
        raise NotLawful(problem=problem.en, problem_zh=problem.zh)


def _as_corrected(recorded: Recorded, certificate: Certificate, known: Known) -> None:
    """The amended stream is lawful with the correction at its end."""
    if not isinstance(recorded.fact, e.RecordCorrected):
        return
    history = [*certificate.history, recorded]
    if found := first_unlawful(certificate.id, amend(history), _unsupported(history), known.editions):
        unlawful, problem = found
        topic = e.topic_of(unlawful.fact)
        raise errors.CorrectionMakesIllegal(
            certificate=certificate.label, version=unlawful.version, topic=topic, problem=problem.en,
            problem_zh=problem.zh,
        )  # fmt: skip


def _as_proposed(recorded: Recorded, certificate: Certificate, known: Known) -> None:
    """A proposal has the digest of its act; whoever approved it did so in time."""
    fact = recorded.fact
    if isinstance(fact, e.ActProposed):
        digest = c.digest_of(certificate.id, c.read(c.COMMANDS[fact.act], fact.body))
        if fact.digest != digest:
            raise errors.DigestDiffers(digest=fact.digest, proposal=recorded.version, expected=digest)
    elif fact.proposal is not None and _opens_its_approval(recorded, certificate):
        open_proposal(certificate, fact.proposal, day_of(recorded))


def _owed(recorded: Recorded, certificate: Certificate, known: Known) -> None:
    """What the clock recorded was owed, to the letter."""
    if type(recorded.fact) in OF_THE_CLOCK and recorded.fact not in owed(certificate, day_of(recorded)):
        raise NotLawful(problem="the clock owed nothing of the kind", problem_zh="时钟此时无须作此记录")


LAWS = (_a_certificates, _in_the_tables, _as_corrected, _as_proposed, _owed, held_role, two_persons)


def _unsupported(history: Iterable[Recorded]) -> frozenset[int]:
    """Decisions that corrections have left without support may stand at any stage."""
    return frozenset(
        version for each in history if isinstance(each.fact, e.RecordCorrected) for version in each.fact.unsupported
    )


def _opens_its_approval(recorded: Recorded, certificate: Certificate) -> bool:
    """Whether it is the first event that the approval recorded."""
    before = certificate.history[-1].fact if certificate.history else None
    return before is None or (before.proposal, before.cause) != (recorded.fact.proposal, recorded.fact.cause)
