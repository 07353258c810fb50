"""The service appends and reads, the engine reads: neither can change, remove or add anything in any other way."""

from uuid import uuid4

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege

from lifecycle.store import Recorder
from tests.databases import Database
from tests.store.facts import receipt, stored

TABLES = (
    "events", "receipts", "key_hashes", "register", "migrations", "rehearsal_lines", "documents", "trail_reads",
    "files",
)  # fmt: skip
FORBIDDEN = [
    statement.format(f"certlife.{table}")
    for table in TABLES
    for statement in (
        "INSERT INTO {} DEFAULT VALUES",
        "DELETE FROM {}",
        "TRUNCATE {}",
        "ALTER TABLE {} DISABLE TRIGGER ALL",
        "ALTER TABLE {} ADD COLUMN more text",
        "DROP TABLE {}",
        "LOCK TABLE {}",
        "SELECT FROM {} FOR UPDATE",
        "CREATE TRIGGER t BEFORE INSERT ON {} EXECUTE FUNCTION certlife.f()",
        "CREATE INDEX ON {} ((1))",
    )
] + [
    "UPDATE certlife.events SET state = ''",
    "UPDATE certlife.receipts SET response = ''",
    "UPDATE certlife.key_hashes SET revoked_at = NULL",
    "UPDATE certlife.documents SET content = ''",
    "UPDATE certlife.files SET content = ''",
    "UPDATE certlife.register SET kind = 'simulation'",
    "UPDATE certlife.migrations SET sha256 = ''",
    "COPY certlife.events FROM STDIN",
    "SELECT setval('certlife.events_position_seq', 1)",
    "SELECT nextval('certlife.events_position_seq')",
    "CREATE TABLE certlife.mine ()",
    "CREATE SCHEMA mine",
    "CREATE OR REPLACE FUNCTION certlife.register_kind() RETURNS text LANGUAGE sql RETURN 'simulation'",
    "ALTER FUNCTION certlife.register_kind() OWNER TO CURRENT_USER",
    "DROP SCHEMA certlife CASCADE",
    "SELECT certlife.appended_at()",
    "SET ROLE certlife",
]
FORBIDDEN_TO_THE_ENGINE = [
    "SELECT FROM certlife.receipts",
    "SELECT FROM certlife.key_hashes",
    "SELECT FROM certlife.documents",
    "SELECT certlife.keep_document('x')",
    "SELECT FROM certlife.files",
    "SELECT certlife.keep_file('x', 'text/plain', 'p', NULL)",
    "SELECT certlife.append('{}', '{}', '{}', '{}', NULL, NULL, NULL, NULL, NULL, NULL)",
    "SELECT certlife.issue_key('', 'k', 'p', 'auditor', NULL)",
    "SELECT certlife.revoke_key('k')",
]


def permitted(url: str, statements: list[str]) -> list[str]:
    """The statements that are not refused for want of a right."""
    return [statement for statement in statements if not _refused(url, statement)]


def _refused(url: str, statement: str) -> bool:
    with psycopg.connect(url) as connection:
        try:
            connection.execute(statement)
        except InsufficientPrivilege:
            return True
    return False


@pytest.fixture
def filled(production_database: Database, recorder: Recorder) -> Database:
    recorder.insert_events([stored(uuid4())], receipt=receipt())
    return production_database


def test_the_service_can_only_append_and_read(filled: Database) -> None:
    assert permitted(filled.service_url, FORBIDDEN) == []


def test_the_engine_can_only_read_the_log(filled: Database) -> None:
    assert permitted(filled.engine_url, FORBIDDEN + FORBIDDEN_TO_THE_ENGINE) == []


def test_neither_can_pass_on_a_right(filled: Database) -> None:
    rights = "SELECT relname, relacl::text FROM pg_class WHERE relnamespace = 'certlife'::regnamespace ORDER BY 1"
    with psycopg.connect(filled.owner_url, autocommit=True) as owner:
        before = owner.execute(rights).fetchall()
        for url in (filled.service_url, filled.engine_url):
            with psycopg.connect(url, autocommit=True) as login:
                login.execute("GRANT SELECT ON certlife.events TO PUBLIC")  # PostgreSQL only warns

        assert owner.execute(rights).fetchall() == before


def test_the_service_writes_no_read_model(filled: Database) -> None:
    assert permitted(filled.service_url, ["CREATE TABLE projections.mine ()"]) == []


def test_what_the_engine_makes_is_its_roles_and_the_service_reads_it(filled: Database) -> None:
    with psycopg.connect(filled.engine_url, autocommit=True) as engine:
        engine.execute("SET ROLE certlife_engine")
        engine.execute("CREATE TABLE projections.answer AS SELECT 42 AS answer")

    with psycopg.connect(filled.service_url) as service:
        assert service.execute("SELECT answer FROM projections.answer").fetchall() == [(42,)]
    assert permitted(filled.service_url, ["DELETE FROM projections.answer"]) == []


def test_somebody_else_sees_nothing(filled: Database) -> None:
    with psycopg.connect(filled.owner_url, autocommit=True) as owner:
        owner.execute("DROP ROLE IF EXISTS stranger")
        owner.execute("CREATE ROLE stranger LOGIN")
    url = filled.server.url(filled.name, "stranger")

    asked = ["SELECT FROM certlife.events", "SELECT certlife.register_kind()", "SELECT FROM projections.position"]
    assert permitted(url, asked) == []


def test_the_functions_that_act_for_the_owner_look_nowhere_else_first(filled: Database) -> None:
    """A table of the caller's own in its temporary schema must not be taken for ours."""
    with psycopg.connect(filled.service_url, autocommit=True) as service:
        service.execute("CREATE TEMPORARY TABLE events (LIKE certlife.events INCLUDING ALL)")
        service.execute("SET search_path = pg_temp, certlife")
        row = stored()
        append = "SELECT append(array[%s], array[1], array[%s], array[%s::bytea], null, null, null, null, null, null)"
        service.execute(append, (row.originator_id, row.topic, row.state))

        assert service.execute("SELECT count(*) FROM pg_temp.events").fetchone() == (0,)
        assert service.execute("SELECT count(*) FROM certlife.events").fetchone() == (2,)
