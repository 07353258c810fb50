"""One certificate under two answers, the record's or editions': what differs, where it began, and by which rule.

A line is what a report, a signature and an adoption are about: a value, digested, the same whenever it is made from the
same facts.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from typing import Any, Literal
from uuid import UUID

import msgspec

from lifecycle import events as e
from lifecycle.certificate import Certificate, evolve
from lifecycle.history import History
from lifecycle.questions import BAR, OUTCOMES_OF, Outcomes
from lifecycle.rehearsal.answers import ALWAYS, Answering, AsRecorded, NotJudged, Period, UnderEdition, status_on
from lifecycle.rehearsal.gist import Asked, Gist, take_in
from lifecycle.rules import Edition
from lifecycle.transitions import LIVE, Status

Question = Literal["grade", "validity", "visit", "notice", "coverage", "quota", "suspension", "bar"]
Effect = Literal["gains", "loses", "mixed", "none"]
Differing = tuple[Question, Any, Any, tuple[str, ...]]
"""A question, two answers, and the rules that may have made the second."""


class Stands(msgspec.Struct, frozen=True):
    """What stands in the end; ``visit_on`` where the certificate is in force."""

    level: str | None
    status: Status
    valid_until: date | None
    visit_on: date | None


class Flip(msgspec.Struct, frozen=True):
    """Where an answer first differs: the fact that asked, both answers, and the rule that made the later one.

    ``rule`` is a key of the edition's text; ``clause`` its source, None where it is assumed.
    """

    question: Question
    version: int
    topic: str
    on: date
    before: str | None
    after: str | None
    rule: str
    clause: str | None


class Line(msgspec.Struct, frozen=True):
    """One certificate; ``version`` is that of its last fact read."""

    certificate: UUID
    number: str | None
    holder: str | None
    edition: str
    version: int
    before: Stands
    after: Stands
    effect: Effect
    flips: tuple[Flip, ...]
    not_judged: tuple[NotJudged, ...]

    @property
    def is_affected(self) -> bool:
        return bool(self.flips)

    @property
    def digest(self) -> str:
        """The SHA-256 of what the line says, as JSON. It stays where a later fact changed nothing but the version."""
        return hashlib.sha256(msgspec.json.encode(msgspec.structs.replace(self, version=0))).hexdigest()


class Comparing:
    """How certificates are compared: the record, or the edition ``against``, with ``edition``, as on a day."""

    def __init__(
        self,
        edition: Edition,
        editions: Mapping[str, Edition],
        on: date,
        *,
        against: Edition | None = None,
        period: Period = ALWAYS,
    ) -> None:
        self.edition, self.editions, self.on, self.against, self.period = edition, editions, on, against, period
        self.ranks = {level: -place for place, level in enumerate(edition.levels)} | {"none": -len(edition.levels)}

    def line(self, history: History) -> Line | None:
        """The certificate's line; None where no question was put that is the edition's."""
        if not self._concerns(history):
            return None
        certificate, further = _beginning(history)
        flips, asked = dict[str, Flip](), False
        before: Answering = self._before()
        after = UnderEdition(self.edition, self.editions, self.period)
        for at, fact in history.facts:
            if type(fact) in OUTCOMES_OF:
                said = before.answer(certificate, at, fact)
                says = after.answer(certificate, at, fact)
                asked = asked or (bool(says) and self.period.covers(fact.effective_on))
                if said != says:
                    self._note(flips, certificate, at, fact, self._differing(said, says, after.level))
            further(certificate, at, fact)
        return self._line(certificate, history.version, flips, before, after) if asked else None

    def _concerns(self, history: History) -> bool:
        return getattr(history.facts[0][1], "scheme", None) == self.edition.scheme

    def _before(self) -> AsRecorded | UnderEdition:
        if self.against is None:
            return AsRecorded(self.editions)
        return UnderEdition(self.against, self.editions, self.period)

    def _line(
        self, certificate: Asked, version: int, flips: dict[str, Flip], before: Answering, after: UnderEdition
    ) -> Line:
        stood, stands = self._stands(certificate, before), self._stands(certificate, after)
        return Line(
            certificate=certificate.id,
            number=certificate.numbers.last,
            holder=certificate.holders.last,
            edition=certificate.edition,
            version=version,
            before=stood,
            after=stands,
            effect=self._effect(stood, stands),
            flips=tuple(flips.values()),
            not_judged=tuple(after.not_judged),
        )

    def _stands(self, certificate: Asked, answering: Answering) -> Stands:
        status = status_on(certificate, answering, self.on)
        due = answering.due if status in LIVE else None
        return Stands(answering.level, status, answering.periods.last, due.visit_on if due else None)

    def _effect(self, before: Stands, after: Stands) -> Effect:
        if before == after:
            return "none"
        signs = {sign for sign in self._signs(before, after) if sign}
        return "mixed" if len(signs) == 2 else "gains" if 1 in signs else "loses" if signs else "none"

    def _signs(self, before: Stands, after: Stands) -> Iterator[int]:
        """For level, validity and visit: 1 where it is better for the holder, -1 where it is worse."""
        if before.level in self.ranks and after.level in self.ranks:
            yield _sign(self.ranks[before.level], self.ranks[after.level])
        if before.valid_until and after.valid_until:
            yield _sign(before.valid_until, after.valid_until)
        if before.visit_on and after.visit_on:
            yield _sign(before.visit_on, after.visit_on)

    def _note(
        self, flips: dict[str, Flip], certificate: Asked, version: int, fact: e.Fact, found: Iterable[Differing]
    ) -> None:
        """The first time that a question is answered in two ways."""
        old = self.against or self.editions[fact.edition or certificate.edition]
        for question, before, now, rules in found:
            if question not in flips:
                rule = next((rule for rule in rules if self._differs(rule, old)), rules[0])
                stated = self.edition.stated.get(rule)
                flips[question] = Flip(
                    question=question,
                    version=version,
                    topic=e.topic_of(fact),
                    on=fact.effective_on,
                    before=_text(before),
                    after=_text(now),
                    rule=rule,
                    clause=stated.clause if stated else None,
                )

    def _differs(self, rule: str, old: Edition) -> bool:
        mine, others = self.edition.stated.get(rule), old.stated.get(rule)
        return mine is not None and (others is None or mine.value != others.value)

    def _differing(self, said: Outcomes, says: Outcomes, level: str | None) -> Iterator[Differing]:
        """Each question that is answered in two ways, and the rules that may have made the second answer; not what
        cannot be judged, or follows from a level that cannot."""
        if says.get("/level") is not None and said["/level"] != says["/level"]:
            yield "grade", said["/level"], says["/level"], self._grading_rules(said["/level"], says)
        if "/valid_until" in says and said["/valid_until"] != says["/valid_until"]:
            yield "validity", said["/valid_until"], says["/valid_until"], _VALIDITY
        if "/due" in says and said["/due"] != says["/due"] and (says["/due"] is not None or level is not None):
            yield from _differing_due(said["/due"], says["/due"], level)
        for path, question, rule in _PLAIN:
            if path in says and said[path] != says[path]:
                yield question, said[path], says[path], (rule,)

    def _grading_rules(self, said: str | None, says: Outcomes) -> tuple[str, ...]:
        """What kept the better of two levels from being earned, or let it be earned."""
        because, _, named = (says.get("/because") or "").partition(":")
        if because == "knock_out":
            return ("scoring.deductions_fail_from" if named == "deductions" else "scoring.knock_out.count",)
        if because == "open_nonconformity":
            return (f"elements[{named}]", "scoring.conformity_required")
        known: list[str] = [each for each in (said, says["/level"]) if each is not None and each in self.edition.levels]
        better = max(known, key=self.ranks.__getitem__, default=None)
        return (f"levels[{better}].at_least", f"levels[{better}]")


def _beginning(history: History) -> tuple[Asked, Callable[[Any, int, Any], None]]:
    """A state before the first fact, and what takes it on: narrow facts say the gist of it."""
    if isinstance(history.facts[0][1], e.Fact):
        return Certificate(history.id), evolve
    return Gist(history.id), take_in


_VALIDITY = ("parameters.validity_months", "parameters.validity_ends")

_PLAIN: tuple[tuple[str, Question, str], ...] = (
    ("/quota", "quota", "parameters.sample_percent_each_year"),
    ("/ends_on", "suspension", "parameters.suspension_max_months"),
    (BAR, "bar", "parameters.bar_after_withdrawal_months"),
)


def _differing_due(before: e.Due | None, now: e.Due | None, level: str | None) -> Iterator[Differing]:
    if before is None or now is None:
        yield "visit", before and before.visit_on, now and now.visit_on, ("levels",)
        return
    if before.visit_on != now.visit_on:
        yield "visit", before.visit_on, now.visit_on, (f"levels[{level}].interval", "parameters.grace_days")
    elif before.notice_on != now.notice_on or before.grace_until != now.grace_until:
        yield "notice", before.notice_on, now.notice_on, ("parameters.notice_window_days", "parameters.grace_days")
    if before.coverage_on != now.coverage_on:
        yield "coverage", before.coverage_on, now.coverage_on, ("parameters.coverage_months", "elements")


def _sign(before: Any, after: Any) -> int:
    return (after > before) - (after < before)


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
