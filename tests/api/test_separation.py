"""Separation of duties at the API: persons are compared, never keys, and no request names a second signer."""

from collections.abc import Iterator
from itertools import permutations

import pytest

from lifecycle import events as e
from tests.api.life import Life, life_at, reasons
from tests.api.office import Office, answered, refused

FOUR = ("wang", "li", "zhao", "chen")
GRANT = {"outcome": "grant"}
SUSPENSION = {"reasons": reasons("mark_misused")}


def with_key(office: Office, person: str, role: e.Role) -> str:
    """A further key of that person, in that role."""
    name = f"{person} as {role}"
    if name not in office.secrets:
        office.employs(name, role, as_person=person)
    return name


def test_two_keys_of_one_person_are_one_person(office: Office) -> None:
    life = life_at(office, "proposed")
    office.employs("dora again", "decision_maker", as_person="dora")
    refused(life.approves("dora again"), 403, "second_person_needed")
    refused(life.approves("dora"), 403, "second_person_needed")
    answered(life.approves("dan"))
    assert life.stream()[-1]["signed_by"] == ["dora", "dan"]


def test_a_proposal_is_approved_with_the_role_that_the_act_wants(office: Office) -> None:
    life = life_at(office, "proposed")
    for role in ("assessor", "registrar"):
        refused(life.approves(with_key(office, "dan", role)), 403, "role_not_allowed")
    answered(life.approves(with_key(office, "rev", "decision_maker")))


def test_an_event_keeps_person_role_and_key_as_they_were_at_the_time(office: Office) -> None:
    life = life_at(office, "graded")
    second = with_key(office, "dora", "decision_maker")
    life.proposes("cases/1/decision", GRANT, second)
    assert life.stream()[-1]["by"] == {"person": "dora", "role": "decision_maker", "key": office.keys[second]}
    office.revokes(second)
    refused(life.approves(second), 401, "key_not_accepted")
    answered(life.approves("dan"))
    assert life.stream()[-1]["signed_by"] == ["dora", "dan"]


def test_who_stood_on_the_team_signs_nothing_of_the_case(office: Office) -> None:
    life = life_at(office, "assessed")
    ana = with_key(office, "ana", "decision_maker")
    for person in ("ana", ana):
        refused(life.in_case("assessment-review", person, {"recommendation": "x"}), 403, "stood_on_team")
    life.reviewed()
    refused(life.in_case("decision", ana, GRANT), 403, "stood_on_team")
    life.proposes("cases/1/decision", GRANT)
    refused(life.approves(ana), 403, "stood_on_team")


def test_who_ever_stood_on_the_team_is_kept_out_though_replaced(office: Office) -> None:
    life = life_at(office, "planned").planned(["bob"])
    refused(life.in_case("assessment", "ana", life.assessment()), 403, "not_on_team")
    life.assessed(by="bob")
    for person in ("ana", "bob"):
        refused(life.in_case("assessment-review", person, {"recommendation": "x"}), 403, "stood_on_team")
    life.reviewed().proposes("cases/1/decision", GRANT)
    refused(life.approves(with_key(office, "ana", "decision_maker")), 403, "stood_on_team")


def test_leaving_the_case_out_opens_no_way_round(office: Office) -> None:
    life = life_at(office, "active")
    ana = with_key(office, "ana", "decision_maker")
    for what, body in (("suspensions", SUSPENSION), ("withdrawals", {"reasons": reasons("mark_misused")})):
        refused(life.post(what, ana, body), 403, "stood_on_team")
        life.proposes(what, body)
        refused(life.approves(ana), 403, "stood_on_team")


def test_only_the_team_records_and_closes(office: Office) -> None:
    planned, assessed = life_at(office, "planned"), life_at(office, "nonconforming")
    refused(planned.in_case("assessment", "bob", planned.assessment()), 403, "not_on_team")
    refused(assessed.in_case("nonconformity-closures", "bob", {"element": "5.2.1"}), 403, "not_on_team")


def test_who_declared_a_conflict_of_interest_serves_in_no_case_of_the_organisation(office: Office) -> None:
    planned, graded = life_at(office, "accepted"), life_at(office, "proposed")
    declared = {
        "organisation": str(office.organisations["holder"]),
        "grounds": "worked there",
        "until_on": "2024-02-29",
    }
    for person in ("bob", "dan"):
        answered(office.post(f"/persons/{person}/conflicts", "reg", declared))
    refused(planned.in_case("plan", "reg", planned.site() | {"team": ["ana", "bob"]}), 403, "conflict_of_interest")
    refused(graded.approves("dan"), 403, "conflict_of_interest")
    office.moves_to("2024-03-01")
    answered(planned.in_case("plan", "reg", planned.site() | {"team": ["ana", "bob"]}))
    answered(life_at(office, "proposed").approves("dan"))


def test_who_is_not_registered_stands_on_no_team(office: Office) -> None:
    life = life_at(office, "accepted")
    refused(life.in_case("plan", "reg", life.site() | {"team": ["nobody"]}), 404, "person_unknown")


@pytest.mark.parametrize("surplus", ["signed_by", "second", "approved_by", "by", "proposal"])
def test_no_request_names_a_second_signer(office: Office, surplus: str) -> None:
    life = life_at(office, "graded")
    refused(life.in_case("decision", "dora", GRANT | {surplus: ["dan"]}), 422, "malformed")


def assignments(assessors: tuple[str, ...]) -> Iterator[pytest.param]:
    for assessor in assessors:
        for reviewer in FOUR:
            yield pytest.param(assessor, reviewer, id=f"{assessor}-{reviewer}")


@pytest.mark.parametrize(
    ("assessor", "reviewer"),
    [
        *assignments(FOUR[:1]),
        *(pytest.param(*p.values, id=p.id, marks=pytest.mark.figures) for p in assignments(FOUR[1:])),
    ],
)
def test_of_all_assignments_of_four_persons_only_the_lawful_ones_pass(
    office: Office, assessor: str, reviewer: str
) -> None:
    """Assessor, reviewer, proposer, approver, and who handles an appeal against the certificate."""
    for person in FOUR:
        office.employs(person, "decision_maker")
        with_key(office, person, "assessor")
    lives = [_assessed_by(office, assessor) for _ in permutations(FOUR, 2)]
    response = lives[0].in_case("assessment-review", reviewer, {"recommendation": "x"}, params={"dry_run": "true"})
    if reviewer == assessor:
        refused(response, 403, "stood_on_team")
        return
    for life, (proposer, approver) in zip(lives, permutations(FOUR, 2), strict=True):
        if _decided_by(life.reviewed(reviewer), assessor, proposer, approver):
            _require_appeal_handled_by_others(life, {assessor, proposer, approver})


def _assessed_by(office: Office, assessor: str) -> Life:
    life = Life(office).applies().accepted().planned([assessor])
    return life.assessed(by=with_key(office, assessor, "assessor"))


def _decided_by(life: Life, assessor: str, proposer: str, approver: str) -> bool:
    response = life.in_case("decision", proposer, GRANT)
    if proposer == assessor:
        refused(response, 403, "stood_on_team")
        return False
    life.proposed = answered(response, 202)
    refused(life.approves(proposer), 403, "second_person_needed")
    approval = life.approves(approver)
    if approver == assessor:
        refused(approval, 403, "stood_on_team")
        return False
    answered(approval)
    return True


def _require_appeal_handled_by_others(life: Life, involved: set[str]) -> None:
    life.does("issuances", "reg")
    life.appealed(against=life.version_of("certificate-issued"))
    for handler in FOUR:
        response = life.in_case("outcome", handler, {"upheld": True, "grounds": "x"}, params={"dry_run": "true"})
        if handler in involved:
            refused(response, 403, "involved_in_appealed")
        else:
            answered(response)
