"""Every judgement told again, and the state at each step as known then and as known now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, get_args

import msgspec
import pytest

from lifecycle import commands as c
from lifecycle import events as e
from lifecycle.events import Recorded
from lifecycle.evidence import spans, steps, traces
from lifecycle.evidence.criteria import Question
from lifecycle.evidence.known import AsKnownNow
from lifecycle.evidence.traces import Judgement, judgements
from tests.clock.world import in_memory
from tests.corpus.boundaries import editions, told
from tests.lifecycle.disputed import disputed
from tests.lifecycle.made_up import NEW
from tests.lifecycle.nudged import a_suspension_ends_a_day_earlier, validity_ends_a_day_later
from tests.lifecycle.story import CERTIFICATE, Story, day
from tests.lifecycle.test_adoption import EVERY_18, adopted, edition

GRADING = "CSP-S01-001:2021, grading"
SURVEILLANCE = "CSP-S01-001:2021, surveillance"
SAMPLING = "CSP-S01-001:2021, sampling"
ASSUMED = None


@cache
def life() -> Story:
    return disputed()


def judged(story: Story, **bars: Any) -> list[Judgement]:
    return judgements(CERTIFICATE, story.history, editions(), **bars)


def one(story: Story, fact: type[e.Fact], question: str) -> Judgement:
    """The judgement of the last such fact."""
    return [each for each in judged(story) if (each.event, each.question) == (e.topic_of(fact), question)][-1]


# ---- asked again, everything answers as it is recorded ---------------------------------------------------------------


def unequal(histories: Iterator[Sequence[Recorded]], asked: dict) -> list[Judgement]:
    return [
        each for history in histories for each in judgements(history[0].originator_id, history, asked)
        if each.recorded is not None and not each.equal
    ]  # fmt: skip


def stories() -> Iterator[Sequence[Recorded]]:
    yield from (story.history for story in told())
    yield life().history


def test_every_answer_at_the_boundaries_is_found_again() -> None:
    assert unequal(stories(), editions()) == []


@pytest.mark.parametrize("seed", [101, 102])
def test_every_answer_of_lives_led_by_chance_is_found_again(seed: int) -> None:
    world = in_memory(seed=seed).lives(900)
    histories = [certificate.history for certificate in world.histories()]
    assert any(isinstance(each.fact, e.RecordCorrected) for history in histories for each in history)
    assert unequal(iter(histories), dict(world.register.editions)) == []


@pytest.mark.parametrize("nudge", [validity_ends_a_day_later, a_suspension_ends_a_day_earlier])
def test_a_rule_nudged_after_the_fact_is_found(nudge: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    histories = [*stories()]
    nudge(monkeypatch)
    assert unequal(iter(histories), editions())


def test_a_state_that_knows_of_later_corrections_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was decided then has to be judged by what was known then."""
    history = life().history
    monkeypatch.setattr(traces, "AsKnownThen", AsKnownNow)
    with pytest.raises((AssertionError, KeyError)):
        assert_known_then(judgements(CERTIFICATE, history, editions()))


def assert_known_then(found: list[Judgement]) -> None:
    grade = next(each for each in found if each.event == "grade-determined.v1")
    assert (grade.recorded or {})["level"] == (grade.derived or {})["level"] == "five_star"
    assert any(each.event == "certificate-suspended.v1" and each.on == day("2023-11-06") for each in found)


def test_what_was_decided_then_is_judged_by_what_was_known_then() -> None:
    assert_known_then(judged(life()))


def test_every_kind_of_question_is_put_somewhere() -> None:
    put = {each.question for history in stories() for each in judgements(CERTIFICATE, history, editions())}
    complained = Story().issued()
    complained.does("holder", c.LodgeComplaint(grounds="too slow"))
    put |= {each.question for each in judged(complained)}
    assert put == set(get_args(Question))


# ---- a case of each kind: the criterion that decided, with its clause or assumed -------------------------------------


@pytest.mark.parametrize(
    ("fact", "question", "rule", "clause", "recorded"),
    [
        (e.GradeDetermined, "grade", "levels[five_star].at_least", GRADING, {"score": "98/1", "level": "five_star"}),
        (e.CertificateIssued, "validity", "parameters.validity_months", ASSUMED, {"valid_until": "2026-03-11"}),
        (e.CertificateIssued, "visit", "levels[five_star].interval", SURVEILLANCE, {"visit_on": "2025-03-12"}),
        (e.CertificateIssued, "coverage", "parameters.coverage_months", SAMPLING, {"coverage_on": "2027-03-12"}),
        (e.SurveillancePlanned, "quota", "parameters.sample_percent_each_year", SAMPLING, {"quota": 6}),
        (e.SurveillanceRecorded, "sample", "parameters.sample_percent_each_year", SAMPLING, {"enough": True}),
        (e.CertificateSuspended, "suspension", "parameters.suspension_max_months", ASSUMED, {"ends_on": "2025-12-10"}),
        (e.AppealLodged, "appeal_lodging", "parameters.appeal_lodging_days", ASSUMED, {"in_time": True}),
        (e.AppealLodged, "appeal_decision", "parameters.appeal_decision_days", ASSUMED, {"decide_by": "2024-01-19"}),
        (e.GradeChanged, "grade", "levels[four_star].at_least", GRADING, {"score": "187/2", "level": "four_star"}),
        (e.GradeChanged, "visit", "levels[four_star].interval", SURVEILLANCE, {"grace_until": "2025-03-01"}),
    ],
)  # fmt: skip
def test_a_question_is_told_with_the_criterion_that_decided_it(
    fact: type[e.Fact], question: str, rule: str, clause: str | None, recorded: dict[str, Any]
) -> None:
    found = one(life(), fact, question)
    assert (found.criteria[0].rule, found.criteria[0].clause) == (rule, clause)
    assert found.criteria[0].assumed is (clause is None)
    assert recorded.items() <= (found.recorded or {}).items()
    assert found.edition_sha256 == editions()[found.edition].digest
    assert found.equal


@pytest.mark.parametrize(
    ("lost", "given", "because", "rule"),
    [
        ("10", {}, "band:four_star", "levels[four_star].at_least"),
        ("30", {"accepts_conformity": True}, "conformity:all_conform", "levels[conformity]"),
        ("30", {}, "below_lowest_band", "levels[three_star].at_least"),
    ],
)
def test_a_grade_names_its_rule(lost: str, given: dict[str, bool], because: str, rule: str) -> None:
    story = Story(editions=editions())
    story.graded(findings=story.findings(lost), **{"accepts_conformity": False, **given})
    found = one(story, e.GradeDetermined, "grade")
    assert ((found.recorded or {})["because"], found.criteria[0].rule, found.equal) == (because, rule, True)


def test_an_open_nonconformity_names_its_element_and_that_it_is_assumed() -> None:
    story = Story(editions=editions())
    story.graded(findings=story.findings(nonconforming=("6",)))
    found = one(story, e.GradeDetermined, "grade")
    assert [(each.rule, each.assumed) for each in found.criteria[:2]] == [
        ("elements[6]", True), ("scoring.conformity_required", False),
    ]  # fmt: skip


def test_findings_are_told_one_by_one_with_outcome_marks_and_weight() -> None:
    found = {each.element: each for each in one(life(), e.GradeDetermined, "grade").findings}
    assert len(found) == len(life().edition.elements)
    assert (found["5.2.1"].marks, found["5.2.1"].weight, found["5.2.1"].assumed) == ("6", "6", True)
    assert (found["5.4.2"].outcome, found["5.4.2"].counts_as) == ("nonconforming", "conforming")


def test_a_grade_after_a_visit_says_when_each_element_was_checked() -> None:
    story = Story(editions=editions()).issued().on("2024-07-15")
    case = story.visit_opened()
    story.planned(case)
    drawn = story.certificate.cases[case].draw
    story.assessed(case, story.findings("6", elements=drawn))
    story.decided(case, "change_grade")
    found = {each.element: each.checked_on for each in one(story, e.GradeChanged, "grade").findings}
    assert {element for element, on in found.items() if on == day("2024-07-15")} == set(drawn)
    assert set(found.values()) == {day("2024-01-15"), day("2024-07-15")}


def test_a_bar_is_compared_where_the_organisations_stream_is_known() -> None:
    story = Story(editions=editions()).issued()
    story.withdrawn()
    version = story.version_of(e.CertificateWithdrawn)
    assert one(story, e.CertificateWithdrawn, "bar").equal is None
    for until_on, equal in ((day("2025-01-15"), True), (day("2025-01-16"), False)):
        found = [each for each in judged(story, bars={version: until_on}) if each.question == "bar"]
        assert [(each.equal, (each.derived or {})["bar_until"]) for each in found] == [(equal, "2025-01-15")]


def test_an_adoption_is_asked_of_the_edition_adopted() -> None:
    story = Story(editions=editions()).issued().on("2025-05-01")
    adopted(story, edition(EVERY_18))
    found = judgements(CERTIFICATE, story.history, story.editions)
    visit = [each for each in found if (each.event, each.question) == ("edition-adopted.v1", "visit")][-1]
    assert ((visit.recorded or {})["grace_until"], visit.equal, visit.edition) == ("2025-07-30", True, NEW)
    assert [each.rule for each in visit.criteria] == [
        "levels[five_star].interval", "parameters.notice_window_days", "parameters.grace_days",
    ]  # fmt: skip


def test_a_record_that_says_otherwise_is_told_beside_what_is_found() -> None:
    history = [*life().history]
    at = next(place for place, each in enumerate(history) if isinstance(each.fact, e.GradeDetermined))
    said = msgspec.structs.replace(history[at].fact, score="94/1", level="four_star")
    history[at] = msgspec.structs.replace(history[at], fact=said)
    found = next(each for each in judgements(CERTIFICATE, history, editions()) if each.question == "grade")
    assert ((found.recorded or {})["level"], (found.derived or {})["level"], found.equal) == (
        "four_star", "five_star", False,
    )  # fmt: skip


def test_what_cannot_be_judged_is_said_and_not_guessed() -> None:
    history = [*life().history]
    at = next(place for place, each in enumerate(history) if isinstance(each.fact, e.AssessmentRecorded))
    short = msgspec.structs.replace(history[at].fact, findings=history[at].fact.findings[:-1])  # pyright: ignore
    history[at] = msgspec.structs.replace(history[at], fact=short)
    found = next(each for each in judgements(CERTIFICATE, history, editions()) if each.question == "grade")
    assert (found.derived, found.equal) == (None, False)
    assert "'6': has no finding" in (found.problem or "")


# ---- what later corrections made of it -------------------------------------------------------------------------------


def test_a_mistaken_score_shows_both_values_and_the_correction() -> None:
    found = one(life(), e.GradeDetermined, "grade")
    assert found.now is not None
    assert ((found.recorded or {})["level"], (found.now.recorded or {})["level"]) == ("five_star", "four_star")
    assert found.now.recorded == found.now.derived
    assert found.now.corrected_by == (24,)
    assert {each.element: each.marks for each in found.now.findings}["5.2.1"] == "1.5"


def test_a_decision_that_lost_its_support_shows_what_stands_and_what_the_record_carries_now() -> None:
    for fact in (e.CertificationGranted, e.CertificateIssued):
        found = one(life(), fact, "level")
        assert found.equal
        assert found.now is not None
        assert (found.now.recorded, found.now.derived) == ({"level": "five_star"}, {"level": "four_star"})
        assert found.now.corrected_by == (24,)


def test_a_voided_decision_reads_as_nothing_now() -> None:
    found = next(each for each in judged(life()) if each.question == "suspension")
    assert found.equal
    assert found.now is not None
    assert (found.now.recorded, found.now.derived, found.now.corrected_by) == (None, None, (17,))


def test_a_value_corrected_twice_names_both_corrections() -> None:
    story = Story(editions=editions()).issued().on("2024-11-20")
    target = story.version_of(e.AssessmentRecorded)
    story.corrected(target, e.Change("/findings/5.2.1/marks", "6", "0"))
    story.corrected(target, e.Change("/findings/5.2.1/marks", "0", "6"), e.Change("/findings/6/marks", "4", "3"))
    found = one(story, e.GradeDetermined, "grade")
    assert found.now is not None
    assert ((found.now.recorded or {})["score"], len(found.now.corrected_by)) == ("99/1", 2)


def test_a_correction_is_told_with_what_it_entailed() -> None:
    found = one(life(), e.RecordCorrected, "correction")
    assert found.equal
    assert (found.given["target"], (found.recorded or {})["unsupported"]) == (4, [9])


# ---- the state at each step ------------------------------------------------------------------------------------------


def told_steps(story: Story) -> list[steps.Step]:
    return steps.steps(CERTIFICATE, story.history, editions())


def test_each_step_tells_the_state_as_known_then_and_as_known_now() -> None:
    found = {step.version: step for step in told_steps(life())}
    suspended, notice = found[12], found[13]
    assert (suspended.then.status, suspended.now, suspended.voided_by) == ("suspended", None, 17)
    assert notice.then.suspended_until == day("2024-04-30")
    assert notice.now is not None
    assert (notice.then.status, notice.now.status, notice.now.suspended_until) == ("suspended", "active", None)
    assert (found[24].then.unsupported, found[26].then.unsupported) == ((9,), ())
    assert all(step.then == step.now for version, step in found.items() if version >= 17)


def test_each_step_is_what_folding_its_prefix_says() -> None:
    """An independent telling: the prefix folded anew, for every step of every kind of life."""
    for history in stories():
        for step in steps.steps(history[0].originator_id, history, editions()):
            known = spans.fold(history[0].originator_id, history[: step.version])
            assert step.then.status == known.status_on(step.on)
            assert step.then.edition == known.edition
            assert step.then.valid_until == known.periods.at(step.on)
            assert step.then.open_cases == sum(case.is_open for case in known.cases.values())
            if step.case is not None:
                case = known.cases[step.case]
                assert step.then.case == steps.CaseStage(case.version, case.kind, case.stage)


def test_the_telling_of_many_open_cases_grows_as_the_history_does() -> None:
    def told(complaints: int) -> int:
        story = Story().issued()
        for _ in range(complaints):
            story.does("holder", c.LodgeComplaint(grounds="too slow"))
        return len(msgspec.json.encode(told_steps(story)))

    none, some, more = told(0), told(50), told(100)
    assert more - some < 1.1 * (some - none)


def test_a_step_tells_who_by_role_and_pseudonym_and_each_who_signed() -> None:
    found = {step.version: step for step in told_steps(life())}
    assert found[4].by == steps.Who("assessor", "ana")
    assert found[9].signed_by == (steps.Who("decision_maker", "dora"), steps.Who("decision_maker", "dan"))
    assert [(each.of, each.sha256[:2]) for each in found[4].evidence] == [("evidence", "ab")]
    ground = found[12].grounds[0]
    assert (ground.code, ground.act, ground.assumed) == ("complaint_founded", "suspension", True)


def test_what_was_known_of_each_day_on_that_day_is_what_a_reader_of_that_day_was_told() -> None:
    story = life()
    until = day("2025-09-02")
    then = spans.known_then(CERTIFICATE, story.history, until)
    now = spans.known_now(CERTIFICATE, story.history, until)
    assert [(s.from_on, s.status) for s in then] != [(s.from_on, s.status) for s in now]
    on = story.history[0].fact.effective_on
    while on <= until:
        assert at(then, on).status == story.known_on(on).status_on(on), on
        assert at(now, on).status == story.certificate.status_on(on), on
        on += e.ONE_DAY
    assert [
        (mine.from_on, mine.to_on) for mine, other in spans.side_by_side(then, now) if mine != other
    ] == [(day("2023-11-06"), day("2024-01-09"))]  # fmt: skip


def at(found: list[spans.Span], on: Any) -> spans.Span:
    (span,) = [span for span in found if span.from_on <= on <= span.to_on]
    return span


def test_days_told_with_later_knowledge_are_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spans, "AsKnownThen", AsKnownNow)
    with pytest.raises(AssertionError):
        test_what_was_known_of_each_day_on_that_day_is_what_a_reader_of_that_day_was_told()


def test_steps_told_with_later_knowledge_are_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "AsKnownThen", AsKnownNow)
    with pytest.raises((AssertionError, KeyError)):
        test_each_step_tells_the_state_as_known_then_and_as_known_now()


# ---- as JSON ---------------------------------------------------------------------------------------------------------


def test_the_trace_as_json_holds_no_float_and_reads_back() -> None:
    encoded = msgspec.json.encode((judged(life()), told_steps(life())))
    assert not any(isinstance(each, float) for each in _leaves(msgspec.json.decode(encoded)))
    assert msgspec.json.decode(encoded, type=tuple[list[Judgement], list[steps.Step]]) == (
        judged(life()), told_steps(life()),
    )  # fmt: skip


def _leaves(node: Any) -> Iterator[Any]:
    if isinstance(node, dict | list):
        for each in node.values() if isinstance(node, dict) else node:
            yield from _leaves(each)
    else:
        yield node
