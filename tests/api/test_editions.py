"""A scheme's new edition over HTTP: two persons publish it, and whatever does not hold together is refused."""

from __future__ import annotations

import hashlib

import msgspec
import pytest

from lifecycle.scheme import id_of
from projections.rebuild import rebuild
from tests.api.life import CSP, EDITION, Life
from tests.api.office import Office, answered, office_of, refused
from tests.api.rehearsing import NEW, Rehearsing, edition_text


@pytest.fixture
def rehearsing(office: Office) -> Rehearsing:
    return Rehearsing.at(office)


def published(office: Office) -> list:
    return [recorded.fact for recorded in office.house.register.events.get(id_of(CSP))]


def test_an_edition_takes_two_persons_and_stands_with_its_whole_text(rehearsing: Rehearsing) -> None:
    office, text = rehearsing.office, edition_text()
    digest = hashlib.sha256(text.encode()).hexdigest()
    proposed = answered(rehearsing.proposes(text), 202)
    assert proposed["digest"] == digest
    assert NEW not in office.house.register.editions, "a proposal publishes nothing"
    rehearsing.approves_edition(proposed)
    fact = published(office)[-1]
    assert (fact.published, fact.digest, fact.text) == (NEW, digest, text)
    assert fact.signed_by == ("sam", "sue")
    assert fact.proposal == proposed["proposal"]


def test_its_author_does_not_publish_it_and_a_wrong_digest_approves_nothing(rehearsing: Rehearsing) -> None:
    office = rehearsing.office
    proposed = answered(rehearsing.proposes(edition_text()), 202)
    path = f"/schemes/{CSP}/proposals/{proposed['proposal']}/approvals"
    office.employs("sam2", "scheme_manager", as_person="sam")
    with office.recording_nothing():
        for author in ("sam", "sam2"):
            refused(office.post(path, author, {"digest": proposed["digest"]}), 403, "second_person_needed")
        refused(office.post(path, "sue", {"digest": "0" * 64}), 409, "digest_differs")
        refused(office.post(path.replace(str(proposed["proposal"]), "99"), "sue", {"digest": "0" * 64}), 404,
                "proposal_unknown")  # fmt: skip
    rehearsing.approves_edition(proposed)
    refused(office.post(path, "sol", {"digest": proposed["digest"]}), 409, "proposal_closed")


def test_a_proposal_lapses(rehearsing: Rehearsing) -> None:
    proposed = answered(rehearsing.proposes(edition_text(effective_from="2024-06-01")), 202)
    rehearsing.office.moves_to("2024-02-15")
    path = f"/schemes/{CSP}/proposals/{proposed['proposal']}/approvals"
    refused(rehearsing.office.post(path, "sue", {"digest": proposed["digest"]}), 409, "proposal_lapsed")


def test_it_is_rejected_with_a_reason_and_published_by_nobody_any_more(rehearsing: Rehearsing) -> None:
    office = rehearsing.office
    proposed = answered(rehearsing.proposes(edition_text()), 202)
    path = f"/schemes/{CSP}/proposals/{proposed['proposal']}"
    with office.recording_nothing():
        refused(office.post(f"{path}/rejections", "sue", {}), 422, "malformed")
        refused(office.post(f"{path}/rejections", "sue", {"reason": ""}), 422, "malformed")
        refused(
            office.post(f"/schemes/{CSP}/proposals/99/rejections", "sue", {"reason": "no"}), 404, "proposal_unknown"
        )
        answered(office.post(f"{path}/rejections", "sue", {"reason": "no"}, params={"dry_run": "true"}))
    answered(office.post(f"{path}/rejections", "sue", {"reason": "the bands are not those that were agreed"}))
    fact = published(office)[-1]
    assert (fact.proposal, fact.by.person) == (proposed["proposal"], "sue")
    assert fact.reason == "the bands are not those that were agreed"
    with office.recording_nothing():
        approval = {"digest": proposed["digest"]}
        told = refused(office.post(f"{path}/approvals", "sol", approval), 409, "proposal_closed")
        assert told["state"] == "rejected"
        refused(office.post(f"{path}/rejections", "sol", {"reason": "no"}), 409, "proposal_closed")
    rehearsing.publishes()
    refused(office.post(f"/schemes/{CSP}/proposals/{published(office)[-1].proposal}/rejections", "sol",
                        {"reason": "too late"}), 409, "proposal_closed")  # fmt: skip


def test_its_author_takes_it_back_and_a_lapsed_one_needs_no_rejection(rehearsing: Rehearsing) -> None:
    office = rehearsing.office
    proposed = answered(rehearsing.proposes(edition_text(effective_from="2024-06-01")), 202)
    answered(office.post(f"/schemes/{CSP}/proposals/{proposed['proposal']}/rejections", "sam", {"reason": "a slip"}))
    proposed = answered(rehearsing.proposes(edition_text(effective_from="2024-06-01")), 202)
    office.moves_to("2024-02-15")
    path = f"/schemes/{CSP}/proposals/{proposed['proposal']}/rejections"
    refused(office.post(path, "sue", {"reason": "late"}), 409, "proposal_lapsed")


def test_it_is_applied_for_from_the_day_it_takes_effect(rehearsing: Rehearsing) -> None:
    rehearsing.publishes()
    assert Life(rehearsing.office).applies().view()["edition"] == EDITION
    rehearsing.in_force()
    life = Life(rehearsing.office).issued(lost=6)
    assert life.view()["edition"] == NEW
    assert (life.view()["level"], rehearsing.office.status(life.number)["stars"]) == ("five_star", 5)


def test_another_process_learns_of_it(rehearsing: Rehearsing, database) -> None:
    """Both an application under it, and a certificate that is under it already."""
    with office_of(database, rehearsing.office.house.present.instant()) as other:
        other.employs_as(rehearsing.office)
        other.secrets["sam"] = rehearsing.office.secrets["sam"]
        rehearsing.publishes().in_force()
        life = Life(rehearsing.office).applies()
        other.moves_to("2024-02-01")
        assert Life(other).applies().view()["edition"] == NEW
        Life(other, id=life.id).accepted()


REFUSED = {
    "overlapping bands": (
        edition_text(('below = { value = "93"', 'below = { value = "94"')),
        "levels[four_star].below.value",
    ),
    "a gap": (edition_text(('below = { value = "93"', 'below = { value = "92"')), "levels[four_star].below.value"),
    "an effective date in the past": (edition_text(effective_from="2023-12-31"), "edition.effective_from"),
    "a day that is none": (edition_text(effective_from='"soon"'), "edition.effective_from.value"),
    "a wrong type": (edition_text(("value = 36", 'value = "36"')), "parameters.validity_months.value"),
    "a key outside the vocabulary": (edition_text(("[numbers]", "[numbers]\nshape = 1")), "numbers.shape"),
    "an unknown element": (
        edition_text() + '[[succession.elements]]\nkind = "same"\nold = ["9"]\nnew = ["6"]\nstatus = "assumed"\n',
        "succession.elements.old",
    ),
    "a mapping that loses one": (edition_text(('code = "6", zh', 'code = "7", zh')), "succession.elements.old"),
    "no succession": (edition_text().partition("\n[succession]")[0], "succession.of"),
    "an edition that it cannot follow": (edition_text(of="CSP-S01-001:1999"), "succession.of"),
    "another scheme": (
        edition_text(('scheme = "CSP-S01-001"', 'scheme = "GAT-594"'), id="GAT-594:2024", of="GAT-594:2006"),
        "edition.scheme",
    ),
    "not published yet": (
        edition_text(("published_on = { value = 2021", "published_on = { value = 2025"), effective_from="2026-01-01"),
        "edition.published_on",
    ),
    "no TOML": ("[edition", "the file"),
    "nothing but a line": ("x" * 2000, "the file"),
}  # fmt: skip


@pytest.mark.parametrize("why", REFUSED)
def test_what_does_not_hold_together_is_refused_with_its_key(rehearsing: Rehearsing, why: str) -> None:
    text, key = REFUSED[why]
    with rehearsing.office.recording_nothing():
        problem = refused(rehearsing.proposes(text), 422, "edition_malformed")
    assert problem["key"] == key
    assert problem["expected"]
    assert problem["found"]


def test_an_order_lets_it_take_effect_on_a_day_past(rehearsing: Rehearsing) -> None:
    text = edition_text(effective_from="2023-12-31")
    rehearsing.publishes(text, order="Announcement 12 of 2024")
    assert rehearsing.office.house.register.editions[NEW].effective_from.isoformat() == "2023-12-31"


def test_it_is_checked_again_when_it_is_published(rehearsing: Rehearsing) -> None:
    proposed = answered(rehearsing.proposes(edition_text(effective_from="2024-01-20")), 202)
    rehearsing.office.moves_to("2024-01-21")
    path = f"/schemes/{CSP}/proposals/{proposed['proposal']}/approvals"
    problem = refused(rehearsing.office.post(path, "sue", {"digest": proposed["digest"]}), 422, "edition_malformed")
    assert problem["key"] == "edition.effective_from"


def test_an_id_is_never_used_for_another_text(rehearsing: Rehearsing) -> None:
    first = answered(rehearsing.proposes(edition_text()), 202)
    second = answered(rehearsing.proposes(edition_text(grade="changed"), person="sol"), 202)
    rehearsing.approves_edition(first)
    with rehearsing.office.recording_nothing():
        path = f"/schemes/{CSP}/proposals/{second['proposal']}/approvals"
        known = refused(rehearsing.office.post(path, "sue", {"digest": second["digest"]}), 409, "edition_known")
        assert (known["published"], known["digest"]) == (first["digest"], second["digest"])
        shipped = edition_text(id=EDITION).partition("\n[succession]")[0]
        refused(rehearsing.proposes(shipped), 409, "edition_known")
        refused(rehearsing.proposes(edition_text()), 409, "edition_known")


@pytest.mark.parametrize("code", ["NONE-1", "csp", "..", "CSP%00", "%ED%A0%80", "x" * 300])
def test_a_scheme_that_is_not_kept_takes_no_edition(rehearsing: Rehearsing, code: str) -> None:
    response = rehearsing.office.post(f"/schemes/{code}/editions", "sam", {"text": edition_text()})
    assert response.status_code in (404, 405)


def test_too_large_a_body_is_refused_before_it_is_read(rehearsing: Rehearsing) -> None:
    body = b"{" + b" " * (64 * 1024)
    with rehearsing.office.recording_nothing():
        refused(rehearsing.office.post(f"/schemes/{CSP}/editions", "sam", body), 413, "body_too_large")
    largest = msgspec.json.encode({"text": edition_text() + "#" * 900 + "\n"})
    assert len(largest) < 64 * 1024
    answered(rehearsing.office.post(f"/schemes/{CSP}/editions", "sam", largest), 202)


@pytest.mark.parametrize("body", [{}, {"text": 1}, {"text": ""}, {"text": "a\u0000b"}, {"text": "x", "more": 1}, []])
def test_a_body_that_makes_no_sense_is_refused(rehearsing: Rehearsing, body: object) -> None:
    refused(rehearsing.office.post(f"/schemes/{CSP}/editions", "sam", body), 422, "malformed")


def test_a_dry_run_records_nothing_and_the_same_request_again_answers_the_same(rehearsing: Rehearsing) -> None:
    office, path, body = rehearsing.office, f"/schemes/{CSP}/editions", {"text": edition_text()}
    with office.recording_nothing():
        answered(office.post(path, "sam", body, params={"dry_run": "true"}), 202)
    once = answered(office.post(path, "sam", body, key="k"), 202)
    assert answered(office.post(path, "sam", body, key="k"), 202) == once


def test_a_rebuild_shows_the_stars_of_an_edition_that_was_published_here(rehearsing: Rehearsing) -> None:
    rehearsing.publishes().in_force()
    life, house = Life(rehearsing.office).issued(lost=6), rehearsing.office.house
    house.catch_up()
    register = next(each.projection for each in house.engine.followers if each.projection.name == "register")
    assert [*rebuild(house.addresses.engine, register, 1)][-1].doing == "done"
    assert rehearsing.office.status(life.number)["stars"] == 5
