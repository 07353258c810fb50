"""What was put in question about a certificate: its corrections, appeals and complaints, and what became of each."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Literal, NamedTuple

from lifecycle import events as e
from lifecycle.events import Recorded
from lifecycle.spans import day_of

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
    return [*_disputes(history)]


def _disputes(history: Sequence[Recorded]) -> Iterator[Dispute]:
    effective = {recorded.version: recorded.fact.effective_on for recorded in history}
    for recorded in history:
        match recorded.fact:
            case e.RecordCorrected() as fact:
                about_on = effective.get(fact.target)
                yield Dispute("correction", recorded.version, fact, day_of(recorded), fact.target, about_on)
            case e.AppealLodged() as fact:
                found = Dispute(
                    "appeal", recorded.version, fact, day_of(recorded), fact.against, effective.get(fact.against),
                    served_on=_served_on(history, fact.against),
                )  # fmt: skip
                yield _with_its_end(found, history)
            case e.ComplaintLodged() as fact:
                found = Dispute("complaint", recorded.version, fact, day_of(recorded), None, None)
                yield _with_its_end(found, history)


def _with_its_end(found: Dispute, history: Sequence[Recorded]) -> Dispute:
    """With its decision, where there is one, and what followed from it."""
    followed = tuple(each.version for each in history if getattr(each.fact, "appeal", None) == found.version)
    for recorded in history:
        fact = recorded.fact
        if isinstance(fact, e.AppealDecided | e.ComplaintDecided) and fact.case == found.version:
            return found._replace(
                decided=recorded.version, decided_on=day_of(recorded), decision=fact, followed=followed
            )
    return found._replace(followed=followed)


def _served_on(history: Sequence[Recorded], version: int) -> date | None:
    notices = (each.fact for each in history if isinstance(each.fact, e.HolderNotified))
    return next((fact.served_on for fact in notices if fact.of == version), None)
