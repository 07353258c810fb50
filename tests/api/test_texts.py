"""Texts are refused for what no record may hold, and stored exactly otherwise."""

import pytest

from tests.api.life import Life
from tests.api.office import Office, answered, problem_of, refused

FORBIDDEN = {
    "NUL": "\x00", "bell": "\x07", "escape": "\x1b[31m", "vertical tab": "\x0b", "delete": "\x7f",
    "right-to-left override": "\u202egnp.exe", "left-to-right embedding": "\u202a", "isolate": "\u2066",
    "non-character": "\uffff", "another non-character": "\ufffe",
}  # fmt: skip
STORED = {
    "beyond the basic plane": "𬭎钢 \U0002cb4e", "traditional": "臺灣保全",
    "combining": "e\u0301 is not \u00e9", "full width": "ＡＢＣ　１２３",
    "quotes": """O'Neil "Ltd" <b>&amp;\\n; DROP TABLE""",
    "format": "{act} %s %(x)s ${jndi:ldap://x}", "spaces": "  kept  as  given  ", "lines": "one\ntwo\tthree\r\n",
    "the longest": "警" * 300,
}  # fmt: skip
UNPRINTABLE = {
    "beyond the font": "𠮷野家 \U00020bb7", "right to left": "شركة الإنذار", "a family": "👨‍👩‍👧",
    "the longest": "𠮷" * 300, "private use": "\ue000", "zero width": "a\u200bb", "soft hyphen": "a\u00adb",
    "variation": "辻\U000e0100", "Hangul": "경비",
}  # fmt: skip
"""Stored exactly too, but no document is issued that would show a blank for them."""


@pytest.mark.parametrize("text", FORBIDDEN)
def test_a_character_that_no_record_may_hold_is_refused_by_its_name(office: Office, text: str) -> None:
    life = Life(office)
    with office.recording_nothing():
        for name in ("holder", "address", "scope", "scheme", "certification_type"):
            given = life.application(**{name: f"Alarm {FORBIDDEN[text]}"})
            problem = refused(office.post("/applications", "holder", given), 422, "malformed")
            assert f"U+{ord(FORBIDDEN[text][0]):04X}" in problem["detail"]
        refused(office.post("/applications", "holder", life.application() | {FORBIDDEN[text]: "x"}), 422, "malformed")


@pytest.mark.parametrize("text", STORED)
def test_every_other_text_is_stored_exactly(office: Office, text: str) -> None:
    name = STORED[text]
    life = Life(office).applies(holder=name, address=name, scope=name)
    life.accepted().planned().assessed().reviewed().decided("grant")
    life.number = life.does("issuances", "reg")["certificate_number"]
    view, shown = life.view(), office.status(life.number)
    assert {view["holder"], view["address"], view["scope"], shown["holder"], shown["scope"]} == {name}
    (listed,) = answered(office.get("/certificates", "aud", holder=name.strip()[:20]))["items"]
    assert listed["holder"] == name
    assert office.get("/deadlines.ics", "aud", by="2030-01-01").status_code == 200


@pytest.mark.parametrize("name", ["holder", "address", "scope"])
@pytest.mark.parametrize("text", UNPRINTABLE)
def test_what_cannot_be_printed_is_stored_exactly_and_not_issued(office: Office, text: str, name: str) -> None:
    life = Life(office).applies(**{name: UNPRINTABLE[text]})
    assert life.stream()[0][name] == UNPRINTABLE[text]
    life.accepted().planned().assessed().reviewed().decided("grant")
    with office.recording_nothing():
        problem = refused(life.post("issuances", "reg"), 422, "unprintable")
    assert problem["what"] == name
    missing = [each for each in UNPRINTABLE[text] if each not in "ab 野家辻"]
    assert problem["characters"].count("U+") == len(set(missing))
    assert all(f"U+{ord(each):04X}" in problem["detail"] for each in missing)


@pytest.mark.parametrize(
    ("name", "longest"),
    [("holder", 300), ("address", 300), ("scope", 2000), ("scheme", 300), ("certification_type", 64)],
)
def test_a_text_is_at_most_so_long(shared_office: Office, name: str, longest: int) -> None:
    life = Life(shared_office)
    with shared_office.recording_nothing():
        for length in (longest + 1, 10_000):
            given = life.application(**{name: "x" * length})
            refused(shared_office.post("/applications", "holder", given), 422, "malformed")
        for text in ("", " ", "\t\n", "\u3000"):
            refused(shared_office.post("/applications", "holder", life.application(**{name: text})), 422, "malformed")
    response = shared_office.post("/applications", "holder", life.application(**{name: "x" * longest}))
    assert response.status_code == 201 or problem_of(response)["code"] in (
        "scheme_unknown",
        "certification_type_unknown",
    )


@pytest.mark.parametrize(
    "code", ["", "x" * 18, "91110108000000001", "9111010800000000１X", "91110108000000001O", "𠮷" * 18, "1" * 300]
)
def test_a_unified_code_that_is_none_is_refused(shared_office: Office, code: str) -> None:
    with shared_office.recording_nothing():
        response = shared_office.post("/organisations", "reg", {"unified_code": code, "name": "x", "address": "x"})
        assert problem_of(response)["code"] in ("unified_code_malformed", "malformed")


@pytest.mark.parametrize("person", ["", " ", "a b", "-a", "é", "a" * 65, "a\n", "../x", "\x00", "𠮷"])
def test_a_persons_id_is_a_plain_name(shared_office: Office, person: str) -> None:
    with shared_office.recording_nothing():
        refused(shared_office.post("/persons", "adm", {"person": person}), 422, "malformed")
