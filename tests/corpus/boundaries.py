"""Stories at the boundaries: a millionth of a mark on either side of each band, days on either side of each period."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache
from itertools import product
from uuid import UUID

from lifecycle import commands as c
from lifecycle import events as e
from lifecycle.decisions.issuance import due_under
from lifecycle.rules import Edition, load_edition, shipped_editions
from lifecycle.rules.translation import asked_of
from tests.lifecycle.other_elements import ROWS, with_other_elements
from tests.lifecycle.story import EDITION, Story, reasons

LOST = ("0", "4.999999", "5", "5.000001", "14.999999", "15", "15.000001", "24.999999", "25", "25.000001", "40")
ISSUED_ON = ("2024-01-31", "2024-02-28", "2024-02-29", "2023-12-31", "2024-08-30", "2025-03-01")
VISITED_AFTER = (200, 364, 365, 366, 367)
MADE_UP, OTHER = "CSP-S01-001:made-up", "CSP-S01-001:other"
SUCCESSION = f"""
[succession]
of = "{EDITION}"
last_decision_on = {{ value = 2030-06-30, unit = "day", status = "assumed" }}
transition_ends_on = {{ value = 2030-12-31, unit = "day", status = "assumed" }}
afterwards = {{ value = "adoption_due", unit = "choice", status = "assumed" }}
grade_at_adoption = {{ value = "kept", unit = "choice", status = "assumed" }}
"""


@cache
def editions() -> dict[str, Edition]:
    """The shipped ones, and two made up, which certificates adopt; nobody applies under these."""
    text = shipped_editions()[EDITION].text.replace("{ value = 2021-01-01", "{ value = 2030-01-01")
    text = text.replace('"95", unit', '"93", unit').replace("value = 24", "value = 18")
    texts = {MADE_UP: text, OTHER: with_other_elements(text) + SUCCESSION + ROWS}
    renamed = {id: text.replace(f'id = "{EDITION}"', f'id = "{id}"') for id, text in texts.items()}
    return {**shipped_editions(), **{id: load_edition(text, file=id) for id, text in renamed.items()}}


def told() -> Iterator[Story]:
    """Each story from its application on."""
    for lost, on in product(LOST, ISSUED_ON):
        yield _story(on).issued(_findings(lost), accepts_conformity=True)
        yield _refused(_story(on), lost)
    for lost, on, after in product(("0", "10"), ISSUED_ON, VISITED_AFTER):
        yield _visited(_story(on).issued(_findings(lost)), after)
    for on, after in product(ISSUED_ON, (0, 30, 300, 900)):
        yield from (_suspended(on, after), _ended(on, after, "withdrawn"), _ended(on, after, "cancelled"))
    for on in ISSUED_ON:
        yield from (_renewed(on), _expired(on), _corrected(on), _adopted(on), _lowered(on))
        yield from (_sealed(on), _extended(on), _turned_away(on, "rejected"), _turned_away(on, "withdrawn"))
    for on in ISSUED_ON:
        yield _adopted_others(on)


def _story(on: str) -> Story:
    return Story(on, editions=editions())


def _findings(lost: str) -> tuple[e.Finding, ...]:
    return Story().findings(lost)


def _later(story: Story, days: int) -> Story:
    story.on(story.today + timedelta(days=days)).ticks()
    return story


def _refused(story: Story, lost: str) -> Story:
    story.graded(findings=story.findings(lost, nonconforming=("6",)), accepts_conformity=False)
    return story


def _visited(story: Story, after: int) -> Story:
    return _later(_later(story, after).visited(), 500)


def _suspended(on: str, after: int) -> Story:
    story = _later(_story(on).issued(_findings("0")), after)
    story.suspended()
    return _later(story, 400)


def _extended(on: str) -> Story:
    """To the last day that the scheme allows."""
    story = _later(_story(on).issued(_findings("0")), 30)
    limit_on = story.edition.suspension_limit(story.today, story.certificate.valid_until)
    story.suspended(ends_on=story.today + timedelta(days=31))
    story.both(c.ExtendSuspension(reasons=reasons("mark_misused"), ends_on=limit_on))
    return _later(story, 400)


def _turned_away(on: str, how: str) -> Story:
    story = _story(on)
    case = story.applies()
    if how == "rejected":
        outside = reasons("outside_scheme")
        story.does("reg", c.ReviewApplication(case=case, outcome="rejected", reasons=outside))
    else:
        story.does("holder", c.WithdrawApplication(case=case))
    return story


def _ended(on: str, after: int, how: str) -> Story:
    story = _later(_story(on).issued(_findings("10")), after)
    getattr(story, how)()
    return story


def _renewed(on: str) -> Story:
    return _later(_later(_story(on).issued(_findings("0")), 1000).renewed(_findings("12")), 700)


def _expired(on: str) -> Story:
    return _later(_story(on).issued(_findings("20")), 1200)


def _corrected(on: str) -> Story:
    story = _later(_story(on).issued(_findings("0")), 100)
    story.corrected(story.version_of(e.AssessmentRecorded), e.Change("/findings/5.2.1/marks", "6", "0.000001"))
    return _later(story, 400)


def _lowered(on: str) -> Story:
    story = _later(_story(on).issued(_findings("0")), 300)
    draw = story.visit_opened()
    story.planned(draw)
    sampled = story.certificate.cases[draw].draw
    story.assessed(draw, story.findings("12", elements=sampled))
    story.decided(draw, "change_grade")
    return _later(story, 600)


def _sealed(on: str) -> Story:
    """A certificate whose document was fetched."""
    story = _story(on).issued(_findings("0"))
    made = dict.fromkeys(("sha256", "facts_sha256", "template_sha256"), "0" * 64)
    of, stamp = story.version_of(e.CertificateIssued), story.moment("reg").stamp(story.today)
    told = {"number": story.number, "document": 1, "size": 1, "pages": 1, "kid": "k", "renderer": "none"}
    return story.given(e.DocumentSealed(**stamp, **made, **told, of=of))


def _adopted(on: str) -> Story:
    """A certificate under another edition from a day on."""
    story = _later(_story(on).issued(_findings("0")), 200)
    stamp = story.moment("dora").stamp(story.today, edition=MADE_UP)
    adopted = e.EditionAdopted(**stamp, old=EDITION, new=MADE_UP, rehearsal=UUID(int=7), line_sha256="0" * 64)
    return _later(_visited(story.given(adopted), 150), 300)


def _adopted_others(on: str) -> Story:
    """A certificate whose edition judges other elements from a day on; a day of its visit is put right later."""
    story = _visited(_story(on).issued(_findings("3")), 300)
    new, certificate = asked_of(editions()[OTHER], editions()[EDITION], editions()), story.certificate
    adopted = e.EditionAdopted(
        **story.moment("dora").stamp(story.today, edition=OTHER), old=EDITION, new=OTHER, rehearsal=UUID(int=7),
        line_sha256="0" * 64, carried=new.carried(certificate.checks),
        due=due_under(certificate, certificate.due, new, certificate.levels.last, story.today),
    )  # fmt: skip
    story.given(adopted)
    visited_on = str(story.history[(at := story.version_of(e.SurveillanceRecorded)) - 1].fact.on_site_to)
    _later(story.visited(), 100)
    sooner = str(date.fromisoformat(visited_on) - timedelta(days=2))
    story.corrected(at, *(e.Change(f"/on_site_{end}", visited_on, sooner) for end in ("from", "to")))
    return _later(story, 300)
