"""A page as a reader and a browser find it: its text, its elements, where they lead."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser

from httpx2 import Response

INVISIBLE = {"style", "script", "title", "textarea", "svg"}
EMPTY = {"meta", "link", "input", "img", "br", "path", "circle", "rect"}
Attributes = dict[str, str | None]


class Page(HTMLParser):
    """The elements of a page in order, and its visible text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, Attributes]] = []
        self._texts: list[tuple[tuple[str, ...], str]] = []
        self._open: list[str] = []
        self.feed(html)
        assert not self._open, f"never closed: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in EMPTY:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag, f"{tag} is closed out of turn"

    def handle_data(self, data: str) -> None:
        if data.strip():
            self._texts.append((tuple(self._open), data))

    @property
    def text(self) -> str:
        """What is read on the page, spaces made one."""
        return self._told(lambda tags: not INVISIBLE & set(tags))

    def text_of(self, tag: str) -> str:
        """What is read in all elements of that kind."""
        return self._told(lambda tags: tag in tags)

    def _told(self, wanted) -> str:
        return " ".join(" ".join(text for tags, text in self._texts if wanted(tags)).split())

    def all(self, tag: str, **having: str) -> Iterator[Attributes]:
        """The attributes of every such element."""
        return (found for name, found in self.elements if name == tag and having.items() <= found.items())

    def one(self, tag: str, **having: str) -> Attributes:
        (found,) = self.all(tag, **having)
        return found

    @property
    def links(self) -> list[str]:
        return [found["href"] or "" for found in self.all("a")]

    @property
    def language(self) -> str | None:
        return self.one("html")["lang"]


def page_of(response: Response, status: int = 200) -> Page:
    """The page of a response that is as expected, and safe to show."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    page = Page(response.text)
    require_nothing_in_line(page)
    return page


def require_nothing_in_line(page: Page) -> None:
    """Raises AssertionError for what a policy of ``default-src 'self'`` would not let work."""
    for tag, attributes in page.elements:
        assert tag not in ("style", "script", "iframe", "object", "base"), tag
        assert "style" not in attributes, (tag, attributes)
        assert not [name for name in attributes if name.startswith("on") and len(name) > 2], (tag, attributes)
        for name in ("src", "href", "action"):
            assert "javascript:" not in (attributes.get(name) or "").lower(), (tag, attributes)
