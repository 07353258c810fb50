"""Many at once, through a real server: one wins, the others are told of a conflict, and nothing is half done."""

import threading
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import cycle
from typing import Any, TypeVar
from uuid import uuid4

import httpx2
import pytest

from api.server import served
from lifecycle.certificate import fold
from lifecycle.transitions import STATUS
from tests.api.life import SHA, Life, life_at, reasons
from tests.api.office import Office, answered

LOST = {409, 412}
T = TypeVar("T")


@pytest.fixture
def busy_office(office: Office) -> Generator[Office]:
    """An office asked through a real server on a port of its own."""
    hooks = office.client.event_hooks
    with served(office.house, "127.0.0.1", 0) as url, _client(url) as client:
        client.event_hooks = hooks
        office.client = client  # pyright: ignore[reportAttributeAccessIssue]
        yield office


@contextmanager
def _client(url: str) -> Iterator[httpx2.Client]:
    limits = httpx2.Limits(max_connections=64, max_keepalive_connections=64)
    with httpx2.Client(base_url=url, limits=limits, timeout=60) as client:
        yield client


def at_once(acts: Sequence[Callable[[], T]]) -> list[T]:
    """What the acts answer, each in a thread of its own, all begun together."""
    barrier = threading.Barrier(len(acts))

    def begin(act: Callable[[], T]) -> T:
        barrier.wait()
        return act()

    with ThreadPoolExecutor(len(acts)) as threads:
        return list(threads.map(begin, acts))


CONFLICTING: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("complaints", "holder", {"grounds": "nobody answers"}),
    ("notices", "reg", {"of": 1, "served_on": "2024-01-15", "proof_sha256": SHA}),
    ("suspensions", "dora", {"reasons": reasons("mark_misused")}),
    ("withdrawals", "dan", {"reasons": reasons("requirements_not_met")}),
    ("corrections", "reg", {
        "target": 1, "reason": "x", "changes": [{"path": "/scope", "old": "alarm operation", "new": "alarms"}],
    }),
)  # fmt: skip
"""Commands that any number of times may follow each other on an active certificate; each records one event."""


@pytest.mark.parametrize(
    "rounds", [5, pytest.param(50, marks=pytest.mark.figures), pytest.param(500, marks=pytest.mark.soak)]
)
def test_of_conflicting_commands_as_many_are_accepted_as_the_version_grows(busy_office: Office, rounds: int) -> None:
    life = life_at(busy_office, "active")
    before = life.view()["version"]

    def acts(thread: int) -> list[httpx2.Response]:
        version, responses = before, []
        for what, person, body in _some(thread, rounds):
            heeding = {"If-Match": f'"{version}"'} if thread % 2 else {}
            response = life.post(what, person, body, headers=heeding)
            version = response.json().get("version", version)
            responses.append(response)
        return responses

    responses = [each for many in at_once([lambda t=t: acts(t) for t in range(32)]) for each in many]
    counts = Counter(response.status_code for response in responses)
    accepted = counts[200] + counts[202]
    assert counts.keys() <= {200, 202} | LOST, counts
    assert accepted == life.view()["version"] - before
    assert accepted + counts[409] + counts[412] == 32 * rounds
    assert {r.json()["code"] for r in responses if r.status_code in LOST} <= {"conflict", "stale_version"}
    versions = sorted(r.json()["version"] for r in responses if r.status_code < 400)
    assert versions == list(range(before + 1, before + accepted + 1)), "each version went to one command"


def _some(thread: int, rounds: int) -> Iterator[tuple[str, str, dict[str, Any]]]:
    commands = cycle(CONFLICTING[thread % len(CONFLICTING) :] + CONFLICTING[: thread % len(CONFLICTING)])
    yield from (command for command, _ in zip(commands, range(rounds), strict=False))


def test_the_same_command_sent_by_many_at_once_has_one_effect(busy_office: Office) -> None:
    life, key = life_at(busy_office, "active"), uuid4().hex
    before = busy_office.count()
    act = lambda: life.post("visits", "reg", {"grounds": "a wish"}, key=key)  # noqa: E731
    responses = at_once([act] * 16)
    assert {response.status_code for response in responses} == {200}
    assert len({response.content for response in responses}) == 1
    assert busy_office.count() == before + 1


def test_a_proposal_approved_by_many_at_once_takes_effect_once(busy_office: Office) -> None:
    life = life_at(busy_office, "active").proposes("suspensions", {"reasons": reasons("mark_misused")})
    responses = at_once([lambda person=person: life.approves(person) for person in ("dan", "dina", "rev")])
    assert sorted(response.status_code for response in responses) == [200, 409, 409]
    assert life.types.count("certificate-suspended") == 1


def test_one_unified_code_registered_by_many_at_once_is_one_organisation(busy_office: Office) -> None:
    body = {"unified_code": "91110108000000077W", "name": "x", "address": "y"}
    detail = busy_office.post("/organisations", "reg", body).json().get("detail", "")
    body["unified_code"] = body["unified_code"][:17] + detail.rsplit("expected ", 1)[1][0]
    responses = at_once([lambda: busy_office.post("/organisations", "reg", body)] * 8)
    assert sorted(response.status_code for response in responses) == [201] + [409] * 7


def test_certificates_issued_at_once_have_numbers_of_their_own(busy_office: Office) -> None:
    lives = [life_at(busy_office, "granted") for _ in range(8)]
    keys = [uuid4().hex for _ in lives]

    def issue(life: Life, key: str) -> str:
        """Sent again until it is carried out, as a client does that lost a race."""
        while (response := life.post("issuances", "reg", key=key)).status_code == 409:
            assert response.json()["code"] == "conflict"
        return answered(response)["certificate_number"]

    numbers = at_once([lambda life=life, key=key: issue(life, key) for life, key in zip(lives, keys, strict=True)])
    assert sorted(numbers) == [f"CSP-S01-2024-{serial:05d}" for serial in range(1, 9)]


@pytest.mark.parametrize(
    "rounds", [20, pytest.param(200, marks=pytest.mark.figures), pytest.param(5000, marks=pytest.mark.soak)]
)
def test_of_incompatible_decisions_at_once_one_lawful_outcome_remains(busy_office: Office, rounds: int) -> None:
    for _ in range(rounds):
        life = life_at(busy_office, "active")
        suspension = Life(busy_office, id=life.id).proposes("suspensions", {"reasons": reasons("mark_misused")})
        withdrawal = Life(busy_office, id=life.id).proposes("withdrawals", {"reasons": reasons("requirements_not_met")})
        cancellation = {"reasons": reasons("holder_request")}
        responses = at_once([
            lambda life=suspension: life.approves("dan"),
            lambda life=withdrawal: life.approves("dan"),
            lambda life=life: life.post("cancellations", "holder", cancellation),
        ])  # fmt: skip
        _require_lawful(life, responses)
        _make_room(life)


def _require_lawful(life: Life, responses: Sequence[httpx2.Response]) -> None:
    codes = [response.status_code for response in responses]
    assert set(codes) <= {200, 409} and 200 in codes, [response.text for response in responses]
    certificate = life.office.house.register.certificate(life.view()["certificate_id"])
    for length in range(1, len(certificate.history)):
        status = fold(certificate.id, certificate.history[:length]).status
        assert (status, type(certificate.history[length].fact)) in STATUS


def _make_room(life: Life) -> None:
    """The holder, if it was barred, applies again when the bar has ended."""
    if life.view()["status"] == "withdrawn":
        life.office.moves_to(life.office.today.replace(year=life.office.today.year + 2))
