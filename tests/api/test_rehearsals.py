"""A rehearsal over HTTP: requested, made, approved by two, adopted certificate by certificate."""

import pytest

from tests.api.life import Life
from tests.api.office import Office
from tests.api.rehearsing import NEW, Rehearsing, edition_text


@pytest.fixture
def rehearsing(office: Office) -> Rehearsing:
    return Rehearsing.at(office)


def test_an_edition_is_published_rehearsed_approved_and_adopted(rehearsing: Rehearsing, life: Life) -> None:
    life.issued()
    rehearsing.publishes().rehearses()
    view = rehearsing.view()
    assert (view["edition"], view["lines"], view["report"]["certificates"]) == (NEW, 1, 1)
    line = rehearsing.line(life)
    assert (line["before"]["visit_on"], line["after"]["visit_on"]) == ("2026-01-15", "2025-07-15")
    assert line["notices"] == ["edition", "visit"]
    told = rehearsing.approved().in_force().adopts()
    assert (told["state"], told["adopted"], told["set_aside"]) == ("adopted", 1, [])
    assert life.view()["edition"] == NEW
    adopted = life.stream()[-1]
    assert adopted["type"] == "edition-adopted.v1"
    assert (adopted["rehearsal"], adopted["line_sha256"]) == (rehearsing.id, line["line_sha256"])
    assert (adopted["signed_by"], adopted["cause"]["kind"]) == (["sue", "dora"], "rehearsal")
    assert (adopted["due"]["visit_on"], adopted["due"]["grace_until"]) == ("2025-07-15", "2025-07-15")


def test_where_the_transition_says_so_the_grade_changes_and_is_printed(rehearsing: Rehearsing, life: Life) -> None:
    life.issued(lost=6)
    rehearsing.publishes(edition_text(grade="changed")).rehearses().approved().in_force()
    assert rehearsing.line(life)["notices"] == ["edition", "grade", "visit"]
    assert rehearsing.adopts()["adopted"] == 1
    assert life.types[-3:] == ["edition-adopted", "grade-changed", "certificate-reissued"]
    status = rehearsing.office.status(life.number)
    assert (status["status"], status["superseded_by"]) == ("superseded", life.view()["certificate_number"])
    shown = rehearsing.office.status(life.view()["certificate_number"])
    assert (shown["level"], shown["stars"], shown["edition"]) == ("five_star", 5, NEW)
