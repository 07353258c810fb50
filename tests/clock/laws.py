"""What holds of every certificate at every moment, whatever happened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import pairwise

from lifecycle import events as e
from lifecycle.certificate import Certificate, fold
from lifecycle.events import Recorded, topic_of
from lifecycle.periods import legal_day
from lifecycle.replay import replay
from lifecycle.rules import Edition
from lifecycle.status import Stars, answer_on, segments
from lifecycle.transitions import LIVE, STAGE, STAGED, STATUS


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


def untimely(history: Sequence[Recorded]) -> Iterator[str]:
    """Facts recorded out of order or before their day, and visits announced twice."""
    for earlier, recorded in pairwise(history):
        if recorded.recorded_at < earlier.recorded_at or recorded.position <= earlier.position:
            yield f"version {recorded.version} was recorded before version {earlier.version}"
    for recorded in history:
        if recorded.fact.effective_on > legal_day(recorded.recorded_at):
            yield f"version {recorded.version} was recorded before its day"
    for kind in (e.SurveillanceDue, e.SurveillanceOverdue):
        due = Counter(recorded.fact.due_on for recorded in history if isinstance(recorded.fact, kind))
        yield from (f"{kind.__name__} of {on} {times} times" for on, times in due.items() if times > 1)


def unaccountable(certificate: Certificate, editions: Mapping[str, Edition]) -> Iterator[str]:
    """Outcomes that the facts' own editions do not give, unless a correction says so."""
    corrections = [r.fact for r in certificate.history if isinstance(r.fact, e.RecordCorrected)]
    corrected = {(outcome.version, outcome.path) for fact in corrections for outcome in fact.recomputed}
    for found in replay(certificate.id, certificate.history, editions).differences:
        if (found.version, found.path) not in corrected:
            yield f"version {found.version}: {found.path} is {found.old}, and its edition gives {found.value}"


def misleading(certificate: Certificate, stars: Stars) -> Iterator[str]:
    """Public answers that turn on other days than their segments say."""
    for number in certificate.numbers.values:
        found = segments(certificate, number, stars)
        days = [day for day, _ in found]
        if days != sorted(set(days)):
            yield f"the days of {number} are out of order"
        for day, shown in found:
            if answer_on(certificate, number, day, stars) != shown:
                yield f"{number} on {day} is not what its segment says"
            before = [earlier for on, earlier in found if on < day][-1:]
            if before and answer_on(certificate, number, day - timedelta(days=1), stars) != before[0]:
                yield f"{number} turned before {day}"


def inconsistent(certificate: Certificate) -> Iterator[str]:
    """A status that the days do not give, or a certificate in force without a day for its next visit."""
    last = legal_day(certificate.history[-1].recorded_at)
    if certificate.status != certificate.status_on(last):
        yield f"recorded as {certificate.status}, by its days {certificate.status_on(last)} on {last}"
    if certificate.status in LIVE and (certificate.due is None or certificate.valid_until is None):
        yield "in force, and nothing is due"
