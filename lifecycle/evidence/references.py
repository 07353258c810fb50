"""Which other events of its stream an event is about."""

from collections.abc import Iterator

import msgspec

from lifecycle import events as e


class Reference(msgspec.Struct, frozen=True):
    """The event is about another of the same stream: its proposal, the fact it corrects, tells of, appeals against."""

    link: str
    version: int


def references(fact: e.Fact) -> Iterator[Reference]:
    """The events of its own stream that the fact is about."""
    if fact.proposal is not None:
        yield Reference("proposal", fact.proposal)
    match fact:
        case e.RecordCorrected():
            yield Reference("corrects", fact.target)
            yield from (Reference("leaves_unsupported", each) for each in fact.unsupported)
        case e.HolderNotified():
            yield Reference("tells", fact.of)
        case e.DocumentSealed():
            yield Reference("prints", fact.of)
        case e.AppealLodged():
            yield Reference("appeals_against", fact.against)
        case e.AppealDecided() | e.ComplaintDecided() if fact.case is not None:
            yield Reference("decides", fact.case)
        case e.GradeDetermined():
            yield Reference("grades", fact.assessment)
    if (appeal := getattr(fact, "appeal", None)) is not None:
        yield Reference("upholds", appeal)
