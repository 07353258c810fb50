"""Documents: each issue, renewal and re-issue is a version of its own; what stands of it; what cannot be printed."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from lifecycle import commands as c
from lifecycle import decide, documents, errors
from lifecycle import events as e
from lifecycle.decisions.moment import Moment
from lifecycle.documents import Made, digest_of, document_of, documents_of, facts_of, seal_of, standing_of
from lifecycle.status import segments
from tests.lifecycle.story import CERTIFICATE, Story, around, day, reasons

RARE = "𠮷"
RENAMED = e.Change("/holder", "Example Alarm Ltd", "Example Alarms Ltd")


class Printing(Story):
    """A life whose documents are printed with a font that lacks one character."""

    def missing(self, text: str) -> str:
        return RARE if RARE in text else ""

    def moment(self, person: str, **key: Any) -> Moment:
        return replace(super().moment(person, **key), glyphs=self)

    def reissued(self, **texts: str) -> "Printing":
        self.does("reg", c.Reissue(reasons=reasons("name_changed"), **texts))
        return self

    def seals(self, number: int) -> "Printing":
        """The document is made, as it reads now."""
        document = document_of(self.certificate, number)
        digest = digest_of(facts_of(self.certificate, document.fact))
        made = Made(b"%PDF", 1, digest, "kid", "renderer", "00" * 32)
        return self.given(seal_of(document, made, self.today))

    def standing(self, number: int, on: date | None = None) -> str:
        certificate = self.certificate
        return standing_of(certificate, document_of(certificate, number), on or self.today)[0]

    def version_of(self, kind: type[e.Fact]) -> int:
        return max(r.version for r in self.history if isinstance(r.fact, kind))


# ---- versions --------------------------------------------------------------------------------------------------------


def test_each_issue_reissue_change_of_grade_and_renewal_is_a_version_of_its_own() -> None:
    story = Printing().issued().on("2024-06-01").reissued(holder="New Name Ltd")
    story.on("2024-09-01").regraded(story.findings(lost="10"))
    story.on("2026-11-01").renewed(story.findings(lost="10"))
    found = documents_of(story.certificate)
    assert list(found) == [1, 2, 3, 4]
    assert [type(each.fact).__name__ for each in found.values()] == [
        "CertificateIssued", "CertificateReissued", "CertificateReissued", "CertificateRenewed",
    ]  # fmt: skip
    assert [each.fact.holder for each in found.values()][:2] == ["Example Alarm Ltd", "New Name Ltd"]


def test_the_version_of_a_voided_reissue_is_never_given_again() -> None:
    story = Printing().issued().on("2024-06-01").reissued(holder="New Name Ltd")
    story.corrected(story.version_of(e.CertificateReissued), void=True)
    story.reissued(holder="Newer Name Ltd")
    found = documents_of(story.certificate)
    assert [(number, each.void) for number, each in found.items()] == [(1, False), (2, True), (3, False)]
    assert story.last.replaces == 1
    assert [story.standing(number) for number in found] == ["superseded", "void", "valid"]


def test_there_is_no_document_but_those_printed() -> None:
    certificate = Printing().issued().certificate
    for number in (0, 2):
        with pytest.raises(errors.DocumentUnknown, match=r"has no document \d\. Its documents are 1\."):
            document_of(certificate, number)


# ---- what stands -----------------------------------------------------------------------------------------------------


def test_a_document_is_superseded_from_the_day_of_the_reissue() -> None:
    story = Printing().issued().on("2024-06-01").reissued(address="2 Example Road")
    before, the_day, after = around("2024-06-01")
    assert [story.standing(1, on) for on in (before, the_day, after)] == ["valid", "superseded", "superseded"]


def test_a_renewal_decided_early_supersedes_from_the_day_on_which_its_period_begins() -> None:
    story = Printing().issued().on("2026-11-01").renewed()
    before, the_day, _ = around("2027-01-15")
    assert [(story.standing(1, on), story.standing(2, on)) for on in (before, the_day)] == [
        ("valid", "upcoming"), ("superseded", "valid"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("act", "standing"),
    [(Story.suspended, "suspended"), (Story.withdrawn, "withdrawn"), (Story.cancelled, "cancelled")],
    ids=["suspended", "withdrawn", "cancelled"],
)
def test_a_document_stands_as_its_certificate_does(act: Callable[[Story], Any], standing: str) -> None:
    story = Printing().issued().on("2024-06-01")
    act(story)
    before, the_day, after = around("2024-06-01")
    assert [story.standing(1, on) for on in (before, the_day, after)] == ["valid", standing, standing]


def test_a_document_expires_on_the_day_after_its_last_valid_day_whether_or_not_a_clock_has_run() -> None:
    story = Printing().issued()
    before, the_day, after = around("2027-01-14")
    assert [story.standing(1, on) for on in (before, the_day, after)] == ["valid", "valid", "expired"]


def test_a_sealed_document_that_the_record_contradicts_since_a_correction_says_so() -> None:
    story = Printing().issued().seals(1).on("2024-03-01")
    assert story.standing(1) == "valid"
    story.corrected(
        story.version_of(e.CertificateIssued), e.Change("/holder", "Example Alarm Ltd", "Example Alarms Ltd")
    )
    certificate = story.certificate
    assert standing_of(certificate, document_of(certificate, 1), story.today) == ("corrected", day("2024-03-01"))


def test_a_document_not_made_yet_prints_what_a_correction_put_right() -> None:
    story = Printing().issued()
    story.corrected(
        story.version_of(e.CertificateIssued), e.Change("/holder", "Example Alarm Ltd", "Example Alarms Ltd")
    )
    assert document_of(story.certificate, 1).fact.holder == "Example Alarms Ltd"
    assert story.standing(1) == "valid"


def test_a_seal_changes_nothing_that_is_said_of_the_certificate() -> None:
    sealing, plain = Printing().issued().seals(1), Printing().issued()
    told = []
    for story in (sealing, plain):
        story.on("2024-06-01").suspended()
        told.append(segments(story.certificate, story.certificate.numbers.last, {}))
    assert told[0] == told[1]


def test_a_seal_never_stands_in_the_way_of_a_correction() -> None:
    story = Printing("2024-01-15")
    story.decided(story.graded(), "grant")
    story.does("reg", c.Issue())
    story.on("2024-01-16").seals(1).on("2024-02-01")
    story.both(c.Correct(
        target=story.version_of(e.CertificateIssued), reason="a slip",
        changes=(e.Change("/effective_on", "2024-01-15", "2024-01-20"),),
    ))  # fmt: skip
    assert isinstance(story.last, e.RecordCorrected)


# ---- what cannot be printed ------------------------------------------------------------------------------------------


def _issue(text: str) -> None:
    story = Printing()
    story.decided(story.graded(**{text: RARE}), "grant")
    with story.refusing(errors.Unprintable, what=text, characters=f"{RARE} (U+20BB7)"):
        story.does("reg", c.Issue())


def _reissue(text: str) -> None:
    story = Printing().issued()
    with story.refusing(errors.Unprintable, what=text):
        story.reissued(**{text: f"Alarm {RARE}"})


def _renew(text: str) -> None:
    """Refused already when it is proposed."""
    story = Printing().issued().on("2026-11-01")
    case = story.graded("renewal", **{text: RARE})
    with story.refusing(errors.Unprintable, what=text):
        story.proposes("dora", c.Decide(case=case, outcome="renew"))


def _change_grade(text: str) -> None:
    story = Printing().issued().on("2024-09-01")
    case = story.graded("regrade", story.findings(lost="10"), **{text: RARE})
    with story.refusing(errors.Unprintable, what=text):
        story.proposes("dora", c.Decide(case=case, outcome="change_grade"))


def _correct(text: str) -> None:
    story = Printing().issued()
    target = story.version_of(e.CertificateIssued)
    change = e.Change(f"/{text}", getattr(story.certificate.fact(target), text), RARE)
    with story.refusing(errors.Unprintable, what=text):
        story.proposes("dora", c.Correct(target=target, reason="a slip", changes=(change,)))


ACTS = [_issue, _reissue, _renew, _change_grade, _correct]
TEXTS = ["holder", "address", "scope"]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.__name__[1:])
def test_nothing_is_printed_that_would_show_a_blank(act: Callable[[str], None], text: str) -> None:
    act(text)


MUTANTS: dict[str, tuple[Any, str, Callable[..., Any]]] = {
    "nothing is looked at": (decide, "require_printable", lambda *_: None),
    "holders alone are looked at": (documents, "texts_of", lambda fact, _: {"holder": fact.holder}),
    "corrections of holders alone are": (documents, "PRINTED_TEXTS", frozenset({"/holder"})),
    "no glyph is missed": (Printing, "missing", lambda *_: ""),
}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_check_that_looks_away_is_found(mutant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(*MUTANTS[mutant])
    found = 0
    for act in ACTS:
        for text in TEXTS:
            try:
                act(text)
            except pytest.fail.Exception:
                found += 1
    assert found


def test_an_application_with_a_character_that_the_font_lacks_is_taken() -> None:
    story = Printing()
    story.applies(holder=RARE)
    assert story.certificate.id == CERTIFICATE
