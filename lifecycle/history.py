"""A certificate's history as it reads, corrections applied: the facts with their versions."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple
from uuid import UUID

from lifecycle import events as e
from lifecycle.amendment import amend
from lifecycle.events import Recorded


class History(NamedTuple):
    """One stream's facts, or those of them that matter to a question; ``version`` is that of its last one."""

    id: UUID
    version: int
    facts: list[tuple[int, e.Fact]]


def history_of(id: UUID, recorded: Sequence[Recorded]) -> History:
    """The whole stream as it reads."""
    return History(id, recorded[-1].version, [(each.version, each.fact) for each in amend(recorded)])


def amended(id: UUID, versions: Iterable[int], facts: Sequence[e.Fact]) -> list[tuple[int, e.Fact]]:
    """The facts with their versions, as they read with every correction among them."""
    pairs = list(zip(versions, facts, strict=True))
    if all(type(fact) is not e.RecordCorrected for fact in facts):
        return pairs
    return [(each.version, each.fact) for each in amend([Recorded(id, version, fact) for version, fact in pairs])]
