-- Every event with the transaction that recorded it.
-- name: select_told
SELECT xmin::text, position, originator_id, originator_version, topic, state, recorded_at
FROM certlife.events
ORDER BY position

-- name: select_receipts
SELECT person, idempotency_key, body_sha256, response, position, recorded_at FROM certlife.receipts

-- Nothing is recorded, or covered.
-- name: forget
TRUNCATE certlife.events, certlife.receipts, ledger.leaves, ledger.subtrees, ledger.checkpoints

-- Events in bulk, past every check.
-- name: copy_events
COPY certlife.events (position, originator_id, originator_version, topic, state, recorded_at)
FROM STDIN (FORMAT binary)

-- name: copy_receipts
COPY certlife.receipts (person, idempotency_key, body_sha256, response, position, recorded_at)
FROM STDIN (FORMAT binary)

-- The next event is recorded after all there are.
-- name: forward
SELECT setval('certlife.events_position_seq', (SELECT max(position) FROM certlife.events))

-- The planner knows what was put in, and pages are known to be whole.
-- name: vacuum
VACUUM (ANALYZE) certlife.events

-- name: vacuum_receipts
VACUUM (ANALYZE) certlife.receipts

-- As if the engine had seen them: it would have set none of them aside.
-- name: stand_at_the_end
UPDATE projections.position SET position = (SELECT max(position) FROM certlife.events)
