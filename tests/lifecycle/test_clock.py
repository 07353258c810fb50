"""The clock records what a punctual clock would have recorded, however late (domain.md, section 5, case 10)."""

from collections.abc import Callable
from random import Random

import pytest

from lifecycle import commands as c
from lifecycle import errors
from lifecycle import events as e
from tests.lifecycle.story import Story, day, reasons

Act = Callable[[Story], object]


def visited(story: Story) -> None:
    story.decided(story.visit_recorded(), "maintain")


def lowered(story: Story) -> None:
    story.regraded(story.findings("10"))


LIFE: dict[str, Act] = {
    "2024-01-15": lambda story: story.issued(),
    "2024-03-01": lambda story: story.does("holder", c.LodgeComplaint(grounds="x")),
    "2025-06-01": lowered,
    "2025-09-01": lambda story: story.does("reg", c.RequestVisit(grounds="x")),
    "2026-07-10": lambda story: story.suspended(),
    "2026-08-20": lambda story: story.both(
        c.Correct(target=1, reason="x", changes=(e.Change("/scope", "alarm operation", "patrols"),))
    ),
    "2026-09-01": visited,
    "2026-09-02": lambda story: story.reinstated(),
    "2026-12-01": lambda story: story.renewed(story.findings("10")),
    "2028-03-01": lambda story: story.does("holder", c.LodgeComplaint(grounds="x")),
    "2031-01-01": lambda story: story.does("holder", c.LodgeComplaint(grounds="x")),
}
"""A life in which visits are met, missed and brought forward, and which the clock may follow as it likes."""


def lived(ticks: set[str]) -> Story:
    """The life, with the clock running only on those days; on the day of an act before it."""
    story = Story()
    for on in sorted(ticks | set(LIFE)):
        story.on(on)
        if on in ticks:
            story.ticks()
        if on in LIFE:
            LIFE[on](story)
    return story


def days(first: str, last: str) -> list[str]:
    start, end = day(first), day(last)
    return [(start + step * e.ONE_DAY).isoformat() for step in range((end - start).days + 1)]


EVERY_DAY = days("2024-01-15", "2031-01-01")
PUNCTUAL = lived(set(EVERY_DAY))


def facts(story: Story) -> list[bytes]:
    """Every fact but for who caused it: the ticks take serials of their own nowhere."""
    return [e.encode(recorded.fact) for recorded in story.history]


def test_a_punctual_clock_records_each_thing_once_on_its_own_day() -> None:
    assert [(type(fact).__name__, fact.effective_on.isoformat()) for fact in PUNCTUAL.clock_facts] == [
        ("SurveillanceDue", "2026-03-03"),
        ("SurveillanceOverdue", "2026-06-02"),
        ("SurveillanceDue", "2027-09-02"),
        ("SurveillanceOverdue", "2027-12-02"),
        ("CertificateExpired", "2030-01-15"),
    ]
    for recorded in PUNCTUAL.history:
        if recorded.fact.cause.kind == "clock":
            assert recorded.recorded_at.date() == recorded.fact.effective_on


@pytest.mark.parametrize("seed", range(25))
def test_whatever_the_order_of_ticks_and_acts_the_stream_is_the_same(seed: int) -> None:
    """The clock is down for weeks, ticks twice, or not at all: every fact and every version is the same."""
    random = Random(seed)
    share = random.choice([0, 0.001, 0.01, 0.3])
    story = lived({on for on in EVERY_DAY if random.random() < share})
    assert facts(story) == facts(PUNCTUAL)


def test_a_clock_that_was_down_tells_the_true_day_of_recording() -> None:
    story = Story()
    story.issued(story.findings("10")).on("2025-01-20").ticks()
    recorded = story.history[-2:]
    assert [r.fact.effective_on for r in recorded] == [day("2024-10-17"), day("2025-01-16")]
    assert {r.recorded_at.date() for r in recorded} == {day("2025-01-20")}


def test_a_second_clock_finds_nothing_to_record() -> None:
    story = Story().issued().on("2026-02-01")
    assert story.ticks()
    assert story.ticks() == []


def test_what_was_overdue_is_recorded_although_it_was_met_since() -> None:
    """The visit was made a day late, and nobody ticked: it was overdue on that day."""
    story = Story()
    story.issued(story.findings("10")).on("2025-01-16").visited()
    overdue = [fact for fact in story.clock_facts if type(fact) is e.SurveillanceOverdue]
    assert [fact.effective_on for fact in overdue] == [day("2025-01-16")]


def test_what_was_met_in_time_is_never_overdue() -> None:
    story = Story()
    story.issued(story.findings("10")).on("2025-01-15").visited()
    story.on("2025-03-01").ticks()
    assert "SurveillanceOverdue" not in story.names


def test_a_clock_that_was_down_over_the_end_records_the_expiry_on_its_own_day() -> None:
    story = Story().issued().on("2029-06-01")
    facts = story.ticks()
    assert [(type(fact), fact.effective_on) for fact in facts] == [
        (e.SurveillanceDue, day("2025-10-17")),
        (e.SurveillanceOverdue, day("2026-01-16")),
        (e.CertificateExpired, day("2027-01-15")),
    ]
    assert (facts[-1].valid_until, facts[-1].by.role, facts[-1].cause.kind) == (day("2027-01-14"), "clock", "clock")
    assert story.shown().status_since == day("2027-01-15")


def test_a_refused_act_records_nothing_of_the_clocks_either() -> None:
    story = Story().issued().on("2029-06-01")
    with story.refusing(errors.NotAllowedInStatus, status="expired"):
        story.suspended()
    assert story.ticks()


# ---- past the last valid day, before the clock ran -------------------------------------------------------------------

REASONS = {
    "suspend": reasons("mark_misused"),
    "withdraw": reasons("requirements_not_met"),
    "cancel": reasons("holder_request"),
    "reissue": reasons("address_changed"),
    "refuse": reasons("evidence_insufficient"),
    "reject": reasons("outside_scheme"),
}


def _opened(kind: str) -> Act:
    return lambda story: story.applies(kind)


def _planned(story: Story) -> int:
    case = story.applies("regrade")
    story.accepted(case)
    story.planned(case)
    return case


def _assessed(story: Story) -> int:
    case = _planned(story)
    story.assessed(case, story.findings(nonconforming=("6",)))
    return case


def _visit_planned(story: Story) -> int:
    case = story.visit_opened()
    story.planned(case)
    return case


def _accepted(story: Story) -> int:
    case = story.applies("regrade")
    story.accepted(case)
    return case


def _suspended(story: Story) -> int:
    story.suspended(ends_on=day("2027-01-01"))
    return 0


def _withdrawal(story: Story) -> int:
    story.does("dora", c.ProceedToWithdrawal(step="open", reasons=REASONS["withdraw"]))
    return 0


def _nothing(story: Story) -> int:
    return 0


PAST_VALIDITY: dict[str, tuple[Act, Callable[[Story, int], object]]] = {
    "apply": (_nothing, lambda s, _: s.applies("renewal")),
    "accept": (_opened("regrade"), lambda s, case: s.accepted(case)),
    "reject": (
        _opened("regrade"),
        lambda s, case: s.does("reg", c.ReviewApplication(case=case, outcome="rejected", reasons=REASONS["reject"])),
    ),
    "withdraw application": (_opened("regrade"), lambda s, case: s.does("holder", c.WithdrawApplication(case=case))),
    "plan": (_accepted, lambda s, case: s.planned(case)),
    "record": (_planned, lambda s, case: s.assessed(case)),
    "close": (_assessed, lambda s, case: s.does("ana", c.CloseNonconformity(case=case, element="6"))),
    "review": (_assessed, lambda s, case: s.reviewed(case)),
    "refuse": (lambda s: s.graded("renewal"), lambda s, case: s.decided(case, "refuse", "evidence_insufficient")),
    "renew": (lambda s: s.graded("renewal"), lambda s, case: s.decided(case, "renew")),
    "change grade": (lambda s: s.graded("regrade", s.findings("10")), lambda s, case: s.decided(case, "change_grade")),
    "maintain": (lambda s: s.visit_recorded(), lambda s, case: s.decided(case, "maintain")),
    "request visit": (_nothing, lambda s, _: s.does("reg", c.RequestVisit(grounds="x"))),
    "plan visit": (lambda s: s.visit_opened(), lambda s, case: s.planned(case)),
    "record visit": (_visit_planned, lambda s, case: s.assessed(case, on=day("2027-01-14"))),
    "suspend": (_nothing, lambda s, _: s.suspended()),
    "extend": (
        _suspended,
        lambda s, _: s.both(c.ExtendSuspension(reasons=REASONS["suspend"], ends_on=day("2027-01-14"))),
    ),
    "reinstate": (_suspended, lambda s, _: s.reinstated()),
    "open withdrawal": (_nothing, lambda s, _: _withdrawal(s)),
    "drop withdrawal": (_withdrawal, lambda s, _: s.does("dora", c.ProceedToWithdrawal(step="drop", grounds="x"))),
    "withdraw": (_nothing, lambda s, _: s.withdrawn()),
    "cancel": (_nothing, lambda s, _: s.cancelled()),
    "re-issue": (_nothing, lambda s, _: s.does("reg", c.Reissue(reasons=REASONS["reissue"], address="2 Road"))),
    "issue": (_nothing, lambda s, _: s.does("reg", c.Issue())),
}


@pytest.mark.parametrize("act", PAST_VALIDITY)
def test_every_act_that_came_due_after_the_last_valid_day_is_refused_before_the_clock_ran(act: str) -> None:
    ready, ask = PAST_VALIDITY[act]
    story = Story().issued().on("2025-12-01").visited().on("2026-12-01")
    case = ready(story)
    assert story.certificate.status != "expired", "no clock has run"
    with story.on("2027-01-15").refusing(errors.NotAllowedInStatus, status="expired", since=day("2027-01-15")):
        ask(story, case)
    assert "CertificateExpired" not in story.names


@pytest.mark.parametrize("act", [act for act in PAST_VALIDITY if act not in ("issue",)])
def test_each_of_these_acts_was_lawful_the_day_before(act: str) -> None:
    ready, ask = PAST_VALIDITY[act]
    story = Story().issued().on("2025-12-01").visited().on("2026-12-01")
    case = ready(story)
    before = len(story.history)
    ask(story.on("2027-01-14"), case)
    assert len(story.history) > before


def test_what_an_ended_certificate_accepts_it_accepts_before_the_clock_ran() -> None:
    story = Story().issued().on("2027-01-15")
    story.does("holder", c.LodgeComplaint(grounds="x"))
    assert story.names[-2:] == ["CertificateExpired", "ComplaintLodged"]
