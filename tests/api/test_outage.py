"""The database gone: refused soon and clearly, alive all the while, never "valid" by default, and back by itself."""

from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from uuid import uuid4

import httpx2
import psycopg
import pytest

from api.postgres import Server, running
from api.server import served
from tests.api.life import Life, life_at
from tests.api.office import Office, answered, office_of, refused
from tests.api.requests import LAWFUL, Lawful, life_for
from tests.databases import Database
from tests.processes import holding_still
from tests.scratch import folder_on_disk

SECONDS = 3
"""By then every request is answered, whatever has become of the database."""


@pytest.fixture(scope="module")
def own_server() -> Generator[Server]:
    """A server that these tests may stop, kill and freeze."""
    with folder_on_disk() as folder, running(folder) as server:
        yield server


@pytest.fixture(scope="module")
def office(own_server: Server) -> Generator[Office]:
    """An office on a database of its own, asked through a real server, its engine at work."""
    database = Database(own_server)
    database.migrate()
    with office_of(database) as office:
        office.employs_everybody()
        office.house.start(clock=False)
        with served(office.house, "127.0.0.1", 0) as url, httpx2.Client(base_url=url, timeout=SECONDS) as client:
            client.event_hooks = office.client.event_hooks
            office.client = client  # pyright: ignore[reportAttributeAccessIssue]
            yield office


@contextmanager
def stopped(server: Server) -> Iterator[None]:
    server.stop()
    yield
    server.start()


@contextmanager
def killed(server: Server) -> Iterator[None]:
    server.kill()
    yield
    server.start()


@contextmanager
def frozen(server: Server) -> Iterator[None]:
    """Every process of the server holds still, as behind a network that swallows everything."""
    with psycopg.connect(server.url()) as connection:
        pids = [pid for (pid,) in connection.execute("SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()")]
    with holding_still(server.pid, *pids):
        yield


WAYS: dict[str, Callable] = {"stopped": stopped, "killed": killed, "frozen": frozen}


@pytest.fixture(params=WAYS)
def gone(request: pytest.FixtureRequest, own_server: Server) -> Callable:
    return lambda: WAYS[request.param](own_server)


def questions(life: Life) -> Iterator[tuple[str, str | None]]:
    """The address of every question, by somebody who may ask it."""
    number, id = life.number, life.id
    for path in (
        f"/status/{number}",
        f"/status?number={number}",
        f"/status/{number}?min_position=1",
        "/readyz",
        "/metrics",
    ):
        yield path, None
    for path in (
        f"/status/{number}", "/certificates", "/certificates?min_position=1", f"/certificates/{id}",
        f"/certificates/{id}/events", "/deadlines", "/deadlines.ics",
    ):  # fmt: skip
        yield path, "aud"


def test_without_its_database_the_service_lives_refuses_and_comes_back(office: Office, gone: Callable) -> None:
    life = life_at(office, "active")
    until_answered(lambda: office.get(f"/status/{life.number}?min_position={office.position}"))
    key = uuid4().hex
    with gone(), ThreadPoolExecutor() as threads:
        asked = [threads.submit(office.get, path, person) for path, person in questions(life)]
        asked.append(threads.submit(life.post, "visits", "reg", {"grounds": "x"}, key=key))
        assert answered(office.get("/healthz")) == {"status": "alive"}
        for each in asked:
            refused(each.result(), 503, "database_unavailable")
            assert b'"valid"' not in each.result().content
        assert answered(office.get("/healthz")) == {"status": "alive"}
    recorded = until_answered(lambda: life.post("visits", "reg", {"grounds": "x"}, key=key))
    assert life.types.count("surveillance-requested") == 1
    shown = until_answered(lambda: office.get(f"/status/{life.number}?min_position={recorded['position']}"))
    assert (shown["status"], shown["stale"]) == ("valid", False)
    assert answered(office.get("/readyz"))["status"] == "ready"


def until_answered(ask: Callable[[], httpx2.Response], tries: int = 100) -> dict:
    """The answer, once there is one; until then nothing but 503."""
    for _ in range(tries):
        response = ask()
        if response.status_code == 200:
            return response.json()
        assert refused(response, 503, response.json()["code"])
    raise AssertionError(f"still {response.status_code} after {tries} tries: {response.text}")


def test_every_command_is_refused_without_a_database_and_done_once_when_it_is_back(
    office: Office, own_server: Server
) -> None:
    asked: list[tuple[Lawful, Life, dict]] = []
    for lawful in LAWFUL:
        life = life_for(office, lawful)
        asked.append((lawful, life, lawful.body(life)))
    with stopped(own_server):
        for lawful, life, body in asked:
            refused(lawful.sent(life, body=body, key=f"k-{lawful.name}"), 503, "database_unavailable")
    for lawful, life, body in asked:
        send = lambda lawful=lawful, life=life, body=body: lawful.sent(life, body=body, key=f"k-{lawful.name}")  # noqa: E731
        while (response := send()).status_code == 503:
            assert response.headers["retry-after"]
        assert response.status_code == lawful.status, response.text
        with office.recording_nothing():
            assert send().content == response.content
