"""A certificate in dispute, and the bundle of its evidence."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from tests.api.conftest import Staffed, staffed_office
from tests.api.life import Life
from tests.api.office import Office, answered
from tests.databases import Databases

PAPER, LETTER = b"what the assessors saw", b"what the holder wrote"
"""Files that events cite: one internal, one not."""


class Evidenced(NamedTuple):
    """An office, a certificate that was suspended and appeals, its bundle for staff and for its holder, and what others
    hold: the ledger's key, and checkpoints from before the suspension: the one that
    first covered what was recorded by then, and one that no event of the certificate was new to."""

    office: Office
    life: Life
    bundle: bytes
    holders: bytes
    vkey: str
    checkpoint: str
    older: str
    between: str

    def saved(self, folder: Path) -> tuple[Path, Path]:
        """The bundle and the checkpoint as files."""
        for name, content in (("bundle.zip", self.bundle), ("checkpoint", self.checkpoint.encode())):
            (folder / name).write_bytes(content)
        return folder / "bundle.zip", folder / "checkpoint"


def brought(office: Office, content: bytes) -> str:
    """The digest of a file that is kept."""
    headers = office.bearing("reg") | {"Content-Type": "text/plain"}
    return answered(office.client.post("/files", content=content, headers=headers))["sha256"]


def signed(office: Office) -> str:
    """A checkpoint that covers everything recorded so far."""
    office.house.catch_up()
    office.house.checkpoints.round()
    return office.get("/ledger/checkpoint").text


def fetched(office: Office, life: Life, person: str = "aud") -> bytes:
    response = office.get(f"/certificates/{life.id}/evidence", person)
    assert response.status_code == 200, response.text
    return response.content


@contextmanager
def evidenced(databases: Databases, staffed: Staffed) -> Generator[Evidenced]:
    with databases.copy_of(staffed.register) as database, staffed_office(database, staffed) as office:
        office.house.checkpoints.pause = timedelta(0)
        office.house.checkpoints.round()  # the key is made, which is an event too
        life = Life(office).applies().accepted().planned().assessed(lost=7, nonconforming=["5.2.1"])
        life.does_in_case("nonconformity-closures", "ana", {"element": "5.2.1", "evidence": [brought(office, PAPER)]})
        life.reviewed().decided("grant")
        life.number = life.does("issuances", "reg")["certificate_number"]
        assert office.get(f"/certificates/{life.id}/documents/1", "aud").status_code == 200
        older = signed(office)
        office.employs("late", "auditor")
        between = signed(office)
        life.suspended()
        life.appealed(life.version_of("certificate-suspended"))
        life.does(
            "complaints",
            "reg",
            {"grounds": "nobody\u2028answers \U0001f6a8", "request_sha256": brought(office, LETTER)},
        )
        checkpoint = signed(office)
        bundle, holders = fetched(office, life), fetched(office, life, "holder")
        yield Evidenced(
            office, life, bundle, holders, office.get("/ledger/keys").text.strip(), checkpoint, older, between
        )
