"""Editions as people name them: a file, or the id of a published one."""

from collections.abc import Mapping
from pathlib import Path

from api.terminal import Unfit
from lifecycle.commands import LONGEST_EDITION
from lifecycle.rules import Edition, MalformedEdition, load_edition
from lifecycle.rules.succession_checks import check_succession


def edition_named(name: str, editions: Mapping[str, Edition]) -> Edition:
    """The edition in the file, held against those published, or the published one with that id. A draft's days are
    not asked after: they are when it is published.

    Raises MalformedEdition, and Unfit where there is neither.
    """
    if name in editions:
        return editions[name]
    path = Path(name)
    if not path.is_file():
        raise Unfit(f"{name} is neither a file nor a published edition. Published: {', '.join(sorted(editions))}.")
    edition = load_edition(_text(path), file=path.name)
    _require_fitting(edition, editions, path.name)
    return edition


def _require_fitting(edition: Edition, editions: Mapping[str, Edition], file: str) -> None:
    """Its id stands for no other text, and it says where the elements have gone."""
    published, said = editions.get(edition.id), edition.succession
    if published is not None and published.digest != edition.digest:
        expected = f"an id of its own: {edition.id} is the text with digest {published.digest[:16]}"
        raise MalformedEdition(file, "edition.id", expected, f"it for the text with digest {edition.digest[:16]}")
    if said is not None:
        if said.of not in editions:
            raise MalformedEdition(file, "succession.of", f"one of {', '.join(sorted(editions))}", repr(said.of))
        check_succession(edition, editions[said.of], file)
        return
    siblings = [each for each in editions.values() if each.scheme == edition.scheme]
    if siblings and all(each.elements.keys() != edition.elements.keys() for each in siblings):
        latest = max(siblings, key=lambda each: (each.effective_from, each.id))
        raise MalformedEdition(file, "succession", f"where each element of {latest.id} has gone", "nothing")


def _text(path: Path) -> str:
    if (size := path.stat().st_size) > LONGEST_EDITION:
        raise Unfit(f"{path} has {size} bytes. An edition has at most {LONGEST_EDITION}.")
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise Unfit(f"{path} is not text in UTF-8: {error.reason} at byte {error.start}.") from error
