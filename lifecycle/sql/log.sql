-- What was recorded after a position, in commit order.
-- name: select_tail
SELECT position, originator_id, originator_version, topic, state, recorded_at
FROM certlife.events
WHERE position > %(after)s
ORDER BY position
LIMIT %(limit)s

-- One stream, as far as it was known at a position and at an instant; NULL sets no bound.
-- name: select_stream
SELECT position, originator_id, originator_version, topic, state, recorded_at
FROM certlife.events
WHERE originator_id = %(id)s
    AND position <= coalesce(%(upto)s, 9223372036854775807)
    AND recorded_at <= coalesce(%(known_at)s, 'infinity'::timestamptz)
ORDER BY originator_version

-- Several streams, as far as they were known at a position; NULL sets no bound.
-- name: select_streams
SELECT position, originator_id, originator_version, topic, state, recorded_at
FROM certlife.events
WHERE originator_id = ANY(%(ids)s::uuid[]) AND position <= coalesce(%(upto)s, 9223372036854775807)
ORDER BY originator_id, originator_version

-- Whole streams in the order of their ids, packed: of each its last version and position, and, but for those of topics
-- that nobody wants to see, its facts, one a line. The rows come sorted into the aggregates, which is why nothing may be
-- done in parallel here.
-- name: copy_streams
COPY (
    SELECT originator_id, count(position), max(originator_version), max(position),
        coalesce(string_agg(shown, ','), ''), coalesce(string_agg(state, '\x0a'::bytea), '')
    FROM (
        SELECT originator_id, originator_version, position,
            CASE WHEN topic <> ALL(%(unseen)s) OR position > %(checked)s THEN topic END AS shown,
            CASE WHEN topic <> ALL(%(unseen)s) OR position > %(checked)s THEN state END AS state
        FROM certlife.events
        WHERE originator_id BETWEEN %(first)s AND %(last)s
            AND position <= %(upto)s
            AND topic <> ALL(%(without)s)
        ORDER BY originator_id, originator_version
    ) AS event
    GROUP BY originator_id
) TO STDOUT (FORMAT binary)

-- The facts of one topic, in commit order.
-- name: select_topic
SELECT position, originator_id, originator_version, topic, state, recorded_at
FROM certlife.events
WHERE topic = %(topic)s AND position <= %(upto)s
ORDER BY position

-- For a bulk read, until the transaction ends.
-- name: prepare_bulk
SELECT set_config('max_parallel_workers_per_gather', '0', true), set_config('work_mem', '256MB', true)

-- The last position, and the instant before which nothing can be recorded any more.
-- name: select_settled
SELECT last, settled_at FROM certlife.settled(%(now)s)

-- Woken at each append from now on.
-- name: listen
LISTEN certlife_events
