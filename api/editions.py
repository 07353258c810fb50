"""Editions as people name them: a file, or the id of a published one."""

from collections.abc import Mapping
from pathlib import Path

from api.terminal import Unfit
from lifecycle.rules import Edition, load_edition
from lifecycle.rules.succession_checks import check_succession


def edition_named(name: str, editions: Mapping[str, Edition]) -> Edition:
    """The edition in the file, held against the one that it follows, or the published one with that id.

    Raises MalformedEdition, and Unfit where there is neither.
    """
    if name in editions:
        return editions[name]
    path = Path(name)
    if not path.is_file():
        raise Unfit(f"{name} is neither a file nor a published edition. Published: {', '.join(sorted(editions))}.")
    edition = load_edition(_text(path), file=path.name)
    if edition.succession is not None and edition.succession.of in editions:
        check_succession(edition, editions[edition.succession.of], path.name)
    return edition


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise Unfit(f"{path} is not text in UTF-8: {error.reason} at byte {error.start}.") from error
