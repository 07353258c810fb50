"""A mistaken record put right by a further fact.

What may be corrected stands in CORRECTABLE, what may be voided in VOIDABLE (domain.md, "Settled readings"). The
outcomes that follow are asked again and written into the correction; decisions that lose their support are named, and
become work; a correction that would make the stream unlawful is refused, naming the first fact that would be.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import msgspec

from lifecycle import commands as c
from lifecycle import errors
from lifecycle import events as e
from lifecycle.amendment import amend, patch, value_at
from lifecycle.certificate import Certificate
from lifecycle.decisions.application import refusal_of
from lifecycle.decisions.dispute import require_fact
from lifecycle.decisions.lawfulness import first_unlawful
from lifecycle.decisions.moment import Moment
from lifecycle.decisions.permission import enter, require_independent, require_order, require_past, require_reasons
from lifecycle.decisions.standing import require_upheld
from lifecycle.events import Recorded
from lifecycle.replay import Replay, replay
from lifecycle.rules import Edition, MalformedFindings
from lifecycle.transitions import type_of_fact

Editions = Mapping[str, Edition]

_DAY = frozenset({"/effective_on"})
_SITE = _DAY | {"/on_site_from", "/on_site_to", "/findings"}
_TEXT = frozenset({"/holder", "/address", "/scope"})

CORRECTABLE: dict[type_of_fact, frozenset[str]] = {
    e.ApplicationSubmitted: _DAY | _TEXT,
    e.ApplicationAccepted: _DAY,
    e.ApplicationRejected: _DAY | {"/reasons"},
    e.ApplicationWithdrawn: _DAY,
    e.AssessmentPlanned: _DAY | {"/on_site_from", "/on_site_to"},
    e.AssessmentRecorded: _SITE | {"/deductions"},
    e.NonconformityClosed: _DAY,
    e.CertificationGranted: _DAY,
    e.CertificationRefused: _DAY | {"/reasons"},
    e.CertificateIssued: _DAY | _TEXT,
    e.CertificateRenewed: _DAY | _TEXT,
    e.CertificateReissued: _DAY | _TEXT | {"/reasons"},
    e.SurveillancePlanned: _DAY | {"/on_site_from", "/on_site_to", "/draw"},
    e.SurveillanceRecorded: _SITE | {"/drawn"},
    e.CertificationMaintained: _DAY,
    e.GradeChanged: _DAY,
    e.CertificateSuspended: _DAY | {"/ends_on", "/reasons"},
    e.SuspensionExtended: _DAY | {"/ends_on", "/reasons"},
    e.CertificateReinstated: _DAY,
    e.WithdrawalOpened: _DAY | {"/reasons"},
    e.WithdrawalDropped: _DAY,
    e.CertificateWithdrawn: _DAY | {"/reasons"},
    e.CertificateCancelled: _DAY | {"/reasons"},
}

VOIDABLE = (e.CertificateSuspended, e.CertificateReissued, e.SurveillanceRecorded, e.CertificateWithdrawn)

REASONS_OF = {
    e.CertificateSuspended: "suspension",
    e.SuspensionExtended: "suspension",
    e.CertificateWithdrawn: "withdrawal",
    e.WithdrawalOpened: "withdrawal",
    e.CertificateCancelled: "cancellation",
    e.CertificateReissued: "reissue",
    e.ApplicationRejected: "rejection",
    e.CertificationRefused: "refusal",
}


def correct(certificate: Certificate, command: c.Correct, moment: Moment) -> list[e.Fact]:
    """The correction with what it recomputes and what it leaves unsupported."""
    on = enter(certificate, command, e.RecordCorrected, moment)
    target = _target(certificate, command)
    require_independent(certificate, certificate.cases.get(target.case or 0), command, moment)
    if command.appeal is not None:
        require_upheld(certificate, command.appeal, command.target)
    stamp = moment.stamp(on, edition=certificate.edition)
    bare = e.RecordCorrected(
        **stamp,
        target=command.target,
        reason=command.reason,
        changes=command.changes,
        void=command.void,
        appeal=command.appeal,
    )
    if not command.void:
        _require_sound(certificate, command, target, moment)
    corrected, unsupported = consequences(certificate, bare, moment.editions, moment.today)
    _require_lawful(certificate, corrected, unsupported, moment)
    return [corrected]


def consequences(
    certificate: Certificate, correction: e.RecordCorrected, editions: Editions, today: date
) -> tuple[e.RecordCorrected, Sequence[int]]:
    """The correction with what it changes of what follows, and every decision that stands without support then.

    What it changes is what the replays before and after it tell differently.
    """
    before = replay(certificate.id, certificate.history, editions)
    after = replay(certificate.id, _with(certificate, correction), editions)
    known = {(r.version, r.path): r.value for r in before.differences}
    recomputed = [r for r in after.differences if known.get((r.version, r.path), _NOTHING) != r.value]
    grace = _grace(certificate, (before, after), editions[certificate.edition], today)
    corrected = msgspec.structs.replace(
        correction,
        recomputed=(*recomputed, *grace),
        unsupported=tuple(version for version in after.unsupported if version not in before.unsupported),
    )
    return corrected, after.unsupported


def _target(certificate: Certificate, command: c.Correct) -> e.Fact:
    """The fact to correct, as it reads now. Raises for what cannot be corrected or voided."""
    if isinstance(found := require_fact(certificate, command.target), e.RecordCorrected):
        raise errors.CorrectionNotCorrected(version=command.target, original=found.target)
    if command.void == bool(command.changes):
        raise errors.ChangesOrVoid(version=command.target)
    standing = {r.version: r.fact for r in amend(certificate.history)}.get(command.target)
    if standing is None:
        raise errors.WasVoided(version=command.target)
    if command.void:
        return _voidable(standing, command)
    for change in command.changes:
        _require_correctable(standing, change, command.target)
    return standing


def _voidable(fact: e.Fact, command: c.Correct) -> e.Fact:
    if not isinstance(fact, VOIDABLE):
        listed = ", ".join(e.topic_of(kind) for kind in VOIDABLE)
        raise errors.NotVoidable(topic=e.topic_of(fact), allowed=listed)
    if isinstance(fact, e.CertificateWithdrawn) and command.appeal is None:
        raise errors.VoidNeedsAppeal(topic=e.topic_of(fact))
    return fact


def _require_correctable(fact: e.Fact, change: e.Change, version: int) -> None:
    allowed = CORRECTABLE.get(type(fact), frozenset())
    root = "/" + change.path.removeprefix("/").split("/")[0]
    unknown = errors.NotCorrectable(
        path=change.path, topic=e.topic_of(fact), allowed=", ".join(sorted(allowed)) or "none"
    )
    if root not in allowed or (root == "/findings" and not change.path.endswith(("/marks", "/outcome"))):
        raise unknown
    try:
        stands = value_at(fact, change.path)
    except KeyError:
        raise unknown from None
    if stands != change.old:
        raise errors.CorrectedValueDiffers(path=change.path, version=version, is_now=stands, old=change.old)


def _require_sound(certificate: Certificate, command: c.Correct, target: e.Fact, moment: Moment) -> None:
    """The corrected fact meets what was asked of it when it was recorded."""
    try:
        fact = patch(target, {change.path: change.new for change in command.changes})
    except (msgspec.ValidationError, KeyError) as error:
        raise errors.CorrectionMalformed(version=command.target, problem=str(error)) from None
    require_past("effective_on", fact.effective_on, moment)
    edition = moment.editions[fact.edition or certificate.edition]
    if (act := REASONS_OF.get(type(fact))) is not None:
        require_reasons(fact.reasons, act, edition)
    case = certificate.cases.get(fact.case or 0)
    try:
        match fact:
            case e.AssessmentRecorded():
                _require_site_days(fact, moment)
                edition.check_assessment(fact.findings, fact.deductions, case.application.certification_type)
            case e.SurveillanceRecorded():
                _require_site_days(fact, moment)
                edition.check_sample(fact.findings, fact.drawn, certificate.types.last)
            case e.CertificateSuspended() | e.SuspensionExtended():
                require_order("effective_on", fact.effective_on, "ends_on", fact.ends_on)
    except MalformedFindings as refused:
        raise refusal_of(refused) from None


def _require_site_days(fact: e.AssessmentRecorded | e.SurveillanceRecorded, moment: Moment) -> None:
    require_order("on_site_from", fact.on_site_from, "on_site_to", fact.on_site_to)
    require_past("on_site_to", fact.on_site_to, moment)
    require_order("on_site_to", fact.on_site_to, "effective_on", fact.effective_on)


def _with(certificate: Certificate, correction: e.RecordCorrected) -> list[Recorded]:
    """The history with the correction at its end."""
    return [*certificate.history, Recorded(certificate.id, len(certificate.history) + 1, correction)]


def _grace(
    certificate: Certificate, replays: tuple[Replay, Replay], edition: Edition, today: date
) -> Iterator[e.Recomputed]:
    """A due date that the correction moves into the past is due on the day of recording, with the grace; what was
    overdue already stays so, and a grace already running is not given anew."""
    before, after = replays
    due, stood = after.certificate.due, certificate.due
    if due is None or stood is None or due == before.certificate.due:
        return
    if due.visit_on < today < stood.overdue_on:
        eased = edition.due(
            due.anchor_on,
            after.certificate.levels.last,
            after.certificate.checks,
            changed_on=min(today, stood.visit_on),
        )
        yield e.Recomputed(after.due_version, "/due", e.plain(due), e.plain(eased))


def _require_lawful(
    certificate: Certificate, correction: e.RecordCorrected, unsupported: Sequence[int], moment: Moment
) -> None:
    """Raises CorrectionMakesIllegal, naming the first fact of the amended stream that would not be lawful."""
    amended = amend(_with(certificate, correction))
    if found := first_unlawful(certificate.id, amended, unsupported, moment.editions):
        recorded, problem = found
        raise errors.CorrectionMakesIllegal(
            certificate=certificate.label,
            version=recorded.version,
            topic=e.topic_of(recorded.fact),
            problem=problem.en,
            problem_zh=problem.zh,
        )


_NOTHING: Any = object()
