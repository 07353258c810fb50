-- The whole of each table, in an order of its own, to the byte; without complete_until, which is a matter of time.
-- name: copy_register
COPY (
    SELECT number, certificate_id, segments, turns, statuses, list_index, under_repair
    FROM projections.register ORDER BY number
) TO STDOUT

-- name: copy_certificate
COPY (
    SELECT certificate_id, version, organisation, scheme, edition, number, holder, turns, statuses, levels, valid_until,
        due_on, under_repair
    FROM projections.certificate ORDER BY certificate_id
) TO STDOUT

-- name: copy_deadline
COPY (
    SELECT certificate_id, kind, subject, due_on, clock, number, holder, organisation
    FROM projections.deadline ORDER BY certificate_id, kind, subject
) TO STDOUT

-- name: copy_quarantine
COPY (
    SELECT projection, certificate_id, position, problem FROM projections.quarantine ORDER BY projection, certificate_id
) TO STDOUT

-- Of the tables above; the trail, which is told beside them into the same register, is compared by tests of its own.
-- name: copy_position
COPY (
    SELECT projection, position FROM projections.position WHERE projection IN ('register', 'deadlines')
    ORDER BY projection
) TO STDOUT

-- What the tables above are made of.
-- name: select_columns
SELECT table_name, array_agg(column_name::text ORDER BY ordinal_position)
FROM information_schema.columns WHERE table_schema = 'projections' GROUP BY table_name

-- How many facts stand at or before a position.
-- name: count_facts
SELECT count(*) FROM certlife.events WHERE position <= %(position)s

-- Where a projection stands, held so that no engine moves it.
-- name: hold_position
SELECT position FROM projections.position WHERE projection = %(projection)s FOR UPDATE

-- Up to when a projection says that it is complete.
-- name: select_complete_until
SELECT complete_until FROM projections.position WHERE projection = %(projection)s

-- An event put into the log with an owner's rights, past every check.
-- name: insert_event
INSERT INTO certlife.events (originator_id, originator_version, topic, state, recorded_at)
SELECT %(id)s, coalesce(max(originator_version), 0) + 1, %(topic)s, %(state)s, coalesce((SELECT max(recorded_at) FROM certlife.events), clock_timestamp())
FROM certlife.events WHERE originator_id = %(id)s
RETURNING originator_version, position

-- An event put right with an owner's rights.
-- name: repair_event
UPDATE certlife.events SET topic = %(topic)s, state = %(state)s
WHERE originator_id = %(id)s AND originator_version = %(version)s

-- Every other session of this database is ended.
-- name: end_sessions
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()

-- The engine may not touch the deadlines.
-- name: take_deadlines_away
ALTER TABLE projections.deadline OWNER TO CURRENT_USER

-- It may again.
-- name: give_deadlines_back
ALTER TABLE projections.deadline OWNER TO certlife_engine

-- Somebody appends and does not come to an end.
-- name: take_append_lock
SELECT pg_advisory_xact_lock(4851, 2)

-- Whether anybody waits for them.
-- name: count_waiting_for_append
SELECT count(*) FROM pg_locks
WHERE locktype = 'advisory' AND classid = 4851 AND objid = 2 AND NOT granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())

-- As it is before the first engine.
-- name: drop_read_models
DO $$
DECLARE
    name text;
BEGIN
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'projections' LOOP
        EXECUTE format('DROP TABLE projections.%I', name);
    END LOOP;
END
$$

-- A deadline of the clock that no stream explains.
-- name: insert_deadline
INSERT INTO projections.deadline (certificate_id, kind, subject, due_on, clock, holder)
VALUES (%(id)s, 'surveillance_due', 0, %(due_on)s, true, '')

-- The register, empty.
-- name: forget_register
WITH numbers AS (DELETE FROM projections.register)
DELETE FROM projections.certificate

-- No deadlines.
-- name: forget_deadlines
DELETE FROM projections.deadline

-- Nothing set aside.
-- name: forget_quarantine
DELETE FROM projections.quarantine WHERE projection = %(projection)s

-- At the beginning of the log.
-- name: rewind
UPDATE projections.position SET position = 0 WHERE projection = %(projection)s
