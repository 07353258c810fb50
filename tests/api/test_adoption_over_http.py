"""Adoptions over HTTP: editions that judge other elements, who was set aside and why, and what stood in between."""

from __future__ import annotations

import pytest

from api.audit_command import audited
from projections.follower import connect
from tests.api.life import EDITION, Life
from tests.api.office import Office, answered, refused
from tests.api.rehearsing import NEW, Rehearsing, edition_text
from tests.lifecycle.other_elements import ROWS, with_other_elements


@pytest.fixture
def rehearsing(office: Office) -> Rehearsing:
    return Rehearsing.at(office)


def other_elements(**given: str) -> str:
    return with_other_elements(edition_text(**given)) + ROWS


def breaches(office: Office) -> list[str]:
    """What the audit of duties finds in the whole log."""
    register = office.house.register
    with connect(office.house.addresses.engine) as connection:
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
