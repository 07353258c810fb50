"""A real browser for the tests of the pages, and what it finds wrong with one."""

import os
import shutil
from base64 import b64encode
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import zxingcpp
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync",
)  # fmt: skip
STANDARDS = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
COLOURS = {"type": "rule", "values": ["color-contrast"]}
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
PIXELS = """async (png) => {
    const image = await createImageBitmap(await (await fetch('data:image/png;base64,' + png)).blob());
    const canvas = new OffscreenCanvas(image.width, image.height).getContext('2d');
    canvas.drawImage(image, 0, 0);
    const colours = canvas.getImageData(0, 0, image.width, image.height).data;
    return [image.height, image.width, Array.from({length: colours.length / 4}, (_, i) => colours[4 * i])];
}"""


@contextmanager
def browser() -> Generator[Browser]:
    """A headless Chromium; where the machine has none, the test is skipped."""
    with sync_playwright() as playwright:
        path = _chromium(playwright)
        if path is None:
            pytest.skip("no browser: install chromium, or name one by CERTLIFE_CHROMIUM")
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield browser
        browser.close()


def _chromium(playwright: Playwright) -> str | None:
    """The one named, else one of the machine's, else the one that playwright has installed."""
    named = os.environ.get("CERTLIFE_CHROMIUM")
    own = playwright.chromium.executable_path
    return named or next(filter(None, map(shutil.which, NAMES)), own if Path(own).exists() else None)


def complaints(page: Page, rules: dict[str, Any] = STANDARDS) -> Iterator[str]:
    """What is wrong with the page as it is shown: what does not fit, and what keeps somebody out."""
    if (overflow := page.evaluate(OVERFLOW)) > 0:
        yield f"it is {overflow} px wider than the screen"
    for violation in Axe().run(page, options={"runOnly": rules}).response["violations"]:
        for node in violation["nodes"]:
            yield f"{violation['id']}: {node['html'][:120]}: {node['failureSummary']}"


def faults_told(page: Page) -> list[str]:
    """What the browser complains of from now on: refused by the policy, failed, or fetched from elsewhere."""
    told: list[str] = []

    def came(response: Any) -> None:
        if response.status >= 400 and response.request.resource_type != "document":
            told.append(f"{response.status} {response.url}")

    page.on("console", lambda message: message.type == "error" and told.append(message.text))
    page.on("pageerror", lambda error: told.append(str(error)))
    page.on("response", came)
    return told


def code_in(browser: Browser, png: bytes) -> str:
    """What a reader of QR codes reads in the picture."""
    page = browser.new_page()
    height, width, grey = page.evaluate(PIXELS, b64encode(png).decode())
    page.close()
    (found,) = zxingcpp.read_barcodes(memoryview(bytes(grey)).cast("B", (height, width)))
    return found.text
