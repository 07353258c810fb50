-- The instant of the last event; of a log without any, now.
-- name: select_last_instant
SELECT coalesce(max(recorded_at), clock_timestamp()) FROM certlife.events

-- Events in bulk, with an owner's rights.
-- name: copy_events
COPY certlife.events (originator_id, originator_version, topic, state, recorded_at) FROM STDIN (FORMAT binary)
