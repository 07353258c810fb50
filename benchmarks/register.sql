-- Events in bulk, past every check, all at the last instant.
-- name: copy_events
COPY certlife.events (originator_id, originator_version, topic, state, recorded_at) FROM STDIN (FORMAT binary)

-- The last instant, as the binary form has it.
-- name: select_last_instant
SELECT (extract(epoch FROM max(recorded_at) - '2000-01-01T00:00:00Z') * 1000000)::bigint FROM certlife.events

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

-- As if the engine had seen them: it would have set none of them aside.
-- name: stand_at_the_end
UPDATE projections.position SET position = (SELECT max(position) FROM certlife.events)
