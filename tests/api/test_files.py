"""Files of evidence: brought once, kept by their digest for ever, given to whom they concern."""

import collections
import socket
from collections.abc import Iterator
from contextlib import nullcontext
from hashlib import sha256
from secrets import token_bytes
from typing import Any

import psycopg
import pytest

from api import limits
from api.files import ENDINGS, INERT, Files
from api.limits import BODY_BYTES
from api.server import served
from lifecycle import files as room
from lifecycle.files import LARGEST
from lifecycle.store import StoreUnavailable
from tests.api.life import SHA, Json, Life, life_at
from tests.api.office import Office, answered, refused
from tests.api.test_roles import NOBODIES, PERSONS
from tests.databases import Database

PDF = "application/pdf"
FORM = b"%PDF-1.7 a form that the holder filled in"


def brought(office: Office, content: Any, person: str | None = "reg", media_type: str = PDF) -> Any:
    headers = office.bearing(person) | {"Content-Type": media_type}
    return office.client.post("/files", content=content, headers=headers)


def kept(office: Office, content: bytes, **given: Any) -> str:
    """The digest of a file that is kept now."""
    answer = answered(brought(office, content, **given))
    assert answer == {"sha256": sha256(content).hexdigest(), "size": len(content)}
    return answer["sha256"]


def cited(life: Life, person: str = "aud") -> dict[str, Json]:
    items = answered(life.office.get(f"/certificates/{life.id}/files", person))["items"]
    return {item["sha256"]: item for item in items}


@pytest.fixture(scope="module")
def office(shared_office: Office) -> Office:
    shared_office.employs("revoked", "registrar")
    shared_office.revokes("revoked")
    shared_office.secrets["invented"] = "certlife_" + "x" * 43
    return shared_office


# ---- kept ------------------------------------------------------------------------------------------------------------


def test_a_file_comes_back_as_it_was_brought(office: Office) -> None:
    content = bytes(range(256)) * 1000
    digest = kept(office, content)
    response = office.get(f"/files/{digest}", "aud")
    assert (response.status_code, response.content) == (200, content)
    assert response.headers["content-type"] == PDF
    assert response.headers["etag"] == f'"{digest}"'
    again = office.client.get(f"/files/{digest}", headers=office.bearing("aud") | {"If-None-Match": f'"{digest}"'})
    assert (again.status_code, again.content) == (304, b"")


def test_the_same_bytes_again_give_the_same_answer_and_change_nothing(office: Office) -> None:
    digest = kept(office, b"the same", media_type="text/plain")
    assert kept(office, b"the same", person="ana", media_type=PDF) == digest
    assert office.get(f"/files/{digest}", "aud").headers["content-type"] == "text/plain"


@pytest.mark.parametrize("size", [1, BODY_BYTES, BODY_BYTES + 1, LARGEST - 1, LARGEST])
def test_a_file_has_up_to_20_mib(office: Office, size: int) -> None:
    assert LARGEST == 20_971_520
    digest = kept(office, b"x" * size)
    assert len(office.get(f"/files/{digest}", "reg").content) == size


def test_a_large_file_takes_longer_than_questions_may(office: Office) -> None:
    """A slow disk is as short of time as this session."""
    recorder: Any = office.house.register.recorder
    content = token_bytes(LARGEST)
    with recorder.connection() as connection:
        connection.execute("SET statement_timeout = '25ms'")
    try:
        found = room.keep(recorder, content, PDF, "reg", office.house.questions.register.clock.instant())
        with recorder.connection() as connection:
            assert dict(room.contents(connection, [found.sha256])) == {found.sha256: content}
            assert connection.execute("SHOW statement_timeout").fetchone() == ("25ms",)
    finally:
        with recorder.connection() as connection:
            connection.execute("SET statement_timeout = '2000ms'")


def test_a_large_file_that_is_given_no_time_is_found_out(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_taking_time", lambda connection: nullcontext())
    with pytest.raises(StoreUnavailable):
        test_a_large_file_takes_longer_than_questions_may(office)


def pieces(size: int, read: list[int]) -> Iterator[bytes]:
    """The body in pieces that do not say how many will come; ``read`` is told of each that is asked for."""
    for start in range(0, size, 1 << 20):
        read.append(start)
        yield b"x" * min(1 << 20, size - start)


def test_a_file_of_one_byte_more_is_refused(office: Office) -> None:
    for content in (b"x" * (LARGEST + 1), pieces(LARGEST + 1, [])):
        response = brought(office, content)
        assert refused(response, 413, "body_too_large")["most"] == LARGEST
        assert response.headers["connection"] == "close"
    assert refused_in_chinese(office)


def refused_in_chinese(office: Office) -> bool:
    headers = office.bearing("reg") | {"Accept-Language": "zh"}
    response = office.client.post("/files", content=b"x" * (LARGEST + 1), headers=headers)
    return "最多" in refused(response, 413, "body_too_large")["detail"]


def test_no_other_address_takes_a_body_as_large_as_a_file(office: Office) -> None:
    for path in ("/organisations", "/files/", "/files/x", "//files"):
        response = office.client.post(path, content=b" " * (BODY_BYTES + 1), headers=office.bearing("reg"))
        refused(response, 413, "body_too_large")


@pytest.mark.parametrize(
    ("media_type", "status", "code"),
    [
        ("multipart/form-data; boundary=x", 415, "not_a_file"),
        ("application/x-www-form-urlencoded", 415, "not_a_file"),
        ("pdf", 422, "malformed"),
        ("application/pdf, text/html", 422, "malformed"),
        ("text/" + "x" * 200, 422, "malformed"),
    ],
)
def test_what_is_not_sent_as_a_file_is_refused(office: Office, media_type: str, status: int, code: str) -> None:
    refused(brought(office, FORM, media_type=media_type), status, code)


def test_an_empty_file_is_refused(office: Office) -> None:
    refused(brought(office, b""), 422, "malformed")


# ---- over a real connection ------------------------------------------------------------------------------------------


@pytest.fixture
def connection(office: Office) -> Iterator[socket.socket]:
    """A connection to a real server."""
    with (
        served(office.house, "127.0.0.1", 0) as url,
        socket.create_connection(("127.0.0.1", int(url.rsplit(":", 1)[1])), timeout=20) as connection,
    ):
        yield connection


def begun(office: Office, connection: socket.socket, head: str, person: str = "reg") -> None:
    """The head of a file is sent."""
    bearer = office.bearing(person)["Authorization"]
    connection.sendall(
        f"POST /files HTTP/1.1\r\nHost: x\r\nAuthorization: {bearer}\r\nConnection: close\r\n{head}\r\n\r\n".encode()
    )


def told(connection: socket.socket) -> bytes:
    """Everything that is answered until the connection ends."""
    return b"".join(iter(lambda: connection.recv(65_536), b""))


def test_a_file_that_says_it_is_too_large_is_refused_before_it_is_sent(
    office: Office, connection: socket.socket
) -> None:
    begun(office, connection, f"Content-Length: {LARGEST + 1}")
    assert told(connection).startswith(b"HTTP/1.1 413 ")


def test_who_may_bring_none_is_told_so_before_the_file_is_sent(office: Office, connection: socket.socket) -> None:
    begun(office, connection, f"Content-Length: {LARGEST}", "aud")
    assert told(connection).startswith(b"HTTP/1.1 403 ")


def test_the_largest_file_passes_through_a_real_connection(office: Office, connection: socket.socket) -> None:
    begun(office, connection, f"Content-Length: {LARGEST}")
    connection.sendall(b"y" * LARGEST)
    assert told(connection).startswith(b"HTTP/1.1 200 ")


def test_a_file_without_end_is_not_taken(office: Office, connection: socket.socket) -> None:
    begun(office, connection, "Transfer-Encoding: chunked", "aud")
    chunks = (b"10000\r\n" + b"x" * 65_536 + b"\r\n") * 16
    with pytest.raises(ConnectionError):
        collections.deque(map(connection.sendall, [chunks] * 64))


def test_a_file_that_was_cut_short_is_not_kept(office: Office, connection: socket.socket) -> None:
    half = b"half of it"
    begun(office, connection, "Content-Length: 1000")
    connection.sendall(half)
    connection.shutdown(socket.SHUT_WR)
    assert b" 200 " not in told(connection)
    refused(office.get(f"/files/{sha256(half).hexdigest()}", "aud"), 404, "file_unknown")


def test_a_file_that_does_not_come_in_time_is_not_waited_for(
    office: Office, connection: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SECONDS_TO_SEND_A_FILE", 0.05)
    begun(office, connection, "Content-Length: 10")
    assert told(connection).startswith(b"HTTP/1.1 408 ")


# ---- given out -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("media_type", [*ENDINGS, "text/html", "image/svg+xml", "application/xhtml+xml", "text/x-y"])
def test_nothing_that_is_given_out_acts_in_a_browser(office: Office, media_type: str) -> None:
    digest = kept(office, b"<script>alert(1)</script>" + media_type.encode(), media_type=media_type)
    headers = office.get(f"/files/{digest}", "aud").headers
    assert headers["content-type"] in ENDINGS
    assert (headers["content-type"] == media_type) == (media_type in ENDINGS)
    assert headers["content-disposition"].startswith("attachment; filename=")
    assert {name: headers[name] for name in INERT} == INERT
    assert (headers["x-content-type-options"], "sandbox" in headers["content-security-policy"]) == ("nosniff", True)


@pytest.mark.parametrize("digest", ["x", SHA[:-1], SHA + "0", "A" * 64, "..%2f" * 12])
def test_what_is_no_digest_names_no_file(office: Office, digest: str) -> None:
    assert office.get(f"/files/{digest}", "aud").status_code in (404, 422)


# ---- who may ---------------------------------------------------------------------------------------------------------


def test_each_role_brings_and_fetches_what_it_may_and_nothing_else(office: Office) -> None:
    digest = kept(office, b"for the matrix")
    for role, person in PERSONS.items():
        response = brought(office, b"for the matrix", person)
        if role in {"registrar", "assessor", "decision_maker", "applicant"}:
            answered(response)
        else:
            refused(response, 403, "role_not_allowed")
        response = office.get(f"/files/{digest}", person)
        if role in {"registrar", "assessor", "decision_maker", "scheme_manager", "auditor"}:
            assert response.status_code == 200
        elif role == "applicant":
            refused(response, 404, "file_unknown")
        else:
            refused(response, 403, "role_not_allowed")
    for nobody in NOBODIES:
        code = "key_not_accepted" if nobody else "key_missing"
        refused(brought(office, b"for the matrix", nobody), 401, code)
        refused(office.get(f"/files/{digest}", nobody), 401, code)


@pytest.fixture(scope="module")
def papers(office: Office) -> dict[str, str]:
    """The digest of a file of each sort that one certificate cites."""
    life = Life(office).applies(request_sha256=kept(office, b"the application", person="holder")).accepted().planned()
    paper = kept(office, b"notes of the assessor", person="ana")
    life.does_in_case("assessment", "ana", life.assessment() | {"evidence": [paper]})
    proof = kept(office, b"receipt of the post")
    today = office.today.isoformat()
    life.does("notices", "reg", {"of": 1, "served_on": today, "proof_sha256": proof})
    proposed = kept(office, b"a letter of long ago")
    late = {"against": 1, "grounds": "we differ", "request_sha256": proposed, "effective_on": "2023-12-01"}
    return {
        "certificate": life.id, "request": sha256(b"the application").hexdigest(), "paper": paper, "proof": proof,
        "proposed": proposed, "late": str(life.post("appeals", "reg", late).status_code),
    }  # fmt: skip


@pytest.mark.parametrize(("sort", "shown"), [("request", True), ("proof", True), ("paper", False), ("proposed", False)])
def test_a_holder_fetches_what_its_own_facts_cite_and_no_internal_paper(
    office: Office, papers: dict[str, str], sort: str, shown: bool
) -> None:
    response = office.get(f"/files/{papers[sort]}", "holder")
    if shown:
        assert response.status_code == 200
    else:
        refused(response, 404, "file_unknown")
    refused(office.get(f"/files/{papers[sort]}", "stranger"), 404, "file_unknown")
    assert office.get(f"/files/{papers[sort]}", "aud").status_code == 200


def test_who_may_not_have_a_file_does_not_learn_whether_it_is_kept(office: Office, papers: dict[str, str]) -> None:
    known = refused(office.get(f"/files/{papers['paper']}", "holder"), 404, "file_unknown")
    unknown = refused(office.get(f"/files/{'f' * 64}", "holder"), 404, "file_unknown")
    assert known["detail"].replace(papers["paper"], "f" * 64) == unknown["detail"]


@pytest.fixture(scope="module")
def grasping(office: Office, papers: dict[str, str]) -> Life:
    """A holder appeals, and gives as its own request the digest of a paper of the assessor, which its stream shows."""
    life = Life(office, id=papers["certificate"])
    life.does("appeals", "holder", {"against": 1, "grounds": "we differ", "request_sha256": papers["paper"]})
    return life


def test_nobody_comes_by_a_paper_by_citing_it(office: Office, grasping: Life, papers: dict[str, str]) -> None:
    refused(office.get(f"/files/{papers['paper']}", "holder"), 404, "file_unknown")
    assert (cited(grasping, "holder")[papers["paper"]]["kept"], cited(grasping)[papers["paper"]]["kept"]) == (
        False,
        True,
    )


def test_nobody_comes_by_a_paper_by_having_its_citation_approved(
    office: Office, grasping: Life, papers: dict[str, str]
) -> None:
    late = {"against": 1, "grounds": "we differ", "request_sha256": papers["paper"], "effective_on": "2023-12-02"}
    grasping.proposes("appeals", late, "holder")
    office.employs("reg too", "registrar", as_person="rita")
    answered(grasping.approves("reg too"))
    refused(office.get(f"/files/{papers['paper']}", "holder"), 404, "file_unknown")


def test_a_citation_that_opens_what_it_likes_is_found_out(
    office: Office, grasping: Life, papers: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room.Citation, "opens", lambda citation, found: not citation.internal)
    with pytest.raises(AssertionError):
        test_nobody_comes_by_a_paper_by_citing_it(office, grasping, papers)


def test_a_holder_given_its_internal_papers_is_found_out(
    office: Office, papers: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room.Citation, "internal", False)
    with pytest.raises(AssertionError):
        test_a_holder_fetches_what_its_own_facts_cite_and_no_internal_paper(office, papers, "paper", False)


def test_a_file_given_to_any_applicant_is_found_out(
    office: Office, papers: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Files, "_concerns", lambda self, organisation, found: True)
    with pytest.raises(AssertionError):
        test_a_holder_fetches_what_its_own_facts_cite_and_no_internal_paper(office, papers, "request", True)


# ---- cited -----------------------------------------------------------------------------------------------------------


def test_of_each_file_that_is_cited_it_is_shown_by_what_and_whether_it_is_kept(office: Office) -> None:
    """A digest of a paper that is not kept here is cited as ever."""
    life = life_at(office, "planned")
    there = kept(office, b"kept")
    life.does_in_case("assessment", "ana", life.assessment() | {"evidence": [there, SHA]})
    version = life.version_of("assessment-recorded")
    by = [{"version": version, "type": "assessment-recorded.v1", "member": "evidence", "internal": True}]
    found = cited(life)
    assert list(found) == [there, SHA]
    assert (found[there]["kept"], found[there]["size"], found[there]["media_type"]) == (True, 4, PDF)
    assert (found[SHA]["kept"], found[SHA]["size"], found[SHA]["cited_by"]) == (False, None, by)
    assert cited(life, "holder") == {}


def test_a_holder_is_shown_which_of_its_own_papers_are_kept(office: Office, papers: dict[str, str]) -> None:
    shown = cited(Life(office, id=papers["certificate"]), "holder")
    assert {digest for digest, item in shown.items() if item["kept"]} == {papers["request"], papers["proof"]}


def test_a_proposal_cites_what_the_act_that_is_proposed_would(office: Office, papers: dict[str, str]) -> None:
    assert papers["late"] == "202"
    (by,) = cited(Life(office, id=papers["certificate"]))[papers["proposed"]]["cited_by"]
    assert (by["type"], by["member"], by["internal"]) == ("act-proposed.v1", "request_sha256", True)


def test_the_files_that_facts_cite_are_read_back_by_their_digests(office: Office, papers: dict[str, str]) -> None:
    """What a bundle of evidence asks."""
    history = office.house.register.certificate(papers["certificate"]).history  # pyright: ignore[reportArgumentType]
    digests = room.cited(recorded.fact for recorded in history)
    with office.house.register.recorder.connection() as connection:
        found = dict(room.contents(connection, [*digests, SHA]))
    assert set(digests) == {papers[sort] for sort in ("request", "paper", "proof", "proposed")}
    assert {digest: sha256(content).hexdigest() for digest, content in found.items()} == {d: d for d in digests}


def test_a_file_that_was_exchanged_is_refused_by_the_table(office: Office, databases: Any) -> None:
    digest = kept(office, b"as it was")
    owner = Database(databases._server, database_of(office))
    with psycopg.connect(owner.owner_url) as connection, pytest.raises(psycopg.errors.CheckViolation):
        connection.execute("UPDATE certlife.files SET content = 'other' WHERE sha256 = %s", [bytes.fromhex(digest)])


def database_of(office: Office) -> str:
    with office.house.register.recorder.connection() as connection:
        return connection.info.dbname
