"""The words of the pages for people: one catalogue, two languages, and how a day is written in each."""

import tomllib
from collections.abc import Mapping
from datetime import date, datetime
from importlib.resources import files
from typing import Any, Literal, get_args
from urllib.parse import parse_qs

from starlette.datastructures import Headers

from api.forms import weighed
from api.limits import Message
from lifecycle.periods import ZONE

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)


def language_of(scope: Message) -> Language:
    """The language asked for by ``lang``, else the one that the reader prefers, else Chinese."""
    asked = parse_qs(scope["query_string"].decode("latin-1"), max_num_fields=None).get("lang", [""])[0]
    if asked in LANGUAGES:
        return asked
    return _preferred(Headers(scope=scope).get("accept-language", ""))


def _preferred(accepted: str) -> Language:
    """RFC 9110, 12.5.4: of our languages the one with the highest weight; among equals Chinese, which comes first."""
    weights: dict[str, float] = {}
    for tag, weight in map(weighed, accepted.split(",")):
        language = tag.partition("-")[0]
        weights[language] = max(weight, weights.get(language, 0.0))
    return max(LANGUAGES, key=lambda language: weights.get(language, 0.0))


def day_in(language: Language, day: date) -> str:
    """The day as a reader of the language writes it."""
    page = CATALOGUE[language]["page"]
    name = page["months"].split()[day.month - 1]
    return page["day"].format(year=day.year, month=day.month, day=day.day, name=name)


def instant_in(language: Language, instant: datetime) -> str:
    """The instant in Beijing time, to the second."""
    local = instant.astimezone(ZONE)
    return CATALOGUE[language]["page"]["instant"].format(day=day_in(language, local.date()), time=f"{local:%H:%M:%S}")


def _in(language: Language, entries: Mapping[str, Any]) -> Any:
    """The entries in one language."""
    if entries.keys() == set(LANGUAGES):
        return entries[language]
    return {name: _in(language, entry) for name, entry in entries.items()}


_entries = tomllib.loads((files("api.pages") / "words.toml").read_text(encoding="utf-8"))
CATALOGUE: Mapping[Language, Any] = {language: _in(language, _entries) for language in LANGUAGES}
"""Every word, by language and name."""
