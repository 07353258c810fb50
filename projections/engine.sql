-- The read models belong to the role, not to a login.
-- name: become_engine
SET ROLE certlife_engine;

-- Tables are made by one engine at a time: IF NOT EXISTS alone fails where two make the same one at once.
-- name: take_preparation_lock
SELECT pg_advisory_xact_lock(4851, 3);

-- The engine's own table: how far each projection has come.
-- name: create_position
CREATE TABLE IF NOT EXISTS projections.position (
    projection text PRIMARY KEY,
    position bigint NOT NULL DEFAULT 0,
    complete_until timestamptz
);

-- One row a projection, made once.
-- name: ensure_position
INSERT INTO projections.position (projection) VALUES (%(projection)s) ON CONFLICT (projection) DO NOTHING;

-- The position, held until the end of the transaction, so that of several engines one writes at a time.
-- name: hold_position
SELECT position FROM projections.position WHERE projection = %(projection)s FOR UPDATE;

-- Moved on in the same transaction as the rows.
-- name: move_position
UPDATE projections.position
SET position = %(position)s
WHERE projection = %(projection)s;

-- Everything recorded up to that instant has been seen, if the projection has come as far as the log stood then.
-- name: mark_complete
UPDATE projections.position
SET complete_until = %(complete_until)s
WHERE projection = %(projection)s AND position >= %(position)s;

-- Where a projection stands.
-- name: select_position
SELECT position, complete_until FROM projections.position WHERE projection = %(projection)s;

-- Where all stand, for people.
-- name: select_positions
SELECT projection, position, complete_until FROM projections.position ORDER BY projection;

-- Certificates with a fact that cannot be projected.
-- name: create_quarantine
CREATE TABLE IF NOT EXISTS projections.quarantine (
    projection text NOT NULL,
    certificate_id uuid NOT NULL,
    position bigint NOT NULL,
    problem text NOT NULL,
    PRIMARY KEY (projection, certificate_id)
);

-- What a stream begins with.
-- name: select_first_topic
SELECT topic FROM certlife.events WHERE originator_id = %(id)s AND originator_version = 1;

-- Set aside until a later fact, or a repair, makes it readable again.
-- name: put_in_quarantine
INSERT INTO projections.quarantine (projection, certificate_id, position, problem)
VALUES (%(projection)s, %(certificate_id)s, %(position)s, %(problem)s)
ON CONFLICT (projection, certificate_id) DO UPDATE
SET position = excluded.position, problem = excluded.problem;

-- Readable again.
-- name: release_from_quarantine
DELETE FROM projections.quarantine
WHERE projection = %(projection)s AND certificate_id = ANY(%(certificate_ids)s);

-- What is set aside, for people.
-- name: select_quarantine
SELECT projection, certificate_id, position, problem
FROM projections.quarantine
ORDER BY projection, position;

-- Everything of the engine forgotten, for a rebuild from zero.
-- name: forget
DELETE FROM projections.quarantine WHERE projection = %(projection)s;

-- Back to the beginning of the log, within a transaction that comes to its end again: what was complete stays so.
-- name: rewind
UPDATE projections.position SET position = 0 WHERE projection = %(projection)s;
