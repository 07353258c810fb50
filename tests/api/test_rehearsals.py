"""A rehearsal over HTTP: requested, made, approved by two, adopted certificate by certificate."""

from collections.abc import Callable
from uuid import UUID, uuid4

import msgspec
import psycopg
import pytest

from lifecycle.rehearsal import lines as rehearsal_lines
from lifecycle.rehearsal.lines import LineEdited
from lifecycle.rehearsal.run import rehearse
from tests.api.adopting import Credulous, Partial, starts
from tests.api.life import CSP, EDITION, SHA, Life, reasons
from tests.api.office import Office, answered, refused
from tests.api.rehearsing import NEW, Rehearsing, edition_text
from tests.databases import Database


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


# ---- who approves ----------------------------------------------------------------------------------------------------


def test_one_of_each_role_approves_and_neither_is_the_editions_author(rehearsing: Rehearsing) -> None:
    rehearsing.publishes().rehearses()
    with rehearsing.office.recording_nothing():
        refused(rehearsing.approves("sam"), 403, "author_may_not_approve")
        refused(rehearsing.steps(), 409, "rehearsal_not_approved")
    rehearsing.approved("sue")
    with rehearsing.office.recording_nothing():
        assert refused(rehearsing.approves("sol"), 409, "approved_already")["wanted"] == "decision_maker"
        assert refused(rehearsing.in_force().steps(), 409, "rehearsal_not_approved")["missing"] == "decision_maker"
    rehearsing.approved("dora")
    assert [each["person"] for each in rehearsing.view()["approvals"]] == ["sue", "dora"]
    refused(rehearsing.approves("dan"), 409, "approved_already")


def test_two_keys_of_one_person_are_one_person(rehearsing: Rehearsing) -> None:
    office = rehearsing.office
    office.employs("sam2", "decision_maker", as_person="sam")
    office.employs("sue2", "decision_maker", as_person="sue")
    rehearsing.publishes().rehearses()
    refused(rehearsing.approves("sam2"), 403, "author_may_not_approve")
    rehearsing.approved("sue")
    refused(rehearsing.approves("sue2"), 409, "approved_already")


def test_an_approval_quotes_the_edition_and_the_position(rehearsing: Rehearsing) -> None:
    rehearsing.publishes().rehearses()
    position = rehearsing.view()["log_position"]
    with rehearsing.office.recording_nothing():
        refused(rehearsing.approves("sue", log_position=position + 1), 409, "rehearsal_differs")
        told = refused(rehearsing.approves("sue", digest="0" * 64), 409, "rehearsal_differs")
    assert told["log_position"] == position


def test_who_stood_on_a_team_is_excluded_for_that_certificate_which_is_decided_singly(rehearsing: Rehearsing) -> None:
    """Rita visited one of two certificates, and decides now."""
    office = rehearsing.office
    office.employs("rita", "assessor")
    office.employs("rita2", "decision_maker", as_person="rita")
    visited, other = Life(office).issued(), Life(office).issued()
    office.moves_to("2024-01-16")
    visited.visit_opened().planned(team=["ana", "rita"])
    rehearsing.publishes().rehearses().approved("sue", "rita2")
    assert {line["certificate"]: line["excluded"] for line in rehearsing.lines("excluded")} == {visited.id: ["rita"]}
    told = rehearsing.in_force().adopts()
    assert (told["adopted"], told["set_aside"]) == (1, [{"reason": "excluded", "certificates": 1}])
    assert (other.view()["edition"], visited.view()["edition"]) == (NEW, EDITION)
    refused(rehearsing.approves("rita2", certificate=visited.id), 403, "stood_on_team")
    refused(rehearsing.approves("dora", certificate=other.id), 409, "approved_already")
    refused(rehearsing.approves("dora", certificate=str(uuid4())), 404, "not_in_rehearsal")
    answered(rehearsing.approves("dora", certificate=visited.id))
    assert rehearsing.lines("excluded")[0]["signers"] == ["sue", "dora"]
    assert rehearsing.adopts()["adopted"] == 2
    assert visited.stream()[-1]["signed_by"] == ["sue", "dora"]


def test_who_declared_an_interest_in_the_holder_is_excluded_too(rehearsing: Rehearsing, life: Life) -> None:
    office = rehearsing.office
    life.issued()
    body = {"organisation": str(office.organisations["holder"]), "grounds": "worked there"}
    answered(office.post("/persons/dora/conflicts", "reg", body))
    told = rehearsing.publishes().rehearses().approved().in_force().adopts()
    assert told["set_aside"] == [{"reason": "excluded", "certificates": 1}]


def test_an_adopter_who_asks_nobody_about_teams_is_found_out(rehearsing: Rehearsing, life: Life) -> None:
    office = rehearsing.office
    office.employs("ana2", "decision_maker", as_person="ana")
    life.issued()
    rehearsing.publishes().rehearses().approved("sue", "ana2").in_force()
    run = rehearsing.run()
    assert [each.outcome for each in run.would()] == ["excluded"]
    mutant = Partial(run.register, run.rehearsal, run.comparing, run.by)
    assert [each.outcome for each in mutant.would()] == ["adopted"]


# ---- what moved since ------------------------------------------------------------------------------------------------

MOVES: dict[str, tuple[Callable[[Life], object], str]] = {
    "a notice": (lambda life: life.does(
        "notices", "reg", {"of": 1, "served_on": life.office.today.isoformat(), "proof_sha256": SHA}), "adopted"),
    "another name": (lambda life: life.does(
        "reissues", "reg", {"reasons": reasons("name_changed"), "holder": "Another Name Ltd"}), "moved"),
    "a visit": (lambda life: life.visit_opened().visited(), "moved"),
    "a suspension": (Life.suspended, "adopted"),
    "a withdrawal": (Life.withdrawn, "not_in_force"),
}  # fmt: skip


@pytest.mark.parametrize("what", MOVES)
def test_a_line_that_is_the_same_goes_on_and_another_is_set_aside(rehearsing: Rehearsing, life: Life, what) -> None:
    move, outcome = MOVES[what]
    life.issued()
    rehearsing.publishes().rehearses().approved().in_force()
    move(life)
    run = rehearsing.run()
    assert [each.outcome for each in run.would()] == [outcome]
    told = rehearsing.adopts()
    assert told["adopted"] == (outcome == "adopted")
    assert told["not_in_force"] == (outcome == "not_in_force")
    assert told["set_aside"] == ([{"reason": "moved", "certificates": 1}] if outcome == "moved" else [])
    assert life.view()["edition"] == (NEW if outcome == "adopted" else EDITION)
    if outcome == "moved":
        mutant = Credulous(run.register, run.rehearsal, run.comparing, run.by)
        assert [each.outcome for each in mutant.would()] == ["adopted"], "a run that takes every line for fresh"


def test_what_was_set_aside_is_for_the_next_rehearsal(rehearsing: Rehearsing, life: Life) -> None:
    life.issued()
    rehearsing.publishes().rehearses().approved().in_force()
    life.visit_opened().visited()
    assert rehearsing.adopts()["adopted"] == 0
    assert rehearsing.rehearses().approved().adopts()["adopted"] == 1
    assert life.view()["edition"] == NEW


def test_a_certificate_issued_since_is_for_the_next_rehearsal(rehearsing: Rehearsing, life: Life) -> None:
    rehearsing.publishes().rehearses()
    life.issued()
    assert rehearsing.approved().in_force().adopts()["adopted"] == 0
    assert rehearsing.rehearses().approved().adopts()["adopted"] == 1


# ---- on its way ------------------------------------------------------------------------------------------------------


def test_an_adoption_waits_for_the_day_on_which_the_edition_takes_effect(rehearsing: Rehearsing, life: Life) -> None:
    life.issued()
    rehearsing.publishes().rehearses().approved()
    rehearsing.office.moves_to("2024-01-31")
    with rehearsing.office.recording_nothing():
        refused(rehearsing.steps(), 409, "edition_not_in_force")
    assert rehearsing.in_force().adopts()["adopted"] == 1


def test_a_dry_run_tells_what_would_be_and_records_nothing(rehearsing: Rehearsing, life: Life) -> None:
    life.issued(lost=6)
    rehearsing.publishes(edition_text(grade="changed")).rehearses().approved().in_force()
    with rehearsing.office.recording_nothing():
        answered(rehearsing.steps(params={"dry_run": "true"}))
        (told,) = rehearsing.run().would()
    assert told.outcome == "adopted"
    assert [type(fact).__name__ for fact in told.facts] == ["EditionAdopted", "GradeChanged", "CertificateReissued"]


def test_an_adoption_is_halted_before_the_next_certificate_and_goes_on(rehearsing: Rehearsing) -> None:
    office = rehearsing.office
    lives = [Life(office).issued() for _ in range(3)]
    rehearsing.publishes().rehearses().approved().in_force()
    refused(rehearsing.steps("halt"), 409, "no_adoption_to_halt")
    id = UUID(rehearsing.id)
    starts(office.house.register, id)
    run = rehearsing.run().adopt()
    assert next(run).outcome == "adopted"
    answered(rehearsing.office.post(f"/rehearsals/{id}/adoption", "sol", {"step": "halt", "reason": "wait for May"}))
    assert next(run, None) is None, "it does not go on"
    view = rehearsing.view()
    assert (view["state"], view["halted_because"]) == ("halted", "wait for May")
    assert [life.view()["edition"] for life in lives].count(NEW) == 1
    told = rehearsing.adopts()
    assert (told["state"], told["adopted"]) == ("adopted", 3)
    facts = [type(each.fact).__name__ for each in office.house.register.events.get(id)]
    assert facts[-4:] == ["AdoptionStarted", "AdoptionHalted", "AdoptionStarted", "AdoptionFinished"]


def test_a_certificate_that_is_on_the_edition_is_passed_over(rehearsing: Rehearsing, life: Life) -> None:
    life.issued()
    rehearsing.publishes().rehearses().approved().in_force().adopts()
    with rehearsing.office.recording_nothing():
        assert [each.outcome for each in rehearsing.run().would()] == ["already"]
    assert rehearsing.adopts()["adopted"] == 1
    assert life.types.count("edition-adopted") == 1


def test_what_the_clock_owes_stands_before_the_adoption(rehearsing: Rehearsing, life: Life) -> None:
    life.issued()
    rehearsing.publishes().rehearses().approved()
    rehearsing.in_force("2025-12-01").adopts()  # the notice window of the old edition opened on 17 October
    assert life.types[-2:] == ["surveillance-due", "edition-adopted"]
    assert life.view()["due"]["visit_on"] == "2025-12-01"


# ---- what is kept and asked ------------------------------------------------------------------------------------------


def test_lines_are_kept_with_their_digests_and_paged(rehearsing: Rehearsing) -> None:
    for _ in range(3):
        Life(rehearsing.office).issued()
    rehearsing.publishes().rehearses()
    page = answered(rehearsing.office.get(f"/rehearsals/{rehearsing.id}/affected", "aud", limit=2))
    rest = answered(rehearsing.office.get(f"/rehearsals/{rehearsing.id}/affected", "aud", limit=2, cursor=page["next"]))
    assert (len(page["items"]), len(rest["items"]), rest["next"]) == (2, 1, None)
    certificates = [line["certificate"] for line in page["items"] + rest["items"]]
    assert certificates == sorted(certificates)
    assert rehearsing.view()["report"]["affected"] == 3


def test_a_rehearsal_made_again_is_the_same_and_is_completed_once(rehearsing: Rehearsing, life: Life) -> None:
    life.issued()
    rehearsing.publishes().rehearses()
    house, id = rehearsing.office.house, UUID(rehearsing.id)
    once = rehearsing.view()
    with rehearsing.office.recording_nothing(), house.reading() as connection:
        rehearse(house.register, connection, id)
    first = rehearsing.id
    rehearsing.rehearses()
    again = rehearsing.view()
    assert again["lines"] == once["lines"]
    assert rehearsing.id != first


def test_a_line_that_somebody_edits_is_found_before_anything_is_adopted(
    rehearsing: Rehearsing, life: Life, database: Database
) -> None:
    life.issued()
    rehearsing.publishes().rehearses().approved().in_force()
    with psycopg.connect(database.owner_url) as connection:
        statement = "UPDATE certlife.rehearsal_lines SET line = {0}, line_sha256 = sha256({0})"
        connection.execute(statement.format("replace(convert_from(line, 'UTF8'), '2025-07', '2025-09')::bytea"))
    with rehearsing.office.recording_nothing(), pytest.raises(LineEdited):
        rehearsing.run()
    told = rehearsing.adopts()
    assert (told["state"], told["adopted"]) == ("halted", None)
    assert "LineEdited: The lines of rehearsal" in told["halted_because"]
    assert life.view()["edition"] == EDITION


def test_the_service_can_add_no_line_to_a_completed_rehearsal(rehearsing: Rehearsing, life: Life) -> None:
    life.issued()
    rehearsing.publishes().rehearses()
    register, id = rehearsing.office.house.register, UUID(rehearsing.id)
    (kept,) = rehearsal_lines.each(register.recorder, id)
    rehearsal_lines.keep(register.recorder, id, [msgspec.structs.replace(kept.line, certificate=uuid4())])
    assert list(rehearsal_lines.each(register.recorder, id)) == [kept]


def test_what_is_unknown_is_refused(rehearsing: Rehearsing) -> None:
    office, nowhere = rehearsing.office, f"/rehearsals/{uuid4()}"
    refused(office.post("/rehearsals", "sam", {"edition": "CSP-S01-001:1999"}), 422, "edition_unknown")
    refused(office.post("/rehearsals", "sam", {"edition": "nothing"}), 422, "edition_unknown")
    refused(office.get(nowhere, "aud"), 404, "rehearsal_unknown")
    refused(office.get(f"{nowhere}/affected", "aud"), 404, "rehearsal_unknown")
    refused(office.post(f"{nowhere}/adoption", "sam"), 404, "rehearsal_unknown")
    body = {"digest": "0" * 64, "log_position": 1}
    refused(office.post(f"{nowhere}/approvals", "sue", body), 404, "rehearsal_unknown")
    refused(office.post("/rehearsals/x/adoption", "sam"), 422, "malformed")


def test_an_edition_that_follows_none_is_rehearsed_and_never_adopted(rehearsing: Rehearsing) -> None:
    rehearsing.rehearses(EDITION).approved("sue", "dora")
    refused(rehearsing.steps(), 409, "edition_succeeds_none")


# ---- roles -----------------------------------------------------------------------------------------------------------

ROLES = {
    "holder": "applicant", "reg": "registrar", "ana": "assessor", "dora": "decision_maker", "sue": "scheme_manager",
    "aud": "auditor", "adm": "administrator", "clk": "clock",
}  # fmt: skip
STAFF = {"registrar", "assessor", "decision_maker", "scheme_manager", "auditor"}


def test_each_role_does_what_it_may_and_nothing_else(rehearsing: Rehearsing, life: Life) -> None:
    office = rehearsing.office
    life.issued()
    proposed = answered(rehearsing.proposes(edition_text(id="CSP-S01-001:other")), 202)
    rehearsing.publishes().rehearses()
    view = rehearsing.view()
    approval = {"digest": view["digest"], "log_position": view["log_position"]}
    cells = [
        (f"/schemes/{CSP}/editions", {"text": edition_text(id="CSP-S01-001:third")}, {"scheme_manager"}),
        (f"/schemes/{CSP}/proposals/{proposed['proposal']}/approvals", {"digest": proposed["digest"]},
         {"scheme_manager"}),
        (f"/schemes/{CSP}/proposals/{proposed['proposal']}/rejections", {"reason": "no"}, {"scheme_manager"}),
        ("/rehearsals", {"edition": NEW}, {"scheme_manager"}),
        (f"/rehearsals/{rehearsing.id}/approvals", approval, {"scheme_manager", "decision_maker"}),
        (f"/rehearsals/{rehearsing.id}/adoption", {"step": "halt"}, {"scheme_manager"}),
    ]  # fmt: skip
    with office.recording_nothing():
        for path, body, allowed in cells:
            for person, role in ROLES.items():
                response = office.post(path, person, body, params={"dry_run": "true"})
                if role in allowed:
                    assert response.status_code in (200, 201, 202, 409), response.text
                else:
                    refused(response, 403, "role_not_allowed")
            refused(office.post(path, None, body), 401, "key_missing")
        for path in (f"/rehearsals/{rehearsing.id}", f"/rehearsals/{rehearsing.id}/affected"):
            for person, role in ROLES.items():
                response = office.get(path, person)
                assert response.status_code == (200 if role in STAFF else 403), (person, path)
            refused(office.get(path), 401, "key_missing")
