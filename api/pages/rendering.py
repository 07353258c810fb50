"""How a page is made: the templates, the words of one language, and the files that stand beside them.

Nothing is in line, neither style nor script, so that pages hold under the strictest policy; a static file's name bears
the digest of what is in it, so that it may be kept for ever.
"""

from collections.abc import Mapping
from hashlib import sha256
from importlib.resources import files
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from fastapi import APIRouter, Response
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.exceptions import HTTPException

from api.pages.words import CATALOGUE, Language, day_in, instant_in

HTML = "text/html"
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Language": "",
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Vary": "Accept-Language",
    "X-Content-Type-Options": "nosniff",
}
FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
MEDIA_TYPES = {"css": "text/css", "svg": "image/svg+xml"}


def _named_by_digest() -> dict[str, tuple[str, bytes]]:
    """Each static file's name with the digest of its bytes, and the bytes."""
    contents = {each.name: each.read_bytes() for each in (files("api.pages") / "static").iterdir()}
    return {
        name: (f"{name.partition('.')[0]}.{sha256(content).hexdigest()[:16]}.{name.partition('.')[2]}", content)
        for name, content in contents.items()
    }


STATIC = _named_by_digest()


def environment() -> Environment:
    """Where the templates are found; whatever is put into one is escaped, and what is missing is an error."""
    return Environment(
        loader=PackageLoader("api.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


class Renderer:
    """Makes the pages of a register that the public reaches at ``public_url``, in the name of ``issuer``."""

    def __init__(self, public_url: str, issuer: Mapping[Language, str], *, simulation: bool) -> None:
        self.public_url = public_url
        self.base = urlsplit(public_url).path
        self._templates = environment()
        self._templates.globals |= {"simulation": simulation, "issuer": issuer, "static": self._static}

    def page(
        self, template: str, language: Language, path: str, *, status: int = 200, kept: dict[str, str] | None = None,
        **shown: Any,
    ) -> Response:  # fmt: skip
        """The page at ``path``; its link to the other language keeps the parameters ``kept``."""
        other: Language = "en" if language == "zh" else "zh"
        body = self._templates.get_template(template).render(
            language=language,
            other=other,
            in_other_language=self.address(path, other, **(kept or {})),
            words=CATALOGUE[language],
            words_of=CATALOGUE,
            day=lambda day: day_in(language, day),
            instant=lambda instant: instant_in(language, instant),
            at=self.at,
            link=lambda to: self.address(to, language),
            **shown,
        )
        return Response(body, status, HEADERS | {"Content-Language": language}, HTML)

    def at(self, path: str) -> str:
        """Where the page is found, in whatever language."""
        return self.base + quote(path)

    def address(self, path: str, language: Language, /, **query: str) -> str:
        """Where the page is found in that language."""
        return f"{self.at(path)}?{urlencode(query | {'lang': language})}"

    def _static(self, name: str) -> str:
        return f"{self.base}/static/{STATIC[name][0]}"


def router() -> APIRouter:
    """Where the static files are found."""
    routes = APIRouter()
    found = {name: (content, MEDIA_TYPES[name.rpartition(".")[2]]) for name, content in STATIC.values()}

    @routes.get("/static/{name}", include_in_schema=False)
    def static(name: str) -> Response:
        """A file of the pages, which never changes under its name."""
        if name not in found:
            raise HTTPException(404)
        content, media_type = found[name]
        return Response(content, headers=FOR_EVER, media_type=media_type)

    return routes
