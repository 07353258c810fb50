"""For each fact of a certificate: how far its case is brought, and how it is asked for."""

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from lifecycle import commands as c
from lifecycle import events as e
from tests.lifecycle.freeze import example
from tests.lifecycle.story import SHA, Story, day, reasons


class Asked(NamedTuple):
    """``ready`` brings a case as far as it has to be, before the certificate is brought into the status, and gives its
    number; ``ask`` asks."""

    ready: Callable[[Story, str], int]
    ask: Callable[[Story, int], object]


def in_status(status: str, fact: str) -> tuple[Story, int]:
    """A certificate on which the fact can be asked for, brought into the status; and the number of the case."""
    story = Story()
    if status == "none":
        return story, ASKED[fact].ready(story, status)
    case = ASKED[fact].ready(story.issued().on("2024-06-01"), status)
    match status:
        case "suspended":
            story.suspended(ends_on=day("2024-09-01"))
        case "withdrawn":
            story.withdrawn()
        case "cancelled":
            story.cancelled()
        case "expired":
            story.on("2027-01-15").ticks()
    return story, case


# ---- an application: the first one, or a regrade beside a certificate ------------------------------------------------


def _kind(status: str) -> str:
    return "initial" if status == "none" else "regrade"


def _nothing(story: Story, status: str) -> int:
    if status == "none":
        story.applies()
    return 1


def _opened(story: Story, status: str) -> int:
    return story.applies(_kind(status))


def _accepted(story: Story, status: str) -> int:
    case = _opened(story, status)
    story.accepted(case)
    return case


def _planned(story: Story, status: str) -> int:
    case = _accepted(story, status)
    story.planned(case)
    return case


def _assessed(story: Story, status: str) -> int:
    case = _planned(story, status)
    story.assessed(case, story.findings(nonconforming=("6",)))
    return case


def _graded(story: Story, status: str) -> int:
    """To another level than the certificate has."""
    return story.graded(_kind(status), story.findings(lost="10"))


def _granted(story: Story, status: str) -> int:
    if status != "none":
        return 1
    case = _graded(story, status)
    story.decided(case, "grant")
    return case


def _renewal_graded(story: Story, status: str) -> int:
    return story.graded("initial" if status == "none" else "renewal")


# ---- a visit: before issue nobody can ask for one, so there the facts are put ----------------------------------------


def _visit_opened(story: Story, status: str) -> int:
    if status != "none":
        return story.visit_opened()
    story.graded()
    case = len(story.history) + 1
    _put(story, e.SurveillanceRequested, case)
    return case


def _visit_planned(story: Story, status: str) -> int:
    case = _visit_opened(story, status)
    if status == "none":
        _put(story, e.SurveillancePlanned, case)
    else:
        story.planned(case)
    return case


def _visit_recorded(story: Story, status: str) -> int:
    return story.graded() if status == "none" else story.visit_recorded()


def _put(story: Story, fact: type[e.Fact], case: int) -> None:
    story.given(msgspec.structs.replace(example(fact), effective_on=story.today, proposal=None, case=case))


# ---- what else has to be there ---------------------------------------------------------------------------------------


def _withdrawal_opened(story: Story, status: str) -> int:
    """Not before a cancellation: an open withdrawal forbids it."""
    _nothing(story, status)
    if status not in ("none", "cancelled"):
        story.does("dora", OPEN_WITHDRAWAL)
    return 1


def _appealed(story: Story, status: str) -> int:
    _nothing(story, status)
    story.does("holder", c.LodgeAppeal(against=1, grounds="we differ"))
    return story.case("appeal")


def _complained(story: Story, status: str) -> int:
    _nothing(story, status)
    story.does("holder", c.LodgeComplaint(grounds="too slow"))
    return story.case("complaint")


# ---- how it is asked for ---------------------------------------------------------------------------------------------

CORRECT = c.Correct(target=1, reason="a slip", changes=(e.Change("/scope", "alarm operation", "alarm services"),))
OPEN_WITHDRAWAL = c.ProceedToWithdrawal(step="open", reasons=reasons("requirements_not_met"))
DROP_WITHDRAWAL = c.ProceedToWithdrawal(step="drop", grounds="put right")
REISSUE = c.Reissue(reasons=reasons("address_changed"), address="2 Example Road")


def _apply(story: Story, case: int) -> object:
    return story.applies("regrade" if story.certificate.standings else "initial")


def _reject(story: Story, case: int) -> object:
    return story.does("reg", c.ReviewApplication(case=case, outcome="rejected", reasons=reasons("outside_scheme")))


def _tick_late(story: Story, case: int) -> object:
    """On a day on which the visit is overdue."""
    return story.on("2026-11-01").ticks()


def _extend(story: Story, case: int) -> object:
    return story.both(c.ExtendSuspension(reasons=reasons("mark_misused"), ends_on=day("2024-10-01")))


def _reinstate(story: Story, case: int) -> object:
    """Where the certificate was ended by somebody, as an upheld appeal orders."""
    ends = {"withdrawn": e.CertificateWithdrawn, "cancelled": e.CertificateCancelled}
    ended = ends.get(story.certificate.status)
    return story.reinstated(appeal=story.appealed(story.version_of(ended)) if ended else None)


def _dispute_decided(story: Story, case: int) -> object:
    return story.does("dina", c.DecideDispute(case=case, upheld=False, grounds="looked into"))


ASKED: dict[str, Asked] = {
    "ApplicationSubmitted": Asked(lambda *_: 1, _apply),
    "ApplicationAccepted": Asked(_opened, Story.accepted),
    "ApplicationRejected": Asked(_opened, _reject),
    "ApplicationWithdrawn": Asked(_opened, lambda s, case: s.does("holder", c.WithdrawApplication(case=case))),
    "AssessmentPlanned": Asked(_accepted, Story.planned),
    "AssessmentRecorded": Asked(_planned, Story.assessed),
    "NonconformityClosed": Asked(
        _assessed, lambda s, case: s.does("ana", c.CloseNonconformity(case=case, element="6"))
    ),
    "AssessmentReviewed": Asked(_assessed, Story.reviewed),
    "GradeDetermined": Asked(_assessed, Story.reviewed),
    "CertificationGranted": Asked(_graded, lambda s, case: s.decided(case, "grant")),
    "CertificationRefused": Asked(_graded, lambda s, case: s.decided(case, "refuse", "evidence_insufficient")),
    "CertificateIssued": Asked(_granted, lambda s, _: s.does("reg", c.Issue())),
    "SurveillanceDue": Asked(_nothing, _tick_late),
    "SurveillanceOverdue": Asked(_nothing, _tick_late),
    "SurveillanceRequested": Asked(_nothing, lambda s, _: s.does("reg", c.RequestVisit(grounds="a hint"))),
    "SurveillancePlanned": Asked(_visit_opened, Story.planned),
    "SurveillanceRecorded": Asked(_visit_planned, Story.assessed),
    "CertificationMaintained": Asked(_visit_recorded, lambda s, case: s.decided(case, "maintain")),
    "GradeChanged": Asked(_graded, lambda s, case: s.decided(case, "change_grade")),
    "CertificateSuspended": Asked(_nothing, lambda s, _: s.suspended()),
    "SuspensionExtended": Asked(_nothing, _extend),
    "CertificateReinstated": Asked(_nothing, _reinstate),
    "WithdrawalOpened": Asked(_nothing, lambda s, _: s.does("dora", OPEN_WITHDRAWAL)),
    "WithdrawalDropped": Asked(_withdrawal_opened, lambda s, _: s.does("dora", DROP_WITHDRAWAL)),
    "CertificateWithdrawn": Asked(_nothing, lambda s, _: s.withdrawn()),
    "CertificateCancelled": Asked(_nothing, lambda s, _: s.cancelled()),
    "CertificateExpired": Asked(_nothing, lambda s, _: s.on("2027-01-15").ticks()),
    "CertificateReissued": Asked(_nothing, lambda s, _: s.does("reg", REISSUE)),
    "CertificateRenewed": Asked(_renewal_graded, lambda s, case: s.decided(case, "renew")),
    "HolderNotified": Asked(_nothing, lambda s, _: s.does("reg", c.Notify(of=1, served_on=s.today, proof_sha256=SHA))),
    "AppealLodged": Asked(_nothing, lambda s, _: s.does("holder", c.LodgeAppeal(against=1, grounds="we differ"))),
    "AppealDecided": Asked(_appealed, _dispute_decided),
    "ComplaintLodged": Asked(_nothing, lambda s, _: s.does("holder", c.LodgeComplaint(grounds="too slow"))),
    "ComplaintDecided": Asked(_complained, _dispute_decided),
    "RecordCorrected": Asked(_nothing, lambda s, _: s.both(CORRECT)),
    "ActProposed": Asked(_nothing, lambda s, _: s.proposes("dora", CORRECT)),
    "ProposalRejected": Asked(_nothing, lambda s, _: s.rejects("dan", s.proposes("dora", CORRECT))),
}
"""EditionAdopted is not here: no command asks for it yet."""
