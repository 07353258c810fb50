"""The trail over HTTP: by whatever one knows, both ways along its causes, and every read of it recorded."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Callable, Generator, Iterator
from datetime import timedelta
from threading import Thread, current_thread
from typing import Any
from uuid import UUID

import msgspec
import psycopg
import pytest

from api.identity import OPERATOR
from api.trail import questions as room
from api.trail.questions import Trail
from api.trail.routes import to_the_end
from lifecycle.periods import day_start
from projections import trail_questions
from projections.trail_questions import Asked
from tests.api.life import Json, Life
from tests.api.office import FIRST_DAY, STAFF, Office, answered, refused
from tests.api.rehearsing import Rehearsing, edition_text


@pytest.fixture(scope="module")
def office(shared_office: Office) -> Office:
    return shared_office


@pytest.fixture(scope="module")
def life(office: Office) -> Life:
    """Issued, suspended, appealed against, corrected, withdrawn."""
    life = Life(office)
    life.granted()
    life.does("issuances", "reg", {})
    office.house.present.move_to(FIRST_DAY + timedelta(days=30))
    life.both("suspensions", {"reasons": [{"code": "obligations_unmet", "text": "=fee"}]})
    suspended = life.version_of("certificate-suspended")
    life.does("notices", "reg", {"of": suspended, "served_on": office.today.isoformat(), "proof_sha256": "0" * 64})
    life.does("appeals", "holder", {"against": suspended, "grounds": "+we paid"})
    life.case = life.last_case("appeal")
    life.does_in_case("outcome", "dina", {"upheld": True, "grounds": "they paid"})
    old, new = [{"code": "obligations_unmet", "text": "=fee"}], [{"code": "mark_misused"}]
    change = {"path": "/reasons", "old": old, "new": new}
    life.both("corrections", {"target": suspended, "reason": "a slip", "changes": [change]})
    life.both("withdrawals", {"reasons": [{"code": "requirements_not_met"}]})
    office.house.catch_up()
    return life


def page(office: Office, person: str = "aud", **asked: Any) -> list[Json]:
    return answered(office.get("/events", person, **asked))["items"]


def pages(office: Office, limit: int, **asked: Any) -> Iterator[Json]:
    cursor = None
    while True:
        found = answered(office.get("/events", "aud", limit=limit, cursor=cursor, **asked))
        yield from found["items"]
        cursor = found["next"]
        if cursor is None:
            return


def position_of(office: Office, life: Life, kind: str) -> int:
    return page(office, certificate=life.id, type=f"{kind}.v1")[-1]["position"]


def chain(office: Office, position: int, way: str) -> list[tuple[str, str]]:
    """How each is linked, and what it is."""
    found = answered(office.get(f"/events/{position}", "aud"))[way]
    return [(each["link"], each["event"]["type"].removesuffix(".v1")) for each in found]


# ---- what is asked for -----------------------------------------------------------------------------------------------

FILTERS: dict[str, tuple[Callable[[Office, Life], Json], Callable[[Json, Office, Life], bool]]] = {
    "certificate": (lambda o, life: {"certificate": life.id}, lambda t, o, life: t["certificate_id"] == life.id),
    "holder": (
        lambda o, life: {"holder": str(o.organisations["holder"])},
        lambda t, o, life: t["organisation"] == str(o.organisations["holder"]) or t["certificate_id"] == life.id,
    ),
    "person": (lambda o, life: {"actor": "dan"}, lambda t, o, life: t["by"]["person"] == "dan"),
    "type": (lambda o, life: {"type": "act-proposed.v1"}, lambda t, o, life: t["type"] == "act-proposed.v1"),
    "cause": (lambda o, life: {"cause": "import:shipped"}, lambda t, o, life: t["cause"]["kind"] == "import"),
    "proposal": (
        lambda o, life: {"certificate": life.id, "proposal": life.proposed["proposal"]},
        lambda t, o, life: t["certificate_id"] == life.id and t["proposal"] == life.proposed["proposal"],
    ),
    "recorded from": (lambda o, life: {"from": "2024-02-14"}, lambda t, o, life: t["recorded_at"] >= "2024-02-13T16"),
    "recorded to a day": (lambda o, life: {"to": "2024-01-15"}, lambda t, o, life: t["recorded_at"] < "2024-01-15T16"),
    "recorded before": (
        lambda o, life: {"to": "2024-01-15T09:30:00+08:00"},
        lambda t, o, life: t["recorded_at"] < "2024-01-15T01:30",
    ),
    "effective": (
        lambda o, life: {"effective_from": "2024-02-14", "effective_to": "2024-02-14"},
        lambda t, o, life: t["effective_on"] == "2024-02-14",
    ),
    "person and type": (
        lambda o, life: {"actor": "dora", "type": "act-proposed.v1", "holder": str(o.organisations["holder"])},
        lambda t, o, life: t["by"]["person"] == "dora" and t["type"] == "act-proposed.v1",
    ),
    "nothing of the kind": (lambda o, life: {"actor": "dan", "to": "1999-01-01"}, lambda t, o, life: False),
}


@pytest.mark.parametrize("name", FILTERS)
def test_each_question_finds_what_it_asks_for_and_nothing_else(office: Office, life: Life, name: str) -> None:
    asked, fits = FILTERS[name]
    everything = list(pages(office, 200))
    expected = [told["position"] for told in everything if fits(told, office, life)]
    assert [told["position"] for told in pages(office, 3, **asked(office, life))] == expected
    assert bool(expected) == (name != "nothing of the kind")


def test_a_proposal_is_found_with_what_came_of_it(office: Office, life: Life) -> None:
    found = page(office, certificate=life.id, proposal=life.proposed["proposal"])
    assert [told["type"] for told in found][:2] == ["act-proposed.v1", "certificate-withdrawn.v1"]


def test_pages_stay_as_they_are_while_events_are_added(office: Office, life: Life) -> None:
    before = [told["position"] for told in pages(office, 200)]
    seen = []
    for told in pages(office, 10):
        seen.append(told["position"])
        if len(seen) % 10 == 0 and len(seen) < 40:
            Life(office, holder="former").applies()
            office.house.catch_up()
    assert seen[: len(before)] == before
    assert seen == sorted(set(seen))
    assert seen == [told["position"] for told in pages(office, 200)]


def test_grounds_have_their_clauses_and_an_act_its_signers(office: Office, life: Life) -> None:
    (suspended,) = page(office, certificate=life.id, type="certificate-suspended.v1")
    assert suspended["signed_by"] == ["dora", "dan"]
    assert suspended["clauses"].keys() == {"obligations_unmet"}
    assert suspended["changed"]["status"] == ["active", "suspended"]
    assert suspended["edition"] == "CSP-S01-001:2021"


# ---- chains ----------------------------------------------------------------------------------------------------------


def test_from_a_proposal_to_what_it_entailed_and_back(office: Office, life: Life) -> None:
    proposed = page(office, certificate=life.id, proposal=life.proposed["proposal"])[0]["position"]
    effects = chain(office, proposed, "effects")
    assert ("proposal", "certificate-withdrawn") in effects
    assert ("entailed_by", "bar-imposed") in effects
    bar = page(office, holder=office.organisations["holder"], type="bar-imposed.v1")[0]["position"]
    assert chain(office, bar, "causes") == [("entailed_by", "certificate-withdrawn"), ("proposal", "act-proposed")]


def test_from_an_issue_to_its_number_and_back(office: Office, life: Life) -> None:
    issued = position_of(office, life, "certificate-issued")
    effects = chain(office, issued, "effects")
    assert {("entailed_by", "serial-taken"), ("entailed_by", "number-claimed")} <= set(effects)
    serial = page(office, type="serial-taken.v1")[0]["position"]
    assert chain(office, serial, "causes") == [("entailed_by", "certificate-issued")]


def test_from_an_appeal_to_what_it_disputes_and_from_a_correction_to_its_target(office: Office, life: Life) -> None:
    decided = chain(office, position_of(office, life, "appeal-decided"), "causes")
    assert decided[:2] == [("decides", "appeal-lodged"), ("appeals_against", "certificate-suspended")]
    corrected = chain(office, position_of(office, life, "record-corrected"), "causes")
    assert {("proposal", "act-proposed"), ("corrects", "certificate-suspended")} <= set(corrected)
    disputed = chain(office, position_of(office, life, "certificate-suspended"), "effects")
    links = {"tells", "appeals_against", "corrects", "decides"}
    assert links <= {link for link, _ in disputed}


def test_every_cause_is_an_effect_the_other_way(office: Office, life: Life) -> None:
    told = {each["position"]: answered(office.get(f"/events/{each['position']}", "aud")) for each in pages(office, 200)}
    causes = {(p, r["event"]["position"]) for p, each in told.items() for r in each["causes"]}
    effects = {(r["event"]["position"], p) for p, each in told.items() for r in each["effects"]}
    assert causes == effects
    assert all(earlier < later for later, earlier in causes)


def test_a_fact_leads_to_its_receipt_and_a_clocks_fact_to_its_run(office: Office, life: Life) -> None:
    answer = answered(office.get(f"/events/{position_of(office, life, 'certificate-suspended')}", "aud"))
    assert answer["receipt"]["body_sha256"] == answer["event"]["cause"]["body_sha256"]
    assert answer["receipt"]["position"] == answer["event"]["position"]
    assert answer["fact"]["reasons"] == [{"code": "obligations_unmet", "text": "=fee"}]
    assert answered(office.get("/events/1", "aud"))["same_cause"] >= 3


class Unlinked:
    """The mutant: what a request entailed is not linked to it."""

    @staticmethod
    def links(family: Any) -> Any:
        causes, effects = _links(family)
        causes, effects = (
            {place: [each for each in of if each[1] != "entailed_by"] for place, of in links.items()}
            for links in (causes, effects)
        )
        return causes, effects


_links = trail_questions._links


def test_a_chain_without_what_was_entailed_is_found_out(
    office: Office, life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trail_questions, "_links", Unlinked.links)
    with pytest.raises(AssertionError):
        test_from_a_proposal_to_what_it_entailed_and_back(office, life)


def test_a_request_is_one_persons_though_another_gave_its_own_the_same_key(office: Office, life: Life) -> None:
    recorded = [
        answered(office.post(f"/certificates/{life.id}/complaints", "holder", {"grounds": "late"}, key="s-1")),
        answered(office.post("/persons", "adm", {"person": "newcomer"}, key="s-1"), 201),
    ]
    office.house.catch_up()
    assert [told["position"] for told in page(office, cause="request:s-1")] == [each["position"] for each in recorded]
    for each in recorded:
        assert answered(office.get(f"/events/{each['position']}", "aud"))["same_cause"] == 1


def test_from_an_edition_to_its_proposal_and_back(office: Office) -> None:
    Rehearsing.at(office).publishes(edition_text(effective_from=office.today.isoformat()))
    office.house.catch_up()
    published = page(office, type="edition-published.v1")[-1]["position"]
    assert chain(office, published, "causes") == [("proposal", "edition-proposed")]
    proposed = page(office, type="edition-proposed.v1")[-1]["position"]
    assert chain(office, proposed, "effects") == [("proposal", "edition-published")]


# ---- two moments -----------------------------------------------------------------------------------------------------


def test_what_changed_between_two_moments(office: Office, life: Life) -> None:
    path = f"/certificates/{life.id}/changes"
    answer = answered(office.get(path, "aud", **{"from": "2024-01-20", "to": "2024-02-20"}))
    assert answer["changed"]["status"] == ["active", "withdrawn"]
    assert "holders" not in answer["changed"]
    assert answer["events"][0]["type"] == "act-proposed.v1"
    nothing = answered(office.get(path, "aud", **{"from": "2024-01-20", "to": "2024-01-21"}))
    assert (nothing["changed"], nothing["events"]) == ({}, [])
    refused(office.get(path, "aud", **{"from": "2024-02-20", "to": "2024-01-20"}), 422, "malformed")
    assert answered(office.get(path, "aud"))["changed"]["status"] == ["none", "withdrawn"]


def test_what_is_recorded_at_midnight_is_of_the_day_that_begins(office: Office) -> None:
    """Both for the trail and for what changed: from the first instant of a day on, until the first after another."""
    life, midnight = Life(office, holder="former").applies(), day_start(office.today + timedelta(days=1))
    office.house.catch_up()
    with psycopg.connect(office.house.addresses.owner, autocommit=True) as owner:
        owner.execute("UPDATE certlife.events SET recorded_at = %s WHERE originator_id = %s", [midnight, life.id])
        owner.execute("UPDATE projections.trail SET recorded_at = %s WHERE stream = %s", [midnight, life.id])
    path, day = f"/certificates/{life.id}/changes", office.today
    office.moves_to(day + timedelta(days=3))
    for first, last, found in (
        (day, day, 0), (day, day + timedelta(days=1), 1), *[(day + timedelta(days=1),) * 2 + (1,)],
        (day + timedelta(days=2), day + timedelta(days=2), 0),
    ):  # fmt: skip
        asked = {"from": first.isoformat(), "to": last.isoformat()}
        answer = answered(office.get(path, "aud", **asked))
        assert (len(answer["changed"]) > 0, len(answer["events"])) == (found == 1, found), asked


def test_what_changed_is_not_told_before_the_trail_tells_it_too(office: Office) -> None:
    path = f"/certificates/{Life(office, holder='former').applies().id}/changes"
    refused(office.get(path, "aud"), 503, "projection_late")
    office.house.catch_up()
    assert len(answered(office.get(path, "aud"))["events"]) == 1


# ---- exports ---------------------------------------------------------------------------------------------------------


def test_an_export_has_every_event_that_was_asked_for(
    office: Office, life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "EXPORTED_AT_ONCE", 7)
    expected = list(pages(office, 200, certificate=life.id))
    lines = office.get("/events.jsonl", "aud", certificate=life.id).text.splitlines()
    assert [msgspec.json.decode(line) for line in lines] == expected
    rows = list(csv.DictReader(io.StringIO(office.get("/events.csv", "aud", certificate=life.id).text)))
    assert [int(row["position"]) for row in rows] == [told["position"] for told in expected]
    assert [row["person"] for row in rows] == [told["by"]["person"] for told in expected]


def test_an_export_that_is_broken_off_is_recorded_to_have_ended(office: Office, life: Life) -> None:
    for pieces in (1, 2):
        export = Trail(office.house.questions).export(OPERATOR, Asked(certificate=UUID(life.id)), "csv")
        for _ in range(pieces):
            next(export)
        export.close()
    with psycopg.connect(office.house.addresses.service) as service:
        rows = service.execute("SELECT read_rows FROM certlife.trail_reads ORDER BY read DESC LIMIT 4").fetchall()
    assert rows == [(len(page(office, certificate=life.id)),), (None,), (0,), (None,)]


def test_what_a_broken_export_ends_with_is_not_done_by_the_thread_that_serves_all() -> None:
    ended: list[Thread] = []

    def export() -> Generator[bytes]:
        try:
            yield b"head"
            yield b"more"
        finally:
            ended.append(current_thread())

    async def breaks_off() -> None:
        pieces = to_the_end(export())
        assert await anext(pieces) == b"head"
        await pieces.aclose()

    asyncio.run(breaks_off())
    assert len(ended) == 1
    assert ended != [current_thread()]


FIRSTS = ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"]


@pytest.mark.parametrize("first", FIRSTS)
def test_no_cell_is_a_formula(office: Office, first: str) -> None:
    from api.trail.forms import written

    told = {
        "by": {"person": f"{first}cmd|x", "role": "registrar", "key": "k"},
        "cause": None,
        "signed_by": [f"{first}x"],
    }
    (cells,) = csv.reader(io.StringIO(written("csv", msgspec.json.encode(told)).decode(), newline=""))
    assert f"'{first}cmd|x" in cells
    assert not [cell for cell in cells if cell.startswith(tuple(FIRSTS))]


# ---- who may ask -----------------------------------------------------------------------------------------------------


def test_a_holder_sees_its_own_without_persons_and_internal_reasons(office: Office, life: Life) -> None:
    own = page(office, "holder", limit=200)
    assert {told["organisation"] for told in own} == {str(office.organisations["holder"])}
    assert {told["type"] for told in own}.isdisjoint({"act-proposed.v1", "key-issued.v1", "conflict-declared.v1"})
    text = office.get("/events", "holder").text + office.get("/events.jsonl", "holder").text
    for told in own:
        answer = office.get(f"/events/{told['position']}", "holder")
        assert "receipt" not in answered(answer)
        text += answer.text
    text += office.get(f"/certificates/{life.id}/changes", "holder", **{"from": "2024-01-01"}).text
    assert not [person for person in STAFF if f'"{person}"' in text]
    assert not [key for key in office.keys.values() if key in text]
    assert "they paid" not in text
    assert "=fee" not in text


def test_a_stranger_sees_nothing_of_it(office: Office, life: Life) -> None:
    issued = position_of(office, life, "certificate-issued")
    refused(office.get(f"/events/{issued}", "stranger"), 404, "event_unknown")
    refused(
        office.get(f"/certificates/{life.id}/changes", "stranger", **{"from": "2024-01-01"}), 404, "certificate_unknown"
    )
    for asked in ({"certificate": life.id}, {"holder": str(office.organisations["holder"])}):
        assert page(office, "stranger", **asked) == []
    proposed = position_of(office, life, "act-proposed")
    refused(office.get(f"/events/{proposed}", "holder"), 404, "event_unknown")


@pytest.mark.parametrize("asked", [{"actor": "dan"}, {"cause": "request:x"}])
def test_a_holder_does_not_ask_about_what_it_is_not_shown(office: Office, asked: Json) -> None:
    refused(office.get("/events", "holder", **asked), 403, "role_not_allowed")
    refused(office.get("/events.csv", "holder", **asked), 403, "role_not_allowed")


HOSTILE = [
    {"actor": "a\x00b"}, {"actor": "x" * 10_000}, {"type": "certificate-suspended"}, {"type": "\x00"},
    {"cause": "dan"}, {"cause": "request:\x00"}, {"cause": "x" * 10_000}, {"holder": "nobody"}, {"certificate": "1"},
    {"from": "yesterday"}, {"from": "0000-00-00"}, {"from": "0001-01-01"}, {"from": "9999-99-99"}, {"to": "9999-12-31"},
    {"from": "2024-01-01T00:00:00"}, {"from": "1704067200"}, {"from": "２０２４-01-01"}, {"to": "2024-01-01T25:00:00Z"},
    {"effective_from": "20240101"}, {"effective_to": "10000-01-01"},
    {"proposal": "1"}, {"proposal": "0"}, {"proposal": str(2**31)}, {"limit": "0"}, {"limit": "201"},
    {"from": "2024-02-02", "to": "2024-02-01"}, {"effective_from": "2024-02-02", "effective_to": "2024-02-01"},
    {"who": "dan"}, {"organisation": "x"}, {"From": "2024-01-01"}, {"type": ["key-issued.v1", "act-proposed.v1"]},
    {"cursor": "x"}, {"cursor": "x" * 500}, {"cursor": "WyJhIl0"}, {"cursor": "Wy0xXQ"}, {"min_position": "-1"},
]  # fmt: skip


@pytest.mark.parametrize("asked", HOSTILE, ids=lambda asked: str(asked)[:40])
@pytest.mark.parametrize("path", ["/events", "/events.csv"])
def test_a_question_that_makes_no_sense_is_refused(office: Office, path: str, asked: Json) -> None:
    response = office.get(path, "aud", **asked)
    assert response.status_code in (414, 422), response.text


def test_instants_at_the_ends_of_time_are_instants(office: Office) -> None:
    assert page(office, **{"from": "9999-12-31T23:59:59-23:59"}) == []
    assert page(office, **{"to": "0001-01-01T00:00:00+23:59"}) == []


@pytest.mark.parametrize("position", ["0", "-1", "999999999", str(2**63), "x", "1.5", "%00", "9" * 4000])
def test_an_event_that_is_none_is_refused(office: Office, position: str) -> None:
    assert office.get(f"/events/{position}", "aud").status_code in (404, 422)
