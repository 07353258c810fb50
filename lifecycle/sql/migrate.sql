-- Waits until no other migration of this database runs; held until the session ends.
-- name: take_migration_lock
SELECT pg_advisory_lock(4851, 1)

-- The schema, what the register is, and what has been applied.
-- name: create_bookkeeping
CREATE SCHEMA IF NOT EXISTS certlife;
CREATE TABLE IF NOT EXISTS certlife.register (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    kind text NOT NULL CHECK (kind IN ('production', 'simulation')),
    founded_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TABLE IF NOT EXISTS certlife.migrations (
    name text PRIMARY KEY,
    sha256 bytea NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Writes what the register is, once.
-- name: found_register
INSERT INTO certlife.register (kind) VALUES (%(kind)s) ON CONFLICT DO NOTHING

-- What the register was founded as.
-- name: select_kind
SELECT kind FROM certlife.register

-- What has been applied, in order.
-- name: select_migrations
SELECT name, sha256 FROM certlife.migrations ORDER BY name

-- Remembers that a file was applied, and its text's digest.
-- name: insert_migration
INSERT INTO certlife.migrations (name, sha256) VALUES (%(name)s, %(sha256)s)
