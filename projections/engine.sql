-- The read models belong to the role, not to a login. What is written without a schema's name is written where the
-- session looks first: into the tables that serve, or into those of a rebuild.
-- name: become_engine
SELECT set_config('role', 'certlife_engine', false), set_config('search_path', %(schema)s, false);

-- Tables are made by one engine at a time: IF NOT EXISTS alone fails where two make the same one at once.
-- name: take_preparation_lock
SELECT pg_advisory_xact_lock(4851, 3);

-- The engine's own table: how far each projection has come.
-- name: create_position
CREATE TABLE IF NOT EXISTS position (
    projection text PRIMARY KEY,
    position bigint NOT NULL DEFAULT 0,
    complete_until timestamptz,
    version integer NOT NULL DEFAULT 1,
    definition text NOT NULL DEFAULT '',
    rebuild uuid
);

-- One row a projection, made once.
-- name: insert_position
INSERT INTO position (projection, position, version, definition)
VALUES (%(projection)s, %(position)s, %(version)s, %(definition)s)
ON CONFLICT (projection) DO NOTHING;

-- Of which definition a projection's tables are that serve.
-- name: select_definition
SELECT version, definition FROM projections.position WHERE projection = %(projection)s;

-- Tables made before definitions were told apart are of the one that made them.
-- name: sign_definition
UPDATE position SET definition = %(definition)s
WHERE projection = %(projection)s AND version = %(version)s AND definition = '';

-- The position, held until the end of the transaction, so that of several engines one writes at a time.
-- name: hold_position
SELECT position, version, definition FROM position WHERE projection = %(projection)s FOR UPDATE;

-- Moved on in the same transaction as the rows.
-- name: move_position
UPDATE position
SET position = %(position)s
WHERE projection = %(projection)s;

-- Everything recorded up to that instant has been seen, if the projection has come as far as the log stood then.
-- name: mark_complete
UPDATE position
SET complete_until = %(complete_until)s
WHERE projection = %(projection)s AND position >= %(position)s AND version = %(version)s;

-- Where a projection stands.
-- name: select_position
SELECT position, complete_until FROM projections.position WHERE projection = %(projection)s;

-- Where all stand, for people.
-- name: select_positions
SELECT projection, position, complete_until FROM projections.position ORDER BY projection;

-- Certificates with a fact that cannot be projected.
-- name: create_quarantine
CREATE TABLE IF NOT EXISTS quarantine (
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
INSERT INTO quarantine (projection, certificate_id, position, problem)
VALUES (%(projection)s, %(certificate_id)s, %(position)s, %(problem)s)
ON CONFLICT (projection, certificate_id) DO UPDATE
SET position = excluded.position, problem = excluded.problem;

-- Readable again.
-- name: release_from_quarantine
DELETE FROM quarantine
WHERE projection = %(projection)s AND certificate_id = ANY(%(certificate_ids)s);

-- What is set aside, for people.
-- name: select_quarantine
SELECT projection, certificate_id, position, problem
FROM projections.quarantine
ORDER BY projection, position;
