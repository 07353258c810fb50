"""Signed status lists, read by a stranger: every number's status, for a legal day, without a connection."""

import base64
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege

from api.status.list_entries import claim, packed
from api.status.lists import StatusLists
from api.status.places import Places
from lifecycle.periods import day_start
from tests.api.life import Json, Life, life_at
from tests.api.office import Office, answered, office_of, refused
from tests.api.test_signing import at, jwks
from tests.api.test_signing_keys import operators, rotated
from tests.api.test_status_list_places import rebuilt, spoil
from tests.api.token_list_reader import payload, status_at, value, verified
from tests.databases import Database

VALID, INVALID, SUSPENDED, NOT_SAID = 0, 1, 2, 3
MEDIA_TYPE = "application/statuslist+jwt"
MINUTE = timedelta(minutes=1)


def published(office: Office) -> int:
    """How many lists are made once the register has seen everything recorded."""
    office.house.catch_up()
    return office.house.publishing.lists.publish()


def fetched(office: Office, path: str = "/status-lists/0", **query: Any) -> str:
    """The token that is given out."""
    response = office.get(path, **query)
    assert (response.status_code, response.headers["content-type"]) == (200, MEDIA_TYPE), response.text
    assert response.headers["access-control-allow-origin"] == "*"
    return response.text


def listed(office: Office, number: str) -> int:
    """What the lists say of a number, found by what its answer says of its place."""
    place = answered(office.get(f"/status/{number}"))["status_list"]
    token = fetched(office, place["uri"].removeprefix("http://127.0.0.1:8000"))
    return status_at(token, jwks(office), place["uri"], place["index"], at=at(office))


def passes(office: Office, time: timedelta) -> None:
    office.house.present.move_to(office.house.questions.now() + time)


# ---- the format ------------------------------------------------------------------------------------------------------


def test_the_examples_of_the_draft_are_packed_and_read_as_it_says() -> None:
    """Section 4.1, the second example, and section 4.2."""
    entries = [1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3]
    said = "".join(map(str, entries))
    assert packed(said) == bytes([0xC9, 0x44, 0xF9])
    assert claim(said) == {"bits": 2, "lst": "eNo76fITAAPfAgc"}
    assert [value(claim(said), index) for index in range(12)] == entries


def test_the_test_vector_of_the_draft_is_read_and_said_the_same() -> None:
    """Appendix C.2: 2^20 entries of two bits."""
    vector = bytes.fromhex("""
        78daeddb310d00211000412ea1a04004fe5520ed
        357c28c81d3312b6df68bc65480000000000406e2101000000000000000000000000
        0000000000000000000000000000000000000040795b020000000000000000000000
        00000000000000000000000000000000000000000000000000000000000000000000
        00000000000000000000000000000000000000000000000000000000000000000000
        0080f4ba0400000000000000000000000000406d764a000000000000000000000000
        000000000000000000e0922101000000000000000000000000000000000000fc1312
        00000000000000000000000000000000000000000000000000000000000000c0912e
        01000000000000000000000000000000000000c07d4b020000000000000000000000
        00000000a8614a0000000000000000000000406a1fcd60010c
    """)
    lst = base64.urlsafe_b64encode(vector).rstrip(b"=").decode()
    expected = {0: 1, 1993: 2, 25460: 1, 159495: 3, 495669: 1, 554353: 1, 645645: 2, 723232: 1, 854545: 1, 934534: 2,
                1000345: 3}  # fmt: skip
    said = bytearray(b"0" * 2**20)
    for index, status in expected.items():
        said[index : index + 1] = str(status).encode()
    for status_list in ({"bits": 2, "lst": lst}, claim(said.decode())):
        assert {index: value(status_list, index) for index in expected} == expected
        assert {value(status_list, index) for index in (1, 1992, 1994, 2**20 - 1)} == {0}


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_what_fills_up_the_last_byte_is_nobodys_and_not_valid(count: int) -> None:
    status_list = claim("0" * count)
    filled = -(-count // 4) * 4
    assert [value(status_list, index) for index in range(filled)] == [VALID] * count + [INVALID] * (filled - count)
    with pytest.raises(AssertionError, match="out of bounds"):
        value(status_list, filled)


def test_no_list_is_longer_than_libraries_take() -> None:
    """joserfc takes payloads of 128,000 bytes; these entries hardly compress."""
    said = "".join(Random(1).choices("0123", k=Places("").entries_per_list))
    assert len(claim(said)["lst"]) < 120_000


# ---- what it says ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def lives(shared_office: Office) -> dict[str, Life]:
    """A certificate of each kind; the one superseded has a successor."""
    office = shared_office
    lives = {stage: life_at(office, stage) for stage in ("active", "suspended", "withdrawn", "cancelled")}
    lives["superseded"] = life_at(office, "active")
    office.moves_to("2024-01-16")
    lives["superseded"].graded("regrade", lost=10).decided("change_grade")
    published(office)
    return lives


@pytest.mark.parametrize(
    ("stage", "status", "expected"),
    [
        ("active", "valid", VALID), ("suspended", "suspended", SUSPENDED), ("withdrawn", "withdrawn", INVALID),
        ("cancelled", "cancelled", INVALID), ("superseded", "superseded", NOT_SAID),
    ],
)  # fmt: skip
def test_a_number_is_listed_as_its_answer_says(
    shared_office: Office, lives: dict[str, Life], stage: str, status: str, expected: int
) -> None:
    assert lives[stage].status() == status
    assert listed(shared_office, lives[stage].number) == expected


def test_a_number_that_took_anothers_place_is_listed_beside_it(shared_office: Office, lives: dict[str, Life]) -> None:
    successor = shared_office.status(lives["superseded"].number)["superseded_by"]
    assert listed(shared_office, successor) == VALID


def test_a_number_never_issued_has_no_place(shared_office: Office, lives: dict[str, Life]) -> None:
    assert shared_office.status("CSP-S01-2031-54321")["status_list"] is None


def test_a_token_says_what_it_is_about(shared_office: Office, lives: dict[str, Life]) -> None:
    header, told = verified(fetched(shared_office), jwks(shared_office), at=at(shared_office))
    assert header.keys() == {"alg", "kid", "typ"}
    assert (told["iss"], told["sub"]) == ("http://127.0.0.1:8000", "http://127.0.0.1:8000/status-lists/0")
    assert (told["on"], told["simulation"], told["ttl"]) == ("2024-01-16", True, 300)
    assert told["exp"] == day_start(date(2024, 1, 17)).timestamp()
    assert told["position"] == shared_office.position
    assert told["status_list"]["aggregation_uri"] == "http://127.0.0.1:8000/status-lists"


def test_all_lists_are_named(shared_office: Office, lives: dict[str, Life]) -> None:
    assert answered(shared_office.get("/status-lists")) == {"status_lists": ["http://127.0.0.1:8000/status-lists/0"]}


def test_a_number_under_repair_is_not_said_to_be_anything(office: Office, database: Database) -> None:
    broken, sound = life_at(office, "active"), life_at(office, "active")
    published(office)
    uri = answered(office.get(f"/status/{broken.number}"))["status_list"]["uri"]
    spoil(database, broken, "certificate-issued.v1")
    broken.post("complaints", "reg", {"grounds": "x"})
    with psycopg.connect(database.owner_url) as owner:  # something that makes it be read again
        owner.execute("UPDATE projections.register SET under_repair = true WHERE number = %s", (broken.number,))
    sound.suspended()
    passes(office, MINUTE)
    published(office)
    entries = [status_at(fetched(office), jwks(office), uri, index, at=at(office)) for index in (0, 1)]
    assert entries == [NOT_SAID, SUSPENDED]


def test_in_production_nothing_but_the_token_the_keys_and_the_answer_is_needed(production_database: Database) -> None:
    with office_of(production_database, None) as office:
        office.employs_everybody()
        life = life_at(office, "active")
        assert published(office) == 1
        place = answered(office.get(f"/status/{life.number}"))["status_list"]
        assert status_at(fetched(office), jwks(office), place["uri"], place["index"]) == VALID
        assert payload(fetched(office))["simulation"] is False


# ---- when it is made -------------------------------------------------------------------------------------------------


def test_nothing_is_listed_while_there_is_nothing_to_list(office: Office) -> None:
    assert published(office) == 0
    refused(office.get("/status-lists/0"), 404, "status_list_unknown")
    assert answered(office.get("/status-lists")) == {"status_lists": []}


def test_a_list_is_made_anew_only_when_it_says_something_else(office: Office) -> None:
    life = life_at(office, "active")
    assert published(office) == 1
    token = fetched(office)
    for _ in range(3):
        life.post("complaints", "reg", {"grounds": "x", "request_sha256": "0" * 64})
        passes(office, 2 * MINUTE)
        assert published(office) == 0
    assert fetched(office) == token
    life.suspended()
    passes(office, 2 * MINUTE)
    assert published(office) == 1
    assert listed(office, life.number) == SUSPENDED


def test_a_list_is_made_at_most_once_a_minute(office: Office) -> None:
    life = life_at(office, "active")
    assert published(office) == 1
    life.suspended()
    passes(office, timedelta(seconds=50))
    assert published(office) == 0
    assert listed(office, life.number) == VALID
    passes(office, timedelta(seconds=10))
    assert published(office) == 1
    assert listed(office, life.number) == SUSPENDED


def test_when_the_day_turns_a_list_has_run_out_and_is_made_anew_at_once(office: Office) -> None:
    life = life_at(office, "active")
    office.house.present.move_to(day_start(date(2027, 1, 15)) - timedelta(seconds=5))
    assert published(office) == 1
    old = fetched(office)
    assert listed(office, life.number) == VALID
    passes(office, timedelta(seconds=6))
    refused(office.get("/status-lists/0"), 503, "status_list_stale")
    assert published(office) == 1
    assert listed(office, life.number) == INVALID
    assert payload(old)["exp"] <= at(office), "the old one cannot be taken for today's"


def test_a_list_that_is_not_known_to_be_right_is_not_given_out(office: Office) -> None:
    life = life_at(office, "active")
    published(office)
    passes(office, 4 * MINUTE)
    fetched(office)
    passes(office, 2 * MINUTE)
    refused(office.get("/status-lists/0"), 503, "status_list_stale")
    assert office.house.publishing.lists.publish() == 0, "the register itself is stale"
    refused(office.get("/status-lists/0"), 503, "status_list_stale")
    assert published(office) == 0
    assert listed(office, life.number) == VALID


def test_a_new_key_makes_a_new_list(office: Office) -> None:
    life_at(office, "active")
    published(office)
    old = fetched(office)
    kid = rotated(office.house)
    passes(office, MINUTE)
    assert published(office) == 1
    header, _ = verified(fetched(office), jwks(office), at=at(office))
    assert header["kid"] == kid
    verified(old, jwks(office), at=payload(old)["iat"])


def test_of_several_processes_one_makes_a_list(office: Office, database: Database) -> None:
    life = life_at(office, "active")
    office.house.catch_up()
    with operators(office, database) as house:
        house.publishing.signer.begin()
        assert [office.house.publishing.lists.publish(), house.publishing.lists.publish()] == [1, 0]
        life.suspended()
        passes(office, timedelta(seconds=30))
        office.house.catch_up()
        house.present.move_to(office.house.questions.now())
        assert [office.house.publishing.lists.publish(), house.publishing.lists.publish()] == [0, 0]
        passes(office, MINUTE)
        house.present.move_to(office.house.questions.now())
        assert [house.publishing.lists.publish(), office.house.publishing.lists.publish()] == [1, 0]
    assert listed(office, life.number) == SUSPENDED


def test_a_rebuilt_register_gives_the_same_list(office: Office) -> None:
    lives = [life_at(office, stage) for stage in ("active", "suspended", "cancelled")]
    published(office)
    token = fetched(office)
    rebuilt(office)
    passes(office, 20 * MINUTE)
    assert published(office) == 0
    assert fetched(office) == token
    assert [listed(office, life.number) for life in lives] == [VALID, SUSPENDED, INVALID]


def test_numbers_beyond_the_end_of_a_list_stand_in_the_next(office: Office) -> None:
    lives = [life_at(office, stage) for stage in ("active", "suspended", "active", "cancelled", "suspended")]
    office.house.catch_up()
    house = office.house.publishing.lists
    places = Places("https://register.example", entries_per_list=2)
    lists = StatusLists(house.register, house.signer, places, simulation=True)
    assert lists.publish() == 3
    assert lists.uris() == [f"https://register.example/status-lists/{number}" for number in range(3)]
    found = []
    for list_index in range(len(lives)):
        place = places.of(list_index)
        token = lists.current(int(place.uri[-1])).signed
        found.append(status_at(token, jwks(office), place.uri, place.index, at=at(office)))
    assert found == [VALID, SUSPENDED, VALID, INVALID, SUSPENDED]


def test_a_list_of_which_a_place_is_missing_is_not_made(office: Office, database: Database) -> None:
    for _ in range(3):
        life_at(office, "active")
    office.house.catch_up()
    with psycopg.connect(database.owner_url) as owner:
        owner.execute("UPDATE projections.register SET list_index = NULL WHERE list_index = 1")
    office.house.publishing.round()
    refused(office.get("/status-lists/0"), 404, "status_list_unknown")


def test_rounds_make_the_lists_while_a_service_is_at_work(office: Office) -> None:
    life = life_at(office, "active")
    office.house.catch_up()
    office.house.publishing.start()
    while office.get("/status-lists/0").status_code != 200:  # it is asked until it is there
        pass
    assert listed(office, life.number) == VALID


# ---- what was given out ----------------------------------------------------------------------------------------------


@pytest.fixture
def archive(office: Office) -> list[tuple[int, str]]:
    """Tokens as they were given out, each with its first instant; a life was suspended, reinstated, suspended."""
    life, given = life_at(office, "active"), []
    for day in ("2024-01-16", "2024-01-17", "2024-01-18"):
        office.moves_to(day)
        if len(given) % 2:
            life.suspended()
        elif given:
            life.reinstated()
        assert published(office) == 1
        given.append((payload(token := fetched(office))["iat"], token))
    return given


def test_what_was_given_out_is_found_under_its_instants_to_the_byte(
    office: Office, archive: list[tuple[int, str]]
) -> None:
    passes(office, 30 * MINUTE)
    for first, token in archive:
        for instant in (first, first + 1, first + 3599):
            if instant <= at(office):
                assert fetched(office, time=instant) == token
    statuses = [value(payload(token)["status_list"], 0) for _, token in archive]
    assert statuses == [VALID, SUSPENDED, VALID]


def test_every_token_of_the_archive_holds_at_the_instants_under_which_it_is_found(
    office: Office, archive: list[tuple[int, str]]
) -> None:
    """The draft has a client refuse what is found under an instant at which it does not hold."""
    for day in (16, 17, 18):
        for hour in range(24):
            instant = int(datetime(2024, 1, day, hour, tzinfo=UTC).timestamp())
            response = office.get("/status-lists/0", time=instant)
            if response.status_code == 200:
                told = payload(response.text)
                assert told["iat"] <= instant < told["exp"]
            elif instant > at(office):
                refused(response, 422, "instant_in_future")
            else:
                refused(response, 404, "no_status_list_then")


def test_the_archive_is_kept_though_the_register_says_something_else_now(
    office: Office, archive: list[tuple[int, str]], database: Database
) -> None:
    with psycopg.connect(database.owner_url) as owner:
        owner.execute("UPDATE projections.register SET segments = '[]', statuses = '{}', turns = '{}'")
    first, token = archive[0]
    assert fetched(office, time=first) == token


def test_what_another_followed_may_be_kept_for_ever_and_what_holds_now_is_asked_for_again(
    office: Office, archive: list[tuple[int, str]]
) -> None:
    cached = [office.get("/status-lists/0", time=first).headers["cache-control"] for first, _ in archive]
    assert ["immutable" in each for each in cached] == [True, True, False]
    assert office.get("/status-lists/0").headers["cache-control"] == "no-cache"


def test_a_list_that_the_caller_has_is_not_sent_again(office: Office, archive: list[tuple[int, str]]) -> None:
    now, then = office.get("/status-lists/0"), office.get("/status-lists/0", time=archive[0][0])
    tags = {response.headers["etag"] for response in (now, then)}
    assert len(tags) == 2
    for response in (now, then):
        for sent in (response.headers["etag"], f'"x", W/{response.headers["etag"]}', "*"):
            again = office.client.get(str(response.url), headers={"If-None-Match": sent})
            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["etag"] == response.headers["etag"]
        (other,) = tags - {response.headers["etag"]}
        assert office.client.get(str(response.url), headers={"If-None-Match": other}).status_code == 200


@pytest.mark.parametrize(
    "time", ["", "now", "-1", "1.5", "1e9", "0x10", "１７０５", "1705276800 ", "2024-01-15", "9" * 12, "\x00", "NaN"]
)
def test_a_time_that_is_none_is_refused(office: Office, time: str) -> None:
    refused(office.client.get("/status-lists/0", params={"time": time}), 422, "malformed")


@pytest.mark.parametrize("time", ["0", "1", "1705276800", "00000000001"])
def test_nothing_was_given_out_before_the_first(office: Office, time: str) -> None:
    refused(office.get("/status-lists/0", time=time), 404, "no_status_list_then")


def test_what_will_be_listed_is_not_known(office: Office) -> None:
    for later in (1, 10**8, 99_999_999_999 - at(office)):
        refused(office.get("/status-lists/0", time=at(office) + later), 422, "instant_in_future")


@pytest.mark.parametrize(
    "number", ["1", "262144", "999999", "1000000", "-1", "00", "x", "0x0", "１", "1.0", "%00", "%20", "'--", "9" * 5000]
)
def test_a_list_that_there_is_not_is_not_found(shared_office: Office, lives: dict[str, Life], number: str) -> None:
    for query in ("", "?time=1705276800"):
        code = "no_status_list_then" if query and number.isascii() and number in ("1", "262144", "999999") else None
        refused(shared_office.client.get(f"/status-lists/{number}{query}"), 404, code or "status_list_unknown")


# ---- who may write it ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", ["status_lists", "status_lists_confirmed"])
def test_lists_are_written_by_nobody_but_through_their_door(database: Database, table: str) -> None:
    for url in (database.service_url, database.engine_url):
        for statement in ("INSERT INTO {} DEFAULT VALUES", "UPDATE {} SET list = 1", "DELETE FROM {}", "TRUNCATE {}"):
            with psycopg.connect(url) as connection, pytest.raises(InsufficientPrivilege):
                connection.execute(statement.format(f"certlife.{table}"))


def test_the_engine_has_no_part_in_the_lists(database: Database) -> None:
    with psycopg.connect(database.engine_url) as engine, pytest.raises(InsufficientPrivilege):
        engine.execute("SELECT token FROM certlife.status_lists")
    with psycopg.connect(database.engine_url) as engine, pytest.raises(InsufficientPrivilege):
        engine.execute("SELECT certlife.confirm_status_list(0, '', now())")


@pytest.mark.parametrize("made", ["2024-01-15T02:00:00Z", "2024-01-15T01:00:00Z", "2024-01-15T02:00:59Z"])
def test_the_door_keeps_no_second_token_of_an_earlier_instant_or_the_same_minute(database: Database, made: str) -> None:
    keep = "SELECT certlife.keep_status_list(0, %s, '2024-01-15T16:00:00Z', sha256(%s), 'token', now())"
    with psycopg.connect(database.service_url, autocommit=True) as service:
        assert service.execute(keep, ("2024-01-15T02:00:00Z", b"a")).fetchone() == (True,)
        assert service.execute(keep, (made, b"b")).fetchone() == (False,)
        assert service.execute(keep, ("2024-01-15T02:01:00Z", b"a")).fetchone() == (False,), "it says nothing new"
        assert service.execute(keep, ("2024-01-15T02:01:00Z", b"b")).fetchone() == (True,)
        assert service.execute("SELECT count(*) FROM certlife.status_lists").fetchone() == (2,)


def test_the_document_tells_of_the_lists(shared_office: Office) -> None:
    paths: Json = answered(shared_office.client.get("/openapi.json"))["paths"]
    assert MEDIA_TYPE in paths["/status-lists/{number}"]["get"]["responses"]["200"]["content"]
