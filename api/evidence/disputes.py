"""What was put in question about a certificate: its corrections, appeals and complaints, and what became of each."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Literal, NamedTuple

from lifecycle import events as e
from lifecycle.events import Recorded
from lifecycle.evidence.spans import day_of

Kind = Literal["correction", "appeal", "complaint"]


class Dispute(NamedTuple):
    """``about`` is the version of the event it is about; ``followed`` are the events that act on it."""

    kind: Kind
    version: int
    fact: e.RecordCorrected | e.AppealLodged | e.ComplaintLodged
    raised_on: date
    about: int | None
    about_on: date | None
    served_on: date | None = None
    decided: int | None = None
    decided_on: date | None = None
    decision: e.AppealDecided | e.ComplaintDecided | None = None
    followed: tuple[int, ...] = ()


def disputes(history: Sequence[Recorded]) -> list[Dispute]:
    """All of them, in the order in which they were recorded."""
    return [*_disputes(history, _Ends.of(history))]


class _Ends(NamedTuple):
    """What became of disputes, by the version of each; when the first notice of an event was served, by the event's."""

    decided: dict[int, Recorded]
    followed: dict[int, list[int]]
    served_on: dict[int, date]

    @classmethod
    def of(cls, history: Sequence[Recorded]) -> "_Ends":
        """Gathered in one walk, so that a history's telling grows as the history does."""
        ends = cls({}, defaultdict(list), {})
        for recorded in history:
            match fact := recorded.fact:
                case e.AppealDecided() | e.ComplaintDecided() if fact.case is not None:
                    ends.decided.setdefault(fact.case, recorded)
                case e.HolderNotified():
                    ends.served_on.setdefault(fact.of, fact.served_on)
            if (appeal := getattr(fact, "appeal", None)) is not None:
                ends.followed[appeal].append(recorded.version)
        return ends


def _disputes(history: Sequence[Recorded], ends: _Ends) -> Iterator[Dispute]:
    effective = {recorded.version: recorded.fact.effective_on for recorded in history}
    for recorded in history:
        match recorded.fact:
            case e.RecordCorrected() as fact:
                about_on = effective.get(fact.target)
                yield Dispute("correction", recorded.version, fact, day_of(recorded), fact.target, about_on)
            case e.AppealLodged() as fact:
                found = Dispute(
                    "appeal", recorded.version, fact, day_of(recorded), fact.against, effective.get(fact.against),
                    served_on=ends.served_on.get(fact.against),
                )  # fmt: skip
                yield _with_its_end(found, ends)
            case e.ComplaintLodged() as fact:
                found = Dispute("complaint", recorded.version, fact, day_of(recorded), None, None)
                yield _with_its_end(found, ends)


def _with_its_end(found: Dispute, ends: _Ends) -> Dispute:
    """With its decision, where there is one, and what followed from it."""
    found = found._replace(followed=tuple(ends.followed.get(found.version, ())))
    if (recorded := ends.decided.get(found.version)) is None:
        return found
    return found._replace(decided=recorded.version, decided_on=day_of(recorded), decision=recorded.fact)
