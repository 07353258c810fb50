"""Holds an edition against the one before it: the days of the transition, and where each element has gone."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from lifecycle.rules.scheme_terms import Contents, ElementRow, MalformedEdition, Succession

Contradiction = tuple[str, str, str]
"""Key, what was expected there, what was found."""

SHAPES = {
    "same": "one old element and one new one",
    "split": "one old element and several new ones",
    "merged": "several old elements and one new one",
    "dropped": "old elements and no new one",
    "new": "new elements and no old one",
}


def check_succession(contents: Contents, before: Contents, file: str) -> None:
    """No element of the edition before is lost and none comes from nowhere; else MalformedEdition."""
    for key, expected, found in _against(contents, before):
        raise MalformedEdition(file, key, expected, found)


def succession(contents: Contents) -> Iterator[Contradiction]:
    """What does not hold in what an edition says of the one before."""
    if contents.succession is not None:
        yield from _heading(contents, contents.succession)
        yield from _rows(contents, contents.succession)


def _heading(contents: Contents, said: Succession) -> Iterator[Contradiction]:
    if not said.of.startswith(f"{contents.scheme}:") or said.of == contents.id:
        yield "succession.of", f"another edition of {contents.scheme}", repr(said.of)
    if said.last_decision_on < contents.effective_from - timedelta(days=1):
        expected = f"the eve of {contents.effective_from} or later: every day has an edition to decide under"
        yield "succession.last_decision_on", expected, str(said.last_decision_on)
    if said.transition_ends_on < said.last_decision_on:
        yield "succession.transition_ends_on", f"not before {said.last_decision_on}", str(said.transition_ends_on)


def _rows(contents: Contents, said: Succession) -> Iterator[Contradiction]:
    for index, row in enumerate(said.elements):
        key = f"succession.elements[{index}]"
        if not _has_shape(row):
            yield key, f"{SHAPES[row.kind]} where the kind is {row.kind}", f"{len(row.old)} old, {len(row.new)} new"
        if stray := next((code for code in row.new if code not in contents.elements), None):
            yield f"{key}.new", "codes of elements of this edition", repr(stray)
    for side in ("old", "new"):
        counted = Counter(code for row in said.elements for code in getattr(row, side))
        if twice := next((code for code, times in counted.items() if times > 1), None):
            yield f"succession.elements.{side}", "each element once", repr(twice)


def _has_shape(row: ElementRow) -> bool:
    old, new = len(row.old), len(row.new)
    return {
        "same": old == new == 1,
        "split": old == 1 and new > 1,
        "merged": old > 1 and new == 1,
        "dropped": old > 0 and new == 0,
        "new": old == 0 and new > 0,
    }[row.kind]


def _against(contents: Contents, before: Contents) -> Iterator[Contradiction]:
    said = contents.succession
    if said is None or said.of != before.id:
        yield "succession.of", repr(before.id), repr(said.of) if said else "nothing"
        return
    old = {code for row in said.elements for code in row.old}
    new = {code for row in said.elements for code in row.new}
    if stray := next((code for row in said.elements for code in row.old if code not in before.elements), None):
        yield "succession.elements.old", f"codes of elements of {before.id}", repr(stray)
    kept = {code for code in before.elements if code not in old and code in contents.elements and code not in new}
    if lost := next((code for code in before.elements if code not in old | kept), None):
        yield "succession.elements.old", f"a row for element {lost} of {before.id}", "none"
    if sourceless := next((code for code in contents.elements if code not in new | kept), None):
        yield "succession.elements.new", f"a row for element {sourceless}", "none"
