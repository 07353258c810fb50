"""Names and contacts of persons: sealed outside the log, read by few, erased for good."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.office import Office, answered, refused

NAME, CONTACT = "张伟 Zhang Wei", "zhang.wei@example.org, 010-5550100"


def registered(office: Office, **body: Any) -> str:
    """The id of a new person."""
    return answered(office.post("/persons", "adm", {"name": NAME, "contact": CONTACT} | body), 201)["person"]


def test_a_person_registered_without_an_id_gets_a_pseudonym(office: Office) -> None:
    person = registered(office)
    assert answered(office.get(f"/persons/{person}", "aud")) == {
        "person": person, "name": NAME, "contact": CONTACT, "erased_on": None,
    }  # fmt: skip


def test_erased(office: Office) -> None:
    person = registered(office)
    answered(office.post(f"/persons/{person}/erasure", "adm", {"grounds": "consent_withdrawn"}))
    assert answered(office.get(f"/persons/{person}", "aud"))["name"] is None
    refused(office.post(f"/persons/{person}/erasure", "adm", {"grounds": "consent_withdrawn"}), 409, "person_erased")
