"""What cannot be answered is said on a page too, with the status a machine would be given, and nothing is guessed."""

from collections.abc import Generator
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from pydantic import ValidationError

from api.pages.rendering import STATIC
from api.pages.words import CATALOGUE, LANGUAGES
from api.postgres import Server, running
from api.settings import Settings
from tests.api.life import Life, life_at
from tests.api.office import INSIDE, Office, office_of
from tests.api.reading import Page, page_of
from tests.api.test_under_repair import break_stream
from tests.conftest import QUICK
from tests.databases import Database
from tests.scratch import folder_in_memory

NUMBER = "CSP-S01-2024-00001"
HOSTILE = (
    "x", "CSP-S01-2024-0001", "CSP-S01-2024-0000\x00", "CSP-S01-2024-\x0700001", "\x1b[2J", "CSP/S01/2024/00001",
    "../healthz", "..\\..\\etc\\passwd", "/../../status/x", "%", "%2e%2e%2f", "?", "#", "𠮷", "a" * 101, "a" * 7_000,
    "CSP-S01-2024-00001" * 300, "CSP-S01-2024-0000١", "CSP-S01-²⁰²⁴-00001\u202e", "\u202eCSP-S01-2024-00001", "\u2066x",
    "';--", "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{7*7}}", "{% include 'x' %}", "${7*7}",
    "{number}", "%s", "javascript:alert(1)", "//evil.example", "\rLocation: https://evil.example", "\ufffe", "\ufeff",
)  # fmt: skip


def quoted(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())


def refused_page(response: Any, status: int, code: str, language: str = "zh") -> Page:
    """The page of a refusal, in its own words, with the box to try again, and nothing of what is inside."""
    shown = page_of(response, status)
    assert shown.text_of("h1") == CATALOGUE[language]["problem"]["title"][code]
    assert shown.language == {"zh": "zh-CN", "en": "en"}[language]
    assert shown.one("input", name="number")
    assert not [word for word in INSIDE if word in response.text]
    assert not list(shown.all("section", **{"class": "verdict valid"}))
    return shown


@pytest.mark.parametrize("number", HOSTILE, ids=lambda number: ascii(number[:20]))
def test_what_is_no_number_of_this_register_is_said_to_be_none(shared_office: Office, number: str) -> None:
    for address in (f"/verify/{quoted(number)}", f"/verify?number={quoted(number)}"):
        for language in LANGUAGES if len(number) < 1000 else ("zh",):
            response = shared_office.client.get(f"{address}{'&' if '?' in address else '?'}lang={language}")
            if response.status_code == 414:
                refused_page(response, 414, "query_too_long", language)
                continue
            shown = refused_page(response, 404, "number_not_of_this_register", language)
            assert shared_office.house.status.example in shown.text
            box = shown.one("input", name="number")
            assert box["aria-invalid"] == "true"
            assert (box["value"] or "").isprintable()
            assert number.startswith(box["value"] or "") or not number.isprintable() or "%" in number


def test_an_address_with_a_line_break_is_no_page(shared_office: Office) -> None:
    refused_page(shared_office.client.get("/verify/%0D%0ALocation:%20https://evil.example"), 404, "no_such_address")


def test_a_number_of_10_000_characters_is_refused(shared_office: Office) -> None:
    refused_page(shared_office.get(f"/verify/{'a' * 10_000}"), 404, "number_not_of_this_register")
    refused_page(shared_office.get("/verify", number="a" * 10_000), 414, "query_too_long")


@pytest.mark.parametrize(
    "on", ["today", "2024-1-15", "2024-02-30", "1705276800", "2024-01-15T00:00:00", "２０２４-01-15", "2024-01-15\x00",
           "<b>", "9" * 5000],
)  # fmt: skip
def test_a_day_that_is_none_is_said_to_be_none(shared_office: Office, on: str) -> None:
    refused_page(shared_office.get(f"/verify/{NUMBER}", on=on), 422, "day_not_read")
    refused_page(shared_office.get(f"/verify/{NUMBER}", on=on, lang="en"), 422, "day_not_read", "en")


def test_days_up_to_today_are_answered_and_later_ones_are_not(shared_office: Office) -> None:
    life, today = life_at(shared_office, "active"), shared_office.today
    shared_office.house.catch_up()
    page_of(shared_office.get(f"/verify/{life.number}", on=today.isoformat()))
    for later in ((today + timedelta(days=1)).isoformat(), "9999-12-31"):
        shown = refused_page(shared_office.get(f"/verify/{life.number}", on=later), 422, "day_not_public")
        assert later in shown.text
    before = page_of(shared_office.get(f"/verify/{life.number}", on="0001-01-01", lang="en"))
    assert before.text_of("h1").startswith("Not in the register")
    page_of(shared_office.get(f"/verify/{life.number}", on=""))


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_a_page_can_only_be_read(shared_office: Office, method: str) -> None:
    for path in ("/verify", f"/verify/{NUMBER}"):
        response = shared_office.client.request(method, path)
        refused_page(response, 405, "method_not_allowed")
        assert "GET" in response.headers["allow"]


def test_a_body_too_large_is_refused_as_a_page(shared_office: Office) -> None:
    refused_page(shared_office.client.request("GET", "/verify", content=b" " * 70_000), 413, "body_too_large")


def test_other_addresses_are_refused_as_before(shared_office: Office) -> None:
    for path in ("/verifyx", "/status/nonsense", "/static/nothing.css", "/static/..%2fwords.toml"):
        assert shared_office.client.get(path).headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_record_under_repair_is_not_told(office: Office, language: str) -> None:
    life = life_at(office, "active")
    office.house.catch_up()
    break_stream(life, "no JSON")
    office.house.catch_up()
    response = office.get(f"/verify/{life.number}", lang=language)
    shown = refused_page(response, 503, "under_repair", language)
    assert response.headers["retry-after"]
    assert CATALOGUE[language]["problem"]["no_answer"] in shown.text
    assert life.number in shown.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_who_asks_too_often_is_told_when_to_come_back(database: Database, language: str) -> None:
    with office_of(database, None, status_per_minute=3) as office:
        office.house.catch_up()
        for _ in range(3):
            page_of(office.get("/verify/CSP-S01-2031-00001"))
        response = office.get("/verify/CSP-S01-2031-00001", lang=language)
        shown = refused_page(response, 429, "too_many_questions", language)
        seconds = response.headers["retry-after"]
        assert CATALOGUE[language]["problem"]["wait"].format(seconds=seconds) in shown.text


@pytest.fixture(scope="module")
def own_server() -> Generator[Server]:
    """A server that these tests may stop."""
    with folder_in_memory() as folder, running(folder, settings=QUICK) as server:
        yield server


def test_without_its_database_the_page_says_that_it_knows_nothing(own_server: Server) -> None:
    database = Database(own_server)
    database.migrate()
    with office_of(database) as office:
        office.employs_everybody()
        life = Life(office).issued()
        office.house.catch_up()
        assert page_of(office.get(f"/verify/{life.number}")).text_of("h1").startswith("有效")
        own_server.stop()
        for language in LANGUAGES:
            response = office.get(f"/verify/{life.number}", lang=language)
            shown = refused_page(response, 503, "database_unavailable", language)
            assert CATALOGUE[language]["problem"]["no_answer"] in shown.text
            page_of(office.get("/verify", lang=language))
        own_server.start()


# ---- headers, static files, settings ---------------------------------------------------------------------------------


def test_every_page_bears_the_same_policy(shared_office: Office) -> None:
    for path in ("/verify", "/verify/CSP-S01-2031-00001", "/verify/nonsense", f"/verify/{NUMBER}?on=x"):
        headers = shared_office.get(path).headers
        assert headers["content-security-policy"].split("; ")[0] == "default-src 'self'"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert (headers["x-content-type-options"], headers["referrer-policy"]) == ("nosniff", "no-referrer")
        assert headers["cache-control"] == "no-store"


def test_a_static_file_bears_its_digest_and_may_be_kept_for_ever(shared_office: Office) -> None:
    shown = page_of(shared_office.get("/verify"))
    found = {str(each["href"]) for each in shown.all("link")} | {str(each["src"]) for each in shown.all("img")}
    assert len(found) == len(STATIC)
    for address in found:
        response = shared_office.client.get(address)
        assert sha256(response.content).hexdigest()[:16] in address
        assert response.headers["content-type"].split(";")[0] in ("text/css", "image/svg+xml")
        assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert response.headers["x-content-type-options"] == "nosniff"


def test_addresses_on_a_page_begin_where_the_public_reaches_the_service(database: Database) -> None:
    with office_of(database, None, public_url="https://body.example/register") as office:
        office.house.catch_up()
        shown = page_of(office.get("/verify/CSP-S01-2031-00001"))
        inside = [address for address in [*shown.links, str(shown.one("form")["action"])] if address[0] == "/"]
        assert inside
        assert all(address.startswith("/register/verify") for address in inside)
        assert "https://body.example/register/verify/CSP-S01-2031-00001" in shown.text
        typed = office.client.get("/verify?number=csp-s01-2031-00001", follow_redirects=False)
        assert typed.headers["location"] == "/register/verify/CSP-S01-2031-00001?lang=zh"


@pytest.mark.parametrize(
    ("complain_at", "link"),
    [
        (None, None),
        ("https://body.example/complain", "https://body.example/complain"),
        ("mailto:complaints@body.example", "mailto:complaints@body.example?subject=CSP-S01-2031-00001"),
        ("mailto:a@body.example?subject=x", "mailto:a@body.example?subject=x"),
    ],
)
def test_a_link_to_complain_is_shown_where_there_is_one(
    database: Database, complain_at: str | None, link: str | None
) -> None:
    with office_of(database, None, complain_at=complain_at) as office:
        office.house.catch_up()
        shown = page_of(office.get("/verify/CSP-S01-2031-00001", lang="en"))
        assert [each for each in shown.links if "body.example" in each] == ([link] if link else [])
        assert ("Complain" in shown.text) == (link is not None)


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "body.example", "data:text/html,x", 'https://x"y', "mailto:"]
)
def test_what_is_no_address_to_complain_at_is_refused(address: str) -> None:
    with pytest.raises(ValidationError):
        Settings(complain_at=address)


def test_a_production_register_does_not_speak_of_a_simulation(production_database: Database) -> None:
    with office_of(production_database, None) as office:
        office.house.catch_up()
        for path in ("/verify", "/verify/CSP-S01-2031-00001", "/verify/nonsense"):
            assert CATALOGUE["zh"]["page"]["simulation"] not in office.get(path).text
