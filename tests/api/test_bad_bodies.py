"""Bodies that are not what they should be: refused clearly, nothing stored, never a word of what is inside."""

import pytest

from tests.api.life import Json, life_at, resting_at
from tests.api.office import Office, answered, refused
from tests.api.requests import LAWFUL, Lawful, resting_for

every_command = pytest.mark.parametrize("lawful", LAWFUL, ids=lambda lawful: lawful.name)


NOT_JSON = {
    "no JSON": b"grounds=x",
    "cut off": b'{"grounds":"x"',
    "more than one": b"{}{}",
    "an array": b"[]",
    "a text": b'"x"',
    "null": b"null",
    "a number": b"1",
    "NaN": b'{"grounds":NaN}',
    "Infinity": b'{"grounds":-Infinity}',
    "a number out of range": b'{"grounds":1e400}',
    "a number of 5,000 digits": b'{"grounds":' + b"9" * 5000 + b"}",
    "half a surrogate pair": rb'{"grounds":"\ud842"}',
    "the halves in the wrong order": rb'{"grounds":"\udfb7\ud842"}',
    "a raw NUL": b'{"grounds":"\x00"}',
    "not UTF-8": b'{"grounds":"\xff"}',
    "an overlong NUL": b'{"grounds":"\xc0\x80"}',
    "a surrogate in UTF-8": b'{"grounds":"\xed\xa1\x82"}',
    "Latin-1": '{"grounds":"é"}'.encode("latin-1"),
    "UTF-16": '{"grounds":"x"}'.encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf{}",
    "nested 9 deep": b'{"grounds":' + b"[" * 9 + b"]" * 9 + b"}",
    "nested 300 deep": b'{"grounds":' + b"[" * 300 + b"]" * 300 + b"}",
    "nested 990 deep": b'{"grounds":' + b"[" * 990 + b"]" * 990 + b"}",
    "nested 30,000 deep": b'{"grounds":' + b"[" * 30_000 + b"]" * 30_000 + b"}",
    "objects nested 10,000 deep": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "open without end": b"[" * 65_000,
    "a name twice": b'{"grounds":"one","grounds":"two"}',
    "a name twice, one escaped": rb'{"grounds":"one","\u0067rounds":"two"}',
    "a name twice, deeper down": b'{"grounds":"x","reasons":[{"code":"a","code":"b"}]}',
}


@pytest.mark.parametrize("body", NOT_JSON)
def test_what_is_not_one_json_object_is_refused(shared_office: Office, body: str) -> None:
    life = resting_at(shared_office, "opened")
    with shared_office.recording_nothing():
        for path, by in (
            (f"/certificates/{life.id}/complaints", "holder"),
            ("/persons", "adm"),
            ("/applications", "holder"),
        ):
            refused(shared_office.post(path, by, NOT_JSON[body]), 422, "malformed")


def test_json_nested_100_000_deep_is_refused(shared_office: Office) -> None:
    with shared_office.recording_nothing():
        refused(shared_office.post("/persons", "adm", b"[" * 100_000 + b"]" * 100_000), 413, "body_too_large")


@every_command
def test_a_body_of_another_shape_is_refused(shared_office: Office, lawful: Lawful) -> None:
    life = resting_for(shared_office, lawful)
    body = lawful.body(life)
    wrong: list[Json] = [body | {"surplus": 1}, body | {"type": "another"}]
    wrong += [body | {name: [value]} for name, value in body.items()]
    wrong += [body | {name: None} for name in body if name not in ("holder", "person")]  # may be left out
    with shared_office.recording_nothing():
        for each in wrong:
            refused(lawful.sent(life, body=each), 422, "malformed")


WRONG_TYPES = (
    "application/x-www-form-urlencoded",
    "text/plain",
    "application/xml",
    "multipart/form-data; boundary=x",
    "x",
    "",
)


@pytest.mark.parametrize("content_type", WRONG_TYPES)
def test_a_body_that_is_not_called_json_is_refused(shared_office: Office, content_type: str) -> None:
    life = resting_at(shared_office, "opened")
    with shared_office.recording_nothing():
        response = life.in_case("review", "reg", {"outcome": "accepted"}, headers={"Content-Type": content_type})
        refused(response, 415, "unsupported_media_type")


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8", "Application/JSON"])
def test_a_body_that_is_called_json_is_read(shared_office: Office, content_type: str) -> None:
    life = life_at(shared_office, "opened")
    answered(life.in_case("review", "reg", {"outcome": "accepted"}, headers={"Content-Type": content_type}))
