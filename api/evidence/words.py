"""The words of a page of evidence: both languages side by side, and every value as people read it.

Whatever comes from the record is shown as it is: a character that would be invisible, or would turn the writing round,
is named instead.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from fractions import Fraction
from typing import Any

from markupsafe import Markup

from api.pages.words import CATALOGUE
from lifecycle.periods import ZONE
from lifecycle.rules import Edition
from lifecycle.rules.difference import in_words
from lifecycle.rules.scheme_terms import NO_LEVEL, shown

DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
LAWFUL = frozenset("\n")
NOTHING = "—"
NO_VALUE = Markup("—")
SHOWN_DECIMALS = 6

Editions = Mapping[str, Edition]


def finished(value: Any) -> Any:
    """What stands in a page for whatever a template hands it."""
    return day(value) if type(value) is date else visible(value)


def day(on: date | str) -> Markup:
    """A day, never broken across lines."""
    return Markup("<time>{}</time>").format(on)


def visible(value: Any) -> Any:
    """A text without anything that a reader would not see, or that would change how the rest reads."""
    if isinstance(value, Markup) or not isinstance(value, str) or value.isprintable():
        return value
    return "".join(each if _is_seen(each) else f"⟦U+{ord(each):04X}⟧" for each in value)


def _is_seen(character: str) -> bool:
    return character in LAWFUL or unicodedata.category(character) not in INVISIBLE


def entry(path: str) -> tuple[str, str]:
    """The catalogue's words there, Chinese and English."""
    zh, en = CATALOGUE["zh"]["evidence"], CATALOGUE["en"]["evidence"]
    for step in path.split("."):
        zh, en = zh[step], en[step]
    return zh, en


def both(zh: str, en: str) -> Markup:
    """The words in Chinese, and in English beside them."""
    return Markup('<span lang="zh-CN">{}</span> <span class="en" lang="en">{}</span>').format(visible(zh), visible(en))


def prose(name: str) -> Markup:
    """A paragraph in Chinese, and the same in English beside or below it."""
    zh, en = entry(f"prose.{name}")
    return Markup('<div class="both"><p>{}</p><p lang="en">{}</p></div>').format(zh, en)


def word(path: str) -> Markup:
    """The catalogue's words in both languages; a code that has none is shown as it is."""
    try:
        return both(*entry(path))
    except KeyError:
        return Markup("<code>{}</code>").format(visible(path.rpartition(".")[2]))


def level_word(editions: Editions, edition: str | None, code: str | None) -> Markup:
    """What the edition calls the level."""
    if code is None or code == NO_LEVEL:
        return both("无等级", "no level")
    found = editions[edition].levels.get(code) if edition is not None and edition in editions else None
    return both(found.zh, found.en) if found else Markup("<code>{}</code>").format(visible(code))


def reason_word(edition: Edition | None, act: str | None, code: str) -> Markup:
    """What the edition calls the ground of such an act."""
    found = edition.reasons_by_act.get(act or "", {}).get(code) if edition else None
    return both(found.zh, found.en) if found else Markup("<code>{}</code>").format(visible(code))


def because_word(edition: Edition, because: str) -> Markup:
    """The rule that decided a grade."""
    kind, _, named = because.partition(":")
    level, element = edition.levels.get(named), edition.elements.get(named)
    names = (level.zh, level.en) if level else (named, named)
    names = (f"{named} {element.zh}", f"{named} {element.en}") if element else names
    try:
        zh, en = entry(f"because.{kind}")
    except KeyError:
        return Markup("<code>{}</code>").format(visible(because))
    return both(zh.format(named=names[0]), en.format(named=names[1]))


def criterion_word(edition: Edition, rule: str) -> Markup:
    """What the edition states under the key."""
    stated = edition.stated.get(rule)
    return both(*in_words(stated, edition)) if stated else Markup("<code>{}</code>").format(rule)


def instant(at: datetime | None) -> str:
    """Beijing time to the second: the same in both languages."""
    return f"{at.astimezone(ZONE):%Y-%m-%d %H:%M:%S}" if at else NOTHING


def score(text: str | None) -> str:
    """An exact score as a decimal, where it has one that ends; else cut off, beside the fraction: never rounded up."""
    if text is None:
        return NOTHING
    try:
        exact = Fraction(text)
    except (ValueError, ZeroDivisionError):
        return visible(text)
    cut = Fraction(int(exact * 10**SHOWN_DECIMALS), 10**SHOWN_DECIMALS)
    return shown(cut) if cut == exact else f"{shown(cut)}… ({text})"


def total(marks: Iterable[str | None]) -> str:
    """The sum of the marks, exactly."""
    try:
        return shown(sum((Fraction(each) for each in marks if each is not None), Fraction(0)))
    except (ValueError, ZeroDivisionError):
        return NOTHING


def value(told: Any) -> Markup:
    """A value as it is, of whatever kind."""
    match told:
        case None:
            return NO_VALUE
        case bool():
            return word("text.yes" if told else "text.no")
        case list() | tuple():
            return Markup(", ").join(map(value, told)) if told else NO_VALUE
        case dict():
            parts = (Markup("{} = {}").format(visible(str(name)), value(each)) for name, each in told.items())
            return Markup("; ").join(parts)
        case str() if DAY.fullmatch(told):
            return day(told)
        case _:
            return Markup("<bdi>{}</bdi>").format(visible(str(told)))
