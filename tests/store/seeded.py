"""Faults put into a database on purpose, to see the tests find them."""

from typing import Any, LiteralString, cast

import psycopg

NO_LOCK = ("PERFORM pg_advisory_xact_lock(4851, 2);", "")
STAMPED_OUTSIDE_THE_LOCK = (
    """greatest(coalesce(now, clock_timestamp()),
        (SELECT e.recorded_at FROM events e ORDER BY e.position DESC LIMIT 1))""",
    "transaction_timestamp()",
)

Fault = tuple[str, str]


class Owner:
    """The owner of a register's database, and what it can spoil."""

    def __init__(self, connection: psycopg.Connection[Any]):
        self.connection = connection

    def rows(self, question: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(cast(LiteralString, question)).fetchall()

    def execute(self, statement: str) -> None:
        self.connection.execute(cast(LiteralString, statement))

    def spoil_append(self, fault: Fault | None) -> None:
        """The register's append has the fault."""
        if fault is not None:
            ((text,),) = self.rows("SELECT pg_get_functiondef('certlife.append'::regproc)")
            assert fault[0] in text
            self.execute(text.replace(*fault))

    def fail_nth_insert(self, table: str, n: int) -> None:
        """The n-th row inserted into the table from now on is refused, and with it whatever it belongs to."""
        self.execute("CREATE SEQUENCE public.inserted")
        self.execute(
            f"""
            CREATE FUNCTION public.refuse_nth() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
            BEGIN
                IF nextval('public.inserted') = {n} THEN RAISE EXCEPTION 'the {n}. insert fails'; END IF;
                RETURN NEW;
            END
            $$;
            CREATE TRIGGER refuse_nth BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION public.refuse_nth()
            """
        )

    def everything(self) -> dict[str, list[tuple[Any, ...]]]:
        """All that was recorded."""
        return {
            "events": self.rows("SELECT position, originator_id, originator_version FROM certlife.events ORDER BY 1"),
            "receipts": self.rows("SELECT person, idempotency_key, position FROM certlife.receipts ORDER BY 3"),
            "keys": self.rows("SELECT key, issued_at, revoked_at FROM certlife.key_hashes ORDER BY 1"),
        }
