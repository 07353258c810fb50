"""How often one client may ask in public: so many questions within any minute, whoever stands between."""

from collections.abc import Generator
from random import Random
from typing import Any

import pytest
from pydantic import ValidationError

from api.settings import Settings
from api.status.rate import Window, client_of
from tests.api.conftest import Staffed, staffed_office
from tests.api.office import Office, answered, refused
from tests.databases import Database, Databases

PER_MINUTE = 10
PROXY = "10.0.0.0/8"


@pytest.fixture(scope="module")
def register(databases: Databases, staffed: Staffed) -> Generator[Database]:
    with databases.copy_of(staffed.register) as database:
        yield database


@pytest.fixture
def limited(register: Database, staffed: Staffed) -> Generator[Office]:
    """An office at which each client asks ten questions a minute; the test's own client is no proxy."""
    with staffed_office(register, staffed, status_per_minute=PER_MINUTE) as office:
        yield office


@pytest.fixture
def behind_proxy(register: Database, staffed: Staffed) -> Generator[Office]:
    """The same, and whatever comes from anywhere in ``PROXY`` is believed to come from where it says."""
    with staffed_office(register, staffed, status_per_minute=PER_MINUTE, trusted_proxies=PROXY) as office:
        yield office


def asks(office: Office, times: int, path: str = "/status/CSP-S01-2024-00001", **headers: str) -> list[int]:
    return [office.client.get(path, headers=headers).status_code for _ in range(times)]


@pytest.mark.parametrize(
    "path",
    [
        "/status/CSP-S01-2024-00001",
        "/status/CSP-S01-2024-00001?min_position=0&on=2024-01-01",
        "/status?number=CSP-S01-2024-00001",
        "/status-lists",
    ],
)
def test_the_question_after_the_last_is_refused_and_told_when_to_come_back(limited: Office, path: str) -> None:
    assert asks(limited, PER_MINUTE, path) == [200] * PER_MINUTE
    response = limited.client.get(path)
    refused(response, 429, "too_many_questions")
    assert 1 <= int(response.headers["Retry-After"]) <= 120
    assert b'"valid"' not in response.content


@pytest.mark.parametrize("name", ["number", "n%75mber", "%6e%75%6d%62%65%72"])
def test_each_number_counts(limited: Office, name: str) -> None:
    path = "/status?" + "&".join(f"{name}=CSP-S01-2024-{serial:05}" for serial in range(4))
    assert asks(limited, 3, path) == [200, 200, 429]
    assert asks(limited, 3) == [200, 200, 429]


def test_what_is_not_public_is_not_counted(limited: Office) -> None:
    for path in ("/healthz", "/readyz", "/.well-known/jwks.json"):
        assert asks(limited, 2 * PER_MINUTE, path) == [200] * 2 * PER_MINUTE
    assert answered(limited.get("/certificates", "aud"))["items"] == []


def test_the_refusal_speaks_chinese_to_who_prefers_it(limited: Office) -> None:
    asks(limited, PER_MINUTE)
    told = limited.client.get("/status/x", headers={"Accept-Language": "zh-CN"}).json()["detail"]
    assert "请在" in told


def test_what_a_client_says_of_itself_is_not_believed(limited: Office) -> None:
    codes = [asks(limited, 1, **{"X-Forwarded-For": f"192.0.2.{n}"}) for n in range(PER_MINUTE + 1)]
    assert codes == [[200]] * PER_MINUTE + [[429]]


@pytest.fixture
def from_proxy(behind_proxy: Office, monkeypatch: pytest.MonkeyPatch) -> Office:
    """All requests come by the proxy at 10.1.2.3."""
    monkeypatch.setattr(behind_proxy.client._transport, "client", ("10.1.2.3", 4711))
    return behind_proxy


def test_a_trusted_proxy_is_believed_and_its_clients_are_counted_apart(from_proxy: Office) -> None:
    one, other = {"X-Forwarded-For": "192.0.2.1"}, {"X-Forwarded-For": "192.0.2.2"}
    assert asks(from_proxy, PER_MINUTE + 1, **one) == [200] * PER_MINUTE + [429]
    assert asks(from_proxy, 1, **other) == [200]


def test_what_stands_before_the_proxys_own_word_is_not_believed(from_proxy: Office) -> None:
    codes = [asks(from_proxy, 1, **{"X-Forwarded-For": f"198.51.100.{n}, 192.0.2.1"}) for n in range(PER_MINUTE + 1)]
    assert codes == [[200]] * PER_MINUTE + [[429]]


def test_others_than_the_proxy_are_not_believed(behind_proxy: Office) -> None:
    test_what_a_client_says_of_itself_is_not_believed(behind_proxy)


@pytest.mark.parametrize("word", ["everybody", "*", "10.0.0.0/33", "10.0.0.1:80", "::g"])
def test_a_proxy_that_is_no_address_is_refused_at_start(word: str) -> None:
    with pytest.raises(ValidationError):
        Settings(trusted_proxies=word)


# ---- the window ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(20))
def test_never_more_than_twice_as_many_are_let_through_within_a_minute_and_a_slower_one_always_is(seed: int) -> None:
    """The window is weighed from two counters: at worst two full ones meet, and only if the first came in one burst."""
    chance, window, let_through, at = Random(seed), Window(PER_MINUTE), [], 1000.0
    for _ in range(2000):
        at += chance.expovariate(chance.choice((0.1, 1, 10)))
        if not window.enter("a", 1, at):
            let_through.append(at)
    for begin, end in zip(let_through, let_through[2 * PER_MINUTE :], strict=False):
        assert end - begin > 60
    slower = Window(PER_MINUTE)
    assert not any(slower.enter("a", 1, 1000 + number * 60 / (PER_MINUTE - 2)) for number in range(500))


@pytest.mark.parametrize("seed", range(20))
def test_who_comes_back_when_told_is_let_in_and_not_before(seed: int) -> None:
    chance, window, at = Random(seed), Window(PER_MINUTE), 1000.0
    for _ in range(500):
        at += chance.random() * 8
        if seconds := window.enter("a", 1, at):
            assert window.enter("a", 1, at + seconds * 0.99) > 0
            assert window.enter("a", 1, at + seconds + 1e-6) == 0
            at += seconds + 1e-6


def test_a_question_that_costs_more_than_a_minute_has_is_let_in_alone() -> None:
    window = Window(PER_MINUTE)
    assert window.enter("a", 200, 0.0) == 0
    assert window.enter("a", 1, 1.0) > 0


def test_clients_of_the_last_minutes_are_all_that_is_kept() -> None:
    window = Window(PER_MINUTE)
    for minute in range(10):
        for client in range(100):
            window.enter(f"{minute} {client}", 1, minute * 60.0)
    assert len(window._this) + len(window._last) == 200


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
    ],
)
def test_a_client_is_an_address_or_a_network_of_64_bits(one: str, other: str, same: bool) -> None:
    def client(host: str) -> str:
        scope: dict[str, Any] = {"client": (host, 1)}
        return client_of(scope)

    assert (client(one) == client(other)) == same
