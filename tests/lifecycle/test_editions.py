"""A certificate has exactly one edition, and nothing re-judges it silently (domain.md, section 5, case 13)."""

import dataclasses
from uuid import UUID

import pytest

from lifecycle import commands as c
from lifecycle import errors
from lifecycle import events as e
from lifecycle.rules import Edition, edition_in_force
from tests.lifecycle.story import CSP, EDITION, Story, around, day

NEW = "CSP-S01-001:2025"


def editions() -> dict[str, Edition]:
    """The shipped edition, and one of 1 June 2024: five stars from 98 on, every 12 months, validity 24 months."""
    old = Story().edition
    levels = dict(old.levels)
    levels["five_star"] = dataclasses.replace(
        levels["five_star"], interval_months=12, at_least=levels["five_star"].at_least + 3
    )
    new = dataclasses.replace(old, id=NEW, effective_from=day("2024-06-01"), levels=levels, validity_months=24)
    return {EDITION: old, NEW: new}


def adopted(story: Story) -> Story:
    """The certificate goes over to the new edition; its next visit is due as that edition says."""
    edition, certificate = story.editions[NEW], story.certificate
    due = edition.due(certificate.last_check_on, "five_star", certificate.checks, changed_on=story.today)
    moment = story.moment("reg")
    return story.given(
        e.EditionAdopted(
            **moment.stamp(story.today, edition=NEW), old=EDITION, new=NEW, rehearsal=UUID(int=7), line_sha256="0" * 64,
            due=due,
        )
    )  # fmt: skip


@pytest.mark.parametrize("on", around("2024-06-01"))
def test_an_application_takes_the_edition_in_force_on_its_day(on) -> None:
    story = Story(editions=editions()).on(on)
    story.applies()
    assert story.certificate.edition == (NEW if on >= day("2024-06-01") else EDITION)
    assert edition_in_force(story.editions, CSP, on).id == story.certificate.edition


def test_a_back_dated_application_takes_the_edition_of_its_day_of_effect() -> None:
    story = Story(editions=editions()).on("2024-06-10")
    story.applies(effective_on=day("2024-05-31"))
    assert story.certificate.edition == EDITION


def test_a_new_edition_judges_no_certificate_of_the_old_one() -> None:
    """Application before, assessment, grade, issue and a visit after: all under the edition of the application."""
    story = Story("2024-05-20", editions=editions())
    case = story.applies()
    story.on("2024-06-10").accepted(case)
    story.planned(case)
    story.assessed(case, story.findings("4"))
    story.reviewed(case)
    assert (story.last.edition, story.last.level) == (EDITION, "five_star")
    story.decided(case, "grant")
    story.does("reg", c.Issue())
    assert (story.last.due.interval_months, story.last.valid_until) == (24, day("2027-06-09"))
    story.on("2026-06-10").visited()
    assert story.certificate.due.visit_on == day("2028-06-10")
    assert {r.fact.edition for r in story.history} <= {EDITION, None}


@pytest.mark.parametrize("kind", ["renewal", "regrade"])
def test_a_renewal_or_regrade_keeps_the_certificates_edition(kind: str) -> None:
    story = Story(editions=editions()).issued().on("2026-11-01")
    story.graded(kind, story.findings("4"))
    assert (story.last.edition, story.last.level) == (EDITION, "five_star")


def test_an_adopted_edition_judges_from_then_on_and_shows_from_its_day() -> None:
    story = adopted(Story(editions=editions()).issued().on("2024-09-01"))
    assert [story.shown(on=on).edition for on in around("2024-09-01")] == [EDITION, NEW, NEW]
    assert story.certificate.levels.last == "five_star", "the level stays until somebody decides"
    story.on("2026-11-01").graded("renewal", story.findings("4"))
    assert (story.last.edition, story.last.level) == (NEW, "four_star")
    story.decided(story.case("renewal"), "renew")
    assert story.last.valid_until == day("2029-01-14"), "24 months"


def test_an_adopted_edition_that_shortens_the_interval_gives_its_grace() -> None:
    story = adopted(Story(editions=editions()).issued().on("2025-03-01"))
    due = story.certificate.due
    assert (due.anchor_on, due.visit_on, due.overdue_on) == (day("2024-01-15"), day("2025-03-01"), day("2025-05-31"))
    facts = story.on("2025-05-31").ticks()
    assert [(type(fact), fact.edition) for fact in facts] == [(e.SurveillanceDue, NEW), (e.SurveillanceOverdue, NEW)]


def test_an_edition_adopted_before_issue_is_the_one_that_issues() -> None:
    story = Story("2024-05-20", editions=editions())
    case = story.graded(findings=story.findings("1"))
    moment = story.on("2024-06-10").moment("reg")
    story.given(
        e.EditionAdopted(
            **moment.stamp(story.today, edition=NEW), old=EDITION, new=NEW, rehearsal=UUID(int=7), line_sha256="0" * 64
        )
    )
    story.decided(case, "grant")
    story.does("reg", c.Issue())
    assert (story.last.edition, story.last.valid_until) == (NEW, day("2026-06-09"))
    assert story.shown().edition == NEW


def test_a_correction_asks_the_edition_under_which_the_fact_was_judged() -> None:
    """96 marks are five stars of the old edition, and four of the new one that was adopted since."""
    story = adopted(Story(editions=editions()).issued().on("2024-09-01"))
    story.corrected(story.version_of(e.AssessmentRecorded), e.Change("/findings/4.2.1/marks", "4", "0"))
    assert {r.path: r.value for r in story.last.recomputed} == {"/score": "96/1"}
    assert story.last.unsupported == ()


def test_an_edition_not_in_force_is_applied_for_by_nobody() -> None:
    story = Story("2020-12-31", editions=editions())
    with story.refusing(errors.SchemeUnknown, known="none"):
        story.applies()
    assert edition_in_force(story.editions, "no such scheme", story.today) is None
