-- The same two rows, without order, in one statement.
-- name: insert_both
WITH recorded AS (
    INSERT INTO certlife.events (originator_id, originator_version, topic, state, recorded_at)
    VALUES (%(id)s, %(version)s, %(topic)s, %(state)s, clock_timestamp())
    RETURNING position, recorded_at
)
INSERT INTO certlife.receipts (person, idempotency_key, body_sha256, response, position, recorded_at)
SELECT %(person)s, %(key)s, %(body_sha256)s, %(response)s, position, recorded_at FROM recorded
RETURNING position

-- The least that writes them in order: the lock, and the two inserts.
-- name: create_insert_in_order
CREATE FUNCTION insert_in_order(
    id uuid, version integer, topic text, state bytea, person text, key text, body_sha256 bytea, response bytea
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    last bigint;
    stamp timestamptz;
BEGIN
    PERFORM pg_advisory_xact_lock(4851, 2);
    stamp := clock_timestamp();
    INSERT INTO certlife.events (originator_id, originator_version, topic, state, recorded_at)
    VALUES (id, version, topic, state, stamp) RETURNING position INTO last;
    INSERT INTO certlife.receipts (person, idempotency_key, body_sha256, response, position, recorded_at)
    VALUES (person, key, body_sha256, response, last, stamp);
    RETURN last;
END
$$

-- The same two rows in order, by the least that does it.
-- name: insert_in_order
SELECT insert_in_order(
    %(id)s, %(version)s, %(topic)s, %(state)s, %(person)s, %(key)s, %(body_sha256)s, %(response)s
)

-- A login of the service's role.
-- name: create_service_login
CREATE ROLE service_login LOGIN IN ROLE certlife_service
