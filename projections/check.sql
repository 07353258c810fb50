-- From now on the transaction sees the register as it stands. It changes nothing, and may have tables of its own for
-- as long as it lasts.
-- name: begin_snapshot
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ

-- For other processes.
-- name: export_snapshot
SELECT pg_export_snapshot()

-- The snapshot that another process took.
-- name: take_snapshot
SET TRANSACTION SNAPSHOT %(snapshot)s

-- How many events there are.
-- name: count_events
SELECT count(*) FROM certlife.events

-- How many there are after a position.
-- name: count_events_after
SELECT count(*) FROM certlife.events WHERE position > %(position)s

-- The last event's position.
-- name: select_end
SELECT coalesce(max(position), 0) FROM certlife.events

-- The first event that bears an earlier instant than one before it: instants follow the order of commits.
-- name: select_first_earlier
SELECT position
FROM (
    SELECT position, recorded_at, lag(recorded_at) OVER (ORDER BY position) AS before FROM certlife.events
) AS event
WHERE recorded_at < before
ORDER BY position
LIMIT 1

-- What is written without a schema's name is written into tables that last as long as the transaction.
-- name: write_aside
SET LOCAL search_path = pg_temp

-- How far a read model says that it has come, and of which definition it is.
-- name: select_read_model
SELECT position, complete_until, version, definition FROM projections.position WHERE projection = %(projection)s

-- The first event recorded after a position, if that was before an instant. In a simulation each process may have a
-- present of its own.
-- name: select_unseen
SELECT position FROM certlife.events
WHERE position > %(position)s AND recorded_at < %(complete_until)s AND certlife.register_kind() = 'production'
ORDER BY position
LIMIT 1

-- Rows of the register that serve, beside those made again for certificates of a span: the first that differs, by the
-- last event of its certificate. One that is nobody's is held to every span.
-- name: compare_register
SELECT
    coalesce((
        SELECT max(event.position) FROM certlife.events AS event
        WHERE event.originator_id = differing.certificate_id AND event.position <= %(upto)s
    ), %(upto)s) AS position,
    differing.what, differing.how
FROM (
    SELECT coalesce(made.certificate_id, live.certificate_id) AS certificate_id,
        coalesce(made.number, live.number, '') AS what,
        CASE WHEN made.number IS NULL THEN 'added' WHEN live.number IS NULL THEN 'missing' ELSE 'changed' END AS how
    FROM (
        SELECT number, certificate_id, segments, turns, statuses, list_index, under_repair FROM projections.register
        WHERE certificate_id BETWEEN %(first)s AND %(last)s OR certificate_id IS NULL
    ) AS live
    FULL JOIN (
        SELECT number, certificate_id, segments, turns, statuses, list_index, under_repair FROM register
    ) AS made ON made.number = live.number
    WHERE live IS DISTINCT FROM made
    UNION ALL
    SELECT coalesce(made.certificate_id, live.certificate_id), coalesce(made.certificate_id, live.certificate_id)::text,
        CASE WHEN made.certificate_id IS NULL THEN 'added' WHEN live.certificate_id IS NULL THEN 'missing'
            ELSE 'changed' END
    FROM (
        SELECT certificate_id, version, organisation, scheme, edition, number, holder, turns, statuses, levels,
            valid_until, due_on, under_repair
        FROM projections.certificate
        WHERE certificate_id BETWEEN %(first)s AND %(last)s OR certificate_id IS NULL
    ) AS live
    FULL JOIN (
        SELECT certificate_id, version, organisation, scheme, edition, number, holder, turns, statuses, levels,
            valid_until, due_on, under_repair
        FROM certificate
    ) AS made ON made.certificate_id = live.certificate_id
    WHERE live IS DISTINCT FROM made
) AS differing
ORDER BY position, what
LIMIT 1

-- The same of deadlines.
-- name: compare_deadlines
SELECT
    coalesce((
        SELECT max(event.position) FROM certlife.events AS event
        WHERE event.originator_id = differing.certificate_id AND event.position <= %(upto)s
    ), %(upto)s) AS position,
    differing.what, differing.how
FROM (
    SELECT coalesce(made.certificate_id, live.certificate_id) AS certificate_id,
        concat_ws(' ', coalesce(made.certificate_id, live.certificate_id), coalesce(made.kind, live.kind),
            coalesce(made.subject, live.subject)) AS what,
        CASE WHEN made.kind IS NULL THEN 'added' WHEN live.kind IS NULL THEN 'missing' ELSE 'changed' END AS how
    FROM (
        SELECT certificate_id, kind, subject, due_on, clock, number, holder, organisation FROM projections.deadline
        WHERE certificate_id BETWEEN %(first)s AND %(last)s OR certificate_id IS NULL
    ) AS live
    FULL JOIN (
        SELECT certificate_id, kind, subject, due_on, clock, number, holder, organisation FROM deadline
    ) AS made
        ON made.certificate_id = live.certificate_id AND made.kind = live.kind AND made.subject = live.subject
    WHERE live IS DISTINCT FROM made
) AS differing
ORDER BY position, what
LIMIT 1

-- The same of the trail: rows made again of the streams of a span, each held to the one at its position. Rows that are
-- no event's are looked for once.
-- name: compare_trail
SELECT made.position, made.topic AS what, CASE WHEN live.position IS NULL THEN 'missing' ELSE 'changed' END AS how
FROM trail AS made
LEFT JOIN projections.trail AS live ON live.position = made.position
WHERE (
    live.position, live.stream, live.version, live.topic, live.recorded_at, live.effective_on, live.person, live.cause,
    live.proposal, live.certificate, live.organisation, live.edition, live.codes, live.refers, live.told
) IS DISTINCT FROM (
    made.position, made.stream, made.version, made.topic, made.recorded_at, made.effective_on, made.person, made.cause,
    made.proposal, made.certificate, made.organisation, made.edition, made.codes, made.refers, made.told
)
ORDER BY made.position
LIMIT 1

-- Rows of the trail that no event up to a position stands behind, or that stand there twice.
-- name: compare_trail_whole
SELECT coalesce(position, 0) AS position, topic AS what, 'added' AS how
FROM (
    SELECT live.position, live.topic, event.position AS recorded,
        lag(live.position) OVER (ORDER BY live.position) AS before
    FROM projections.trail AS live
    LEFT JOIN certlife.events AS event ON event.position = live.position AND event.position <= %(upto)s
) AS row
WHERE recorded IS NULL OR before = position
ORDER BY position
LIMIT 1

-- Rows that stand twice where no constraint is left to hinder them.
-- name: compare_register_whole
SELECT
    coalesce((
        SELECT max(event.position) FROM certlife.events AS event
        WHERE event.originator_id = doubled.certificate_id AND event.position <= %(upto)s
    ), %(upto)s) AS position,
    doubled.what, 'added' AS how
FROM (
    SELECT certificate_id, number AS what FROM projections.register
    GROUP BY certificate_id, number HAVING count(*) > 1
    UNION ALL
    SELECT certificate_id, certificate_id::text FROM projections.certificate
    GROUP BY certificate_id HAVING count(*) > 1
) AS doubled
ORDER BY position
LIMIT 1

-- name: compare_deadlines_whole
SELECT
    coalesce((
        SELECT max(event.position) FROM certlife.events AS event
        WHERE event.originator_id = doubled.certificate_id AND event.position <= %(upto)s
    ), %(upto)s) AS position,
    doubled.what, 'added' AS how
FROM (
    SELECT certificate_id, concat_ws(' ', certificate_id, kind, subject) AS what FROM projections.deadline
    GROUP BY certificate_id, kind, subject HAVING count(*) > 1
) AS doubled
ORDER BY position
LIMIT 1

-- Certificates said to be set aside that are not, and those that are and are not said to be.
-- name: compare_set_aside
SELECT
    coalesce((
        SELECT max(event.position) FROM certlife.events AS event
        WHERE event.originator_id = coalesce(made.certificate_id, live.certificate_id) AND event.position <= %(upto)s
    ), %(upto)s) AS position,
    concat_ws(' ', 'quarantine', coalesce(made.certificate_id, live.certificate_id)) AS what,
    CASE WHEN made.certificate_id IS NULL THEN 'added' ELSE 'missing' END AS how
FROM (SELECT certificate_id FROM projections.quarantine WHERE projection = %(projection)s) AS live
FULL JOIN (SELECT certificate_id FROM quarantine WHERE projection = %(projection)s) AS made
    ON made.certificate_id = live.certificate_id
WHERE made.certificate_id IS NULL OR live.certificate_id IS NULL
ORDER BY position
LIMIT 1

-- The rows of a span have been compared.
-- name: empty_register
TRUNCATE register, certificate

-- name: empty_deadlines
TRUNCATE deadline

-- name: empty_trail
TRUNCATE trail

-- Events in commit order; NULL asks for every topic.
-- name: select_events_in_order
SELECT position, originator_id, originator_version, topic, state, recorded_at
FROM certlife.events
WHERE %(topics)s::text[] IS NULL OR topic = ANY(%(topics)s::text[])
ORDER BY position

-- Receipts in the order of their events.
-- name: select_receipts
SELECT position, person, idempotency_key, encode(body_sha256, 'hex'), response, recorded_at
FROM certlife.receipts
ORDER BY position, person, idempotency_key

-- What events speak of.
-- name: create_spoken
CREATE TABLE spoken (kind text, name text, says text, position bigint, at timestamptz)

-- What is kept of it.
-- name: create_kept
CREATE TABLE kept (kind text, name text, says text, position bigint, at timestamptz)

-- name: copy_spoken
COPY spoken (kind, name, says, position, at) FROM STDIN

-- name: copy_kept
COPY kept (kind, name, says, position, at) FROM STDIN

-- A file that is cited may be elsewhere.
-- name: forget_files_elsewhere
DELETE FROM spoken
WHERE kind = 'file' AND NOT EXISTS (SELECT FROM certlife.files WHERE encode(files.sha256, 'hex') = spoken.name)

-- Documents and files by the digest of their bytes as they are, keys, the digests of their secrets that events tell, and
-- whether something is kept of a person. A file that no event cites yet is nobody's.
-- name: keep_rows
INSERT INTO kept (kind, name, says, at)
SELECT 'document', encode(sha256, 'hex'),
    concat_ws(' ', octet_length(content), encode(sha256(content), 'hex'),
        (extract(epoch FROM kept_at) * 1000000)::bigint),
    kept_at
FROM certlife.documents
UNION ALL
SELECT 'key', key,
    concat_ws(' ', person, role, coalesce(organisation::text, '-'),
        (extract(epoch FROM issued_at) * 1000000)::bigint,
        coalesce(((extract(epoch FROM revoked_at) * 1000000)::bigint)::text, '-')),
    issued_at
FROM certlife.key_hashes
UNION ALL
SELECT 'details', person,
    CASE WHEN erased_at IS NULL THEN 'sealed' ELSE concat('erased ', (extract(epoch FROM erased_at) * 1000000)::bigint) END,
    erased_at
FROM certlife.personal_details
UNION ALL
SELECT 'secret', key_hashes.key, encode(key_hashes.sha256, 'hex'), key_hashes.issued_at
FROM certlife.key_hashes
JOIN spoken ON spoken.kind = 'secret' AND spoken.name = key_hashes.key
UNION ALL
SELECT 'notice', spoken.name, 'kept', files.kept_at
FROM certlife.files
JOIN (SELECT DISTINCT name FROM spoken WHERE kind = 'notice') AS spoken ON spoken.name = encode(files.sha256, 'hex')
UNION ALL
SELECT 'file', spoken.name, encode(sha256(files.content), 'hex'), files.kept_at
FROM certlife.files
JOIN (SELECT DISTINCT name FROM spoken WHERE kind = 'file') AS spoken ON spoken.name = encode(files.sha256, 'hex')

-- Who read the trail, by legal days, in order.
-- name: select_trail_reads
SELECT (read_at AT TIME ZONE 'Asia/Shanghai')::date AS day, read, read_at, person, role, key, question, read_rows
FROM certlife.trail_reads
ORDER BY day, read

-- The lines of every rehearsal, in the order in which they were digested.
-- name: select_rehearsal_lines
SELECT rehearsal, certificate, affected, line, line_sha256
FROM certlife.rehearsal_lines
ORDER BY rehearsal, certificate

-- What events speak of and is not kept as they say, the first of each kind and sort. What no event speaks of stands
-- where the log stood at its instant.
-- name: compare_spoken
SELECT DISTINCT ON (kind, expected IS NULL, found IS NULL) kind, name, expected, found, position
FROM (
    SELECT coalesce(spoken.kind, kept.kind) AS kind, coalesce(spoken.name, kept.name) AS name,
        spoken.says AS expected, CASE WHEN kept.times > 1 THEN kept.times || ' times ' ELSE '' END || kept.says AS found,
        coalesce(spoken.position, kept.position, (
            SELECT max(event.position) FROM certlife.events AS event WHERE event.recorded_at <= kept.at
        ), 0) AS position
    FROM (
        SELECT kind, name, says, min(position) AS position FROM spoken GROUP BY kind, name, says
    ) AS spoken
    FULL JOIN (
        SELECT kind, name, says, min(position) AS position, min(at) AS at, count(*) AS times FROM kept
        GROUP BY kind, name, says
    ) AS kept ON kept.kind = spoken.kind AND kept.name = spoken.name
    WHERE spoken.says IS DISTINCT FROM kept.says OR kept.times > 1
) AS differing
ORDER BY kind, expected IS NULL, found IS NULL, position
