"""The pages in a real browser: on a phone and on a desk, in both languages, by keyboard, without scripts, on paper."""

import re
from collections.abc import Generator, Iterator
from io import BytesIO
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect
from pypdf import PdfReader

from api.pages.words import CATALOGUE, LANGUAGES
from api.server import served
from tests.api.browsing import COLOURS, OVERFLOW, code_in, complaints, faults_told
from tests.api.browsing import browser as a_browser
from tests.api.life import Life, life_at
from tests.api.office import Office

PHONE: ViewportSize = {"width": 360, "height": 740}
DESK: ViewportSize = {"width": 1280, "height": 900}
NARROWEST: ViewportSize = {"width": 320, "height": 640}
"""A desk at four times the size: WCAG 2.2, 1.4.10."""
LONG_HOLDER = "北京" + "安盾报警运营服务" * 8 + "有限公司 " + "W" * 60
UNKNOWN = "CSP-S01-2031-54321"
FOCUS = """() => { const e = document.activeElement, s = getComputedStyle(e);
    return [e.tagName, e.id || e.getAttribute('href') || e.textContent.trim(), s.outlineStyle + s.outlineWidth]; }"""

in_both_languages = pytest.mark.parametrize("language", LANGUAGES)


@pytest.fixture(scope="module")
def browser() -> Generator[Browser]:
    with a_browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def paths(browser: Browser, shared_office: Office) -> dict[str, str]:
    """A page of each kind."""
    office = shared_office
    numbers = {stage: life_at(office, stage).number for stage in ("suspended", "cancelled")}
    long = Life(office, "stranger").applies(holder=LONG_HOLDER, scope=LONG_HOLDER * 3).accepted().planned().assessed()
    long.reviewed().decided("grant")
    numbers["valid"] = long.does("issuances", "reg")["certificate_number"]
    regraded = Life(office, "stranger").issued()
    office.moves_to("2024-03-01")
    regraded.graded("regrade", lost=10).decided("change_grade")
    numbers["superseded"] = regraded.number
    numbers["withdrawn"] = life_at(office, "withdrawn").number
    numbers["unknown"] = UNKNOWN
    office.house.catch_up()
    pages = {status: f"/verify/{number}" for status, number in numbers.items()}
    pages["a past day"] = f"/verify/{numbers['suspended']}?on=2024-01-20"
    return pages | {"the box": "/verify", "no number": "/verify/<b>nonsense</b>", "no day": "/verify/x?on=x"}


@pytest.fixture(scope="module")
def address(shared_office: Office) -> Generator[str]:
    """Where a real server serves them."""
    with served(shared_office.house, "127.0.0.1", 0) as url:
        yield url


@pytest.fixture
def page(browser: Browser) -> Generator[Page]:
    with browser.new_context(viewport=PHONE, device_scale_factor=3) as context:
        yield context.new_page()


def says(page: Page, status: dict[str, str]) -> None:
    """The page, once it is there, says this status in the largest letters."""
    expect(page.locator("h1")).to_have_text(re.compile(f"^{status['word']}"))


def visited(page: Page, address: str, path: str, language: str) -> Page:
    page.goto(f"{address}{path}{'&' if '?' in path else '?'}lang={language}")
    return page


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@in_both_languages
def test_every_page_fits_the_screen_and_keeps_nobody_out(
    page: Page, address: str, paths: dict[str, str], size: ViewportSize, language: str
) -> None:
    page.set_viewport_size(size)
    for path in paths.values():
        visited(page, address, path, language)
        for summary in page.locator("summary").all():
            summary.click()
        assert list(complaints(page)) == [], path


def test_every_page_is_read_as_well_in_the_dark(page: Page, address: str, paths: dict[str, str]) -> None:
    page.emulate_media(color_scheme="dark")
    for path in paths.values():
        assert list(complaints(visited(page, address, path, "zh"), COLOURS)) == [], path


@in_both_languages
def test_every_page_fits_the_narrowest_screen(page: Page, address: str, paths: dict[str, str], language: str) -> None:
    page.set_viewport_size(NARROWEST)
    for path in paths.values():
        assert visited(page, address, path, language).evaluate(OVERFLOW) <= 0, path


def test_nothing_is_fetched_from_elsewhere_and_nothing_is_missing(
    page: Page, address: str, paths: dict[str, str]
) -> None:
    told, fetched = faults_told(page), set()
    page.on("request", lambda request: fetched.add(urlsplit(request.url).netloc))
    for path in paths.values():
        visited(page, address, path, "zh")
    assert [each for each in told if "the server responded with a status of 4" not in each] == []
    assert fetched == {urlsplit(address).netloc}


SEEDED = {
    "too wide": ("px wider", "document.querySelector('.number').style.width = '900px'"),
    "too pale": ("color-contrast", "document.querySelector('.checks p').style.color = '#bbb'"),
    "too pale a status": ("color-contrast", "document.querySelector('.band').style.background = '#9ad0b0'"),
    "no language": ("html-has-lang", "document.documentElement.removeAttribute('lang')"),
    "a box without a name": ("label", "document.querySelector('label[for=on]').remove()"),
    "no title": ("document-title", "document.title = ''"),
}


@pytest.mark.parametrize("fault", SEEDED)
def test_what_is_wrong_with_a_page_is_found(page: Page, address: str, paths: dict[str, str], fault: str) -> None:
    """The check above is able to fail: each of these faults turns it red."""
    visited(page, address, paths["valid"], "en")
    assert list(complaints(page)) == []
    complaint, seed = SEEDED[fault]
    page.evaluate(seed)
    assert any(complaint in each for each in complaints(page))


def test_the_policy_stops_what_is_in_line(page: Page, address: str) -> None:
    told = faults_told(visited(page, address, "/verify", "en"))
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<p style=\"color: red\">x</p>')")
    page.evaluate(
        "document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.ran = 1'}))"
    )
    assert page.evaluate("window.ran") is None
    assert len([each for each in told if "Content Security Policy" in each]) == 2


@in_both_languages
def test_without_scripts_a_number_is_typed_and_its_page_read(
    browser: Browser, address: str, paths: dict[str, str], language: str
) -> None:
    with browser.new_context(viewport=PHONE, java_script_enabled=False) as context:
        page = visited(context.new_page(), address, "/verify", language)
        words = CATALOGUE[language]
        page.get_by_label(words["ask"]["label"]).fill(" csp-s01-2031-54321 ")
        page.keyboard.press("Enter")
        says(page, words["status"]["unknown"])
        assert page.url == f"{address}/verify/{UNKNOWN}?lang={language}"
        visited(page, address, paths["valid"], language)
        page.get_by_text(words["check"]["proof"]).click()
        assert page.get_by_label(words["check"]["proof_label"]).is_visible()
        page.get_by_label(words["history"]["another_day"]).fill("2024-01-14")
        page.get_by_role("button", name=words["history"]["show"]).click()
        says(page, words["status"]["unknown"])
        page.get_by_role("link", name=words["notice"]["to_today"]).click()
        says(page, words["status"]["valid"])
        page.get_by_role("link", name=words["page"]["other_language"]).click()
        (other,) = set(LANGUAGES) - {language}
        says(page, CATALOGUE[other]["status"]["valid"])


def focused(page: Page) -> Iterator[tuple[str, str, str]]:
    """What the key Tab leads to, in order, until it leads to nothing more."""
    page.keyboard.press("Tab")
    while (found := tuple(page.evaluate(FOCUS)))[0] != "BODY":
        yield found
        page.keyboard.press("Tab")


def test_everything_is_reached_by_keyboard_and_seen_to_be(page: Page, address: str, paths: dict[str, str]) -> None:
    for name in ("the box", "valid", "superseded", "a past day", "no number"):
        visited(page, address, paths[name], "en")
        operable = page.locator("a, button, summary, input:not([type=hidden])").all()
        reachable = [each for each in operable if each.is_visible()]
        reached = list(focused(page))
        assert len({each[:2] for each in reached}) >= len(reachable) - 1  # two links may lead to the box
        assert reached[0][1] == "#content"
        assert [each for each in reached if each[2].startswith("none") or each[2].endswith("none0px")] == []
    visited(page, address, paths["valid"], "en")
    page.locator("summary").focus()
    page.keyboard.press("Enter")
    assert page.locator("textarea").is_visible()


@in_both_languages
def test_the_page_is_made_for_paper(
    browser: Browser, page: Page, address: str, paths: dict[str, str], shared_office: Office, language: str
) -> None:
    visited(page, address, paths["suspended"], language)
    assert not page.locator(".on-paper").is_visible()
    page.emulate_media(media="print")
    for hidden in (".on-screen", ".proof", ".other-language", "footer"):
        assert page.locator(hidden).filter(visible=True).count() == 0
    says(page, CATALOGUE[language]["status"]["suspended"])
    public = f"{shared_office.house.settings.public_address}{paths['suspended']}"
    assert public in page.locator(".on-paper").inner_text()
    assert code_in(browser, page.locator(".on-paper svg").screenshot()) == public
    printed = PdfReader(BytesIO(page.pdf(format="A4", print_background=False)))
    text = "".join(each.extract_text() for each in printed.pages)
    assert len(printed.pages) <= 2
    assert paths["suspended"].removeprefix("/verify/") in text
