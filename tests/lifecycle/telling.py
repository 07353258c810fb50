"""How a story is told: acts of persons on days go through the real decisions, and are read back as facts.

What a decision returns is appended to the history after it has been through its stored form. ``refusing`` holds that a
refusal records nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, Self
from uuid import UUID

import pytest

from lifecycle import commands as c
from lifecycle import decide, errors
from lifecycle import events as e
from lifecycle.certificate import Certificate, fold
from lifecycle.decisions.clock import owed
from lifecycle.decisions.moment import Moment
from lifecycle.events import Recorded
from lifecycle.periods import day_start, legal_day
from lifecycle.rules import Edition, shipped_editions
from lifecycle.status import Answer, answer_on

CERTIFICATE = UUID("11111111-1111-4111-8111-111111111111")
ORGANISATION = UUID("22222222-2222-4222-8222-222222222222")
CSP = "CSP-S01-001"
EDITION = "CSP-S01-001:2021"
SHA = "0" * 64

ROLES: dict[str, e.Role] = {
    "reg": "registrar",
    "ana": "assessor",
    "bob": "assessor",
    "rev": "decision_maker",
    "dora": "decision_maker",
    "dan": "decision_maker",
    "dina": "decision_maker",
    "holder": "applicant",
}
"""The persons of every story, with the role each acts in unless another is given."""


def day(text: str) -> date:
    return date.fromisoformat(text)


def around(text: str) -> tuple[date, date, date]:
    """The day before, the day, the day after."""
    the_day = day(text)
    return the_day - e.ONE_DAY, the_day, the_day + e.ONE_DAY


def reasons(*codes: str) -> tuple[e.Reason, ...]:
    return tuple(e.Reason(code) for code in codes)


def decimal(value: Fraction) -> str:
    """An exact decimal string of a fraction that has one."""
    return str(Decimal(value.numerator) / Decimal(value.denominator))


class Telling:
    """One certificate's stream in the making. ``today`` is the day; every act records what the decisions return.

    ``edition`` is the one in force for what will be applied for; ``editions`` are all there are.
    """

    def __init__(
        self, today: str = "2024-01-15", editions: dict[str, Edition] | None = None, edition: str = EDITION
    ) -> None:
        self.today = day(today)
        self.history: list[Recorded] = []
        self.editions = editions or shipped_editions()
        self.edition_applied_for = edition
        self.conflicts: dict[str, frozenset[UUID]] = {person: frozenset() for person in ROLES}
        self.serial = 0

    # ---- acts --------------------------------------------------------------------------------------------------------

    def on(self, today: str | date) -> Self:
        self.today = day(today) if isinstance(today, str) else today
        return self

    def moment(self, person: str, *, role: e.Role | None = None, key: str | None = None) -> Moment:
        self.serial += 1
        return Moment(
            today=self.today,
            by=e.By(person, role or ROLES[person], key or f"key-{person}"),
            cause=e.Cause("request", f"r{self.serial}"),
            editions=self.editions,
            number=f"CSP-S01-{self.today.year}-{self.serial:05d}",
            conflicts=self.conflicts,
        )

    def does(self, person: str, command: c.Command, **key: Any) -> list[e.Fact]:
        """One person acts alone."""
        return self._append(decide.decide(self.certificate, command, self.moment(person, **key)))

    def proposes(self, person: str, command: c.Command, **key: Any) -> int:
        """The number of the proposal."""
        self._append(decide.propose(self.certificate, command, self.moment(person, **key)))
        return self.history[-1].version

    def approves(self, person: str, proposal: int, digest: str | None = None, **key: Any) -> list[e.Fact]:
        digest = digest or self.certificate.proposals[proposal].proposed.digest
        return self._append(decide.approve(self.certificate, proposal, digest, self.moment(person, **key)))

    def rejects(self, person: str, proposal: int, **key: Any) -> list[e.Fact]:
        return self._append(decide.reject(self.certificate, proposal, "not so", self.moment(person, **key)))

    def both(self, command: c.Command, persons: tuple[str, str] = ("dora", "dan")) -> list[e.Fact]:
        """Two persons act: the first proposes, the second approves."""
        return self.approves(persons[1], self.proposes(persons[0], command))

    def ticks(self) -> list[e.Fact]:
        return self._append(owed(self.certificate, self.today))

    def given(self, *facts: e.Fact) -> Self:
        """Facts put into the stream as they are."""
        self._append(facts)
        return self

    @contextmanager
    def refusing(self, refusal: type[errors.Refusal], **facts: Any) -> Iterator[None]:
        """What is asked inside is refused so, for these facts, and nothing is recorded."""
        before = list(self.history)
        with pytest.raises(refusal) as caught:
            yield
        assert self.history == before, "a refusal records nothing"
        assert {name: caught.value.facts[name] for name in facts} == facts
        assert all(caught.value.message(language) for language in ("en", "zh"))

    def _append(self, facts: Iterable[e.Fact]) -> list[e.Fact]:
        facts = list(facts)
        instant = day_start(self.today) + timedelta(hours=9, seconds=len(self.history))
        for fact in facts:
            version = len(self.history) + 1
            assert e.decode(e.encode(fact)) == fact, "every fact survives its storage"
            self.history.append(Recorded(CERTIFICATE, version, fact, version, instant))
        return facts

    # ---- reading back ------------------------------------------------------------------------------------------------

    @property
    def certificate(self) -> Certificate:
        return fold(CERTIFICATE, tuple(self.history))

    def known_on(self, known: date) -> Certificate:
        """The certificate as it was known at the end of that legal day."""
        return fold(CERTIFICATE, tuple(r for r in self.history if legal_day(r.recorded_at) <= known))

    @property
    def last(self) -> e.Fact:
        return self.history[-1].fact

    @property
    def names(self) -> list[str]:
        return [type(recorded.fact).__name__ for recorded in self.history]

    @property
    def clock_facts(self) -> list[e.Fact]:
        return [recorded.fact for recorded in self.history if recorded.fact.cause.kind == "clock"]

    @property
    def edition(self) -> Edition:
        return self.editions[self.certificate.edition or self.edition_applied_for]

    @property
    def number(self) -> str:
        """The number printed last."""
        return [r.fact.number for r in self.history if isinstance(r.fact, e.Certificate)][-1]

    def case(self, kind: str) -> int:
        return max(case.version for case in self.certificate.cases.values() if case.kind == kind)

    def version_of(self, fact: type[e.Fact]) -> int:
        """The version of the last such fact."""
        return max(recorded.version for recorded in self.history if isinstance(recorded.fact, fact))

    def status_on(self, on: date) -> str:
        return self.certificate.status_on(on)

    def shown(self, number: str | None = None, on: date | None = None) -> Answer:
        """What the public is told today of a number (the last printed), for a day (today)."""
        return shown(self.certificate, number or self.number, on or self.today, self.editions)


def shown(certificate: Certificate, number: str, on: date, editions: dict[str, Edition]) -> Answer:
    """The public answer, from whatever is known of the certificate."""
    stars = {id: {code: level.stars for code, level in each.levels.items()} for id, each in editions.items()}
    return answer_on(certificate, number, on, stars)
