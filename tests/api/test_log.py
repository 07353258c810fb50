"""No key of a caller ever stands in the log, whatever fails."""

import pytest
import structlog

from api import log
from api.status.answers import StatusQuestions
from tests.api.office import Office, refused

NUMBER = "CSP-S01-2024-00001"


def fails(*_: object) -> None:
    raise RuntimeError("something nobody foresaw")


def logged_of_a_failure(
    office: Office, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], number: str = NUMBER
) -> str:
    """What is logged when a question that bears a key fails."""
    monkeypatch.setattr(StatusQuestions, "statuses", fails)
    refused(office.get(f"/status/{number}", "aud"), 500, "unexpected")
    logged = "".join(capsys.readouterr())
    assert "something nobody foresaw" in logged
    assert "statuses" in logged
    return logged


def test_a_failure_is_logged_without_the_key_of_who_asked(
    shared_office: Office, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shared_office.secrets["aud"] not in logged_of_a_failure(shared_office, monkeypatch, capsys)


def test_nobody_who_asks_sends_commands_to_the_terminal_of_who_reads(
    shared_office: Office, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    logged = logged_of_a_failure(shared_office, monkeypatch, capsys, "%1B[2J")
    assert "[2J" in logged
    assert "\x1b" not in logged


def test_the_library_left_to_itself_would_log_it(
    shared_office: Office, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    structlog.reset_defaults()
    try:
        assert shared_office.secrets["aud"][:20] in logged_of_a_failure(shared_office, monkeypatch, capsys)
    finally:
        log.begin()
