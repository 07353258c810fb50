"""The page of evidence that people read: nothing missing, nothing that runs, the same for everybody."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from functools import cache
from html import unescape
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from api.evidence import words
from api.evidence.page import About, page
from api.evidence.views import for_holder, hidden_from_holder
from api.pages.words import CATALOGUE, LANGUAGES
from lifecycle import commands as c
from lifecycle import events as e
from lifecycle.events import CaseKind, Recorded, Role
from lifecycle.evidence.criteria import Question
from lifecycle.evidence.traces import judgements, steps
from lifecycle.transitions import STATUS, STATUSES
from tests.code.test_vocabulary import SECTIONS
from tests.corpus.boundaries import editions, told
from tests.lifecycle.disputed import HOLDER, PHOTOS, REPORT, SERVED, disputed
from tests.lifecycle.story import CERTIFICATE, Story

ABOUT = About(
    at=datetime(2025, 9, 2, 3, tzinfo=UTC),
    issuer={"zh": "示例认证中心", "en": "Example Certification Centre"},
    log="example.org/log",
)
HOSTILE = {
    "a script": "<script>alert(1)</script>",
    "an attribute": '" onload="alert(1)" x=\'',
    "writing turned round": "evil \u202e\u2066 gnp.exe",
    "nothing to see": "a\u200b\u00ad\ufeffb",
    "a template": "{{ 7 * 7 }}{% raw %}",
    "control": "\x1b[2J\x07\x00",
}
INVISIBLE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f\xad\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
ROOT = Path(__file__).parents[2]


def of(story: Story, about: About = ABOUT) -> str:
    return page(CERTIFICATE, story.history, story.editions, about)


@cache
def whole() -> str:
    return of(disputed())


def text(html: str) -> str:
    """What a reader reads."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", html)))


# ---- to a holder -----------------------------------------------------------------------------------------------------


def test_a_holder_is_told_the_same_states_signers_and_answers_of_all_that_it_is_shown() -> None:
    for history in (*(story.history for story in told()), disputed().history):
        id, told_of = history[0].originator_id, for_holder(history)
        for mine, whole in zip(steps(id, told_of, editions()), steps(id, history, editions()), strict=True):
            assert (mine.then, mine.now, mine.signed_by) == (whole.then, whole.now, whole.signed_by)
        answers = [
            [(each.version, each.recorded, each.derived, each.problem) for each in judgements(id, one, editions())]
            for one in (told_of, history)
        ]
        assert answers[0] == answers[1]


def test_what_a_holder_is_not_told_is_counted_and_every_prefix_has_a_page() -> None:
    history = for_holder(disputed().history)
    hidden, html = frozenset(each.version for each in history if hidden_from_holder(each)), ""
    for last in range(1, len(history) + 1):
        html = page(CERTIFICATE, history[:last], editions(), ABOUT, None, hidden)
        assert not {f'id="e{version}"' for version in hidden if f'id="e{version}"' in html}
    assert hidden
    assert f"not told in this copy: {len(hidden)}" in text(html)


def test_a_decision_left_without_support_is_told_at_a_glance() -> None:
    story = disputed()
    corrected = [each.version for each in story.history if getattr(each.fact, "unsupported", ())][-1]
    glance = page(CERTIFICATE, story.history[:corrected], editions(), ABOUT).partition("<nav")[0]
    assert "to be decided again" in text(glance)
    assert "to be decided again" not in text(whole().partition("<nav")[0])


# ---- what it tells ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "told",
    [
        HOLDER, "已勘误，见事件", "two clients not answered in May", "The line was cut by the carrier.", PHOTOS, REPORT,
        SERVED,
        "the carrier's log confirms it", "5.2.1", "报警复核", "alarm verification", "CSP-S01-001:2021, grading",
        "2023-11-06 – 2024-01-09", "asked again, every answer equals the record", "93.5", "verify.py",
        "Consistent with itself", "example.org/log", "2025-09-02 11:00:00",
    ],
)  # fmt: skip
def test_a_disputed_life_is_told(told: str) -> None:
    assert told in text(whole())


def test_every_event_judgement_and_dispute_has_its_place_and_every_link_leads_somewhere() -> None:
    places, links = set(re.findall(r' id="([^"]+)"', whole())), set(re.findall(r'href="#([^"]+)"', whole()))
    assert links <= places
    assert {f"e{step.version}" for step in steps(CERTIFICATE, disputed().history, editions())} <= places
    assert {"d14", "d17", "d24", "j7", "j12", "j24"} <= places


def test_every_certificate_can_be_told_at_every_moment() -> None:
    for story in [*told()][::20]:
        for last in range(1, len(story.history) + 1):
            assert "</html>" in page(CERTIFICATE, story.history[:last], editions(), ABOUT)


def test_an_answer_that_is_not_found_again_is_said_at_the_top() -> None:
    story = disputed()
    at = next(place for place, each in enumerate(story.history) if isinstance(each.fact, e.CertificateIssued))
    issued = story.history[at].fact
    assert isinstance(issued, e.CertificateIssued)
    longer = msgspec.structs.replace(issued, valid_until=issued.valid_until + e.ONE_DAY)
    story.history[at] = msgspec.structs.replace(story.history[at], fact=longer)
    assert "do not equal the record" in text(of(story))
    assert "do not equal the record" not in text(whole())


def test_only_the_instant_has_to_be_said() -> None:
    assert "2025-09-02 11:00:00" in of(disputed(), About(ABOUT.at))


def test_names_stand_only_where_they_are_given() -> None:
    resolved = of(disputed(), ABOUT._replace(names={"ana": "王某"}))
    assert "王某" in resolved
    assert "王某" not in whole()


# ---- every word in both languages ------------------------------------------------------------------------------------


def evidence(group: str) -> dict[str, dict[str, str]]:
    return {language: CATALOGUE[language]["evidence"][group] for language in LANGUAGES}


def test_every_event_is_called_as_the_vocabulary_calls_it() -> None:
    topics = {e.topic_of(fact) for _, fact in STATUS}
    called = dict(re.findall(r"^\| (\S[^|]*) \| `([^`]+)` \|", SECTIONS["Facts"], flags=re.MULTILINE))
    zh = {code.partition(".")[0]: name for name, code in called.items() if code in topics}
    assert evidence("event")["zh"] == zh


@pytest.mark.parametrize(
    ("group", "codes"),
    [("question", get_args(Question)), ("status", STATUSES), ("role", get_args(Role)), ("case", get_args(CaseKind)),
     ("outcome", get_args(e.Outcome))],
)  # fmt: skip
def test_every_code_has_its_words(group: str, codes: tuple[str, ...]) -> None:
    for language in LANGUAGES:
        assert set(evidence(group)[language]) == set(codes)


def test_no_code_of_ours_is_left_without_words() -> None:
    """A code without words is shown as code."""
    histories = [disputed(), *[*told()][::9]]
    shown = {code for story in histories for code in re.findall(r"<code>([a-z_]{1,40})</code>", of(story))}
    assert shown == set()


# ---- nothing that runs, nothing to load ------------------------------------------------------------------------------


def test_the_page_stands_by_itself() -> None:
    assert not re.search(r"<script|<link|<iframe|<img|\son\w+=|javascript:|url\((?!#)|@import|https?://", whole())
    assert "default-src 'none'" in unescape(whole())


PLACE = "every-text-that-comes-from-outside"


def with_every_text(hostile: str) -> list[Recorded]:
    """A life in which whatever persons wrote is this; some of it no command would have let in."""
    story = Story(editions=editions()).issued(holder=PLACE, address=PLACE, scope=PLACE)
    story.suspended(reasons=(e.Reason("mark_misused", PLACE),), notice=PLACE)
    story.appealed(story.version_of(e.CertificateSuspended))
    story.corrected(story.version_of(e.CertificateIssued), e.Change("/scope", PLACE, f"{PLACE} more"))
    story.does("holder", c.LodgeComplaint(grounds=PLACE))
    encoded = json.dumps(hostile)[1:-1].encode()
    return [
        msgspec.structs.replace(each, fact=e.decode(e.encode(each.fact).replace(PLACE.encode(), encoded)))
        for each in story.history
    ]


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_text_is_text(kind: str) -> None:
    hostile = HOSTILE[kind]
    about = ABOUT._replace(names={"ana": hostile}, log=hostile)
    html = page(CERTIFICATE, with_every_text(hostile), editions(), about)
    assert not re.search(r"<script|<[^>]* onload=", html)
    assert not INVISIBLE.search(html)
    assert unescape(html).count(words.visible(hostile)) >= 10


def test_hostile_text_that_is_not_escaped_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.evidence.words._is_seen", lambda character: True)
    with pytest.raises(AssertionError):
        test_hostile_text_is_text("writing turned round")


def test_hidden_characters_are_named() -> None:
    assert words.visible("a\u202eb\nc") == "a⟦U+202E⟧b\nc"
    assert words.visible("张三 Ünal العربية ★") == "张三 Ünal العربية ★"


@pytest.mark.parametrize(
    ("score", "shown"),
    [("98/1", "98"), ("187/2", "93.5"), ("94999999/1000000", "94.999999"), ("200/3", "66.666666… (200/3)"),
     ("x", "x"), ("1/0", "1/0"), (None, "—")],
)  # fmt: skip
def test_a_score_is_exact_and_never_rounded_up(score: str | None, shown: str) -> None:
    assert words.score(score) == shown


# ---- the same to the byte --------------------------------------------------------------------------------------------

DIGESTS = """
import hashlib, msgspec
from tests.api.test_evidence_page import of
from tests.lifecycle.disputed import disputed
from lifecycle.evidence.traces import judgements, steps
story = disputed()
trace = (judgements(story.history[0].originator_id, story.history, story.editions),
         steps(story.history[0].originator_id, story.history, story.editions))
print(hashlib.sha256(of(story).encode() + msgspec.json.encode(trace)).hexdigest())
"""


def test_it_is_the_same_to_the_byte_wherever_it_is_made() -> None:
    places = ({"PYTHONHASHSEED": "1", "TZ": "UTC"}, {"PYTHONHASHSEED": "77", "TZ": "America/Los_Angeles", "LANG": "C"})
    told = [
        subprocess.run(
            [sys.executable, "-c", DIGESTS], cwd=ROOT, env={**os.environ, **place}, capture_output=True, check=True
        ).stdout
        for place in places
    ]
    assert told[0] == told[1] != b""
