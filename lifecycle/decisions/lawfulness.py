"""Is an amended stream lawful? Walked from its first fact on, against the tables, the order of days, and the periods.

A correction after which it is not is refused, naming the first fact that would not be (domain.md, "Corrections").
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from lifecycle import events as e
from lifecycle.certificate import Certificate, evolve
from lifecycle.events import Recorded
from lifecycle.rules import Edition
from lifecycle.transitions import STAGE, STAGED, STATUS


class Problem(NamedTuple):
    """Why a fact would not be lawful."""

    en: str
    zh: str


def first_unlawful(
    id: UUID, amended: Sequence[Recorded], unsupported: Collection[int], editions: Mapping[str, Edition]
) -> tuple[Recorded, Problem] | None:
    """The first fact that would not be lawful, and why. Decisions left ``unsupported`` may stand at any stage."""
    walked = Certificate(id)
    for recorded in amended:
        if problem := next(problems(walked, recorded, unsupported, editions), None):
            return recorded, problem
        evolve(walked, recorded.version, recorded.fact)
    return None


def problems(
    walked: Certificate, recorded: Recorded, unsupported: Collection[int], editions: Mapping[str, Edition]
) -> Iterator[Problem]:
    """Why the fact would not be lawful as the next one of the certificate."""
    yield from _of_status(walked, recorded.fact)
    yield from _of_case(walked, recorded, unsupported)
    yield from _of_period(walked, recorded.fact, editions)


def _of_status(walked: Certificate, fact: e.Fact) -> Iterator[Problem]:
    """The status as recorded, and for an act of persons the one that the dates give for its day."""
    if (walked.status, type(fact)) not in STATUS:
        yield Problem(f"the certificate would be {walked.status}", f"证书将处于 {walked.status}")
    if type(fact) in _STATUS_ACTS and walked.last_act_on and fact.effective_on < walked.last_act_on:
        yield Problem(
            f"it took effect on {fact.effective_on}, before the status act of {walked.last_act_on}",
            f"其生效日 {fact.effective_on} 早于 {walked.last_act_on} 的状态决定",
        )
    if fact.cause.kind != "clock" and (status := walked.status_on(fact.effective_on), type(fact)) not in STATUS:
        yield Problem(
            f"the certificate would be {status} on {fact.effective_on}", f"{fact.effective_on} 证书将处于 {status}"
        )


def _of_case(walked: Certificate, recorded: Recorded, unsupported: Collection[int]) -> Iterator[Problem]:
    fact, case = recorded.fact, walked.cases.get(recorded.fact.case or 0)
    if case is None or type(fact) not in STAGED:
        return
    if fact.cause.kind != "clock" and fact.effective_on < case.last_on:
        yield Problem(
            f"it took effect on {fact.effective_on}, before the act of its case on {case.last_on}",
            f"其生效日 {fact.effective_on} 早于同一案件 {case.last_on} 的事项",
        )
    if (case.kind, case.stage, type(fact)) not in STAGE and not _is_exempt(recorded, unsupported):
        yield Problem(f"the {case.kind} case would be {case.stage}", f"{case.kind} 案件将处于 {case.stage}")


def _is_exempt(recorded: Recorded, unsupported: Collection[int]) -> bool:
    """A re-issue that prints a change of grade stands beside it, recorded as the next fact. An adoption decides again
    on the ground of a case that was decided before."""
    if recorded.fact.cause.kind == "rehearsal":
        return True
    printed = type(recorded.fact) is e.CertificateReissued and recorded.version - 1 in unsupported
    return printed or recorded.version in unsupported


def _of_period(walked: Certificate, fact: e.Fact, editions: Mapping[str, Edition]) -> Iterator[Problem]:
    """A suspension ends within the longest allowed, an extension later than before, validity on its last day."""
    match fact:
        case e.CertificateSuspended() | e.SuspensionExtended():
            started_on = walked.suspended_from or fact.effective_on
            limit_on = editions[fact.edition or walked.edition].suspension_limit(started_on, walked.valid_until)
            if fact.ends_on > limit_on:
                yield Problem(
                    f"it would end on {fact.ends_on}, after its last possible day {limit_on}",
                    f"其结束日 {fact.ends_on} 将晚于允许的最后一日 {limit_on}",
                )
            if walked.suspended_from and fact.ends_on <= (ends_now_on := walked.standings[-1].suspended_until):
                yield Problem(
                    f"it would end on {fact.ends_on}, not after {ends_now_on}",
                    f"其结束日 {fact.ends_on} 将不晚于 {ends_now_on}",
                )
        case e.CertificateExpired() if fact.effective_on != walked.valid_until + e.ONE_DAY:
            yield Problem(
                f"its last valid day would be {walked.valid_until}", f"其有效期最后一日将为 {walked.valid_until}"
            )


_STATUS_ACTS = frozenset({
    e.CertificateIssued, e.CertificateRenewed, e.CertificateSuspended, e.SuspensionExtended, e.CertificateReinstated,
    e.CertificateWithdrawn, e.CertificateCancelled, e.CertificateReissued, e.GradeChanged,
})  # fmt: skip
