"""Editions made up from the first scheme's text, and what they answer over a told story."""

from __future__ import annotations

from datetime import date

from lifecycle.history import history_of
from lifecycle.rehearsal.answers import ALWAYS, Period
from lifecycle.rehearsal.comparison import Comparing, Flip, Line
from lifecycle.rules import Edition, load_edition, shipped_editions
from tests.corpus.boundaries import editions
from tests.lifecycle.story import EDITION, Story, day

TEXT = shipped_editions()[EDITION].text
NEW = "CSP-S01-001:2027"
FIVE, BELOW_FIVE = 'at_least = { value = "95"', 'below = { value = "95"'


def made_up(*replaced: tuple[str, str], id: str = NEW, more: str = "") -> Edition:
    """The shipped text under another id, each (old, new) replaced; every old text must stand in it."""
    text = TEXT.replace(f'id = "{EDITION}"', f'id = "{id}"')
    for old, new in replaced:
        assert old in text, old
        text = text.replace(old, new)
    return load_edition(text + more, file=f"{id}.toml")


def five_stars_from(marks: str) -> Edition:
    return made_up((FIVE, FIVE.replace("95", marks)), (BELOW_FIVE, BELOW_FIVE.replace("95", marks)))


def comparing(
    edition: Edition, on: str | date = "2026-11-20", against: Edition | None = None, period: Period = ALWAYS
) -> Comparing:
    on = day(on) if isinstance(on, str) else on
    return Comparing(edition, editions(), on, against=against, period=period)


def line(story: Story, edition: Edition, **given) -> Line:
    """The story's line under the edition."""
    found = comparing(edition, given.pop("on", story.today), **given).line(history_of(*stream(story)))
    assert found is not None
    return found


def stream(story: Story):
    return story.history[0].originator_id, story.history


def flip(found: Line, question: str) -> Flip:
    return next(each for each in found.flips if each.question == question)
