"""After an erasure nothing tells the name any more, and ledger, proofs and statuses are what they were."""

from __future__ import annotations

import json
import os
import re
import subprocess
from base64 import b64decode, b64encode
from collections.abc import Generator, Iterator, Sequence
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest
from psycopg import sql

from api import persons as room
from api.ledger.verification import checks
from api.postgres.binaries import find_binaries
from api.trail.audit import audited
from projections.check import Check, Finding, verify
from projections.check_orphans import OrphansCheck
from projections.follower import connect
from tests.api.conftest import Staffed, staffed_office
from tests.api.life import Life, life_at
from tests.api.office import Office, answered
from tests.api.test_roles import QUESTIONS
from tests.databases import Database, Databases
from tests.projections.merkle_naive import roots_from_proof

NAME, CONTACT = "欧阳娜娜", "nana.ouyang@example.org"
AGAIN = "欧阳娜"
KNOWN = "Example Alarm Ltd"
"""What everybody may know, to be found wherever the name is looked for: or the search would find nothing ever."""
VOLATILE = {"position", "complete_until", "computed_at", "expires_at"}


class Before(NamedTuple):
    """What was told before the erasure."""

    checkpoint: str
    proofs: list[Any]
    statuses: list[Any]
    dump: bytes
    sealed: list[bytes]


class Story(NamedTuple):
    office: Office
    database: Database
    life: Life
    before: Before
    said: str


@pytest.fixture(scope="module")
def story(databases: Databases, staffed: Staffed) -> Generator[Story]:
    """Ana is named, assesses, is renamed, read, and erased; PostgreSQL logs every statement with its parameters."""
    with databases.copy_of(staffed.register) as database:
        chatty(database)
        with staffed_office(database, staffed) as office:
            yield told(office, database)


def told(office: Office, database: Database) -> Story:
    office.house.checkpoints.pause = timedelta(0)
    office.house.checkpoints.round()
    answered(office.post("/persons/ana/details", "adm", {"name": NAME, "contact": CONTACT}, key="give-1"))
    life = life_at(office, "suspended")
    answered(office.post("/persons/ana/details", "adm", {"name": AGAIN, "contact": CONTACT}))
    refused = office.post("/persons/ana/details", "adm", {"name": NAME, "contact": CONTACT * 100})
    assert refused.status_code == 422
    assert answered(office.get("/persons/ana", "aud"))["name"] == AGAIN
    signed(office)
    before = Before(
        office.get("/ledger/checkpoint").text, proofs(office), statuses(office, life), dumped(database), rows(database)
    )
    answered(office.post("/persons/ana/erasure", "adm", {"grounds": "consent_withdrawn"}))
    signed(office)
    return Story(office, database, life, before, server_log(database))


def signed(office: Office) -> None:
    office.house.catch_up()
    assert office.house.checkpoints.round()


def chatty(database: Database) -> None:
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        for name, value in (("log_statement", "all"), ("log_parameter_max_length", "-1")):
            owner.execute(
                sql.SQL("ALTER DATABASE {} SET {} = {}").format(
                    sql.Identifier(database.name), sql.Identifier(name), sql.Literal(value)
                )
            )


def server_log(database: Database) -> str:
    return Path(database.server._log).read_text("utf-8", "replace")


def rows(database: Database) -> list[bytes]:
    with psycopg.connect(database.owner_url) as owner:
        found = owner.execute("SELECT wrapped_key, sealed FROM certlife.personal_details WHERE person = 'ana'")
        return [member for row in found for member in row if member]


def proofs(office: Office) -> list[Any]:
    size = int(office.get("/ledger/checkpoint").text.splitlines()[1])
    return [answered(office.get("/ledger/proof", position=at, size=size)) for at in (1, size // 2, office.position)]


def statuses(office: Office, life: Life) -> list[Any]:
    asked = ({}, {"on": office.today.isoformat()}, {"on": (office.today - timedelta(days=30)).isoformat()})
    told = [office.status(life.number, **each) for each in asked]
    return [{name: value for name, value in each.items() if name not in VOLATILE} for each in told]


def dumped(database: Database) -> bytes:
    program = find_binaries(os.environ) / "pg_dump"
    made = subprocess.run([program, "--inserts", database.owner_url], capture_output=True, check=True)
    return made.stdout


# ---- looking for a name ----------------------------------------------------------------------------------------------


def written(text: bytes) -> bytes:
    """The text, and after it whatever stands in it as the hexadecimal digits of PostgreSQL's bytea."""
    inside = re.findall(rb"\\x((?:[0-9a-f]{2})+)", text)
    return b"\n".join([text, *(bytes.fromhex(each.decode()) for each in inside)])


def forms(text: str) -> Iterator[bytes]:
    """A text as it might be written somewhere."""
    raw = text.encode()
    yield from (raw, raw.hex().encode(), json.dumps(text)[1:-1].encode(), text.encode("utf-16-le"))
    yield b64encode(raw).rstrip(b"=")[:-1]


def guesses() -> Iterator[bytes]:
    """What anybody could compute of the name who supposed that it was she."""
    for name in (NAME, AGAIN):
        details = {"name": name, "contact": CONTACT}
        for sort in (False, True):
            for body in (details, ["/persons/ana/details", details], ["/persons", details], {"name": name}, name):
                canonical = json.dumps(body, ensure_ascii=False, separators=(",", ":"), sort_keys=sort).encode()
                digest = sha256(canonical)
                yield from (digest.digest(), digest.hexdigest().encode())
        yield from (sha256(name.encode()).digest(), sha256(name.encode()).hexdigest().encode())


NEEDLES = [form for text in (NAME, AGAIN, CONTACT, "nana.ouyang") for form in forms(text)] + list(guesses())


def tells(text: bytes | str) -> list[bytes]:
    """What of the name stands in the text, plain or computed."""
    whole = written(text.encode() if isinstance(text, str) else text)
    return [needle for needle in NEEDLES if needle in whole]


def test_a_name_is_found_where_it_stands(story: Story) -> None:
    for text in (f"a {NAME}", f"\\x{NAME.encode().hex()}", json.dumps({"n": CONTACT})):
        assert tells(text)
    digest = sha256(b'["/persons/ana/details",' + json.dumps({"contact": CONTACT, "name": NAME}, ensure_ascii=False,
                    separators=(",", ":")).encode() + b"]")  # fmt: skip
    assert tells(f"\\x{digest.digest().hex()}")
    assert tells(f"\\x{json.dumps({'body_sha256': digest.hexdigest()}).encode().hex()}")
    for dump in (story.before.dump, dumped(story.database)):
        assert KNOWN.encode() in written(dump)


# ---- nothing tells it ------------------------------------------------------------------------------------------------


def test_no_dump_tells_it_and_a_new_one_holds_not_even_what_was_sealed(story: Story) -> None:
    assert tells(story.before.dump) == []
    new = dumped(story.database)
    assert tells(new) == []
    assert len(story.before.sealed) == 2
    for sealed in story.before.sealed:
        assert sealed in written(story.before.dump)
        assert sealed not in written(new)


def test_no_table_of_the_live_database_tells_it(story: Story) -> None:
    found = []
    with psycopg.connect(story.database.owner_url) as owner:
        tables = owner.execute(
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
        assert len(tables) > 12
        for schema, name in tables:
            table = sql.SQL("SELECT {1}::text FROM {0}.{1}").format(sql.Identifier(schema), sql.Identifier(name))
            text = "\n".join(row for (row,) in owner.execute(table))
            found += tells(text) + [sealed for sealed in story.before.sealed if sealed in written(text.encode())]
    assert found == []


def test_no_answer_trail_page_or_export_tells_it(story: Story) -> None:
    office, life = story.office, story.life
    office.get(f"/certificates/{life.id}/documents/1", "aud")  # is made when it is first asked for, which is a fact
    office.house.catch_up()
    asked = [path.format(certificate_id=life.id, number=1, position=office.position) for path in QUESTIONS]
    asked += ["/persons/ana", f"/status/{life.number}", "/events?actor=ana", "/events?type=person-erased.v1"]
    asked += [f"/events/{position}" for position in range(1, office.position + 1)]
    for path in asked:
        for person in ("aud", "adm", "reg", "holder"):
            response = office.get(path, person)
            assert response.status_code < 500, (path, person, response.text)
            assert tells(response.content) == [], path
    assert KNOWN in office.get("/events.jsonl", "aud").text


def test_the_trail_tells_that_somebody_was_erased_by_whom_and_on_which_grounds(story: Story) -> None:
    (told,) = answered(story.office.get("/events", "aud", type="person-erased.v1"))["items"]
    assert (told["by"]["person"], told["grounds"]) == ("adm", {"grounds": "consent_withdrawn", "person": "ana"})
    fact = answered(story.office.get(f"/events/{told['position']}", "aud"))["fact"]
    assert (fact["person"], fact["grounds"]) == ("ana", "consent_withdrawn")


def test_the_database_never_saw_it(story: Story) -> None:
    assert "keep_details" in story.said, "statements were logged"
    assert "erase_person" in story.said
    assert tells(story.said) == []


def test_the_service_logs_nothing_of_it(office: Office, capfd: pytest.CaptureFixture[str]) -> None:
    sent = {"name": NAME, "contact": CONTACT}
    answered(office.post("/persons/ana/details", "adm", sent))
    (file,) = office.house.persons.personal.masters.folder.path.iterdir()  # pyright: ignore[reportAttributeAccessIssue]
    with psycopg.connect(office.house.addresses.owner, autocommit=True) as owner:
        owner.execute("ALTER FUNCTION certlife.keep_details RENAME TO elsewhere")
    assert office.post("/persons/ana/details", "adm", sent).status_code == 500
    file.rename(file.with_suffix(".away"))
    assert office.post("/persons/ana/details", "adm", sent).status_code == 503
    assert office.get("/persons/ana", "aud").status_code == 503
    said = "".join(capfd.readouterr())
    assert "keep_details" in said, "failures are logged"
    assert "no master key" in said
    assert tells(said) == []


def test_a_receipt_that_covered_the_plain_body_would_be_found(
    databases: Databases, staffed: Staffed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mutant: the digest of the body covers name and contact."""
    monkeypatch.setattr(room, "withheld", lambda body: body)
    with databases.copy_of(staffed.register) as database, staffed_office(database, staffed) as office:
        answered(office.post("/persons/ana/details", "adm", {"name": NAME, "contact": CONTACT}))
        answered(office.post("/persons/ana/erasure", "adm", {"grounds": "consent_withdrawn"}))
        assert tells(dumped(database))


def test_a_row_that_outlived_the_erasure_would_be_found(databases: Databases, staffed: Staffed) -> None:
    """The mutant: the person is erased in the log alone."""
    with databases.copy_of(staffed.register) as database, staffed_office(database, staffed) as office:
        answered(office.post("/persons/ana/details", "adm", {"name": NAME, "contact": CONTACT}))
        sealed = rows(database)
        with psycopg.connect(database.owner_url, autocommit=True) as owner:
            owner.execute(
                "CREATE OR REPLACE FUNCTION certlife.erase_person(erased text) RETURNS void LANGUAGE sql AS 'SELECT'"
            )
        answered(office.post("/persons/ana/erasure", "adm", {"grounds": "consent_withdrawn"}))
        assert all(each in written(dumped(database)) for each in sealed)


# ---- and everything is as it was -------------------------------------------------------------------------------------


def test_statuses_and_proofs_are_the_same_and_the_ledger_only_grew(story: Story) -> None:
    office, before = story.office, story.before
    assert statuses(office, story.life) == before.statuses
    assert before.statuses[0]["status"] == "suspended"
    size = int(before.checkpoint.splitlines()[1])
    positions = [each["position"] for each in before.proofs]
    assert [answered(office.get("/ledger/proof", position=at, size=size)) for at in positions] == before.proofs
    assert office.get("/ledger/checkpoint", size=size).text == before.checkpoint
    grown = answered(office.get("/ledger/consistency", **{"from": size}))
    old, new = (b64decode(grown[which].splitlines()[2]) for which in ("old_checkpoint", "new_checkpoint"))
    path = [b64decode(each) for each in grown["path"]]
    assert roots_from_proof(size, grown["new_size"], old, path) == (old, new)


def findings(database: Database, asked: Sequence[Check] = (OrphansCheck(),)) -> list[Finding]:
    return [each for each in verify(database.service_url, asked) if isinstance(each, Finding)]


def test_the_whole_register_verifies(story: Story) -> None:
    with psycopg.connect(story.database.service_url, autocommit=True) as connection:
        every = checks(connection, None, [], [])
    assert findings(story.database, every) == []


HARMS = {
    "a row put back": "UPDATE certlife.personal_details SET master = 'm', wrapped_key = 'k', sealed = 's', "
    "erased_at = NULL WHERE person = 'ana'",
    "a row taken away": "DELETE FROM certlife.personal_details WHERE person = 'bob'",
    "a row emptied": "UPDATE certlife.personal_details SET master = NULL, wrapped_key = NULL, sealed = NULL, "
    "erased_at = now() WHERE person = 'bob'",
    "a row added": "INSERT INTO certlife.personal_details VALUES ('dan', 'm', 'k', 's', NULL)",
    "a key in force again": "UPDATE certlife.key_hashes SET revoked_at = NULL WHERE person = 'ana'",
}


def test_what_was_done_to_rows_is_found(office: Office, database: Database) -> None:
    for person in ("ana", "bob"):
        answered(office.post(f"/persons/{person}/details", "adm", {"name": NAME}))
    answered(office.post("/persons/ana/erasure", "adm", {"grounds": "unlawful"}))
    office.house.catch_up()
    assert findings(database) == []
    for harm, statement in HARMS.items():
        with psycopg.connect(database.owner_url) as owner:
            kept = [owner.execute(f"SELECT * FROM certlife.{table}").fetchall() for table in TABLES]
            owner.execute(statement)
            owner.commit()
            (found,) = findings(database)
            assert found.code.startswith("row_"), harm
            assert found.message("zh") != found.message("en")
            put_back(owner, kept)
    assert findings(database) == []


TABLES = ("personal_details", "key_hashes")


def put_back(owner: psycopg.Connection, kept: list[Any]) -> None:
    for table, content in zip(TABLES, kept, strict=True):
        owner.execute(f"DELETE FROM certlife.{table}")
        for row in content:
            owner.execute(f"INSERT INTO certlife.{table} VALUES ({', '.join(['%s'] * len(row))})", row)


def test_separation_of_duties_is_still_proved(story: Story) -> None:
    with connect(story.database.engine_url) as connection:
        found = [breach for *_, part in audited(connection, story.office.position) for breach in part]
    assert found == []
