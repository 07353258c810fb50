"""Notices: which are wanted, made in Chinese and English, kept as they were given out, logged once they are served."""

import re
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest

from api.printing.font import Font
from api.printing.notices import FIELDS, WORDS, Paper, topic_word, words_of
from api.printing.press import Press
from lifecycle import events as e
from lifecycle import files
from lifecycle.decisions.correction import CORRECTABLE
from lifecycle.notices import TOLD, Notice, notice_of
from tests.api.life import SHA, Json, Life, life_at, reasons
from tests.api.office import STAFF, Office, answered, refused
from tests.api.pdf import Pdf
from tests.api.test_roles import PERSONS
from tests.lifecycle.freeze import example
from tests.lifecycle.story import Story


def listed(life: Life, person: str = "aud") -> dict[int, Json]:
    items = answered(life.office.get(f"/certificates/{life.id}/notices", person))["items"]
    return {item["of"]: item for item in items}


def fetched(life: Life, version: int, person: str = "reg") -> Any:
    return life.office.get(f"/certificates/{life.id}/notices/{version}", person)


def served(life: Life, of: int, on: str | None = None, **given: Any) -> Any:
    body = {"of": of, "served_on": on or life.office.today.isoformat(), "proof_sha256": SHA} | given
    return life.post("notices", "reg", body)


def suspended(office: Office) -> tuple[Life, int]:
    life = life_at(office, "active").suspended(
        reasons=reasons("mark_misused", text="标志印在货车上 the mark on vans"), ends_on="2024-03-01"
    )
    return life, life.version_of("certificate-suspended")


@pytest.fixture
def told(shared_office: Office) -> tuple[Life, int]:
    """A certificate, and the version of its suspension."""
    return suspended(shared_office)


# ---- which are wanted ------------------------------------------------------------------------------------------------


def test_what_wants_a_notice_is_listed_with_what_was_served_and_until_when_an_appeal_is_in_time(
    told: tuple[Life, int],
) -> None:
    life, version = told
    before = listed(life)
    assert [item["type"] for item in before.values()] == ["certification-granted.v1", "certificate-suspended.v1"]
    assert (before[version]["state"], before[version]["served"], before[version]["appeal_until"]) == (
        "wanted", [], None,
    )  # fmt: skip
    assert before[version]["title"] == {"zh": "暂停认证证书通知书", "en": "Notice of suspension"}
    logged = answered(served(life, version, "2024-01-15"))["version"]
    after = listed(life, "holder")[version]
    assert (after["state"], after["appeal_until"]) == ("served", "2024-02-14")
    assert after["served"] == [
        {"version": logged, "served_on": "2024-01-15", "proof_sha256": SHA, "notice_sha256": None}
    ]


def test_the_time_to_appeal_runs_from_the_first_notice(office: Office) -> None:
    life, version = suspended(office)
    answered(served(life, version, "2024-01-15"))
    office.moves_to("2024-02-10")
    answered(served(life, version, "2024-02-10"))
    assert listed(life)[version]["appeal_until"] == "2024-02-14"
    office.moves_to("2024-02-15")
    late = life.post("appeals", "holder", {"against": version, "grounds": "we differ"})
    assert refused(late, 409, "appeal_too_late")["until_on"] == "2024-02-14"


def test_a_time_that_runs_from_the_last_notice_is_found_out(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever could serve again could keep an appeal open, or let one pass by serving late."""

    def from_the_last(certificate: Any, version: int, editions: Any) -> Any:
        told = (recorded.fact for recorded in certificate.history)
        served = [fact.served_on for fact in told if isinstance(fact, e.HolderNotified) and fact.of == version]
        return served[-1] + timedelta(days=30) if served else None

    monkeypatch.setattr("lifecycle.notices.appeal_until", from_the_last)
    with pytest.raises(AssertionError):
        test_the_time_to_appeal_runs_from_the_first_notice(office)


def test_an_event_that_was_voided_wants_no_notice(shared_office: Office) -> None:
    life, version = suspended(shared_office)
    life.both("corrections", {"target": version, "reason": "another certificate was meant", "void": True})
    assert (listed(life)[version]["state"], listed(life)[version]["void"]) == ("void", True)
    refused(fetched(life, version), 409, "notice_of_voided")


def test_an_event_that_wants_no_notice_can_be_told_of_all_the_same(shared_office: Office) -> None:
    life = life_at(shared_office, "accepted")
    refused(fetched(life, 1), 404, "no_notice")
    answered(served(life, 1))
    assert (listed(life)[1]["state"], listed(life)[1]["title"]) == ("served", None)
    refused(fetched(life, 99), 422, "fact_unknown")


def test_of_an_application_that_waits_to_be_approved_nothing_is_told(shared_office: Office) -> None:
    life = Life(shared_office)
    back_dated = life.application(effective_on="2023-11-01")
    life.id = answered(shared_office.post("/applications", "holder", back_dated), 202)["certificate_id"]
    assert listed(life) == {}
    refused(fetched(life, 1), 404, "no_notice")
    assert answered(shared_office.get(f"/certificates/{life.id}/files", "aud")) == {"items": []}


# ---- the paper -------------------------------------------------------------------------------------------------------


def test_a_notice_names_the_act_its_grounds_its_days_and_what_the_holder_may_do(told: tuple[Life, int]) -> None:
    life, version = told
    response = fetched(life, version)
    assert response.headers["content-type"] == "application/pdf"
    (text,) = Pdf(response.content).texts()
    for words in (
        "示例认证机构", "ExampleCertificationBody", "暂停认证证书通知书", "Noticeofsuspension", "ExampleAlarmLtd",
        "1ExampleRoad", life.number, "2024年1月15日", "15January2024", "2024年3月1日", "1March2024",
        "违规使用证书或标志", "certificateormarkmisused", "标志印在货车上themarkonvans", "假定", "assumed",
        "CSP-S01-001:2021", "报警运营服务认证规则", "30日内", "30calendardays", f"namingevent{version}", life.id,
    ):  # fmt: skip
        assert words in text, words


def test_a_notice_names_no_person_of_the_staff(told: tuple[Life, int]) -> None:
    life, version = told
    (page,) = Pdf(fetched(life, version).content).reader().pages
    words = re.findall(r"\w+", page.extract_text())
    assert "CSP" in words
    assert STAFF.keys().isdisjoint(words)


def test_surveillance_that_falls_due_is_told(office: Office) -> None:
    life = life_at(office, "active")
    office.moves_to("2025-10-20")
    office.ticks()
    version = life.version_of("surveillance-due")
    (text,) = Pdf(fetched(life, version).content).texts()
    assert "监督到期通知书" in text
    assert "2026年1月15日" in text
    assert "15January2026,within24monthsof15January2024" in text


@pytest.mark.parametrize("kind", TOLD, ids=topic_word)
def test_every_kind_of_notice_is_made_in_both_languages(kind: type[e.Fact]) -> None:
    """With every member that such a fact can have, and with those alone that it must."""
    story = Story().issued()
    fact: Any = example(kind)
    notice = Notice(of=1, fact=fact, void=False, served=(), appeal_until=None)
    face = Paper(story.certificate, notice, story.editions).face()
    face |= {"issuer": {"zh": "示例认证机构", "en": "Example"}, "simulation": False}
    text = "".join(Pdf(Press(Font()).notice(face)).texts())
    for each in words_of(fact)["title"].values():
        assert "".join(each.split()) in text
    assert "{" not in text
    assert all(row["said"] for row in face["rows"])


def test_there_are_words_for_what_is_told_and_for_nothing_else() -> None:
    assert WORDS.keys() - {"paper", "field"} == {topic_word(kind) for kind in TOLD}
    assert FIELDS.keys() == {path[1:] for paths in CORRECTABLE.values() for path in paths}


@pytest.mark.parametrize("text", ["#panic(1)", '#read("/etc/passwd")', "W" * 2000, "报警，" * 600, "a\n" * 900, "{of}"])
def test_a_ground_is_printed_as_it_is_written_and_stays_on_the_page(text: str) -> None:
    story = Story().issued().on("2024-02-01")
    story.suspended()
    version = story.version_of(e.CertificateSuspended)
    notice = notice_of(story.certificate, version, story.editions)
    reason = e.Reason("mark_misused", text)
    paper = Paper(story.certificate, notice._replace(fact=_with_reasons(notice.fact, reason)), story.editions)
    face = paper.face() | {"issuer": {"zh": "示例", "en": "Example"}, "simulation": True}
    pdf = Pdf(Press(Font()).notice(face))
    assert pdf.outside(0, 0, 0, 0) == []
    printed = "".join(pdf.texts())
    assert all(printed.count(each) >= text.count(each) for each in set(text) if not each.isspace())


def _with_reasons(fact: Any, *given: e.Reason) -> Any:
    return type(fact)(**{name: getattr(fact, name) for name in fact.__struct_fields__} | {"reasons": given})


def test_what_the_font_cannot_print_is_refused_by_name(shared_office: Office) -> None:
    life = life_at(shared_office, "active").suspended(reasons=reasons("mark_misused", text="𠮷"), ends_on="2024-03-01")
    problem = refused(fetched(life, life.version_of("certificate-suspended")), 422, "unprintable")
    assert "𠮷" in problem["detail"]


def test_a_notice_reads_as_the_event_was_corrected(shared_office: Office) -> None:
    life, version = suspended(shared_office)
    change = {"path": "/ends_on", "old": "2024-03-01", "new": "2024-02-20"}
    life.both("corrections", {"target": version, "reason": "a slip of the pen", "changes": [change]})
    assert "20February2024" in Pdf(fetched(life, version).content).texts()[0]
    (text,) = Pdf(fetched(life, life.version_of("record-corrected")).content).texts()
    for words in ("勘误通知书", "暂停截止日：由2024-03-01更正为2024-02-20", "aslipofthepen"):
        assert words in text


# ---- kept, and served ------------------------------------------------------------------------------------------------


def test_a_notice_is_the_same_again_and_is_kept(told: tuple[Life, int]) -> None:
    life, version = told
    first, again = fetched(life, version), fetched(life, version, "aud")
    digest = sha256(first.content).hexdigest()
    assert (again.content, first.headers["etag"]) == (first.content, f'"{digest}"')
    assert life.office.get(f"/files/{digest}", "aud").content == first.content


def test_what_was_served_is_logged_by_the_digest_of_bytes_that_are_kept(told: tuple[Life, int]) -> None:
    life, version = told
    paper = fetched(life, version)
    digest = sha256(paper.content).hexdigest()
    refused(fetched(life, version, "holder"), 404, "notice_not_served")
    refused(life.office.get(f"/files/{digest}", "holder"), 404, "file_unknown")
    answered(served(life, version, notice_sha256=digest))
    assert life.stream()[-1]["notice_sha256"] == digest
    assert fetched(life, version, "holder").content == paper.content
    assert life.office.get(f"/files/{digest}", "holder").content == paper.content
    kept = answered(life.office.get(f"/certificates/{life.id}/files", "holder"))["items"]
    assert [(item["sha256"], item["kept"]) for item in kept] == [(SHA, False), (digest, True)]
    refused(fetched(life, version, "stranger"), 404, "certificate_unknown")


def test_a_letter_of_the_bodys_own_can_be_served_once_it_is_kept(told: tuple[Life, int]) -> None:
    life, version = told
    letter = b"a letter of our own, " + life.id.encode()
    digest = sha256(letter).hexdigest()
    with life.office.recording_nothing():
        problem = refused(served(life, version, notice_sha256=digest), 422, "notice_not_kept")
    assert f"/certificates/{life.id}/notices/{version}" in problem["detail"]
    headers = life.office.bearing("reg") | {"Content-Type": "text/plain"}
    answered(life.office.client.post("/files", content=letter, headers=headers))
    answered(served(life, version, notice_sha256=digest))
    assert fetched(life, version, "holder").content == letter


def test_a_notice_back_dated_past_what_one_person_may_is_logged_by_two_and_kept_all_the_same(office: Office) -> None:
    life, version = suspended(office)
    office.employs("registrar too", "registrar", as_person="rita")
    office.moves_to("2024-02-28")
    body = {"of": version, "served_on": "2024-01-16", "proof_sha256": SHA, "notice_sha256": "a" * 64}
    life.proposes("notices", body | {"effective_on": "2024-01-16"}, "reg")
    with office.recording_nothing():
        refused(life.approves("registrar too"), 422, "notice_not_kept")


def test_a_notice_that_nobody_keeps_is_found_out(told: tuple[Life, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "kept", lambda connection, digests: dict.fromkeys(digests, True))
    life, version = told
    with pytest.raises(AssertionError):
        refused(served(life, version, notice_sha256="b" * 64), 422, "notice_not_kept")


# ---- who may ---------------------------------------------------------------------------------------------------------


def test_each_role_fetches_the_paper_if_it_may(told: tuple[Life, int]) -> None:
    life, version = told
    for role, person in PERSONS.items():
        response = fetched(life, version, person)
        if role in ("administrator", "clock"):
            refused(response, 403, "role_not_allowed")
        elif role == "applicant":
            refused(response, 404, "notice_not_served")
        else:
            assert response.status_code == 200
    path = f"/certificates/{life.id}/notices/{version}"
    refused(life.office.get(path), 401, "key_missing")
