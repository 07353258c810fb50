"""The signed answer: what anybody may ask, said for a few minutes, verified offline with nothing but the JWKS."""

import base64
import json
from collections.abc import Generator
from datetime import datetime, timedelta
from typing import Any

import pytest
from joserfc import jws
from joserfc.errors import BadSignatureError, JoseError
from joserfc.jwk import KeySet

from tests.api.life import Json, Life, life_at
from tests.api.office import Office, answered, office_of, refused
from tests.api.token_list_reader import payload, verified
from tests.databases import Database, Databases

JWT = {"Accept": "application/jwt"}


@pytest.fixture
def database(databases: Databases) -> Generator[Database]:
    """A register that nobody used before, and that has no key yet."""
    with databases.register("simulation") as database:
        yield database


JWK_SET = "application/jwk-set+json"
CLAIMS = {"current", "iss", "iat", "exp"}
OF_THE_MOMENT = {"computed_at", "expires_at", "complete_until"}


def asked(office: Office, number: str, person: str | None = None, accept: str = JWT["Accept"], **query: Any) -> Any:
    headers = office.bearing(person) | {"Accept": accept}
    return office.client.get(f"/status/{number}", params=query or None, headers=headers)


def signed(office: Office, number: str, person: str | None = None, **query: Any) -> str:
    """The token that is answered."""
    response = asked(office, number, person, **query)
    assert (response.status_code, response.headers["content-type"]) == (200, "application/jwt"), response.text
    return response.text


def jwks(office: Office) -> Json:
    response = office.client.get("/.well-known/jwks.json")
    assert (response.status_code, response.headers["content-type"]) == (200, JWK_SET)
    return response.json()


def at(office: Office) -> int:
    return int(office.house.questions.now().timestamp())


def accepted(token: str, keys: Json) -> bool:
    """Whether joserfc accepts the token; it warns of the algorithm's name, as docs/decisions.md tells."""
    try:
        with pytest.warns(match="EdDSA is deprecated"):
            jws.deserialize_compact(token, KeySet.import_key_set(keys), algorithms=["EdDSA"])
    except (BadSignatureError, JoseError, ValueError):
        return False
    return True


@pytest.fixture(scope="module")
def office(shared_office: Office) -> Office:
    return shared_office


@pytest.fixture(scope="module")
def life(office: Office) -> Life:
    life = life_at(office, "active")
    office.house.catch_up()
    return life


# ---- what it says ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stage", ["active", "suspended", "withdrawn", "cancelled", "never issued"])
def test_a_signed_answer_says_what_the_plain_one_says(office: Office, stage: str) -> None:
    number = "CSP-S01-2031-54321" if stage == "never issued" else life_at(office, stage).number
    plain = office.status(number)
    header, told = verified(signed(office, number), jwks(office), at=at(office))
    assert {name: told[name] for name in plain if name not in OF_THE_MOMENT} == {
        name: plain[name] for name in plain if name not in OF_THE_MOMENT
    }
    assert told.keys() - plain.keys() == CLAIMS
    assert header["typ"] == "certificate-status+jwt"
    assert told["iss"] == "http://127.0.0.1:8000"


def test_a_signed_answer_holds_as_long_as_it_says(office: Office, life: Life) -> None:
    told = payload(signed(office, life.number))
    instants = {name: datetime.fromisoformat(told[name]) for name in ("computed_at", "expires_at")}
    assert instants["expires_at"] - instants["computed_at"] == timedelta(minutes=5)
    assert (told["iat"], told["exp"]) == tuple(int(instant.timestamp()) for instant in instants.values())


def test_both_ways_to_an_answer_sign_it(office: Office, life: Life) -> None:
    """The one in front of the application, and the application's own, which a question with a key comes to."""
    for person in (None, "aud"):
        _, told = verified(signed(office, life.number, person), jwks(office), at=at(office))
        assert told["certificate_number"] == life.number


def test_a_past_day_is_signed_and_says_that_it_is_not_today(office: Office, life: Life) -> None:
    today, yesterday = payload(signed(office, life.number)), payload(signed(office, life.number, on="2024-01-14"))
    assert (today["on"], today["known_at"], today["current"], today["status"]) == ("2024-01-15", None, True, "valid")
    assert (yesterday["on"], yesterday["current"], yesterday["status"]) == ("2024-01-14", False, "unknown")


def test_an_answer_for_today_is_current_also_when_the_day_is_named(office: Office, life: Life) -> None:
    assert payload(signed(office, life.number, on="2024-01-15"))["current"] is True


# ---- that it can be verified -----------------------------------------------------------------------------------------


def test_two_libraries_accept_it_offline(office: Office, life: Life) -> None:
    token, keys = signed(office, life.number), jwks(office)
    assert accepted(token, keys)
    verified(token, keys, at=at(office))


def test_a_change_of_any_character_is_refused(office: Office, life: Life) -> None:
    token, keys = signed(office, life.number), jwks(office)
    header, body, signature = token.split(".")
    for place in (*range(0, len(header), 13), *range(0, len(body), 29), *range(0, len(signature) - 1, 7)):
        segments = [header, body, signature]
        for index, segment in enumerate(segments):
            if place < len(segment) - 1:
                other = "A" if segment[place] != "A" else "B"
                changed = [*segments[:index], segment[:place] + other + segment[place + 1 :], *segments[index + 1 :]]
                with pytest.raises((ValueError, JoseError)):
                    _deserialized(".".join(changed), keys)


def _deserialized(token: str, keys: Json) -> None:
    """Verified by joserfc under the standard's new name, which warns of nothing; only the header's name differs."""
    registry = jws.JWSRegistry(algorithms=["Ed25519", "EdDSA"])
    registry.get_alg = lambda name: registry.algorithms[name]  # pyright: ignore[reportAttributeAccessIssue]
    jws.deserialize_compact(token, KeySet.import_key_set(keys), registry=registry)


def test_another_registers_key_does_not_verify_it(office: Office, life: Life, database: Database) -> None:
    with office_of(database) as elsewhere:
        other = jwks(elsewhere)
        forged = other["keys"][0] | {"kid": jwks(office)["keys"][0]["kid"]}
    assert not accepted(signed(office, life.number), {"keys": [forged]})


def test_in_production_a_library_needs_nothing_but_the_token_and_the_keys(production_database: Database) -> None:
    """Its own clock finds the token in time: no instant is given to it."""
    with office_of(production_database, None) as office:
        office.employs_everybody()
        office.house.catch_up()
        header, told = verified(signed(office, "CSP-S01-2024-00001"), jwks(office))
        assert (told["status"], told["simulation"], told["current"]) == ("unknown", False, True)
        assert header["alg"] == "EdDSA"


# ---- what is not signed ----------------------------------------------------------------------------------------------


def test_a_stale_answer_is_not_signed_and_is_given_unsigned(database: Database) -> None:
    with office_of(database) as office:
        office.employs_everybody()
        life = life_at(office, "active")
        office.house.catch_up()
        office.house.present.move_to(office.house.questions.now() + timedelta(minutes=4))
        signed(office, life.number)
        office.house.present.move_to(office.house.questions.now() + timedelta(minutes=2))
        for person in (None, "aud"):
            problem = refused(asked(office, life.number, person), 503, "stale_not_signed")
            assert datetime.fromisoformat(problem["complete_until"]) < office.house.questions.now()
            plain = answered(asked(office, life.number, person, accept="application/json"))
            assert (plain["stale"], plain["status"]) == (True, "valid")
        office.house.catch_up()
        signed(office, life.number)


@pytest.mark.parametrize("query", [{"on": "2024-01-16"}, {"on": "9999-12-31"}, {"known_at": "2024-01-15T01:00:00Z"}])
def test_what_not_everybody_may_ask_is_never_signed(office: Office, life: Life, query: Json) -> None:
    refused(asked(office, life.number, None, **query), 401, "key_missing")
    refused(asked(office, life.number, "stranger", **query), 403, "role_not_allowed")
    for person in ("aud", "holder"):
        refused(asked(office, life.number, person, **query), 422, "restricted_not_signed")
        answered(asked(office, life.number, person, accept="application/json", **query))


@pytest.mark.parametrize(
    "query", [{"on": "2024-1-15"}, {"on": "1705276800"}, {"known_at": "now"}, {"min_position": "x"}]
)
def test_a_question_that_makes_no_sense_is_refused_as_ever(office: Office, life: Life, query: Json) -> None:
    refused(asked(office, life.number, "aud", **query), 422, "malformed")


@pytest.mark.parametrize("number", ["x", "a" * 10_000, "CSP-S01-2024-0000\x00", "../healthz", "';--", "\u202e"])
def test_what_is_no_number_of_this_register_is_not_signed(office: Office, number: str) -> None:
    quoted = "".join(f"%{byte:02X}" for byte in number.encode())
    refused(office.client.get(f"/status/{quoted}", headers=JWT), 404, "number_not_of_this_register")


def test_several_numbers_at_once_are_answered_unsigned(office: Office, life: Life) -> None:
    response = office.client.get("/status", params={"number": [life.number] * 200}, headers=JWT)
    assert len(answered(response)["answers"]) == 200


# ---- asking for it ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accept", "is_signed"),
    [
        ("application/jwt", True), ("application/JWT", True), ("application/jwt, application/json;q=0.9", True),
        ("application/json;q=0.1, application/jwt;q=0.2", True), ("text/html, application/jwt", True),
        ("*/*", False), ("application/*", False), ("application/json", False), ("", False),
        ("application/jwt;q=0", False),
        ("application/json, application/jwt", False), ("application/jwt;q=0.5, */*", False), ("text/html", False),
        ("application/jwt;q=x", False), (",;q=", False), ("application/jwt" * 100, False),
    ],
)  # fmt: skip
def test_a_signature_is_given_to_those_who_prefer_it(office: Office, life: Life, accept: str, is_signed: bool) -> None:
    for person in (None, "aud"):
        response = asked(office, life.number, person, accept=accept)
        assert response.status_code == 200
        assert response.headers["content-type"] == ("application/jwt" if is_signed else "application/json")
        assert response.headers["vary"] == "Accept"


def test_a_signed_answer_is_never_said_to_hold_still(office: Office, life: Life) -> None:
    plain = asked(office, life.number, accept="application/json")
    token = asked(office, life.number)
    assert plain.headers["etag"] != token.headers["etag"]
    for tag in (plain.headers["etag"], token.headers["etag"]):
        for person in (None, "aud"):
            headers = JWT | office.bearing(person) | {"If-None-Match": tag}
            again = office.client.get(f"/status/{life.number}", headers=headers)
            assert (again.status_code, again.headers["content-type"]) == (200, "application/jwt")


def test_the_document_tells_of_the_signed_form(office: Office) -> None:
    document = answered(office.client.get("/openapi.json"))
    assert "application/jwt" in document["paths"]["/status/{number}"]["get"]["responses"]["200"]["content"]
    assert (
        "application/jwk-set+json" in document["paths"]["/.well-known/jwks.json"]["get"]["responses"]["200"]["content"]
    )


def test_the_header_of_a_token_says_no_more_than_it_must(office: Office, life: Life) -> None:
    header = signed(office, life.number).split(".")[0]
    assert json.loads(base64.urlsafe_b64decode(header + "==")).keys() == {"alg", "kid", "typ"}
