"""The page of evidence in a real browser: on a desk, on a phone and on paper, and it keeps nobody out."""

from __future__ import annotations

from collections.abc import Generator
from io import BytesIO
from pathlib import Path

import pytest
from playwright.sync_api import Page
from pypdf import PdfReader

from tests.api.browsing import OVERFLOW, complaints
from tests.api.browsing import browser as a_browser
from tests.api.test_evidence_page import ABOUT, of, page, with_every_text
from tests.corpus.boundaries import editions
from tests.lifecycle.disputed import HOLDER, disputed
from tests.lifecycle.story import CERTIFICATE, Story

SIZES = {"desk": (1280, 900), "phone": (360, 740)}
SEEDED = {
    "too wide": ("px wider", "document.querySelector('table.days').style.width = '1400px'"),
    "too pale": ("color-contrast", "document.querySelector('main p').style.color = '#bbb'"),
    "no language": ("html-has-lang", "document.documentElement.removeAttribute('lang')"),
    "a picture without a name": (
        "svg-img-alt",
        "document.querySelectorAll('svg').forEach(e => {e.removeAttribute('aria-labelledby');"
        " e.querySelectorAll('title, desc').forEach(t => t.remove())})",
    ),
}


@pytest.fixture(scope="module")
def shown() -> Generator[Page]:
    with a_browser() as browser, browser.new_context() as context:
        yield context.new_page()


def opened(page: Page, folder: Path, html: str, size: str = "desk") -> list[str]:
    """The page is open; answers what the browser complained of, and what it fetched beside it."""
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    page.on("request", lambda request: told.append(request.url))
    width, height = SIZES[size]
    page.set_viewport_size({"width": width, "height": height})
    file = folder / "evidence.html"
    file.write_text(html, "utf-8")
    page.goto(file.as_uri())
    return [each for each in told if each != file.as_uri()]


@pytest.mark.parametrize("size", SIZES)
def test_the_page_fits_the_screen_and_loads_nothing(shown: Page, tmp_path: Path, size: str) -> None:
    assert opened(shown, tmp_path, of(disputed()), size) == []
    assert shown.evaluate(OVERFLOW) <= 0
    assert [each.is_visible() for each in shown.locator("svg.timeline").all()] == [size == "desk", size == "phone"]


@pytest.mark.parametrize("size", SIZES)
def test_it_keeps_nobody_out_whatever_persons_wrote(shown: Page, tmp_path: Path, size: str) -> None:
    hostile = with_every_text("<script>document.title='run'</script>" + "W" * 300 + "\u202e" + "报警" * 60)
    assert opened(shown, tmp_path, page(CERTIFICATE, hostile, editions(), ABOUT), size) == []
    assert list(complaints(shown)) == []
    assert "run" not in shown.title()


@pytest.mark.parametrize("fault", SEEDED)
def test_what_is_wrong_with_the_page_is_found(shown: Page, tmp_path: Path, fault: str) -> None:
    story = Story(editions=editions())
    story.applies()
    opened(shown, tmp_path, of(story))
    complaint, seed = SEEDED[fault]
    shown.evaluate(seed)
    assert any(complaint in each for each in complaints(shown))


def test_no_script_runs_even_where_one_came_in(shown: Page, tmp_path: Path) -> None:
    told = opened(shown, tmp_path, of(disputed()).replace("</main>", "<script>document.title = 'run'</script></main>"))
    assert shown.title() != "run"
    assert any("Content Security Policy" in each for each in told)


def test_it_prints_on_a4_with_its_picture_and_its_tables(shown: Page, tmp_path: Path) -> None:
    opened(shown, tmp_path, of(disputed()))
    printed = PdfReader(BytesIO(shown.pdf(prefer_css_page_size=True, print_background=False)))
    read = "".join(each.extract_text() for each in printed.pages)
    first = printed.pages[0].mediabox
    assert (round(first.width), round(first.height)) == (595, 842)
    assert len(printed.pages) <= 16
    assert HOLDER in read.replace("\n", "")
    assert "2025-09-02" in read
