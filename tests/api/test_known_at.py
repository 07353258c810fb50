"""What was known of a certificate then, and of which day: the questions of somebody who disputes."""

from __future__ import annotations

import pytest

from api import lookup
from lifecycle.certificate import Certificate
from tests.api.life import Life
from tests.api.office import Office, answered, refused


@pytest.fixture(scope="module")
def life(shared_office: Office) -> Life:
    """Issued on 15 January 2024, suspended on 10 February, which is voided on 1 March."""
    life = Life(shared_office).issued()
    shared_office.moves_to("2024-02-10")
    life.suspended()
    suspended = life.version_of("certificate-suspended")
    shared_office.moves_to("2024-03-01")
    life.both("corrections", {"target": suspended, "reason": "a slip", "void": True})
    return life


def asked(office: Office, life: Life, person: str = "aud", **query: str) -> dict:
    return answered(office.get(f"/certificates/{life.id}", person, **query))


@pytest.mark.parametrize(
    ("on", "known_at", "status"),
    [
        ("2024-02-20", "2024-02-05T00:00:00+08:00", "active"),  # as it was thought before it was suspended
        ("2024-02-20", "2024-02-20T23:59:59+08:00", "suspended"),  # on the day itself
        ("2024-02-20", None, "active"),  # as it is known now
        ("2024-01-01", None, "none"),
        (None, "2024-02-20T00:00:00Z", "suspended"),  # of today, as was known then
    ],
)
def test_the_state_on_a_day_as_it_was_known_at_an_instant(
    shared_office: Office, life: Life, on: str | None, known_at: str | None, status: str
) -> None:
    query = {name: text for name, text in (("on", on), ("known_at", known_at)) if text}
    found = asked(shared_office, life, **query)
    assert found["status"] == status
    assert found["on"] == (on or "2024-03-01")
    assert (found["known_at"] is None) is (known_at is None)


def test_a_holder_asks_the_same_of_its_own_and_is_shown_no_proposals(shared_office: Office, life: Life) -> None:
    found = asked(shared_office, life, "holder", on="2024-02-20", known_at="2024-02-20T12:00:00Z")
    assert (found["status"], found["proposals"]) == ("suspended", [])
    path = f"/certificates/{life.id}"
    refused(shared_office.get(path, "stranger", known_at="2024-02-20T12:00:00Z"), 404, "certificate_unknown")


def test_the_past_has_no_tag_to_act_upon(shared_office: Office, life: Life) -> None:
    path = f"/certificates/{life.id}"
    assert shared_office.get(path, "aud", on="2024-02-20").headers["etag"]
    assert "etag" not in shared_office.get(path, "aud", known_at="2024-02-20T12:00:00Z").headers


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"known_at": "2020-01-01T00:00:00Z"}, 404, "certificate_unknown"),
        ({"known_at": "2030-01-01T00:00:00Z"}, 422, "day_in_future"),
        ({"known_at": "2024-02-20"}, 422, "malformed"),
        ({"known_at": "1708387200"}, 422, "malformed"),
        ({"on": "20240220"}, 422, "malformed"),
        ({"on": "2024-02-30"}, 422, "malformed"),
    ],
)
def test_what_cannot_be_answered_is_refused(
    shared_office: Office, life: Life, query: dict[str, str], status: int, code: str
) -> None:
    refused(shared_office.get(f"/certificates/{life.id}", "aud", **query), status, code)


def test_an_answer_with_later_knowledge_is_found_out(
    shared_office: Office, life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    def all_of_it(certificate: Certificate, at: object) -> Certificate:
        return certificate

    monkeypatch.setattr(lookup, "as_known_at", all_of_it)
    with pytest.raises(AssertionError):
        test_the_state_on_a_day_as_it_was_known_at_an_instant(
            shared_office, life, "2024-02-20", "2024-02-20T23:59:59+08:00", "suspended"
        )


def test_what_changed_up_to_a_moment_still_to_come_is_told_up_to_now(shared_office: Office, life: Life) -> None:
    path = f"/certificates/{life.id}/changes"
    shared_office.house.catch_up()
    now = answered(shared_office.get(path, "aud", **{"from": "2024-02-20"}))
    later = answered(shared_office.get(path, "aud", **{"from": "2024-02-20", "to": "2031-01-01"}))
    assert (later["to"][:10], later["changed"]) == ("2024-03-01", now["changed"])
    assert later["changed"]["status"] == ["suspended", "active"]
    refused(shared_office.get(path, "aud", **{"from": "2031-01-01"}), 422, "malformed")
