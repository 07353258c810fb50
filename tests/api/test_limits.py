"""How much a request may bring, and how long it may take: the last that is accepted, the first that is not."""

import asyncio
import socket
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import httpx2
import pytest

from api.bounded import REQUEST_BYTES, BoundedProtocol
from api.limits import BODY_BYTES, QUERY_BYTES, Limits
from api.server import served
from tests.api.life import life_at
from tests.api.office import Office, answered, problem_of, refused


def padded(size: int) -> bytes:
    """A lawful rejection of an application, with spaces up to that many bytes."""
    body = b'{"outcome":"accepted"}'
    return body + b" " * (size - len(body))


@pytest.mark.parametrize(("size", "accepted"), [(BODY_BYTES - 1, True), (BODY_BYTES, True), (BODY_BYTES + 1, False)])
def test_a_body_has_at_most_64_kib(shared_office: Office, size: int, accepted: bool) -> None:
    assert BODY_BYTES == 65_536
    life = life_at(shared_office, "opened")
    if accepted:
        answered(life.in_case("review", "reg", padded(size)))
        return
    with shared_office.recording_nothing():
        response = life.in_case("review", "reg", padded(size))
        problem = refused(response, 413, "body_too_large")
    assert problem["instance"] == f"/certificates/{life.id}/cases/1/review"
    assert response.headers["connection"] == "close"


def test_a_body_too_large_is_refused_whoever_sends_it_and_however_it_is_cut(shared_office: Office) -> None:
    for person in (None, "reg"):
        pieces = (b" " * 1000 for _ in range(100))
        headers = shared_office.bearing(person) | {"Idempotency-Key": "k"}
        refused(shared_office.client.post("/organisations", content=pieces, headers=headers), 413, "body_too_large")
    refused(shared_office.client.request("GET", "/healthz", content=b" " * (BODY_BYTES + 1)), 413, "body_too_large")


@pytest.mark.parametrize(("size", "accepted"), [(QUERY_BYTES - 1, True), (QUERY_BYTES, True), (QUERY_BYTES + 1, False)])
def test_a_query_has_at_most_8_kib(shared_office: Office, size: int, accepted: bool) -> None:
    assert QUERY_BYTES == 8_192
    query = "number=CSP-S01-2024-00001&padding="
    response = shared_office.client.get(f"/status?{query}{'x' * (size - len(query))}")
    if accepted:
        answered(response)
    else:
        assert refused(response, 414, "query_too_long")["instance"] == "/status"


def test_a_request_that_is_not_sent_in_time_is_refused() -> None:
    async def dawdle() -> dict[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError("nobody waits for ever")

    async def never(*_: Any) -> None:
        raise AssertionError("the application is not reached")

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "query_string": b"", "path": "/persons", "headers": []}
    asyncio.run(Limits(never, seconds_to_send=0.01)(scope, dawdle, send))
    assert (sent[0]["status"], b"/persons" in sent[1]["body"]) == (408, True)


def test_of_a_request_that_was_cut_short_nothing_is_carried_out() -> None:
    """Half a body may read as a whole one: without any, most commands are about today."""
    messages = iter([{"type": "http.request", "body": b"{}", "more_body": True}, {"type": "http.disconnect"}])

    async def gone() -> dict[str, Any]:
        return next(messages)

    async def never(*_: Any) -> None:
        raise AssertionError("the application is not reached")

    async def nobody(message: Any) -> None:
        pass

    asyncio.run(Limits(never)({"type": "http", "query_string": b"", "path": "/persons", "headers": []}, gone, nobody))


@pytest.fixture
def address(office: Office) -> Generator[tuple[str, int]]:
    """Host and port of a real server."""
    with served(office.house, "127.0.0.1", 0) as url:
        yield host_and_port(url)


def host_and_port(url: str) -> tuple[str, int]:
    return "127.0.0.1", int(url.rsplit(":", 1)[1])


HALF_SENT = (
    b"",
    b"POST /persons HTTP/1.1\r\nHost: x\r\nX-Slow: ",
    b"POST /persons HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{",
    b"POST /persons HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n{",
)


@pytest.mark.parametrize(
    "connections", [50, pytest.param(500, marks=pytest.mark.soak), pytest.param(900, marks=pytest.mark.soak)]
)
def test_slow_connections_do_not_keep_health_waiting(address: tuple[str, int], connections: int) -> None:
    with ExitStack() as held, httpx2.Client(timeout=0.5) as client:
        for number in range(connections):
            slow = held.enter_context(socket.create_connection(address))
            slow.sendall(HALF_SENT[number % len(HALF_SENT)])
        for _ in range(5):
            assert client.get(f"http://{address[0]}:{address[1]}/healthz").json() == {"status": "alive"}


HEAD = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
NEVER_ENDING = (
    (HEAD + b"X-Long: ", b"a" * 65_536),
    (HEAD, b"X: y\r\n" * 10_000),
    (HEAD + b"\r\n", b"\r\n" * 30_000),
    (b"GET /status/A HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n", b"a" * 65_536),
    (b"POST /persons HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"X: y\r\n" * 10_000),
)


def brought(address: tuple[str, int], first: bytes, again: bytes) -> int:
    """How much the server takes of a request that never ends, up to 64 MiB."""
    with socket.create_connection(address, timeout=5) as connection:
        connection.sendall(first)
        for sent in range(0, 64 * 1024 * 1024, len(again)):
            try:
                connection.sendall(again)
            except ConnectionError:
                return sent
    return 64 * 1024 * 1024


@pytest.mark.parametrize(
    ("first", "again"), NEVER_ENDING, ids=["header", "headers", "nothing", "body answered", "trailers"]
)
def test_a_request_that_never_ends_is_ended(address: tuple[str, int], first: bytes, again: bytes) -> None:
    assert brought(address, first, again) < 16 * 1024 * 1024


def test_a_long_pipeline_is_no_long_request(address: tuple[str, int]) -> None:
    head = HEAD + b"X-Long: " + b"a" * 1_000 + b"\r\n"
    times = 4 * REQUEST_BYTES // len(head)
    with socket.create_connection(address, timeout=30) as connection, ThreadPoolExecutor(1) as sender:
        sender.submit(connection.sendall, (head + b"\r\n") * (times - 1) + head + b"Connection: close\r\n\r\n")
        answers = b"".join(iter(lambda: connection.recv(65_536), b""))
    assert answers.count(b"HTTP/1.1 200 OK") == times


@pytest.mark.parametrize("half", [*HALF_SENT[:2], HEAD + b"\r\n" + HEAD])
def test_a_head_that_does_not_come_is_not_waited_for(
    address: tuple[str, int], half: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BoundedProtocol, "seconds_to_send", 0.2)
    with socket.create_connection(address, timeout=20) as connection:
        connection.sendall(half)
        answers = b"".join(iter(lambda: connection.recv(65_536), b""))
    assert answers.count(b"HTTP/1.1 200 OK") == half.count(HEAD + b"\r\n")


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET /status/%s HTTP/1.1\r\nHost: x\r\n\r\n" % (b"a" * 70_000),
        b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 200_000 + b"\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"POST /persons HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /persons HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET /healthz HTTP/9.9\r\n\r\n",
    ],
    ids=["long address", "long header", "NUL", "TLS", "negative length", "two lengths", "another version"],
)
def test_what_is_no_http_request_is_refused_and_the_next_is_served(
    address: tuple[str, int], request_bytes: bytes
) -> None:
    with socket.create_connection(address, timeout=5) as connection:
        connection.sendall(request_bytes)
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    assert not answer.startswith((b"HTTP/1.1 2", b"HTTP/1.1 5"))
    assert b"Traceback" not in answer
    with httpx2.Client(timeout=5) as client:
        assert client.get(f"http://{address[0]}:{address[1]}/healthz").status_code == 200


UPGRADE = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, close\r\nUpgrade: %s\r\n\r\n"


@pytest.mark.parametrize("request_bytes", [b"\x16\x03\x01", UPGRADE % b"websocket", UPGRADE % b"h2c"])
def test_nobody_who_asks_writes_into_the_log(
    office: Office, request_bytes: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    with served(office.house, "127.0.0.1", 0) as url, socket.create_connection(host_and_port(url)) as connection:
        connection.sendall(request_bytes)
        assert b"".join(iter(lambda: connection.recv(65_536), b"")).startswith(b"HTTP/1.1 ")
    assert "".join(capfd.readouterr()) == ""


@pytest.mark.parametrize("language", ["zh", "zh-CN", "ZH-cn,en;q=0.5", "zh-Hans-CN, zh;q=0.9"])
def test_a_refusal_speaks_chinese_to_who_prefers_it(shared_office: Office, language: str) -> None:
    life = life_at(shared_office, "opened")
    chinese = life.post("issuances", "reg", headers={"Accept-Language": language})
    english = life.post("issuances", "reg", headers={"Accept-Language": "en-GB"})
    assert "不能" in refused(chinese, 409, "not_allowed_at_stage")["detail"]
    assert "Cannot" in refused(english, 409, "not_allowed_at_stage")["detail"]
    assert problem_of(chinese)["code"] == problem_of(english)["code"]
