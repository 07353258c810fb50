-- Somebody reads the trail; no number of rows says that an export has begun.
-- name: record_read
SELECT certlife.record_trail_read(%(person)s, %(role)s, %(key)s, %(question)s, %(rows)s, %(now)s)

-- Nobody is recorded to have read it before this instant any more.
-- name: select_settled
SELECT certlife.trail_reads_settled(%(now)s)

-- The last seal.
-- name: select_last_seal
SELECT topic, state FROM certlife.events
WHERE originator_id = %(register)s AND topic = %(topic)s
ORDER BY originator_version DESC
LIMIT 1

-- The legal days on which it was read, between two instants.
-- name: select_days
SELECT DISTINCT (read_at AT TIME ZONE 'Asia/Shanghai')::date AS day
FROM certlife.trail_reads
WHERE read_at >= %(first)s AND read_at < %(before)s
ORDER BY day

-- Who read it between two instants, a page at a time.
-- name: select_reads
SELECT read, read_at, person, role, key, question, read_rows
FROM certlife.trail_reads
WHERE read_at >= %(first)s AND read_at < %(before)s AND read > %(after)s
ORDER BY read
LIMIT %(limit)s
