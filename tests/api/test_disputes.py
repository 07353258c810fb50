"""Corrections and appeals as those who dispute meet them: over HTTP, in the trail, in both languages."""

from typing import Any

import pytest

from projections import deadlines, told
from tests.api.life import SHA, Json, Life, life_at, reasons
from tests.api.office import Office, answered, problem_of, refused

NOWHERE = "22222222-2222-4222-8222-222222222222"
DIFFERS = "corrected_value_differs"
SLIP = {"path": "/holder", "old": "Example Alarm Ltd", "new": "Example Alarms Ltd"}


def correction(life: Life, of: str = "certificate-issued", **given: Any) -> Json:
    return {"target": life.version_of(of), "reason": "a slip of the pen"} | given


def corrected(life: Life, of: str = "certificate-issued", **given: Any) -> Life:
    life.both("corrections", correction(life, of, **given), ("reg", "dan"))
    return life


def trail_of(life: Life, kind: str, person: str = "aud") -> Json:
    """The last such event of the certificate, with its chain."""
    office = life.office
    office.house.catch_up()
    asked = {"certificate": life.id, "type": f"{kind}.v1"}
    position = answered(office.get("/events", person, **asked))["items"][-1]["position"]
    return answered(office.get(f"/events/{position}", person))


def due(life: Life, **asked: Any) -> list[Json]:
    life.office.house.catch_up()
    items = answered(life.office.get("/deadlines", "dora", limit=200, **asked))["items"]
    return [item for item in items if item["certificate_id"] == life.id]


# ---- corrections -----------------------------------------------------------------------------------------------------


def test_a_correction_shows_both_values_with_their_times(office: Office) -> None:
    life = life_at(office, "active")
    issued_at = trail_of(life, "certificate-issued")["event"]["recorded_at"]
    office.moves_to("2024-03-01")
    corrected(life, changes=[SLIP])
    told = trail_of(life, "record-corrected")
    (target,) = [each["event"] for each in told["causes"] if each["link"] == "corrects"]
    assert told["event"]["grounds"]["changes"] == told["fact"]["changes"] == [SLIP]
    assert (target["recorded_at"], target["effective_on"]) == (issued_at, "2024-01-15")
    assert told["event"]["recorded_at"] > issued_at
    assert told["event"]["effective_on"] == "2024-03-01"
    original = trail_of(life, "certificate-issued")
    assert original["fact"]["holder"] == SLIP["old"], "what was recorded stays as it was"
    (effect,) = [each["event"] for each in original["effects"] if each["link"] == "corrects"]
    assert effect["grounds"]["changes"] == [SLIP]


def test_the_holder_is_shown_both_values_too_without_internal_words(office: Office) -> None:
    life = life_at(office, "active").suspended(ends_on="2024-03-01")
    old, new = reasons("mark_misused"), reasons("obligations_unmet", text="an internal word")
    corrected(life, "certificate-suspended", changes=[{"path": "/reasons", "old": old, "new": new}])
    told = trail_of(life, "record-corrected", "holder")
    change = {"path": "/reasons", "old": [{"code": "mark_misused"}], "new": [{"code": "obligations_unmet"}]}
    assert told["event"]["grounds"] == {"changes": [change], "void": False}


def test_values_that_the_trail_leaves_out_are_found_out(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(told, "GROUNDS", ("reasons", "reason"))
    with pytest.raises(KeyError):
        test_a_correction_shows_both_values_with_their_times(office)


def test_what_was_known_before_and_after_a_correction_are_two_answers(office: Office) -> None:
    life = life_at(office, "active")
    office.moves_to("2024-03-01")
    before = office.house.questions.now().isoformat()
    office.moves_to("2024-03-02")
    corrected(life, changes=[SLIP])
    on = {"on": "2024-02-01"}
    assert office.status(life.number, "aud", **on, known_at=before)["holder"] == SLIP["old"]
    assert office.status(life.number, "aud", **on)["holder"] == SLIP["new"]


def unsupported(office: Office) -> Life:
    """Graded five stars on a mark that was mistaken: the score is four stars'."""
    life = life_at(office, "active")
    change = {"path": "/findings/5.2.1/marks", "old": "6", "new": "0"}
    life.both("corrections", correction(life, "assessment-recorded", changes=[change]), ("reg", "dan"))
    return life


def test_a_decision_left_without_support_becomes_work_until_it_is_decided_again(office: Office) -> None:
    life = unsupported(office)
    granted = life.version_of("certification-granted")
    (work,) = due(life, kind="decide_again")
    assert (work["subject"], work["due_on"]) == (granted, "2024-01-15")
    assert life.view()["unsupported"] == [{"version": granted, "since": "2024-01-15"}]
    assert trail_of(life, "record-corrected")["event"]["grounds"]["unsupported"] == [granted]
    assert life.view()["level"] == "five_star", "a level changes only by a decision"
    life.case = 1
    life.decided("change_grade")
    assert due(life, kind="decide_again") == []
    assert life.view()["level"] == "four_star"


def test_work_that_is_not_listed_is_found_out(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    found = deadlines.deadlines
    monkeypatch.setattr(
        deadlines, "deadlines", lambda certificate: (d for d in found(certificate) if d.kind != "decide_again")
    )
    with pytest.raises(ValueError, match="not enough values"):
        test_a_decision_left_without_support_becomes_work_until_it_is_decided_again(office)


# ---- corrections refused ---------------------------------------------------------------------------------------------


def in_both(send: Any, status: int, code: str) -> tuple[Json, str]:
    """The refusal, which records nothing, and what it says in Chinese."""
    english = refused(send({"Accept-Language": "en"}), status, code)
    chinese = refused(send({"Accept-Language": "zh"}), status, code)
    assert any("\u4e00" <= each <= "\u9fff" for each in chinese["detail"])
    assert not any("\u4e00" <= each <= "\u9fff" for each in english["detail"])
    return english, chinese["detail"]


def refusal(life: Life, body: Json, status: int, code: str) -> tuple[Json, str]:
    with life.office.recording_nothing():
        return in_both(lambda headers: life.post("corrections", "reg", body, headers=headers), status, code)


@pytest.fixture(scope="module")
def once_corrected(shared_office: Office) -> Life:
    return corrected(life_at(shared_office, "suspended"), changes=[SLIP])


@pytest.mark.parametrize("how", [{"changes": [{"path": "/reason", "old": "x", "new": "y"}]}, {"void": True}])
def test_a_correction_of_a_correction_is_refused_and_says_what_to_correct(once_corrected: Life, how: Json) -> None:
    target, original = once_corrected.version_of("record-corrected"), once_corrected.version_of("certificate-issued")
    body = {"target": target, "reason": "a slip"} | how
    english, chinese = refusal(once_corrected, body, 422, "correction_not_corrected")
    assert english["detail"].startswith(f"Event {target} is itself a correction, of event {original}.")
    assert f"事件 {original} 重新勘误" in chinese


@pytest.mark.parametrize("path", ["/no_such_field", "/holder/name", "/number", "/findings/9.9/marks", ""])
def test_a_correction_of_a_field_that_is_none_or_is_not_corrected_says_which_are(
    once_corrected: Life, path: str
) -> None:
    body = correction(once_corrected, changes=[{"path": path, "old": "x", "new": "y"}])
    english, chinese = refusal(once_corrected, body, 422, "not_correctable")
    assert (english["path"], english["allowed"]) == (path, "/address, /effective_on, /holder, /scope")
    assert "/address" in chinese


def test_a_correction_that_makes_the_stream_illegal_names_the_first_event_that_would_be(once_corrected: Life) -> None:
    issued = "2024-01-15"
    body = correction(once_corrected, changes=[{"path": "/effective_on", "old": issued, "new": "2024-01-01"}])
    body["target"] = once_corrected.version_of("certificate-suspended")
    english, chinese = refusal(once_corrected, body, 409, "correction_makes_illegal")
    assert f"event {body['target']} (certificate-suspended.v1)" in english["detail"]
    assert "before the status act of 2024-01-15" in english["detail"]
    assert "早于 2024-01-15 的状态决定" in chinese


def test_a_correction_written_for_another_state_says_what_stands(once_corrected: Life) -> None:
    english, chinese = refusal(once_corrected, correction(once_corrected, changes=[SLIP]), 409, DIFFERS)
    assert "is Example Alarms Ltd, not Example Alarm Ltd" in english["detail"]
    assert "现为 Example Alarms Ltd" in chinese


@pytest.mark.parametrize("how", [{}, {"void": True, "changes": [SLIP]}])
def test_a_correction_that_neither_changes_nor_voids_or_both_is_refused(once_corrected: Life, how: Json) -> None:
    english, chinese = refusal(once_corrected, correction(once_corrected, **how), 422, "correction_malformed")
    assert "either changes or void" in english["detail"]
    assert "changes 或 void" in chinese


@pytest.mark.parametrize("of", ["certificate-issued", "certification-granted"])
def test_what_cannot_be_voided_says_what_can(once_corrected: Life, of: str) -> None:
    english, chinese = refusal(once_corrected, correction(once_corrected, of, void=True), 422, "not_voidable")
    assert "certificate-suspended.v1" in english["allowed"]
    assert "可作废" in chinese


def test_a_withdrawal_is_voided_on_an_upheld_appeal_alone(office: Office) -> None:
    life = life_at(office, "withdrawn")
    body = correction(life, "certificate-withdrawn", void=True)
    _, chinese = refusal(life, body, 422, "not_voidable")
    assert "申诉" in chinese
    life.appealed(life.version_of("certificate-withdrawn"))
    life.does_in_case("outcome", "dina", {"upheld": True, "grounds": "they are right"})
    life.both("corrections", body | {"appeal": life.case}, ("reg", "dan"))
    assert life.view()["status"] == "active"
    assert ("upholds", "appeal-lodged.v1") in {
        (each["link"], each["event"]["type"]) for each in trail_of(life, "record-corrected")["causes"]
    }


@pytest.mark.parametrize("author", ["reg", "dora"])
def test_a_correction_approved_by_its_own_author_is_refused(office: Office, author: str) -> None:
    """Also with another of the author's keys, in a role that may approve."""
    life = life_at(office, "active")
    life.proposes("corrections", correction(life, changes=[SLIP]), author)
    office.employs(f"{author} again", "decision_maker", as_person=author)
    for person in (f"{author} again",) if author == "reg" else (author, f"{author} again"):
        english, chinese = in_both(
            lambda headers, person=person: life.approves(person, headers=headers), 403, "second_person_needed"
        )
        assert f"{author} can propose it" in english["detail"]
        assert "须由另一人批准" in chinese


# ---- appeals ---------------------------------------------------------------------------------------------------------


def appeal(life: Life, against: Any, person: str = "holder", **sent: Any) -> Any:
    return life.post("appeals", person, {"against": against, "grounds": "we differ"}, **sent)


def test_an_appeal_names_the_event_that_it_disputes_and_its_time_runs_from_the_notice(office: Office) -> None:
    life = life_at(office, "suspended")
    version = life.version_of("certificate-suspended")
    office.moves_to("2024-01-20")
    life.does("notices", "reg", {"of": version, "served_on": "2024-01-20", "proof_sha256": SHA})
    office.moves_to("2024-02-19")
    lodged = answered(appeal(life, version))["version"]
    told = trail_of(life, "appeal-lodged")
    assert ("appeals_against", "certificate-suspended.v1") in {
        (each["link"], each["event"]["type"]) for each in told["causes"]
    }
    assert [(item["subject"], item["due_on"]) for item in due(life, kind="appeal_decision", by="2024-12-31")] == [
        (lodged, "2024-04-19")
    ]
    office.moves_to("2024-02-20")
    with office.recording_nothing():
        english, chinese = in_both(lambda headers: appeal(life, version, headers=headers), 409, "appeal_too_late")
    assert (english["until_on"], english["version"]) == ("2024-02-19", version)
    assert "2024-02-19" in chinese


def test_before_any_notice_an_appeal_is_in_time(office: Office) -> None:
    life = life_at(office, "suspended")
    office.moves_to("2024-12-31")
    answered(appeal(life, life.version_of("certificate-suspended")))


def test_an_appeal_acts_only_through_a_further_event_that_cites_it(office: Office) -> None:
    life = life_at(office, "suspended")
    life.appealed(life.version_of("certificate-suspended"))
    assert life.status() == "suspended"
    body = {"grounds": "as the appeal orders", "appeal": life.case}
    english, chinese = in_both(
        lambda headers: life.post("reinstatements", "dora", body, headers=headers), 409, "appeal_not_upheld"
    )
    assert f"Case {life.case}" in english["detail"]
    assert "申诉" in chinese
    life.does_in_case("outcome", "dina", {"upheld": True, "grounds": "they are right"})
    assert life.status() == "suspended"
    life.both("reinstatements", body)
    assert life.status() == "valid"
    assert "upholds" in {each["link"] for each in trail_of(life, "certificate-reinstated")["causes"]}


def test_an_appeal_against_an_event_that_does_not_exist_says_which_do(shared_office: Office) -> None:
    life = life_at(shared_office, "active")
    with shared_office.recording_nothing():
        english, chinese = in_both(lambda headers: appeal(life, 99, headers=headers), 422, "fact_unknown")
    assert f"has no event with version 99; it has versions 1 to {english['last']}" in english["detail"]
    assert "99" in chinese


def test_an_appeal_against_an_event_of_another_certificate_is_refused(shared_office: Office) -> None:
    """The event_id that the trail and the stream show says of which it is."""
    life, other = life_at(shared_office, "active"), life_at(shared_office, "active")
    event_id = other.stream()[-1]["event_id"]
    for foreign in (event_id, f"{NOWHERE}/1"):
        with shared_office.recording_nothing():
            english, chinese = in_both(
                lambda headers, id=foreign: appeal(life, id, headers=headers), 422, "event_of_another"
            )
        assert foreign in english["detail"]
        assert "不属于" in chinese
    answered(appeal(other, event_id))
    assert other.stream()[-1]["against"] == int(event_id.rpartition("/")[2])


@pytest.mark.parametrize("against", ["", "x", "1", "/1", NOWHERE, f"{NOWHERE}/0", f"{NOWHERE}/x", -1, 0, 1.5, None])
def test_an_appeal_against_what_names_no_event_is_refused(shared_office: Office, against: Any) -> None:
    life = life_at(shared_office, "opened")
    with shared_office.recording_nothing():
        problem = problem_of(appeal(life, against))
    assert (problem["status"], problem["code"] in ("malformed", "fact_unknown")) == (422, True)


def test_an_appeal_of_another_organisation_does_not_learn_what_exists(shared_office: Office) -> None:
    life = life_at(shared_office, "active")
    refused(appeal(life, 1, "stranger"), 404, "certificate_unknown")
    refused(appeal(life, f"{life.id}/1", "stranger"), 404, "certificate_unknown")
