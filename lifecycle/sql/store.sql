-- A key can be used; beside an append, in its transaction.
-- name: issue_key
SELECT certlife.issue_key(%(sha256)s, %(key)s, %(person)s, %(role)s, %(organisation)s)

-- A key cannot be used any more; beside an append, in its transaction.
-- name: revoke_key
SELECT certlife.revoke_key(%(key)s)

-- The bytes of a document are kept; beside an append, in its transaction.
-- name: keep_document
SELECT certlife.keep_document(%(content)s)

-- Name and contact of a person are kept, sealed; beside an append, in its transaction.
-- name: keep_details
SELECT certlife.keep_details(%(person)s, %(master)s, %(wrapped_key)s, %(sealed)s)

-- Name and contact of a person are destroyed, and the person's keys revoked; beside an append, in its transaction.
-- name: erase_person
SELECT certlife.erase_person(%(person)s)

-- The master key in force.
-- name: select_master_key
SELECT certlife.master_key()

-- The document with that digest.
-- name: select_document
SELECT content FROM certlife.documents WHERE sha256 = %(sha256)s

-- A stream's events between two versions, in order; NULL sets no bound.
-- name: select_stream
SELECT originator_id, originator_version, topic, state, position, recorded_at
FROM certlife.events
WHERE originator_id = %(id)s
    AND originator_version > coalesce(%(gt)s, 0) AND originator_version <= coalesce(%(lte)s, 2147483647)
ORDER BY originator_version
LIMIT %(limit)s

-- The same, the latest first.
-- name: select_stream_backwards
SELECT originator_id, originator_version, topic, state, position, recorded_at
FROM certlife.events
WHERE originator_id = %(id)s
    AND originator_version > coalesce(%(gt)s, 0) AND originator_version <= coalesce(%(lte)s, 2147483647)
ORDER BY originator_version DESC
LIMIT %(limit)s

-- Events between two positions, both included, in commit order; NULL sets no bound, and asks for every topic.
-- name: select_notifications
SELECT position, originator_id, originator_version, topic, state
FROM certlife.events
WHERE position >= coalesce(%(start)s, 0) AND position <= coalesce(%(stop)s, 9223372036854775807)
    AND (%(topics)s::text[] IS NULL OR topic = ANY(%(topics)s::text[]))
ORDER BY position
LIMIT %(limit)s

-- The last event.
-- name: select_last_event
SELECT position, recorded_at FROM certlife.events ORDER BY position DESC LIMIT 1

-- What was answered to a person's key.
-- name: select_receipt
SELECT person, idempotency_key, body_sha256, response, position, recorded_at
FROM certlife.receipts
WHERE person = %(person)s AND idempotency_key = %(key)s

-- The present, what was answered to a person's key, if it was used, and a stream's events in order: a row for each of
-- them, or one without any.
-- name: begin_command
SELECT
    present.instant,
    receipts.person, receipts.idempotency_key, receipts.body_sha256, receipts.response, receipts.position,
    receipts.recorded_at,
    event.originator_id, event.originator_version, event.topic, event.state, event.position, event.recorded_at
FROM certlife.instant(%(now)s) AS present (instant)
LEFT JOIN certlife.receipts ON receipts.person = %(person)s AND receipts.idempotency_key = %(key)s
LEFT JOIN certlife.events AS event ON event.originator_id = %(stream)s
ORDER BY event.originator_version

-- The present as an append now would stamp it.
-- name: select_instant
SELECT certlife.instant(%(now)s)

-- The key with that secret, revoked or not.
-- name: select_key
SELECT key, person, role, organisation, issued_at, revoked_at FROM certlife.key_hashes WHERE sha256 = %(sha256)s

-- All keys, in the order in which they were issued.
-- name: select_keys
SELECT key, person, role, organisation, issued_at, revoked_at FROM certlife.key_hashes ORDER BY issued_at, key

-- What the register was founded as.
-- name: select_kind
SELECT certlife.register_kind()
