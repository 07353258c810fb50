"""Checkpoints given out: to a folder in which nothing ever changes, and to addresses on the internet alone."""

from __future__ import annotations

import os
from collections.abc import Generator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from ipaddress import ip_address
from pathlib import Path
from threading import Event
from time import monotonic

import pytest
from pydantic import ValidationError

from api.ledger.https_post import Address, NotDelivered, Sender, is_outside, resolved
from api.ledger.publication import Destination, LedgerPublication
from api.ledger.published_folder import PublishedDiffers, PublishedFolder
from api.settings import Settings
from projections.checkpoints import Note
from projections.note import read, verified, verifier_key
from tests.api.conftest import Staffed, staffed_office
from tests.api.elsewhere import NAME, Elsewhere, answering, elsewhere
from tests.api.office import Office
from tests.databases import Database

NOTE = "text of\na note\n\n— somebody c2lnbmF0dXJl\n"


@pytest.fixture
def other(tmp_path: Path) -> Generator[Elsewhere]:
    with elsewhere(tmp_path / "certificates") as other:
        yield other


@pytest.fixture
def published(tmp_path: Path) -> PublishedFolder:
    return PublishedFolder(tmp_path / "deep" / "published")


@pytest.fixture
def office(database: Database, staffed: Staffed, published: PublishedFolder, other: Elsewhere) -> Generator[Office]:
    with staffed_office(database, staffed, ledger_folder=published.path, ledger_addresses=other.url) as office:
        office.house.checkpoints.pause = timedelta(0)
        office.house.checkpoints.round()
        office.house.ledger_publication.sender = other.sender()
        yield office


def signed(office: Office, name: str) -> str:
    """A checkpoint over something new, given to nobody yet."""
    office.employs(name, "auditor")
    office.house.catch_up()
    assert office.house.checkpoints.round()
    return office.get("/ledger/checkpoint").text


# ---- the folder ------------------------------------------------------------------------------------------------------


def test_every_checkpoint_and_key_is_in_the_folder_and_verifies(office: Office, published: PublishedFolder) -> None:
    notes = [signed(office, f"new-{number}") for number in range(3)]
    office.house.ledger_publication.round()
    notes.append(signed(office, "later"))
    office.house.ledger_publication.round()
    assert [text for text, _ in published.notes()] == notes
    (key_file,) = published.path.glob("key-*.txt")
    key = verifier_key(key_file.read_text().strip())
    assert key_file.name == f"key-{key.id.hex()}.txt"
    assert [verified(note, [key]) for note in notes] == [read(note) for note in notes]
    assert published.last_note() == (notes[-1], str(published.path / f"checkpoint-{read(notes[-1]).size:012}.txt"))
    assert not list(published.path.glob(".*")), "nothing is left of how they were written"


def test_a_published_file_is_never_written_again(published: PublishedFolder) -> None:
    published.put_note(7, NOTE)
    (file,) = published.path.iterdir()
    before = file.stat().st_ino, file.stat().st_mtime_ns
    published.put_note(7, NOTE)
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == before
    with pytest.raises(PublishedDiffers) as refusal:
        published.put_note(7, NOTE + "x")
    assert file.name in refusal.value.message("zh")
    assert file.read_text() == NOTE


def test_what_else_lies_in_the_folder_is_no_checkpoint(published: PublishedFolder) -> None:
    assert (published.last_note(), published.last_size()) == (None, 0)
    published.put_note(1_000_000_000_000, NOTE)
    for name in ("checkpoint-9.txt", "checkpoint-9999999999999.tmp", ".checkpoint-9999999999999.txt.1", "notes.txt"):
        (published.path / name).write_text("else")
    assert published.last_size() == 1_000_000_000_000
    assert published.last_note() == (NOTE, str(published.path / "checkpoint-1000000000000.txt"))


def test_a_folder_that_cannot_be_written_holds_nothing_up(office: Office, published: PublishedFolder) -> None:
    published.path.parent.write_text("a file where the folder should be")
    note = signed(office, "new")
    office.house.ledger_publication.round()
    assert office.get("/ledger/checkpoint").text == note
    os.unlink(published.path.parent)
    office.house.ledger_publication.round()
    assert [text for text, _ in published.notes()] == [note]


# ---- addresses -------------------------------------------------------------------------------------------------------


def test_the_last_checkpoint_is_sent_once(office: Office, other: Elsewhere) -> None:
    signed(office, "one")
    note = signed(office, "two")
    for _ in range(3):
        office.house.ledger_publication.round()
    ((path, headers, body),) = other.taken
    assert (path, body) == ("/checkpoints?of=us", note)
    assert headers["Content-Type"] == "text/plain; charset=utf-8"
    assert headers["Host"] == other.url.split("/")[2]
    note = signed(office, "three")
    office.house.ledger_publication.round()
    assert [body for *_, body in other.taken][1:] == [note]


def test_what_fails_is_tried_again_ever_more_rarely_until_it_is_taken(other: Elsewhere) -> None:
    destination, sender = Destination(other.url), other.sender()
    other.answer = answering(500)
    pauses = []
    for _ in range(9):
        destination.offer(Note(5, 5, NOTE), sender)
        destination.offer(Note(5, 5, NOTE), sender)
        pauses.append(destination.again_at - monotonic())
        destination.again_at = 0.0
    assert len(other.taken) == 9
    assert [round(pause) for pause in pauses] == [5, 10, 20, 40, 80, 160, 320, 600, 600]
    other.answer = answering(200)
    destination.offer(Note(6, 6, NOTE), sender)
    destination.offer(Note(6, 6, NOTE), sender)
    assert (len(other.taken), destination.size) == (10, 6)


def test_one_address_that_fails_keeps_nothing_from_another(office: Office, other: Elsewhere) -> None:
    note = signed(office, "new")
    addresses = [other.url.replace(NAME, "wrong.example"), other.url]
    LedgerPublication(office.house.checkpoints, None, addresses, other.sender()).round()
    assert [body for *_, body in other.taken] == [note]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(other: Elsewhere, status: int) -> None:
    other.answer = answering(status, Location=other.url)
    with pytest.raises(NotDelivered, match="redirect"):
        other.sender().post(other.url, NOTE)
    assert len(other.taken) == 1


@pytest.mark.parametrize("status", [400, 404, 500, 503])
def test_what_is_not_accepted_is_not_delivered(other: Elsewhere, status: int) -> None:
    other.answer = answering(status)
    with pytest.raises(NotDelivered, match=str(status)):
        other.sender().post(other.url, NOTE)


def test_a_certificate_must_be_for_the_name(tmp_path: Path) -> None:
    with elsewhere(tmp_path / "wrong", name="another.example") as other:
        with pytest.raises(NotDelivered, match="certificate verify failed"):
            other.sender().post(other.url, NOTE)
        assert other.taken == []


def test_a_certificate_must_be_of_an_authority_that_is_believed(other: Elsewhere) -> None:
    with pytest.raises(NotDelivered, match="certificate verify failed"):
        Sender(other.resolve, lambda address: True).post(other.url, NOTE)
    assert other.taken == []


def test_a_name_is_resolved_once_and_its_checked_address_is_called(other: Elsewhere) -> None:
    other.sender().post(other.url, NOTE)
    assert other.asked == [NAME]


def test_a_name_of_which_any_address_is_inside_is_not_called(other: Elsewhere) -> None:
    other.addresses = [ip_address("127.0.0.1"), ip_address("10.0.0.1")]
    with pytest.raises(NotDelivered, match=r"10\.0\.0\.1"):
        other.sender().post(other.url, NOTE)
    assert other.taken == []


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "[::1]", "10.1.2.3", "[::ffff:127.0.0.1]", "0.0.0.0", "2130706433", "127.1"]
)
def test_nobody_inside_is_called_however_it_is_written(other: Elsewhere, host: str) -> None:
    port = other.url.split(":")[2].split("/")[0]
    with pytest.raises(NotDelivered, match=r"not on the public internet|cannot be resolved"):
        Sender(resolved, trust=other.trust).post(f"https://{host}:{port}/", NOTE)
    assert other.taken == []


@pytest.mark.parametrize("address", [
    "127.0.0.1", "127.255.255.254", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.0.1", "169.254.169.254",
    "100.64.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "240.0.0.1", "192.0.2.1", "198.18.0.1",
    "::", "::1", "fe80::1", "fc00::1", "fd12::1", "ff02::1", "::ffff:10.0.0.1", "::ffff:169.254.169.254",
    "64:ff9b::7f00:1", "64:ff9b::a00:1", "2002:7f00:1::", "2002:a00:1::1", "2001:db8::1",
    "fec0::1", "::127.0.0.1", "::ffff:0:10.0.0.1", "64:ff9b:1::a00:1", "5f00::1",
])  # fmt: skip
def test_an_address_inside_is_known(address: str) -> None:
    assert not is_outside(ip_address(address))


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.216.34", "172.32.0.1", "2606:4700::1111", "64:ff9b::101:101"])
def test_an_address_outside_is_known(address: str) -> None:
    assert is_outside(ip_address(address))


def test_who_does_not_answer_is_given_up_in_time(other: Elsewhere) -> None:
    over = Event()

    def never(request: BaseHTTPRequestHandler) -> None:
        over.wait(20)

    other.answer = never
    began = monotonic()
    with pytest.raises(NotDelivered):
        other.sender(seconds=0.5).post(other.url, NOTE)
    assert monotonic() - began < 5
    over.set()


def test_who_answers_byte_by_byte_is_given_up_in_time(other: Elsewhere) -> None:
    over = Event()

    def slowly(request: BaseHTTPRequestHandler) -> None:
        while not over.wait(0.05):
            request.wfile.write(b"H")
            request.wfile.flush()

    other.answer = slowly
    began = monotonic()
    with pytest.raises(NotDelivered):
        other.sender(seconds=0.5).post(other.url, NOTE)
    assert monotonic() - began < 5
    over.set()


def test_a_resolver_that_does_not_answer_is_given_up_in_time(other: Elsewhere) -> None:
    over = Event()

    def never(host: str, port: int) -> list[Address]:
        over.wait(20)
        return []

    sender = Sender(never, seconds=0.2)
    with pytest.raises(NotDelivered, match="not resolved in time"):
        sender.post(other.url, NOTE)
    over.set()


@pytest.mark.parametrize("answer", [b"", b"nonsense\r\n", b"HTTP/1.1 abc\r\n", b"x" * 10_000, b"SSH-2.0\r\n"])
def test_what_does_not_speak_http_is_refused(other: Elsewhere, answer: bytes) -> None:
    def say(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(answer)

    other.answer = say
    with pytest.raises(NotDelivered):
        other.sender().post(other.url, NOTE)


# ---- settings --------------------------------------------------------------------------------------------------------


def test_addresses_are_separated_by_commas() -> None:
    given = "https://a.example, https://b.example:8443/x?y=z ,"
    assert Settings(ledger_addresses=given).ledger_addresses == ("https://a.example", "https://b.example:8443/x?y=z")


@pytest.mark.parametrize("address", [
    "http://a.example", "ftp://a.example", "a.example", "https://", "https:///x", "https://user:pass@a.example/",
    "https://a.example/ä", "https://a.example/a b", "https://a.example/\r\nX: y", "file:///etc/passwd",
    "https://a.example:99999/", "https://a.example:0/", "https://[::::]/", "https://[1.2.3.4]/",
])  # fmt: skip
def test_an_address_that_is_none_is_refused_at_the_start(address: str) -> None:
    with pytest.raises(ValidationError, match=r"https://example\.org"):
        Settings(ledger_addresses=address)
