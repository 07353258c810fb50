"""The press: the same bytes again, PDF/A, everything within the frame, nothing read as markup, no blank."""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Any
from unicodedata import category

import pytest
import typst

from api.printing import press as press_room
from api.printing.font import FILE, Font
from api.printing.press import Mark, Press
from api.printing.proof import qr_code
from lifecycle.documents import canonical
from tests.api.pdf import Pdf

VERIFY_AT = "https://register.example.org/verify/CSP-S01-2024-00001"
MARK = Mark("已被取代", "SUPERSEDED", "截至 2024-06-01：已被取代。", "As of 2024-06-01: superseded.")
MARGIN, FOOT = 21 * 72 / 25.4, 15 * 72 / 25.4
"""The ornaments end 15 mm from each edge of the page, the text keeps 22 mm from the sides."""


@pytest.fixture(scope="module")
def press() -> Press:
    return Press(Font())


def face(**given: Any) -> dict[str, Any]:
    """What a plain certificate shows, unless given otherwise."""
    facts = {
        "certificate_number": "CSP-S01-2024-00001", "document": 1, "holder": "北京安盾报警服务有限公司",
        "address": "北京市海淀区中关村大街 1 号", "scope": "报警运营服务", "scheme": "CSP-S01-001",
        "edition": "CSP-S01-001:2021", "certification_type": "star", "level": "five_star",
        "issued_on": "2024-01-15", "valid_from": "2024-01-15", "valid_until": "2027-01-14",
        "first_certified_on": "2024-01-15",
    }  # fmt: skip
    shown = {
        "edition": {"zh": "报警运营服务认证规则", "en": "Rules for the certification of alarm operation services"},
        "level": {"zh": "五星", "en": "five stars", "stars": 5},
        "type": {"zh": "星级认证", "en": "star certificate"},
        "issuer": {"zh": "示例认证机构", "en": "Example Certification Body"},
        "simulation": False,
        "verify_at": VERIFY_AT,
        "qr_svg": qr_code(f"{VERIFY_AT}?p={'x' * 340}"),
    }
    facts |= {name: value for name, value in given.items() if name in facts and name not in shown}
    shown |= {name: value for name, value in given.items() if name in shown}
    return shown | {"facts": canonical(facts).decode()}


def printed(press: Press, **given: Any) -> Pdf:
    return Pdf(press.document(face(**given)).content)


def batches(of: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    return (of[start : start + size] for start in range(0, len(of), size))


# ---- the same bytes --------------------------------------------------------------------------------------------------

AGAIN = """
import sys
from hashlib import sha256
from api.printing.font import Font
from api.printing.press import Press
from tests.api.test_document_press import face
print(sha256(Press(Font()).document(face()).content).hexdigest())
"""


@pytest.mark.parametrize("surroundings", [{}, {"TZ": "America/New_York", "LANG": "de_DE.UTF-8", "PYTHONHASHSEED": "7"}])
def test_another_process_makes_the_same_bytes(press: Press, surroundings: dict[str, str]) -> None:
    again = subprocess.run(
        [sys.executable, "-c", AGAIN],
        env=surroundings | {"PYTHONPATH": "."},
        capture_output=True,
        text=True,
        check=True,
    )
    assert again.stdout.strip() == sha256(printed(press).content).hexdigest()


def test_another_day_of_issue_makes_other_bytes(press: Press) -> None:
    assert printed(press).content != printed(press, issued_on="2024-01-16").content


def test_a_marked_copy_is_the_same_again_and_leaves_the_document_as_it_is(press: Press) -> None:
    document = press.document(face())
    copies = {press.copy(document.content, document.pages, MARK) for _ in range(2)}
    assert len(copies) == 1
    assert document.content not in copies


# ---- for the archive -------------------------------------------------------------------------------------------------


def test_it_says_that_it_is_pdf_a_3a_and_pdf_ua_and_has_what_they_ask_for(press: Press) -> None:
    reader = printed(press).reader()
    catalog = reader.trailer["/Root"]
    stated = reader.xmp_metadata.stream.get_data().decode()
    assert "<pdfaid:part>3</pdfaid:part>" in stated
    assert "<pdfaid:conformance>A</pdfaid:conformance>" in stated
    assert "<pdfuaid:part>1</pdfuaid:part>" in stated
    assert [intent["/S"] for intent in catalog["/OutputIntents"]] == ["/GTS_PDFA1"]
    assert catalog["/MarkInfo"]["/Marked"]
    assert catalog["/Lang"] == "zh-CN"
    assert "/StructTreeRoot" in catalog
    assert not reader.is_encrypted
    assert {"/JavaScript", "/OpenAction", "/AA"}.isdisjoint(catalog)


def test_the_one_font_of_the_service_is_embedded_and_no_other(press: Press) -> None:
    fonts = printed(press, scope="ABC 報警 ¥№★").fonts()
    assert fonts
    assert all(embedded and name.split("+")[1].startswith("NotoSerifSC") for name, embedded in fonts.items()), fonts
    assert len(printed(press).content) < 200_000, "a subset, not the font"


def test_what_it_says_is_attached_to_the_byte(press: Press) -> None:
    shown = face(holder="Example Alarm Ltd")
    attached = Pdf(press.document(shown).content).attachments()
    assert attached == {"facts.json": shown["facts"].encode()}
    assert json.loads(attached["facts.json"])["holder"] == "Example Alarm Ltd"


def test_a_marked_copy_does_not_claim_to_be_pdf_a(press: Press) -> None:
    document = press.document(face())
    copy = Pdf(press.copy(document.content, document.pages, MARK))
    assert b"pdfaid" not in copy.reader().xmp_metadata.stream.get_data()
    assert "已被取代·SUPERSEDED" in copy.texts()[0]


# ---- both languages --------------------------------------------------------------------------------------------------


def test_everything_stands_on_it_in_both_languages(press: Press) -> None:
    (text,) = printed(press).texts()
    for words in (
        "认证证书", "CERTIFICATE", "证书编号", "CertificateNo.", "CSP-S01-2024-00001", "五星", "fivestars",
        "星级认证", "starcertificate", "获证组织", "Certifiedorganisation", "北京安盾报警服务有限公司",
        "地址", "Address", "北京市海淀区中关村大街1号", "认证依据", "Certifiedunder", "CSP-S01-001:2021",
        "报警运营服务认证规则", "认证范围", "Scopeofcertification", "颁证日期", "Issuedon", "2024年1月15日",
        "15January2024", "有效期至", "Validuntil", "2027年1月14日", "14January2027", "示例认证机构",
        "ExampleCertificationBody", VERIFY_AT, "Documentversion1",
    ):  # fmt: skip
        assert words in text, words
    assert "SIMULATION" not in text


def test_a_simulation_says_so_across_every_page(press: Press) -> None:
    texts = printed(press, simulation=True, scope="报警，" * 600).texts()
    assert len(texts) == 2
    assert all(text.count("仿真·SIMULATION") == 3 for text in texts)


@pytest.mark.parametrize("stars", [3, 4, 5, None])
def test_the_stars_are_drawn_not_written(press: Press, stars: int | None) -> None:
    (text,) = printed(press, level={"zh": "级", "en": "level", "stars": stars}).texts()
    assert "★" not in text


# ---- within the page -------------------------------------------------------------------------------------------------

LONG = {
    "a plain one": {},
    "long names": {"holder": "超长名称有限公司" * 37, "address": "很长的地址" * 60, "scope": "报警复核服务，" * 285},
    "no place to break": {"holder": "W" * 300, "address": "－" * 300, "scope": "x" * 2000},
    "punctuation": {"holder": "，" * 300, "address": "）" * 150 + "（" * 150, "scope": "⸺" * 2000},
    "lines": {"holder": "a\n" * 149, "address": "b\r\n" * 99, "scope": "line\n" * 399},
    "marks upon marks": {"holder": "e" + "\u0301" * 200, "scope": "A\u0308" * 900},
    "a long issuer": {"issuer": {"zh": "示例" * 50, "en": "M" * 100}},
    "a long address": {"verify_at": "https://" + "w" * 200 + "/verify/CSP-S01-2024-00001"},
}


@pytest.mark.parametrize("long", LONG)
def test_nothing_leaves_the_page_and_nothing_is_left_out(press: Press, long: str) -> None:
    pdf = printed(press, **LONG[long])
    assert pdf.outside(MARGIN, FOOT, MARGIN, MARGIN) == []
    text = "".join(pdf.texts())
    for name in ("holder", "address", "scope"):
        given = LONG[long].get(name, "")
        kept = "".join(each for each in given if not each.isspace() and category(each) != "Mn")
        for each in set(kept):
            assert text.count(each) >= kept.count(each), (name, each)


def test_text_that_leaves_the_page_is_found(monkeypatch: pytest.MonkeyPatch, press: Press, tmp_path: Any) -> None:
    broken = press_room.CERTIFICATE.read_text("utf-8").replace("[^\\\\s\\\\p{Han}]{8,}", "NEVER")
    assert broken != press_room.CERTIFICATE.read_text("utf-8"), "the fault is seeded"
    (tmp_path / "certificate.typ").write_text(broken, "utf-8")
    monkeypatch.setattr(press_room, "CERTIFICATE", tmp_path / "certificate.typ")
    monkeypatch.setattr(press_room, "ROOM", tmp_path)
    assert printed(press, **LONG["no place to break"]).outside(MARGIN, FOOT, MARGIN, MARGIN)


# ---- data, never markup ----------------------------------------------------------------------------------------------

MARKUP = [
    "#strong[x] *y* _z_ `raw` $x^2$", "#panic(1)", '#read("/etc/passwd")', '"); #import "x"', "\\u{41} \\ \\#", "= h",
    "<label> @ref https://a.b/c", "// note /* more */", "{{ 7 * 7 }} %s {act}", "- item + 1. [a](b)",
    "--- ... -- ~ '\"'",
]  # fmt: skip


@pytest.mark.parametrize("text", MARKUP)
def test_markup_is_printed_as_it_is_written(press: Press, text: str) -> None:
    (page,) = printed(press, holder=text, address=text, scope=text).texts()
    assert page.count("".join(text.split())) == 3


# ---- no blank --------------------------------------------------------------------------------------------------------


def test_every_character_that_is_said_to_be_printable_is_printed(press: Press) -> None:
    """PDF/A forbids the glyph of what is missing, and the press refuses to make one."""
    font = Font()
    printable = [chr(code) for code in range(0x21, 0x110000) if not font.missing(chr(code)) and not chr(code).isspace()]
    assert len(printable) > 30_000
    for some in batches(printable, 6000):
        press.document(face(scope="\n".join("".join(line) for line in batches(some, 40))))


@pytest.mark.parametrize("character", ["𠮷", "한", "🙂", "ش"])
def test_what_the_font_lacks_is_named_and_the_press_would_refuse_it_too(press: Press, character: str) -> None:
    assert Font().missing(f"报{character}警 {character}\n") == character
    with pytest.raises(typst.TypstError, match="could not be displayed"):
        printed(press, holder=character)


@pytest.mark.parametrize(
    "character", ["\u00ad", "\u200b", "\u200d", "\u202e", "\u2066", "\ufeff", "\ue000", "\U000e0100"]
)
def test_a_character_that_shows_nothing_is_missing(character: str) -> None:
    assert Font().missing(f"a{character}b") == character


def test_white_space_is_never_missing() -> None:
    assert Font().missing(" \t\r\n\u3000\u00a0") == ""


def test_the_font_is_the_one_that_was_noted() -> None:
    noted = (FILE.parent / "README.md").read_text("utf-8")
    assert f"{sha256(FILE.read_bytes()).hexdigest()}  {FILE.name}" in noted
    assert "SIL OPEN FONT LICENSE Version 1.1" in (FILE.parent / "OFL.txt").read_text("utf-8")
