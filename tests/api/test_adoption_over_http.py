"""Adoptions over HTTP: editions that judge other elements, who was set aside and why, and what stood in between."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from api.trail.audit import audited
from lifecycle import events as e
from lifecycle.events import Recorded
from projections.check_streams import StreamsCheck
from projections.follower import connect
from tests.api.adopting import BY
from tests.api.life import CSP, EDITION, Life
from tests.api.office import Office, answered, office_of, refused
from tests.api.rehearsing import NEW, Rehearsing, edition_text
from tests.databases import Database
from tests.lifecycle.other_elements import ROWS, with_other_elements


@pytest.fixture
def rehearsing(office: Office) -> Rehearsing:
    return Rehearsing.at(office)


def other_elements(**given: str) -> str:
    return with_other_elements(edition_text(**given)) + ROWS


def breaches(office: Office) -> list[str]:
    """What the audit of duties finds in the whole log, whose streams are lawful too."""
    register = office.house.register
    with connect(office.house.addresses.engine) as connection:
        assert [*StreamsCheck().run(connection)]
        parts = list(audited(connection, register.recorder.max_notification_id() or 0))
    return [f"{each.type}: {each.refusal.message()}" for *_, found in parts for each in found]


# ---- other elements --------------------------------------------------------------------------------------------------


def test_an_edition_with_other_elements_is_adopted_and_the_next_visit_is_made_under_it(
    rehearsing: Rehearsing, life: Life
) -> None:
    life.issued()
    rehearsing.publishes(other_elements()).rehearses().approved()
    told = rehearsing.in_force().adopts()
    assert (told["adopted"], told["set_aside"]) == (1, [])
    carried = {each["element"]: each for each in life.stream()[-1]["carried"]}
    assert carried["7"] == {"element": "7", "of": ["6"], "checked_on": "2024-01-15", "stands": True}
    assert carried["8"] == {"element": "8"}
    rehearsing.office.moves_to("2025-06-20")
    rehearsing.office.ticks()
    life.case = life.last_case("visit")
    life.planned()
    assert "8" in life.drawn()
    life.assessed(elements=life.drawn())
    assert life.stream()[-1]["edition"] == NEW
    refused(life.in_case("decision", "dora", {"outcome": "change_grade"}), 409, "marks_not_known")
    life.decided("maintain")
    assert life.view()["due"]["visit_on"] == "2026-12-20"
    assert breaches(rehearsing.office) == []


# ---- who was set aside -----------------------------------------------------------------------------------------------


def test_each_certificate_that_was_set_aside_is_named_with_its_reason(rehearsing: Rehearsing) -> None:
    office = rehearsing.office
    moved, undecided, taken, ended = (Life(office).issued() for _ in range(4))
    office.moves_to("2024-01-16")
    undecided.graded("regrade")
    rehearsing.publishes().rehearses()
    assert named(rehearsing) == {}, "nothing is approved yet"
    rehearsing.approved().in_force()
    moved.visit_opened().visited()
    ended.withdrawn()
    expected = {moved.id: "moved", undecided.id: "undecided"}
    with office.recording_nothing():
        assert named(rehearsing) == expected
    told = rehearsing.adopts()
    assert told["set_aside"] == [{"reason": why, "certificates": 1} for why in ("moved", "undecided")]
    assert (told["adopted"], told["not_in_force"]) == (1, 1)
    assert named(rehearsing) == expected, "after the run as before"
    assert named(rehearsing, limit=1) == dict(sorted(expected.items())[:1])
    assert taken.view()["edition"] == NEW
    undecided.decided("maintain")
    assert rehearsing.rehearses().approved().adopts()["adopted"] == 3
    assert named(rehearsing) == {}
    assert undecided.view()["edition"] == NEW != EDITION


def named(rehearsing: Rehearsing, **query: int) -> dict[str, str]:
    return {line["certificate"]: line["set_aside"] for line in rehearsing.lines("set_aside", **query)}


# ---- duties ----------------------------------------------------------------------------------------------------------


def test_the_audit_finds_that_duties_were_kept(rehearsing: Rehearsing, life: Life) -> None:
    """A grade changed at adoption is signed by those who approved the rehearsal; no decision maker proposed it."""
    life.issued(lost=6)
    proposed = answered(rehearsing.proposes(edition_text(id="CSP-S01-001:other")), 202)
    answered(rehearsing.office.post(f"/schemes/CSP-S01-001/proposals/{proposed['proposal']}/rejections", "sue",
                                    {"reason": "no"}))  # fmt: skip
    rehearsing.publishes(edition_text(grade="changed")).rehearses().approved().in_force().adopts()
    assert life.types[-3:] == ["edition-adopted", "grade-changed", "certificate-reissued"]
    assert breaches(rehearsing.office) == []


# ---- several processes -----------------------------------------------------------------------------------------------


def test_other_processes_go_on_with_an_edition_that_they_never_heard_of(
    rehearsing: Rehearsing, life: Life, database: Database
) -> None:
    office = rehearsing.office
    life.issued(lost=6)

    def elsewhere(other: Office) -> Rehearsing:
        other.employs_as(office)
        return Rehearsing(other, rehearsing.id)

    with ExitStack() as open_for:
        second, third = (open_for.enter_context(office_of(database, office.house.present.instant())) for _ in range(2))
        rehearsing.publishes(edition_text(grade="changed"))
        rehearsing.id = elsewhere(second).rehearses().id
        elsewhere(third).approved("sue")
        rehearsing.approved("dora").in_force()
        third.moves_to("2024-02-01")
        assert elsewhere(second).lines()[0]["set_aside"] is None
        assert elsewhere(third).adopts()["adopted"] == 1
        second.moves_to("2024-02-01")
        assert Life(second, id=life.id).view()["level"] == "five_star"
        assert elsewhere(second).adopts()["adopted"] == 1
    assert life.types.count("edition-adopted") == 1


# ---- what stood in between -------------------------------------------------------------------------------------------


def test_no_certificate_goes_back_to_an_edition_before_its_own(rehearsing: Rehearsing, life: Life) -> None:
    life.issued()
    later = "CSP-S01-001:2025"
    rehearsing.publishes().in_force().publishes(edition_text(id=later, of=NEW, effective_from="2024-02-01"))
    rehearsing.rehearses(later).approved().adopts()
    assert life.view()["edition"] == later
    told = rehearsing.rehearses(NEW).approved().adopts()
    assert (told["adopted"], told["set_aside"]) == (0, [{"reason": "not_followed", "certificates": 1}])
    assert life.view()["edition"] == later


def test_what_was_corrected_since_is_judged_again(rehearsing: Rehearsing) -> None:
    """A slip of one mark changes no line; one that takes the level away under the new edition does."""
    office = rehearsing.office
    slight, heavy = Life(office).issued(), Life(office).issued()
    rehearsing.publishes(edition_text(grade="changed")).rehearses().approved().in_force()
    for life, marks in ((slight, "3"), (heavy, "0")):
        change = {"path": "/findings/4.2.2/marks", "old": "4", "new": marks}
        more = [{"path": f"/findings/{code}/marks", "old": "6", "new": "0"} for code in ("5.2.1", "5.2.2")]
        body = {"target": life.version_of("assessment-recorded"), "reason": "a slip",
                "changes": [change, *(more if marks == "0" else [])]}  # fmt: skip
        life.both("corrections", body)
    told = rehearsing.adopts()
    assert (told["adopted"], told["set_aside"]) == (1, [{"reason": "moved", "certificates": 1}])
    assert (slight.view()["edition"], heavy.view()["edition"]) == (NEW, EDITION)


def test_who_expired_meanwhile_is_passed_over_though_no_clock_has_run(rehearsing: Rehearsing, life: Life) -> None:
    life.issued()
    told = rehearsing.publishes().rehearses().approved().in_force("2027-01-15").adopts()
    assert (told["adopted"], told["not_in_force"]) == (0, 1)
    assert "edition-adopted" not in life.types


def test_an_approver_who_joins_a_team_afterwards_is_excluded_all_the_same(rehearsing: Rehearsing, life: Life) -> None:
    office = rehearsing.office
    office.employs("dora2", "assessor", as_person="dora")
    life.issued()
    rehearsing.publishes().rehearses().approved().in_force()
    life.visit_opened().planned(team=["ana", "dora"])
    assert named(rehearsing) == {life.id: "excluded"}
    assert rehearsing.adopts()["set_aside"] == [{"reason": "excluded", "certificates": 1}]
    answered(rehearsing.approves("dan", certificate=life.id))
    assert rehearsing.adopts()["adopted"] == 1
    assert breaches(office) == []


def test_a_grade_whose_document_cannot_be_printed_is_not_given(rehearsing: Rehearsing, life: Life) -> None:
    """The new edition calls its best level by a character that the font does not have."""
    life.issued(lost=6)
    blank = ('zh = "五星"', 'zh = "五星\U0001f31f"')
    rehearsing.publishes(edition_text(blank, grade="changed")).rehearses().approved().in_force()
    assert rehearsing.adopts()["set_aside"] == [{"reason": "unprintable", "certificates": 1}]
    assert life.view()["edition"] == EDITION


def test_where_no_number_is_left_no_grade_is_given_and_the_adoption_comes_to_its_end(
    rehearsing: Rehearsing, life: Life
) -> None:
    life.issued(lost=6)
    register, year = rehearsing.office.house.register, rehearsing.office.today.year
    series, taken = register.series(CSP, year)
    stamp = {"effective_on": rehearsing.office.today, "by": BY, "cause": e.Cause("import", "old numbers")}
    for serial in range(taken + 1, 10):
        register.save(Recorded(series, serial, e.SerialTaken(**stamp, serial=serial)), now=register.clock.instant())
    one_digit = ("{serial:05d}", "{serial:01d}")
    rehearsing.publishes(edition_text(one_digit, grade="changed")).rehearses().approved().in_force()
    told = rehearsing.adopts()
    assert (told["state"], told["set_aside"]) == ("adopted", [{"reason": "no_number", "certificates": 1}])


def test_a_suspended_certificate_and_one_renewed_early_take_the_edition_too(rehearsing: Rehearsing) -> None:
    office = rehearsing.office
    suspended, renewed = Life(office).issued(), Life(office).issued()
    office.moves_to("2024-01-20")
    renewed.graded("renewal")
    renewed.decided("renew")
    suspended.suspended()
    rehearsing.publishes(other_elements()).rehearses().approved()
    assert rehearsing.in_force().adopts()["adopted"] == 2
    assert (suspended.status(), renewed.status()) == ("suspended", "valid")
    assert len(renewed.view()["periods"]) == 2
    assert breaches(office) == []
