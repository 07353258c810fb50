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

-- The last position, and the instant before which nothing can be recorded any more.
-- name: select_settled
SELECT last, settled_at FROM certlife.settled(%(now)s)

-- Woken at each append from now on.
-- name: listen
LISTEN certlife_events
