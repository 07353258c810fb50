"""What cannot be corrected or voided ("Corrections", "Correctable")."""

import pytest

from lifecycle import errors
from lifecycle import events as e
from lifecycle.decisions.correction import CORRECTABLE, VOIDABLE
from tests.lifecycle.story import EDITION, Story

DAY = {"/effective_on"}
SITE = {"/on_site_from", "/on_site_to", "/findings"}
TEXTS = {"/holder", "/address", "/scope"}

LISTED: dict[type[e.Fact], set[str]] = {
    e.ApplicationSubmitted: DAY | TEXTS,
    e.ApplicationAccepted: DAY,
    e.ApplicationRejected: DAY | {"/reasons"},
    e.ApplicationWithdrawn: DAY,
    e.AssessmentPlanned: DAY | {"/on_site_from", "/on_site_to"},
    e.AssessmentRecorded: DAY | SITE | {"/deductions"},
    e.NonconformityClosed: DAY,
    e.CertificationGranted: DAY,
    e.CertificationRefused: DAY | {"/reasons"},
    e.CertificateIssued: DAY | TEXTS,
    e.CertificateRenewed: DAY | TEXTS,
    e.CertificateReissued: DAY | TEXTS | {"/reasons"},
    e.SurveillancePlanned: DAY | {"/on_site_from", "/on_site_to", "/draw"},
    e.SurveillanceRecorded: DAY | SITE | {"/drawn"},
    e.CertificationMaintained: DAY,
    e.GradeChanged: DAY,
    e.CertificateSuspended: DAY | {"/ends_on", "/reasons"},
    e.SuspensionExtended: DAY | {"/ends_on", "/reasons"},
    e.CertificateReinstated: DAY,
    e.WithdrawalOpened: DAY | {"/reasons"},
    e.WithdrawalDropped: DAY,
    e.CertificateWithdrawn: DAY | {"/reasons"},
    e.CertificateCancelled: DAY | {"/reasons"},
}
"""By hand: days of effect and on site, findings, deductions, the sample, ends_on, reasons, holder, address, scope."""


def test_what_can_be_corrected_is_what_the_domain_lists() -> None:
    assert {fact: set(paths) for fact, paths in CORRECTABLE.items()} == LISTED
    assert set(VOIDABLE) == {
        e.CertificateSuspended, e.CertificateReissued, e.SurveillanceRecorded, e.CertificateWithdrawn
    }  # fmt: skip


@pytest.mark.parametrize(
    ("fact", "path", "old", "new"),
    [
        (e.ApplicationSubmitted, "/organisation", None, None),
        (e.ApplicationSubmitted, "/certification_type", "star", "conformity"),
        (e.ApplicationSubmitted, "/accepts_conformity", False, True),
        (e.ApplicationSubmitted, "/by/person", "holder", "reg"),
        (e.AssessmentPlanned, "/team", ["ana"], ["bob"]),
        (e.AssessmentRecorded, "/team", ["ana"], ["bob"]),
        (e.AssessmentRecorded, "/evidence", [], ["x"]),
        (e.AssessmentRecorded, "/findings/6/element", "6", "5.5"),
        (e.AssessmentRecorded, "/findings", None, []),
        (e.GradeDetermined, "/level", "five_star", "four_star"),
        (e.CertificationGranted, "/level", "five_star", "four_star"),
        (e.CertificationGranted, "/signed_by", ["dora", "dan"], ["dina", "dan"]),
        (e.CertificateIssued, "/number", None, "CSP-S01-2024-99999"),
        (e.CertificateIssued, "/level", "five_star", "four_star"),
        (e.CertificateIssued, "/valid_until", "2027-01-14", "2028-01-14"),
        (e.CertificateIssued, "/due/visit_on", None, None),
        (e.CertificateIssued, "/case", 1, 2),
        (e.CertificateIssued, "/cause/id", None, "x"),
        (e.CertificateIssued, "/no_such_thing", None, "x"),
        (e.AssessmentRecorded, "/findings/9.9/marks", None, "1"),
        (e.AssessmentRecorded, "/findings/marks", None, "1"),
        (e.AssessmentRecorded, "/findings/6/marks/outcome", None, "1"),
        (e.AssessmentRecorded, "/effective_on/marks", None, "1"),
        (e.AssessmentRecorded, "/effective_on/a/b", None, "1"),
        (e.ActProposed, "/act", "decide", "suspend"),
    ],
)
def test_ids_persons_numbers_types_and_outcomes_are_not_corrected(
    fact: type[e.Fact], path: str, old: object, new: object
) -> None:
    story = Story().issued().on("2024-02-01")
    story.corrected(1, e.Change("/scope", "alarm operation", "patrols"))
    with story.refusing(errors.NotCorrectable, path=path, topic=e.topic_of(fact)):
        story.corrected(story.version_of(fact), e.Change(path, old, new))


def test_a_correction_is_not_corrected_the_original_is_corrected_again() -> None:
    story = Story().issued().on("2024-02-01")
    story.corrected(1, e.Change("/scope", "alarm operation", "patrols"))
    correction = story.version_of(e.RecordCorrected)
    for change in (e.Change("/reason", "a slip", "another"), e.Change("/effective_on", "2024-02-01", "2024-01-20")):
        with story.refusing(errors.CorrectionNotCorrected, version=correction, original=1):
            story.corrected(correction, change)
    with story.refusing(errors.CorrectionNotCorrected, version=correction, original=1):
        story.corrected(correction, void=True)
    with story.refusing(errors.CorrectedValueDiffers, is_now="patrols", old="alarm operation"):
        story.corrected(1, e.Change("/scope", "alarm operation", "alarms"))
    story.corrected(1, e.Change("/scope", "patrols", "alarms"))


@pytest.mark.parametrize("fact", [e.ApplicationSubmitted, e.AssessmentRecorded, e.CertificateIssued, e.GradeDetermined])
def test_only_a_suspension_re_issue_visit_or_withdrawal_is_voided(fact: type[e.Fact]) -> None:
    story = Story().issued()
    with story.refusing(errors.NotVoidable, topic=e.topic_of(fact)):
        story.corrected(story.version_of(fact), void=True)


def test_what_was_voided_is_neither_corrected_nor_voided_again() -> None:
    story = Story().issued().on("2024-02-01")
    story.suspended()
    target = story.version_of(e.CertificateSuspended)
    story.corrected(target, void=True)
    with story.refusing(errors.WasVoided, version=target):
        story.corrected(target, e.Change("/ends_on", "2024-08-01", "2024-07-01"))
    with story.refusing(errors.WasVoided, version=target):
        story.corrected(target, void=True)


def test_a_correction_either_changes_or_voids() -> None:
    story = Story().issued()
    with story.refusing(errors.ChangesOrVoid):
        story.corrected(1)
    with story.refusing(errors.ChangesOrVoid):
        story.corrected(1, e.Change("/scope", "alarm operation", "x"), void=True)
    with story.refusing(errors.FactUnknown, version=99):
        story.corrected(99, e.Change("/scope", "alarm operation", "x"))


@pytest.mark.parametrize(
    ("fact", "change", "refusal"),
    [
        (e.CertificateIssued, e.Change("/effective_on", "2024-01-15", "2024-02-02"), errors.DayInFuture),
        (e.CertificateIssued, e.Change("/effective_on", "2024-01-15", "soon"), errors.CorrectionMalformed),
        (e.CertificateIssued, e.Change("/holder", "Example Alarm Ltd", None), errors.CorrectionMalformed),
        (e.AssessmentRecorded, e.Change("/on_site_to", "2024-01-15", "2024-02-02"), errors.DayInFuture),
        (e.AssessmentRecorded, e.Change("/on_site_to", "2024-01-15", "2024-01-16"), errors.DaysOutOfOrder),
        (e.AssessmentRecorded, e.Change("/on_site_from", "2024-01-15", "2024-01-16"), errors.DaysOutOfOrder),
        (e.AssessmentRecorded, e.Change("/findings/6/marks", "4", "4.5"), errors.FindingsRefused),
        (e.AssessmentRecorded, e.Change("/findings/6/outcome", "conforming", "perfect"), errors.CorrectionMalformed),
        (e.AssessmentRecorded, e.Change("/deductions", None, [{"code": "x"}]), errors.FindingsRefused),
    ],
)
def test_the_corrected_fact_meets_what_was_asked_of_it_when_it_was_recorded(
    fact: type[e.Fact], change: e.Change, refusal: type[errors.Refusal]
) -> None:
    story = Story().issued().on("2024-02-01")
    with story.refusing(refusal):
        story.corrected(story.version_of(fact), change)


def test_a_corrected_sample_is_within_what_was_found() -> None:
    story = Story().issued().on("2024-07-15")
    case = story.visit_opened()
    drawn = tuple(story.edition.elements)[:6]
    story.planned(case, draw=drawn)
    story.assessed(case, story.findings(elements=drawn))
    target = story.version_of(e.SurveillanceRecorded)
    with story.refusing(errors.FindingsRefused, element="5.5"):
        story.corrected(target, e.Change("/drawn", list(drawn), [*drawn, "5.5"]))
    story.corrected(target, e.Change("/drawn", list(drawn), list(drawn[:5])))


def test_corrected_reasons_are_of_the_edition() -> None:
    story = Story().issued()
    story.suspended()
    target = story.version_of(e.CertificateSuspended)
    with story.refusing(errors.ReasonUnknown, reason="dislike", act="suspension", edition=EDITION):
        story.corrected(target, e.Change("/reasons", [{"code": "mark_misused"}], [{"code": "dislike"}]))
