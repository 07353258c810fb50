"""The look-up in front of the application gives the answers of the one behind it, and to every asker its own.

``min_position`` before ``on`` is an order that the look-up in front does not read: then the application behind answers.
"""

import asyncio
from collections import Counter
from collections.abc import Generator, Sequence
from datetime import datetime
from itertools import product
from typing import Any

import httpx2
import pytest

from api.server import served
from api.status.hot_path import HotPath, Wanted, wanted_in
from projections.line import Gathered, Line
from tests.api.life import Life, life_at
from tests.api.office import Office, answered, refused
from tests.api.test_under_repair import as_owner, break_stream

OF_THE_MOMENT = {"computed_at", "expires_at"}
NUMBER = "CSP-S01-2024-00001"
NUMBERS = (
    NUMBER,
    "csp-s01-2024-00001",
    "CSP-S01-2024-00002",
    "CSP-S01-2024-00003",
    "CSP-S01-2024-99999",
    "%20CSP-S01-2024-00001",
    "CSP-S01-2024-0000",
    "x" * 100,
    "x" * 101,
    "..",
    "a/../b",
    NUMBER + "/",
    "%00",
    "%E2%80%AE" + NUMBER,
    "%F0%A0%AE%B7",
    "'%20OR%201=1--",
    "%7F",
    "%FF%FE",
    "%EF%BC%A3SP-S01-2024-00001",
)
DAYS = (
    "",
    "on=2024-01-14",
    "on=2024-01-15",
    "on=2024-02-01",
    "on=2024-03-01",
    "on=0001-01-01",
    "on=9999-12-31",
    "on=2024-02-30",
    "on=20240101",
    "on=",
    "on=2024-02-01&on=2024-01-15",
    "ON=2024-01-15",
    "known_at=2024-01-15T00:00:00Z",
)
ACCEPTS = ("*/*", "application/json", "text/html", "application/json;q=0.1", "text/*, application/json;q=x", "")


@pytest.fixture(scope="module")
def office(shared_office: Office) -> Office:
    """An office with a certificate suspended since, one regraded under a new number, and one set aside."""
    life_at(shared_office, "suspended")
    life = life_at(shared_office, "active")
    break_stream(life, "no JSON")
    shared_office.house.catch_up()
    return shared_office


def both(office: Office, number: str, query: str, headers: dict[str, str]) -> tuple[httpx2.Response, httpx2.Response]:
    """The answer of the look-up in front, and that of the application behind."""
    get = office.client.get
    order = f"min_position=0&{query}" if query else "min_position=0&x="
    return get(f"/status/{number}?{query}", headers=headers), get(f"/status/{number}?{order}", headers=headers)


@pytest.mark.parametrize(("number", "query"), list(product(NUMBERS, DAYS)))
def test_what_is_answered_in_front_is_what_is_answered_behind(office: Office, number: str, query: str) -> None:
    front, behind = both(office, number, query, {})
    assert (front.status_code, kept(front)) == (behind.status_code, kept(behind))
    assert told(front) == told(behind)


@pytest.mark.parametrize("accept", ACCEPTS)
@pytest.mark.parametrize("tag", ["known", "unknown", "*", "many"])
def test_a_form_and_a_tag_mean_the_same_in_front_and_behind(office: Office, accept: str, tag: str) -> None:
    known = office.client.get(f"/status/{NUMBER}").headers["etag"]
    tags = {"known": known, "unknown": 'W/"x"', "*": "*", "many": f'"a", {known}'}
    headers = {"Accept": accept, "If-None-Match": tags[tag]}
    front, behind = both(office, NUMBER, "", headers)
    assert (front.status_code, kept(front)) == (behind.status_code, kept(behind))
    assert front.status_code == (200 if tag == "unknown" else 304)


def kept(response: httpx2.Response) -> dict[str, str | None]:
    return {name: response.headers.get(name) for name in ("etag", "cache-control", "vary", "content-type")}


def told(response: httpx2.Response) -> dict[str, Any]:
    return {name: value for name, value in response.json().items() if name not in OF_THE_MOMENT}


@pytest.mark.parametrize(
    ("changed", "is_in_front"),
    [
        ({}, True),
        ({"query_string": b"on=2024-01-15"}, True),
        ({"query_string": b"on=2024-01-15&min_position=7"}, True),
        ({"query_string": b"min_position=7"}, True),
        ({"query_string": b"min_position=7&on=2024-01-15"}, False),
        ({"query_string": b"min_position=-1"}, False),
        ({"query_string": b"on=2024-01-15&"}, False),
        ({"query_string": b"on=2024-02-30"}, False),
        ({"query_string": b"known_at=2024-01-15T00:00:00Z"}, False),
        ({"headers": [(b"authorization", b"Bearer x")]}, False),
        ({"method": "POST"}, False),
        ({"method": "HEAD"}, False),
        ({"path": "/status"}, False),
        ({"path": "/statuses/x"}, False),
    ],
)
def test_only_the_question_that_nearly_everybody_asks_is_answered_in_front(
    changed: dict[str, Any], is_in_front: bool
) -> None:
    scope = {"type": "http", "method": "GET", "path": "/status/x", "query_string": b"", "headers": []} | changed
    assert isinstance(wanted_in(scope), Wanted) == is_in_front


def test_a_number_is_answered_when_the_register_has_come_so_far(office: Office) -> None:
    assert answered(office.get(f"/status/{NUMBER}", min_position=office.position))["position"] == office.position
    late = office.get(f"/status/{NUMBER}", min_position=office.position + 1)
    refused(late, 503, "projection_late")
    assert late.headers["Retry-After"]


@pytest.mark.parametrize(
    "path",
    [
        f"/status/{NUMBER}",
        f"/status/{NUMBER}?min_position=0&on=2024-02-01",
        f"/verify/{NUMBER}",
        "/verify/nonsense",
        "/healthz",
        "/nowhere",
    ],
)
def test_a_head_is_that_of_the_answer(office: Office, path: str) -> None:
    head, whole = office.client.head(path), office.client.get(path)
    assert (head.status_code, head.content) == (whole.status_code, b"")
    assert {**head.headers, "content-length": ""} == {**whole.headers, "content-length": ""}


# ---- many at once ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def many(office: Office) -> list[Life]:
    """Certificates whose answers all differ."""
    made = [life_at(office, "active") for _ in range(12)]
    office.house.catch_up()
    return made


@pytest.fixture(scope="module")
def url(office: Office) -> Generator[str]:
    with served(office.house, "127.0.0.1", 0) as url:
        yield url


def asked_at_once(url: str, paths: list[str], **sent: Any) -> list[httpx2.Response]:
    """All answers, in the order of the questions, which are under way together."""

    async def ask() -> list[httpx2.Response]:
        async with httpx2.AsyncClient(base_url=url, timeout=30) as client:
            return await asyncio.gather(*(client.get(path, **sent) for path in paths))

    return asyncio.run(ask())


def test_of_many_who_ask_at_once_each_gets_his_own_answer(url: str, many: list[Life]) -> None:
    unknown = [f"CSP-S01-2024-{serial:05}" for serial in range(90_000, 90_040)]
    wanted = [*(life.number for life in many), *unknown] * 4
    responses = asked_at_once(url, [f"/status/{number}" for number in wanted])
    told = [(each["certificate_number"], each["status"]) for each in map(answered, responses)]
    known = {life.number for life in many}
    assert told == [(number, "valid" if number in known else "unknown") for number in wanted]
    assert len({response.headers["etag"] for response in responses}) == len(known) + len(unknown)


@pytest.fixture
def questions(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """For each question that the database is asked, how many numbers it is about."""
    asked, own = [], Line.gathered

    async def counted(self: Line, numbers: Sequence[str], now: datetime | None) -> Gathered:
        asked.append(len(numbers))
        return await own(self, numbers, now)

    monkeypatch.setattr(Line, "gathered", counted)
    return asked


def test_many_who_ask_at_once_share_a_question(url: str, many: list[Life], questions: list[int]) -> None:
    paths = [f"/status/{life.number}" for life in many] * 10
    assert {response.status_code for response in asked_at_once(url, paths)} == {200}
    assert sum(questions) == len(paths)
    assert len(questions) < len(paths) / 2


def test_a_lost_connection_costs_nobody_an_answer(office: Office, url: str, many: list[Life]) -> None:
    paths = [f"/status/{life.number}" for life in many]
    codes = Counter()
    for _ in range(10):
        with as_owner(office) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE '%register.list_index%'"
            )
        codes.update(response.status_code for response in asked_at_once(url, paths))
    assert codes == {200: 10 * len(paths)}


def test_who_goes_before_the_answer_takes_nobodys_answer_along(url: str, many: list[Life]) -> None:
    async def ask() -> list[httpx2.Response]:
        async with httpx2.AsyncClient(base_url=url, timeout=30) as client:
            going = [asyncio.create_task(client.get(f"/status/{life.number}")) for life in many]
            staying = [client.get(f"/status/{life.number}") for life in many]
            for task in going:
                asyncio.get_running_loop().call_later(0.001, task.cancel)
            told = await asyncio.gather(*staying)
            await asyncio.gather(*going, return_exceptions=True)
            return told

    for response, life in zip(asyncio.run(ask()), many, strict=True):
        assert answered(response)["certificate_number"] == life.number


def test_a_failure_that_nobody_foresaw_is_over_with_the_question(
    url: str, many: list[Life], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(self: Line, numbers: Sequence[str], now: datetime | None) -> Gathered:
        raise OSError("too many open files")

    paths = [f"/status/{life.number}" for life in many]
    with monkeypatch.context() as seeded:
        seeded.setattr(Line, "gathered", fails)
        assert {response.status_code for response in asked_at_once(url, paths)} == {500}
    assert {response.status_code for response in asked_at_once(url, paths)} == {200}


# ---- mutants ---------------------------------------------------------------------------------------------------------


def test_a_look_up_that_forgets_who_asked_for_what_is_found_out(
    url: str, many: list[Life], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fault seeded: whoever shares a question gets the answer about the first number in it."""
    own = HotPath._told

    async def about_another(self: HotPath, wanted: Wanted) -> Any:
        return await own(self, wanted._replace(number=many[0].number))

    monkeypatch.setattr(HotPath, "_told", about_another)
    with pytest.raises(AssertionError):
        test_of_many_who_ask_at_once_each_gets_his_own_answer(url, many)


def test_a_look_up_that_asks_for_each_alone_is_found_out(
    url: str, many: list[Life], questions: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("projections.gatherer.MOST_AT_ONCE", 1)
    with pytest.raises(AssertionError):
        test_many_who_ask_at_once_share_a_question(url, many, questions)
