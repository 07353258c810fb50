"""What holds of every certificate at every moment, whatever happened."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lifecycle.certificate import Certificate, fold
from lifecycle.events import Recorded, topic_of
from lifecycle.transitions import STAGE, STAGED, STATUS


def unlawful(history: Sequence[Recorded], after: int = 0) -> Iterator[str]:
    """The facts later than version ``after`` that the tables would refuse in the state of the prefix before them."""
    for place in range(after, len(history)):
        recorded = history[place]
        before = fold(recorded.originator_id, history[:place])
        if recorded.version != place + 1:
            yield f"version {recorded.version} stands at place {place + 1}"
        if (before.status, type(recorded.fact)) not in STATUS:
            yield f"version {recorded.version}: {topic_of(recorded.fact)} while {before.status}"
        yield from _out_of_stage(before, recorded)


def _out_of_stage(before: Certificate, recorded: Recorded) -> Iterator[str]:
    case, kind = before.cases.get(recorded.fact.case or 0), type(recorded.fact)
    if case is not None and kind in STAGED and (case.kind, case.stage, kind) not in STAGE:
        yield f"version {recorded.version}: {topic_of(recorded.fact)} in a {case.kind} case that is {case.stage}"
