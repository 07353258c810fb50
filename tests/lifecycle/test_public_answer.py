"""What the public is told of a number, for a day (domain.md, section 5, cases 12, 14 and 15)."""

from datetime import date, timedelta

import msgspec
import pytest

from lifecycle import commands as c
from lifecycle import errors
from lifecycle import events as e
from lifecycle.numbers import claim_id
from lifecycle.rules import normalise_number
from lifecycle.status import Answer, segments
from tests.lifecycle.story import SHA, Story, around, day, reasons, shown

LOWERED = "2024-07-15"


def lowered() -> tuple[Story, str, str]:
    """A certificate lowered from five stars to four, its old number, and its new one."""
    story = Story().issued()
    old = story.number
    story.on(LOWERED).regraded(story.findings("10"))
    return story, old, story.number


# ---- numbers ---------------------------------------------------------------------------------------------------------


def test_a_number_is_unknown_before_the_fact_that_introduced_it() -> None:
    story, old, new = lowered()
    assert [story.shown(old, on).status for on in around("2024-01-15")] == ["unknown", "valid", "valid"]
    assert [story.shown(new, on).status for on in around(LOWERED)] == ["unknown", "valid", "valid"]
    assert story.shown("CSP-S01-1999-00001").status == "unknown"


def test_an_unknown_number_tells_nothing_else() -> None:
    story, _, new = lowered()
    told = story.shown(new, day(LOWERED) - e.ONE_DAY)
    assert told == Answer(certificate_number=new, status="unknown")


def test_a_replaced_number_is_superseded_for_ever_and_names_the_current_one() -> None:
    story, old, new = lowered()
    for on in (day(LOWERED), day("2026-01-01"), day("2040-01-01")):
        told = story.shown(old, on)
        assert (told.status, told.superseded_by, told.status_since) == ("superseded", new, day(LOWERED))
    story.on("2024-08-01").withdrawn()
    assert story.shown(old).status == "superseded"
    assert story.shown(new).status == "withdrawn"


def test_a_chain_of_replaced_numbers_names_the_number_current_on_the_asked_day() -> None:
    story, first, second = lowered()
    story.on("2024-09-15").regraded()
    third = story.number
    assert story.shown(first, day("2024-09-14")).superseded_by == second
    assert story.shown(first, day("2024-09-15")).superseded_by == third
    assert story.shown(second, day("2024-09-15")).superseded_by == third
    assert story.shown(third).superseded_by is None


def test_a_number_replaced_with_effect_before_its_own_day_is_superseded_too() -> None:
    story, first, second = lowered()
    case = story.on("2024-08-10").graded("regrade")
    story.on("2024-08-20").both(c.Decide(case=case, outcome="change_grade", effective_on=day("2024-08-12")))
    story.on("2024-09-01").does("reg", c.Reissue(reasons=reasons("name_changed"), holder="New Ltd"))
    for number in (first, second):
        assert story.shown(number).superseded_by == story.number


def test_a_superseded_number_describes_the_document_as_it_last_stood() -> None:
    story, old, _ = lowered()
    told = story.shown(old, day("2026-01-01"))
    assert (told.level, told.stars, told.holder) == ("five_star", 5, "Example Alarm Ltd")


@pytest.mark.parametrize("change", [{"holder": "New Ltd"}, {"address": "2 Road"}, {"scope": "patrols"}])
def test_a_re_issue_for_name_address_or_scope_keeps_the_number(change: dict[str, str]) -> None:
    story = Story().issued()
    number = story.number
    story.on(LOWERED).does("reg", c.Reissue(reasons=reasons("name_changed"), **change))
    document: e.CertificateReissued = story.last
    assert (document.number, document.document, document.replaces) == (number, 2, 1)
    assert (document.valid_until, document.first_certified_on) == (day("2027-01-14"), day("2024-01-15"))
    for field in ("holder", "scope"):
        if field in change:
            before, the_day, _ = (getattr(story.shown(on=on), field) for on in around(LOWERED))
            assert (before, the_day) == (getattr(story.history[0].fact, field), change[field])


def test_a_re_issue_that_changes_nothing_or_gives_no_reason_of_the_edition_is_refused() -> None:
    story = Story().issued()
    with story.refusing(errors.NothingReissued):
        story.does("reg", c.Reissue(reasons=reasons("name_changed"), holder="Example Alarm Ltd"))
    with story.refusing(errors.ReasonUnknown, act="reissue"):
        story.does("reg", c.Reissue(reasons=reasons("dislike"), holder="New Ltd"))


def test_a_change_of_level_takes_a_new_number_every_time() -> None:
    story, first, second = lowered()
    story.on("2024-09-15").regraded()
    numbers = [recorded.fact.number for recorded in story.history if isinstance(recorded.fact, e.Certificate)]
    assert numbers == [first, second, story.number]
    assert len(set(numbers)) == 3


@pytest.mark.parametrize(
    "written",
    ["csp-s01-2024-00001", "CSP-S01-2024- 00001", "ＣＳＰ－Ｓ０１－２０２４－００００１", "\tcsp-s01-2024-00001\u3000"],
)
def test_a_number_is_the_same_number_however_it_is_written_and_is_claimed_once(written: str) -> None:
    assert normalise_number(written) == "CSP-S01-2024-00001"
    assert claim_id(normalise_number(written)) == claim_id("CSP-S01-2024-00001")
    assert claim_id("CSP-S01-2024-00001") != claim_id("CSP-S01-2024-00002")


# ---- what is shown ---------------------------------------------------------------------------------------------------


def test_the_public_record_of_a_valid_certificate() -> None:
    story = Story().issued()
    assert story.shown() == Answer(
        certificate_number=story.number,
        status="valid",
        status_since=day("2024-01-15"),
        holder="Example Alarm Ltd",
        scheme="CSP-S01-001",
        edition="CSP-S01-001:2021",
        certification_type="star",
        level="five_star",
        stars=5,
        scope="alarm operation",
        valid_from=day("2024-01-15"),
        valid_until=day("2027-01-14"),
        first_certified_on=day("2024-01-15"),
    )


@pytest.mark.parametrize("status", ["suspended", "withdrawn", "cancelled", "expired"])
def test_the_public_sees_each_status_from_its_day_on(status: str) -> None:
    story = Story().issued().on("2024-07-15")
    if status == "expired":
        story.on("2027-01-15")
    else:
        getattr(story, status)()
    before, the_day, after = around(story.today.isoformat())
    assert [story.shown(on=on).status for on in (before, the_day, after)] == ["valid", status, status]
    assert story.shown().status_since == the_day
    assert story.shown().suspended_until == (day("2025-01-15") if status == "suspended" else None)


PRIVATE = ("ana", "bob", "rev", "dora", "dan", "dina", "secret", "187/2", "serious_incident", "mark_misused", "key-")


def told_of(story: Story) -> str:
    """Everything that the public could ever be told of the certificate, as text."""
    stars = {id: {code: level.stars for code, level in each.levels.items()} for id, each in story.editions.items()}
    numbers = {recorded.fact.number for recorded in story.history if isinstance(recorded.fact, e.Certificate)}
    answers = [answer for number in numbers for _, answer in segments(story.certificate, number, stars)]
    return msgspec.json.encode(answers).decode()


def test_the_public_never_sees_scores_causes_persons_proposals_complaints_or_appeals() -> None:
    story = Story()
    story.issued(story.findings("6.5")).on("2024-07-15")
    story.suspended(reasons=(e.Reason("mark_misused", "secret"),), notice="secret")
    story.does("holder", c.LodgeAppeal(against=story.version_of(e.CertificateSuspended), grounds="secret"))
    story.does("holder", c.LodgeComplaint(grounds="secret"))
    before = told_of(story)
    story.proposes("dora", c.Withdraw(reasons=(e.Reason("serious_incident", "secret"),)))
    story.does("dina", c.DecideDispute(case=story.case("appeal"), upheld=True, grounds="secret"))
    story.does("reg", c.Notify(of=1, served_on=story.today, proof_sha256=SHA))
    assert told_of(story) == before, "proposals, appeals and notices change nothing in public"
    story.withdrawn()
    assert '"withdrawn"' in told_of(story)
    assert [word for word in PRIVATE if word in told_of(story)] == []


def test_the_public_never_sees_the_score_of_a_conformity_certificate() -> None:
    story = Story()
    story.issued(story.findings("30"), accepts_conformity=True)
    told = story.shown()
    assert (told.level, told.stars, told.certification_type) == ("conformity", None, "conformity")
    assert "70" not in msgspec.json.encode([told.level, told.stars, told.certification_type]).decode()


def test_the_public_record_has_these_fields_and_no_other() -> None:
    assert set(Answer.__struct_fields__) == {
        "certificate_number", "holder", "scheme", "edition", "certification_type", "level", "stars", "scope", "status",
        "status_since", "valid_from", "valid_until", "suspended_until", "first_certified_on", "superseded_by",
    }  # fmt: skip


def test_between_the_days_on_which_an_answer_turns_it_does_not() -> None:
    """The segments that a register keeps give the same answer as asking for the day, for each day of a whole life."""
    story, old, new = lowered()
    story.on("2024-09-01").suspended(ends_on=day("2024-10-01"))
    story.on("2024-09-20").both(c.ExtendSuspension(reasons=reasons("mark_misused"), ends_on=day("2024-12-31")))
    story.on("2024-11-01").reinstated()
    story.does("reg", c.Reissue(reasons=reasons("name_changed"), holder="New Ltd"))
    story.on("2025-07-01").visited()
    story.on("2026-06-01").visited()
    story.on("2026-11-01").renewed(story.findings(), scope="patrols")
    story.on("2027-06-01").withdrawn()
    stars = {id: {code: level.stars for code, level in each.levels.items()} for id, each in story.editions.items()}
    for number in (old, new, story.number):
        kept = segments(story.certificate, number, stars)
        for step in range((day("2030-06-01") - day("2024-01-01")).days):
            on = day("2024-01-01") + timedelta(days=step)
            current = next((answer for start, answer in reversed(kept) if start <= on), None)
            asked = story.shown(number, on)
            assert asked == (current or Answer(certificate_number=number, status="unknown"))


# ---- two days: the one asked for, and the one on which it was known --------------------------------------------------


def test_what_was_seen_on_3_may_and_what_is_known_today_about_3_may_are_two_answers() -> None:
    """A suspension from 1 May is recorded on 10 May; on 20 May it turns out to have been from 5 May."""
    story = Story().issued().on("2024-05-10")
    story.suspended(effective_on=day("2024-05-01"))
    story.on("2024-05-20")
    change = e.Change("/effective_on", "2024-05-01", "2024-05-05")
    story.corrected(story.version_of(e.CertificateSuspended), change)

    def status(on: str, known: str) -> str:
        return shown(story.known_on(day(known)), story.number, day(on), story.editions).status

    assert status("2024-05-03", known="2024-05-03") == "valid"
    assert status("2024-05-03", known="2024-05-09") == "valid"
    assert status("2024-05-03", known="2024-05-10") == "suspended"
    assert status("2024-05-03", known="2024-05-19") == "suspended"
    assert status("2024-05-03", known="2024-05-20") == "valid"
    assert status("2024-05-05", known="2024-05-20") == "suspended"


@pytest.mark.parametrize("known", around("2024-07-15"))
def test_what_was_known_on_a_day_never_changes(known: date) -> None:
    story, old, new = lowered()
    numbers = (old, new)
    then = [shown(story.known_on(known), number, day("2024-07-15"), story.editions) for number in numbers]
    story.on("2024-08-01").withdrawn()
    story.corrected(1, e.Change("/scope", "alarm operation", "patrols"))
    assert then == [shown(story.known_on(known), number, day("2024-07-15"), story.editions) for number in numbers]
