"""What the rules of a scheme answer: pure questions to one immutable edition, loaded from a TOML text.

Levels, elements, reasons and periods are data of the edition; no name of one stands in the code.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, NamedTuple
from uuid import UUID

from lifecycle.events import Deduction, Due, ElementCarried
from lifecycle.periods import ONE_DAY, add_months, last_day_of_months
from lifecycle.rules import grading, sampling
from lifecycle.rules.grading import Found, Grade
from lifecycle.rules.scheme_file import read_contents
from lifecycle.rules.scheme_terms import Contents, ReasonText, UploadCode


class Edition(Contents):
    """One dated, immutable text of a scheme's rules, and what it answers."""

    def grade(
        self,
        findings: Iterable[Found],
        deductions: Sequence[Deduction],
        certification_type: str,
        accepts_conformity: bool,
    ) -> Grade:
        """The score and level that a full assessment earns; closed nonconformities are handed over as conforming."""
        return grading.grade(self, findings, deductions, certification_type, accepts_conformity)

    def check_assessment(
        self, findings: Iterable[Found], deductions: Sequence[Deduction], certification_type: str
    ) -> None:
        """The findings name every element once, with marks where they are scored; else MalformedFindings."""
        grading.check_assessment(self, tuple(findings), deductions, certification_type)

    def check_sample(self, findings: Iterable[Found], drawn: Iterable[str], certification_type: str) -> None:
        """The findings of a visit name known elements once, and all the drawn ones; else MalformedFindings."""
        grading.check_sample(self, tuple(findings), drawn, certification_type)

    def validity_end(self, valid_from: date) -> date:
        """The last valid day of a certificate."""
        anniversary = add_months(valid_from, self.validity_months)
        return anniversary - ONE_DAY if self.validity_ends == "day_before" else anniversary

    def due(self, anchor: date, level: str, checks: Mapping[str, date], *, changed_on: date | None = None) -> Due:
        """When the next visit falls due.

        ``checks`` has the day of each element's last check. ``changed_on`` is the day on which a change of level,
        edition or record shortened the interval: the visit is not due before it, nor overdue before the grace ends.
        """
        try:
            oldest = min(map(checks.__getitem__, self.elements))
        except KeyError:
            oldest = None
        return _due(self, anchor, level, oldest, changed_on)

    def carried(self, checks: Mapping[str, date]) -> tuple[ElementCarried, ...]:
        """What its elements take over from those of the edition that it is adopted after: nothing, for they are the
        same."""
        return ()

    def quota(self, anchor: date, on: date) -> int:
        """The least number of elements that a visit on that day takes, the last one having been on the anchor."""
        return sampling.quota(self, anchor, on)

    def draw(
        self, certificate_id: UUID, cycle: int, anchor: date, on: date, level: str, checks: Mapping[str, date]
    ) -> tuple[str, ...]:
        """The elements of a visit on that day, so that quota and coverage hold; the same for everybody who asks."""
        return sampling.draw(self, certificate_id, cycle, anchor, on, level, checks)

    def coverage_gaps(self, checks_after: Mapping[str, date], next_due: date) -> tuple[str, ...]:
        """The elements whose coverage would run out before the next due date; a visit that leaves one is refused."""
        return sampling.coverage_gaps(self, checks_after, next_due)

    def suspension_limit(self, started_on: date, valid_until: date) -> date:
        """The last day on which a suspension may end."""
        return min(last_day_of_months(started_on, self.suspension_max_months), valid_until)

    def reasons(self, act: str) -> Mapping[str, ReasonText]:
        """The reasons that the act may name, by code."""
        return self.reasons_by_act[act]

    def bar_until(self, withdrawn_on: date) -> date | None:
        """The last day on which the holder of a withdrawn certificate may not apply; None where it may at once."""
        return _bar(withdrawn_on, self.bar_after_withdrawal_months)

    def bar_until_after_expiry(self, expired_on: date) -> date | None:
        """The same after expiry."""
        return _bar(expired_on, self.bar_after_expiry_months)

    def appeal_until(self, served_on: date) -> date:
        """The last day on which an appeal may be lodged, the notice having been served on the day."""
        return served_on + timedelta(days=self.appeal_lodging_days)

    def appeal_decided_by(self, lodged_on: date) -> date:
        """The last day on which an appeal is decided in time."""
        return lodged_on + timedelta(days=self.appeal_decision_days)

    def complaint_decided_by(self, lodged_on: date) -> date:
        """The same for a complaint."""
        return lodged_on + timedelta(days=self.complaint_decision_days)

    def number(self, year: int, serial: int) -> str:
        """The certificate number with this serial of the year; SerialOutOfSeries where it has too many digits."""
        return self.number_template.number(year, serial)

    def is_number_form(self, normalised: str) -> bool:
        """Whether a normalised number could be one of this scheme's."""
        return self.number_template.recognises(normalised)

    def upload_code(self, own: str, reason: str | None = None) -> UploadCode:
        """How the regulator's record calls our own state, entered for that reason; KeyError without a table."""
        by_cause = {(row.own, row.reason): row for row in self.upload_codes}
        return by_cause.get((own, reason)) or by_cause[(own, None)]

    def assumptions(self) -> list[tuple[str, Any, str]]:
        """Everything that no source states: key, value and unit, in the file's order."""
        return [(each.key, each.value, each.unit) for each in self.stated.values() if each.assumed]


def _due(edition: Edition, anchor: date, level: str, oldest_check: date | None, changed_on: date | None) -> Due:
    """An element never checked must be taken at the next visit."""
    visit = _visit(edition, anchor, level, changed_on)
    return Due(
        visit_on=visit.on,
        notice_on=visit.notice_on,
        coverage_on=add_months(oldest_check, edition.coverage_months) if oldest_check else visit.on,
        anchor_on=anchor,
        interval_months=visit.interval_months,
        grace_until=visit.grace_until,
    )


class _Visit(NamedTuple):
    """When the next visit falls due, whatever has to be covered."""

    on: date
    notice_on: date
    interval_months: int
    grace_until: date | None


@lru_cache(maxsize=65536)
def _visit(edition: Edition, anchor: date, level: str, changed_on: date | None) -> _Visit:
    """Remembered, because days recur."""
    months = edition.levels[level].interval_months
    regular = add_months(anchor, months)
    visit_on = max(regular, changed_on or regular)
    notice_on = visit_on - timedelta(days=edition.notice_window_days)
    return _Visit(
        on=visit_on,
        notice_on=max(notice_on, changed_on or notice_on),
        interval_months=months,
        grace_until=max(regular, changed_on + timedelta(days=edition.grace_days)) if changed_on else None,
    )


def _bar(ended_on: date, months: int) -> date | None:
    return last_day_of_months(ended_on, months) if months else None


def load_edition(text: str, *, file: str) -> Edition:
    """The edition that the TOML text describes; MalformedEdition, naming the file, where it is not one."""
    return Edition(**vars(read_contents(text, file=file)))


def shipped_editions() -> dict[str, Edition]:
    """The editions that come with the package, by id."""
    return dict(_shipped())


@cache
def _shipped() -> Mapping[str, Edition]:
    schemes = sorted(
        (entry for entry in (files("lifecycle") / "schemes").iterdir() if entry.name.endswith(".toml")),
        key=lambda entry: entry.name,
    )
    editions = [load_edition(entry.read_text(encoding="utf-8"), file=entry.name) for entry in schemes]
    return {edition.id: edition for edition in editions}


def edition_in_force(editions: Mapping[str, Edition], scheme: str, day: date) -> Edition | None:
    """The edition of the scheme that took effect last on or before the day; None before the first."""
    begun = [each for each in editions.values() if each.scheme == scheme and each.effective_from <= day]
    return max(begun, key=lambda each: (each.effective_from, each.published_on, each.id), default=None)
