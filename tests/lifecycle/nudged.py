"""Rules nudged by one mark or one day, each of which asking again must find."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

import pytest

from lifecycle.rules import Edition, edition, grading, sampling

Nudge = Callable[[pytest.MonkeyPatch], None]
DAY = timedelta(days=1)


def one_millionth_of_a_mark_more(patch: pytest.MonkeyPatch) -> None:
    earned = grading.exact_score
    patch.setattr(grading, "exact_score", lambda *given: earned(*given) + Fraction(1, 10**6))


def a_band_excludes_its_lower_end(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        grading,
        "_band",
        lambda contents, score: next(
            (each.code for each in contents.levels.values() if each.at_least is not None and score > each.at_least),
            None,
        ),
    )


def validity_ends_a_day_later(patch: pytest.MonkeyPatch) -> None:
    ends = Edition.validity_end
    patch.setattr(Edition, "validity_end", lambda self, valid_from: ends(self, valid_from) + DAY)


def the_next_visit_is_due_a_day_earlier(patch: pytest.MonkeyPatch) -> None:
    due = edition._due
    patch.setattr(edition, "_due", lambda own, anchor, *rest: due(own, anchor - DAY, *rest))


def the_notice_window_opens_a_day_later(patch: pytest.MonkeyPatch) -> None:
    due = edition._due
    patch.setattr(
        edition, "_due", lambda own, *rest: due(replace(own, notice_window_days=own.notice_window_days - 1), *rest)
    )


def a_year_is_rounded_up_a_day_late(patch: pytest.MonkeyPatch) -> None:
    years = sampling.years_between_rounded_up
    patch.setattr(sampling, "years_between_rounded_up", lambda anchor, on: years(anchor, on - DAY))


def a_suspension_ends_a_day_earlier(patch: pytest.MonkeyPatch) -> None:
    limit = Edition.suspension_limit
    patch.setattr(Edition, "suspension_limit", lambda self, *days: limit(self, *days) - DAY)


def a_bar_runs_a_day_longer(patch: pytest.MonkeyPatch) -> None:
    bar = Edition.bar_until
    patch.setattr(Edition, "bar_until", lambda self, on: (until := bar(self, on)) and until + DAY)


NUDGES: tuple[Nudge, ...] = (
    one_millionth_of_a_mark_more,
    a_band_excludes_its_lower_end,
    validity_ends_a_day_later,
    the_next_visit_is_due_a_day_earlier,
    the_notice_window_opens_a_day_later,
    a_year_is_rounded_up_a_day_late,
    a_suspension_ends_a_day_earlier,
    a_bar_runs_a_day_longer,
)
