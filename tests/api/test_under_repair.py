"""A certificate whose stream cannot be read answers "under repair", never its old status, and the others go on."""

import psycopg
import pytest

from tests.api.life import Life, life_at, reasons
from tests.api.office import Office, answered, refused
from tests.api.requests import LAWFUL, Lawful

BROKEN = {
    "an unknown topic": ("certificate-frozen.v9", '{"type":"certificate-frozen.v9"}'),
    "no JSON": ("certificate-suspended.v1", "{"),
    "a fact without its members": ("certificate-suspended.v1", '{"type":"certificate-suspended.v1"}'),
    "a fact that no state can take in": (
        "nonconformity-closed.v1",
        '{"type":"nonconformity-closed.v1","effective_on":"2024-01-15","by":{"person":"ana","role":"assessor","key":"k"},'
        '"cause":{"kind":"request","id":"k"},"element":"5.2.1"}',
    ),
}


def break_stream(life: Life, broken: str) -> None:
    """An event stands at the end of the stream that the service would never have recorded."""
    topic, state = BROKEN[broken]
    with as_owner(life.office) as connection:
        connection.execute(
            "INSERT INTO certlife.events (originator_id, originator_version, topic, state, recorded_at)"
            " SELECT originator_id, max(originator_version) + 1, %(topic)s, %(state)s, max(recorded_at)"
            " FROM certlife.events WHERE originator_id = %(id)s GROUP BY originator_id",
            {"topic": topic, "state": state.encode(), "id": life.id},
        )


def as_owner(office: Office) -> psycopg.Connection:
    """A connection of somebody with full rights on the database."""
    return psycopg.connect(office.house.addresses.owner)


@pytest.fixture(params=BROKEN)
def broken(office: Office, request: pytest.FixtureRequest) -> Life:
    life = life_at(office, "active")
    office.house.catch_up()
    break_stream(life, request.param)
    office.house.catch_up()
    return life


def test_its_status_is_not_told_and_the_others_are(office: Office, broken: Life) -> None:
    other = life_at(office, "active")
    refused(office.get(f"/status/{broken.number}"), 503, "under_repair")
    refused(office.get(f"/status/{broken.number}", "aud", known_at="2024-01-15T01:00:00Z"), 503, "under_repair")
    assert other.status() == "valid"
    numbers = [other.number, broken.number, "CSP-S01-2024-09999"]
    told = answered(office.get("/status", number=numbers))["answers"]
    assert [answer["status"] for answer in told] == ["valid", 503, "unknown"]
    assert told[1]["code"] == "under_repair"


def test_what_was_known_then_is_not_told_before_the_engine_has_seen_it(office: Office) -> None:
    life = life_at(office, "active")
    office.house.catch_up()
    break_stream(life, "no JSON")
    office.moves_to("2024-01-16")
    then = {"on": "2024-01-15", "known_at": "2024-01-15T15:00:00Z"}
    refused(office.get(f"/status/{life.number}", "aud", **then), 503, "under_repair")


def test_staff_are_told_so_too(office: Office, broken: Life) -> None:
    refused(office.get(f"/certificates/{broken.id}", "aud"), 503, "under_repair")
    refused(office.get(f"/certificates/{broken.id}/events", "aud"), 503, "under_repair")
    (row,) = answered(office.get("/certificates", "aud"))["items"]
    assert (row["under_repair"], row["status"], row["level"]) == (True, None, None)
    assert answered(office.get("/certificates", "aud", status="active"))["items"] == []
    assert answered(office.get("/readyz"))["under_repair"] == 1


@pytest.mark.parametrize("lawful", [each for each in LAWFUL if each.at == "active"], ids=lambda lawful: lawful.name)
def test_no_command_on_it_is_carried_out(shared_office: Office, lawful: Lawful) -> None:
    life = life_at(shared_office, "active")
    body = lawful.body(life)
    break_stream(life, "no JSON")
    with shared_office.recording_nothing():
        refused(lawful.sent(life, body=body), 503, "under_repair")


def test_a_tick_passes_it_over_and_reaches_the_others(office: Office) -> None:
    broken, sound = life_at(office, "active"), life_at(office, "active")
    office.house.catch_up()
    break_stream(broken, "an unknown topic")
    office.moves_to("2027-01-15")
    done = office.house.tick_today()
    assert [str(id) for id, _ in done.failed] == [broken.id]
    assert sound.types[-1] == "certificate-expired"


def test_it_is_told_again_when_it_has_been_repaired(office: Office) -> None:
    life = life_at(office, "active")
    office.house.catch_up()
    break_stream(life, "no JSON")
    office.house.catch_up()
    refused(office.get(f"/status/{life.number}"), 503, "under_repair")
    with as_owner(office) as connection:
        connection.execute("DELETE FROM certlife.events WHERE state = '{'::bytea")
    life.both("suspensions", {"reasons": reasons("mark_misused")})
    assert life.status() == "suspended"
