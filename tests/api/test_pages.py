"""The pages for people say what the public look-up says, in both languages, and nothing else."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import get_args

import jwt
import pytest
from joserfc.errors import JoseError

from api.pages.words import CATALOGUE, LANGUAGES, day_in
from lifecycle.status import PublicStatus
from tests.api.life import Json, Life, life_at
from tests.api.office import Office, answered, office_of
from tests.api.reading import Page, page_of
from tests.api.test_confinement import INTERNAL, told
from tests.databases import Database

UNKNOWN = "CSP-S01-2031-54321"
FULL_WIDTH = str.maketrans({chr(code): chr(code + 0xFEE0) for code in range(0x21, 0x7F)})
in_both_languages = pytest.mark.parametrize("language", LANGUAGES)


@pytest.fixture(scope="module")
def numbers(shared_office: Office) -> dict[str, str]:
    """A number for each public status."""
    office, found = shared_office, {"unknown": UNKNOWN}
    found["expired"] = Life(office, "stranger").issued().number
    office.moves_to("2027-02-01")
    for status, stage in (("valid", "active"), ("suspended", "suspended"), ("cancelled", "cancelled")):
        found[status] = life_at(office, stage).number
    regraded = Life(office, "stranger").issued()
    office.moves_to("2027-02-20")
    regraded.graded("regrade", lost=10).decided("change_grade")
    found["superseded"] = regraded.number
    found["withdrawn"] = life_at(office, "withdrawn").number
    office.house.catch_up()
    return found


def page(office: Office, number: str, language: str = "en", **query: str) -> Page:
    return page_of(office.get(f"/verify/{number}", lang=language, **query))


def page_and_answer(office: Office, number: str, language: str, **query: str) -> tuple[Page, Json]:
    return page(office, number, language, **query), answered(office.get(f"/status/{number}", **query))


# ---- what a page says ------------------------------------------------------------------------------------------------


@in_both_languages
@pytest.mark.parametrize("status", get_args(PublicStatus))
def test_the_status_is_said_in_words_and_by_a_mark(
    shared_office: Office, numbers: dict[str, str], status: str, language: str
) -> None:
    shown, answer = page_and_answer(shared_office, numbers[status], language)
    words = CATALOGUE[language]["status"][status]
    assert answer["status"] == status
    assert shown.text_of("h1").startswith(words["word"])
    assert words["says"].format(on=day_in(language, date.fromisoformat(answer["on"]))) in shown.text
    assert list(shown.all("section", **{"class": f"verdict {status}"}))
    marks = list(shown.all("svg", **{"class": "mark"}))
    assert marks
    assert all(each["aria-hidden"] == "true" for each in marks)
    assert shown.language == {"zh": "zh-CN", "en": "en"}[language]


def test_every_status_has_a_mark_of_its_own(shared_office: Office, numbers: dict[str, str]) -> None:
    shapes = set()
    for number in numbers.values():
        html = shared_office.get(f"/verify/{number}").text
        shapes.add(html.partition("<svg")[2].partition("</svg>")[0])
    assert len(shapes) == len(numbers) == len(get_args(PublicStatus))


@in_both_languages
def test_the_page_shows_what_the_answer_holds(shared_office: Office, numbers: dict[str, str], language: str) -> None:
    for status in ("valid", "suspended", "withdrawn", "cancelled", "expired", "superseded"):
        shown, answer = page_and_answer(shared_office, numbers[status], language)
        edition = shared_office.house.register.editions[answer["edition"]]
        days = ("status_since", "valid_from", "valid_until", "first_certified_on", "suspended_until")
        expected = [day_in(language, date.fromisoformat(answer[name])) for name in days if answer[name]]
        expected += [answer["holder"], answer["scope"], answer["edition"], answer["certificate_number"]]
        expected += ["★" * answer["stars"], getattr(edition.levels[answer["level"]], language)]
        assert not [text for text in expected if text not in shown.text]


def test_only_a_valid_certificate_is_shown_as_valid(shared_office: Office, numbers: dict[str, str]) -> None:
    for status, number in numbers.items():
        shown = page(shared_office, number, "en")
        assert ("is valid on" in shown.text) == (status == "valid")
        assert ("verdict valid" in [each.get("class") for each in shown.all("section")]) == (status == "valid")


def test_a_superseded_number_leads_to_the_current_one(shared_office: Office, numbers: dict[str, str]) -> None:
    shown, answer = page_and_answer(shared_office, numbers["superseded"], "en")
    assert f"/verify/{answer['superseded_by']}?lang=en" in shown.links
    assert page(shared_office, answer["superseded_by"]).text_of("h1").startswith("Valid")


def test_a_suspended_one_says_until_when(shared_office: Office, numbers: dict[str, str]) -> None:
    shown, answer = page_and_answer(shared_office, numbers["suspended"], "en")
    assert f"Suspended until {day_in('en', date.fromisoformat(answer['suspended_until']))}" in shown.text


def test_a_simulation_says_so_on_every_page(shared_office: Office, numbers: dict[str, str]) -> None:
    for language in LANGUAGES:
        for path in ("/verify", f"/verify/{numbers['valid']}", f"/verify/{UNKNOWN}", "/verify/nonsense"):
            shown = Page(shared_office.get(path, lang=language).text)
            assert CATALOGUE[language]["page"]["simulation"] in shown.text


# ---- what was checked ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", get_args(PublicStatus))
def test_the_signed_answer_on_the_page_is_verified_with_the_published_keys(
    shared_office: Office, numbers: dict[str, str], status: str
) -> None:
    shown, answer = page_and_answer(shared_office, numbers[status], "en")
    token = shown.text_of("textarea")
    keys = jwt.PyJWKSet.from_dict(shared_office.get("/.well-known/jwks.json").json())
    kid = jwt.get_unverified_header(token)["kid"]
    claims = jwt.decode(token, keys[kid], algorithms=["EdDSA"], options={"verify_exp": False, "verify_iat": False})
    assert claims["status"] == status
    moving = ("computed_at", "expires_at")
    assert {name: claims[name] for name in answer if name not in moving} == {
        name: value for name, value in answer.items() if name not in moving
    }
    assert f"signed with key {kid}" in shown.text
    assert f"{shared_office.house.settings.public_address}/.well-known/jwks.json" in shown.links


def test_the_steps_say_what_was_asked_and_how_far_the_register_had_come(
    shared_office: Office, numbers: dict[str, str]
) -> None:
    shown, answer = page_and_answer(shared_office, numbers["valid"], "en")
    assert f"at position {answer['position']}." in shown.text
    assert f"legal day {day_in('en', date.fromisoformat(answer['on']))}" in shown.text
    assert outcomes_of(shown) == ["good", "good", "good"]
    assert outcomes_of(page(shared_office, UNKNOWN)) == ["bad", "good", "good"]


def outcomes_of(shown: Page) -> list[str]:
    """The outcome of each step, in order."""
    return [str(each["class"]) for each in shown.all("li") if each.get("class") in ("good", "bad", "open")]


def test_a_signature_that_fits_no_published_key_is_not_said_to_fit(shared_office: Office) -> None:
    signer = shared_office.house.publishing.signer
    token = signer.sign(b'{"status":"valid"}', "x")
    head, payload, signature = token.split(b".")
    assert signer.verified_by(token) == signer.kid
    for bent in (b".".join([head, payload[::-1], signature]), b".".join([head, payload, signature[::-1]])):
        with pytest.raises(JoseError):
            signer.verified_by(bent)


@in_both_languages
def test_what_is_stale_is_said_to_be_so_and_is_not_signed(office: Office, language: str) -> None:
    life = life_at(office, "active")
    office.house.catch_up()
    office.house.present.move_to(office.house.questions.now() + timedelta(minutes=6))
    shown = page(office, life.number, language)
    words = CATALOGUE[language]
    assert words["notice"]["stale"].partition("{")[0] in shown.text
    assert words["check"]["unsigned"].partition("{")[0] in shown.text
    assert not list(shown.all("textarea"))
    assert outcomes_of(shown) == ["good", "open", "open"]


# ---- history and past days -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def long_lived(shared_office: Office, numbers: dict[str, str]) -> Life:
    """Suspended for a while, and re-issued to another name; after ``numbers``, which are of the days before."""
    office, life = shared_office, Life(shared_office).issued()
    first = office.today
    office.moves_to(first + timedelta(days=20))
    life.suspended()
    office.moves_to(first + timedelta(days=40))
    life.reinstated()
    office.moves_to(first + timedelta(days=60))
    life.does("reissues", "reg", {"reasons": [{"code": "name_changed", "text": "x"}], "holder": "New Name Ltd"})
    office.moves_to(first + timedelta(days=80))
    office.house.catch_up()
    return life


def turns_of(shown: Page) -> list[tuple[str, str]]:
    """Day and status of each turn in the history, the latest first."""
    classes = [each["class"] for each in shown.all("li") if each.get("class") in get_args(PublicStatus)]
    days = [str(each["datetime"]) for each in shown.all("time")][-len(classes) :]
    return list(zip(days, classes, strict=True))


def test_the_history_tells_of_every_day_what_the_look_up_tells_of_it(shared_office: Office, long_lived: Life) -> None:
    office, turns = shared_office, turns_of(page(shared_office, long_lived.number))
    assert [status for _, status in turns] == ["valid", "valid", "suspended", "valid"]
    day = date.fromisoformat(turns[-1][0]) - timedelta(days=1)
    while day <= office.today:
        standing = next((status for since, status in turns if since <= day.isoformat()), "unknown")
        assert answered(office.get(f"/status/{long_lived.number}", on=day.isoformat()))["status"] == standing
        day += timedelta(days=1)


def test_the_history_names_what_changed(shared_office: Office, long_lived: Life) -> None:
    assert "Valid changed: Holder" in page(shared_office, long_lived.number).text


@in_both_languages
def test_a_past_day_is_shown_as_one_and_the_present_is_one_step_away(
    shared_office: Office, long_lived: Life, language: str
) -> None:
    day = shared_office.today - timedelta(days=50)
    shown, answer = page_and_answer(shared_office, long_lived.number, language, on=day.isoformat())
    assert answer["status"] == "suspended"
    assert shown.text_of("h1").startswith(CATALOGUE[language]["status"]["suspended"]["word"])
    assert CATALOGUE[language]["notice"]["past_day"].format(on=day_in(language, day)) in shown.text
    assert f"/verify/{long_lived.number}?lang={language}" in shown.links
    assert turns_of(shown) == turns_of(page(shared_office, long_lived.number, language))


def test_nothing_of_what_is_internal_stands_on_a_page(office: Office) -> None:
    life = told(Life(office))
    office.house.catch_up()
    for language in LANGUAGES:
        response = office.get(f"/verify/{life.number}", lang=language)
        text = page_of(response).text
        assert INTERNAL not in response.text
        assert not {key for key in office.keys.values() if key in response.text}
        assert not [word for word in ("mark_misused", "违规", "misused", "score", "100") if word in text]


# ---- the reader's way ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "written",
    ["csp-s01-2031-54321", " CSP - S01 - 2031 - 54321 ", UNKNOWN.translate(FULL_WIDTH), "ｃｓｐ-s01-２０３１-54321"],
)
def test_a_number_is_taken_however_it_is_written(shared_office: Office, written: str) -> None:
    typed = shared_office.client.get("/verify", params={"number": written, "lang": "en"}, follow_redirects=False)
    assert (typed.status_code, typed.headers["location"]) == (303, f"/verify/{UNKNOWN}?lang=en")
    for response in (shared_office.get("/verify", number=written), shared_office.client.get(f"/verify/{written}")):
        assert UNKNOWN in page_of(response).text


@in_both_languages
def test_the_box_keeps_language_and_day(shared_office: Office, language: str) -> None:
    shown = page_of(shared_office.get("/verify", lang=language))
    assert shown.one("input", name="number")["required"] is None
    assert shown.one("input", name="lang")["value"] == language
    assert shared_office.house.status.example in shown.text
    typed = {"number": UNKNOWN, "on": "2024-01-20", "lang": language}
    response = shared_office.client.get("/verify", params=typed, follow_redirects=False)
    assert response.headers["location"] == f"/verify/{UNKNOWN}?on=2024-01-20&lang={language}"


@pytest.mark.parametrize("path", ["/verify?number=", "/verify?number=%20%E3%80%80", "/verify/", "/verify/%20"])
def test_an_empty_box_is_shown_again(shared_office: Office, path: str) -> None:
    assert page_of(shared_office.client.get(path)).text_of("h1") == CATALOGUE["zh"]["ask"]["heading"]


@pytest.mark.parametrize(
    ("query", "accepted", "language"),
    [
        ("", None, "zh-CN"), ("", "en-GB,en;q=0.9", "en"), ("", "fr,en;q=0.5,zh;q=0.4", "en"), ("", "fr", "zh-CN"),
        ("", "en;q=0.2, zh-TW", "zh-CN"), ("", "*", "zh-CN"), ("", ";;q=x,,\xff", "zh-CN"), ("", "en;q=0", "zh-CN"),
        ("?lang=en", "zh-CN", "en"), ("?lang=zh", "en", "zh-CN"), ("?lang=fr", "en", "en"),
        ("?lang=%00", None, "zh-CN"), ("?lang=en&lang=zh", None, "en"),
    ],
)  # fmt: skip
def test_the_readers_language_is_found(shared_office: Office, query: str, accepted: str | None, language: str) -> None:
    headers = {b"accept-language": accepted.encode("latin-1")} if accepted is not None else {}
    for path in ("/verify", f"/verify/{UNKNOWN}", "/verify/nonsense"):
        response = shared_office.client.get(path + query, headers=headers)
        assert Page(response.text).language == language
        assert response.headers["content-language"] == language[:2]


def test_the_link_to_the_other_language_leads_to_the_same_page(shared_office: Office, numbers: dict[str, str]) -> None:
    paths = (
        "/verify", f"/verify/{numbers['valid']}", f"/verify/{numbers['valid']}?on=2027-02-02", "/verify?number=no such",
        f"/verify/{numbers['valid']}?on=2024-1-1",
        "/verify/CSP/S01%3F",
    )  # fmt: skip
    for path in paths:
        chinese = Page(shared_office.client.get(path).text)
        english = Page(shared_office.client.get(chinese.one("a", hreflang="en")["href"] or "").text)
        assert (chinese.language, english.language) == ("zh-CN", "en")
        back = Page(shared_office.client.get(english.one("a", hreflang="zh")["href"] or "").text)
        assert _but_for_time(back) == _but_for_time(chinese)


def _but_for_time(shown: Page) -> str:
    return "".join(part for part in shown.text.split(" ") if ":" not in part)


def test_what_a_code_adds_to_the_address_changes_nothing(shared_office: Office, numbers: dict[str, str]) -> None:
    plain = page(shared_office, numbers["valid"], "en")
    more = page(shared_office, numbers["valid"], "en", proof="eyJ.x.y", v="1", known_at="1999-01-01T00:00:00Z")
    assert more.text_of("dl") == plain.text_of("dl")
    assert more.text_of("h1") == plain.text_of("h1")


def test_a_page_names_the_certification_body_where_it_is_told(database: Database) -> None:
    with office_of(database, issuer_zh="某认证中心", issuer_en="A & B Certification") as office:
        for language, named, other in (("zh", "某认证中心", "A & B"), ("en", "A & B Certification", "某认证中心")):
            shown = page_of(office.get("/verify", lang=language))
            assert named in shown.text
            assert other not in shown.text


def test_the_catalogue_fills_in_the_same_in_both_languages() -> None:
    def leaves(entries: Json, at: str = "") -> Iterator[tuple[str, str]]:
        for name, entry in entries.items():
            if isinstance(entry, str):
                yield f"{at}{name}", entry
            else:
                yield from leaves(entry, f"{at}{name}.")

    filled = {
        language: {name: {part.partition("}")[0] for part in text.split("{")[1:]} for name, text in leaves(words)}
        for language, words in CATALOGUE.items()
    }
    names_of_months = {"page.day": {"year", "month", "day"}}
    assert filled["zh"] | names_of_months == filled["en"] | names_of_months
    assert CATALOGUE["zh"]["status"].keys() == set(get_args(PublicStatus))
