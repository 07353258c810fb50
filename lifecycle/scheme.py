"""One scheme: its editions, each published once with its full text and digest, for ever."""

from collections.abc import Iterable, Mapping
from uuid import UUID, uuid5

from lifecycle import events as e
from lifecycle.decisions.moment import Moment
from lifecycle.events import Recorded
from lifecycle.rules import Edition, load_edition

_NAMESPACE = UUID("a4d2f6b8-7c1e-5e2a-b6d3-2c8f0e9b1d55")


class EditionChanged(Exception):
    """A shipped edition's text differs from the one published under the same id: the service does not start."""

    def __init__(self, edition: str, published: str, shipped: str) -> None:
        self.edition, self.published, self.shipped = edition, published, shipped
        super().__init__(
            f"The edition {edition} was published with digest {published}, and the shipped file has {shipped}. "
            "A published edition never changes: restore the file, or give the new text an id of its own."
        )


def id_of(scheme: str) -> UUID:
    """The stream of the scheme with that code."""
    return uuid5(_NAMESPACE, scheme)


def fold(history: Iterable[Recorded]) -> dict[str, Edition]:
    """The scheme's published editions by id, each loaded from the text that was published."""
    facts = (recorded.fact for recorded in history)
    return {
        fact.published: load_edition(fact.text, file=fact.published)
        for fact in facts
        if isinstance(fact, e.EditionPublished)
    }


def publish(published: Mapping[str, Edition], shipped: Iterable[Edition], moment: Moment) -> list[e.Fact]:
    """A fact for each shipped edition that was not published yet. Raises EditionChanged."""
    facts: list[e.Fact] = []
    for edition in shipped:
        known = published.get(edition.id)
        if known is None:
            facts.append(
                e.EditionPublished(
                    **moment.stamp(moment.today),
                    scheme=edition.scheme,
                    published=edition.id,
                    digest=edition.digest,
                    text=edition.text,
                )
            )
        elif known.digest != edition.digest:
            raise EditionChanged(edition.id, known.digest, edition.digest)
    return facts
