-- Events in bulk, past every check, all at the last instant.
-- name: copy_events
COPY certlife.events (originator_id, originator_version, topic, state) FROM STDIN (FORMAT binary)

-- What the copies were made from.
-- name: forget_lives
DO $$
BEGIN
    EXECUTE format('ALTER TABLE certlife.events ALTER recorded_at SET DEFAULT %L',
        (SELECT max(recorded_at) FROM certlife.events));
    DELETE FROM certlife.events WHERE topic = ANY(ARRAY['number-claimed.v1']) OR position > 0 AND originator_id IN (
        SELECT originator_id FROM certlife.events WHERE topic = 'application-submitted.v1'
    );
END
$$

-- The planner knows what was put in, and pages are known to be whole.
-- name: vacuum
VACUUM (ANALYZE) certlife.events

-- Every fact, as it lies in the log.
-- name: copy_all
COPY (SELECT originator_id, originator_version, topic, state FROM certlife.events) TO STDOUT (FORMAT binary)

-- How many that is.
-- name: count_all
SELECT count(*) FROM certlife.events

-- Numbers to ask for.
-- name: select_numbers
SELECT number FROM projections.register WHERE segments <> '[]' ORDER BY list_index LIMIT %(limit)s
