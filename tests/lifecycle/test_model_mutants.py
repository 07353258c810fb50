"""The comparison with the reference model has teeth: each seeded fault in ``lifecycle`` turns it red."""

from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from lifecycle import events as e
from lifecycle.certificate import _ASSIGN, Certificate
from lifecycle.periods import add_months
from lifecycle.rules import Edition
from lifecycle.transitions import STAGE, STATUS
from tests.lifecycle.machine import TwoAccounts
from tests.lifecycle.test_model import QUIET

Seeding = Callable[[pytest.MonkeyPatch], None]


def added_cell(patch: pytest.MonkeyPatch) -> None:
    """A suspended certificate can be renewed."""
    patch.setitem(STATUS, ("suspended", e.CertificateRenewed), "active")


def missing_cell(patch: pytest.MonkeyPatch) -> None:
    """A suspended certificate cannot be cancelled."""
    patch.delitem(STATUS, ("suspended", e.CertificateCancelled))


def wrong_cell(patch: pytest.MonkeyPatch) -> None:
    """An extension of a suspension ends it."""
    patch.setitem(STATUS, ("suspended", e.SuspensionExtended), "active")


def added_stage(patch: pytest.MonkeyPatch) -> None:
    """A visit is maintained before it was made."""
    patch.setitem(STAGE, ("visit", "planned", e.CertificationMaintained), "decided")


def missing_stage(patch: pytest.MonkeyPatch) -> None:
    """A graded application cannot be withdrawn."""
    for kind in ("renewal", "regrade"):
        patch.delitem(STAGE, (kind, "graded", e.ApplicationWithdrawn))


def status_from_the_record(patch: pytest.MonkeyPatch) -> None:
    """A certificate is valid until a clock has said otherwise."""

    def standing_on(self: Certificate, day: date) -> object:
        return next((standing for standing in reversed(self.standings) if standing.on <= day), None)

    patch.setattr(Certificate, "standing_on", standing_on)


def chained_months(patch: pytest.MonkeyPatch) -> None:
    """Intervals are counted month after month."""

    def step_by_step(anchor: date, months: int) -> date:
        for _ in range(months):
            anchor = add_months(anchor, 1)
        return anchor

    patch.setattr("lifecycle.rules.edition.add_months", step_by_step)


def validity_a_day_longer(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Edition, "validity_end", lambda self, start: add_months(start, self.validity_months))


def overdue_a_day_early(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(e.Due, "overdue_on", property(lambda due: max(due.visit_on, due.grace_until or due.visit_on)))


def suspension_past_validity(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Edition, "suspension_limit", lambda self, on, until: add_months(on, self.suspension_max_months))


def no_grace(patch: pytest.MonkeyPatch) -> None:
    """A shortened interval is overdue at once."""
    due = Edition.due
    patch.setattr(Edition, "due", lambda self, anchor, level, checks, changed_on=None: due(self, anchor, level, checks))


def overdue_visit_forgiven(patch: pytest.MonkeyPatch) -> None:
    """A certificate is reinstated although its visit is overdue."""
    patch.setattr("lifecycle.decisions.standing._require_no_overdue_visit", lambda *_: None)


def announced_forgotten(patch: pytest.MonkeyPatch) -> None:
    """The clock announces a due date each time it ticks."""
    patch.delitem(_ASSIGN, e.SurveillanceDue)


def back_dated_before_the_last_act(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        "lifecycle.decisions.permission.day_of_effect",
        lambda certificate, command, moment: command.effective_on or moment.today,
    )


MUTANTS: list[Seeding] = [
    added_cell, missing_cell, wrong_cell, added_stage, missing_stage, status_from_the_record, chained_months,
    validity_a_day_longer, overdue_a_day_early, suspension_past_validity, no_grace, overdue_visit_forgiven,
    announced_forgotten, back_dated_before_the_last_act,
]  # fmt: skip


@pytest.mark.parametrize("seed_fault", MUTANTS, ids=lambda fault: fault.__name__)
def test_a_seeded_fault_is_found(seed_fault: Seeding, monkeypatch: pytest.MonkeyPatch) -> None:
    seed_fault(monkeypatch)
    searching = settings(QUIET, max_examples=1000, stateful_step_count=40, report_multiple_bugs=False)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(TwoAccounts, settings=searching)
