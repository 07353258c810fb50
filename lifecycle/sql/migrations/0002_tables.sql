-- The log and the tables that are written with it. Nobody but the owner may change a row: rows come in through
-- certlife.append() and its companions, and stay.

-- state is bytea, not jsonb: it is kept to the byte (digests are taken over it), and costs no parsing on the way in.
-- position follows the order of commits, because it is taken under append's lock; it has holes after a conflict.
CREATE TABLE certlife.events (
    position bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT events_position_key PRIMARY KEY,
    originator_id uuid NOT NULL,
    originator_version integer NOT NULL CHECK (originator_version > 0),
    topic text NOT NULL,
    state bytea NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT events_stream_key UNIQUE (originator_id, originator_version)
);

-- One row for each command that was carried out: the same person's same key is carried out once.
CREATE TABLE certlife.receipts (
    person text NOT NULL,
    idempotency_key text NOT NULL,
    body_sha256 bytea NOT NULL,
    response bytea NOT NULL,
    position bigint NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT receipts_key PRIMARY KEY (person, idempotency_key)
);

-- The secrets of callers, as digests only; who issued and revoked them stands in the log.
CREATE TABLE certlife.key_hashes (
    sha256 bytea CONSTRAINT key_hashes_sha256_key PRIMARY KEY CHECK (octet_length(sha256) = 32),
    key text NOT NULL CONSTRAINT key_hashes_key_key UNIQUE,
    person text NOT NULL,
    role text NOT NULL,
    organisation uuid,
    issued_at timestamptz NOT NULL,
    revoked_at timestamptz
);

REVOKE ALL ON certlife.events, certlife.receipts, certlife.key_hashes FROM PUBLIC;
GRANT SELECT ON certlife.events, certlife.receipts, certlife.key_hashes TO certlife_service;
GRANT SELECT ON certlife.events TO certlife_engine;
