-- Every event once: what it is found by, and what is told of it, finished. Rows are added at the end and stay.
-- name: create_trail
CREATE TABLE IF NOT EXISTS trail (
    position bigint PRIMARY KEY,
    stream uuid NOT NULL,
    version integer NOT NULL,
    topic text NOT NULL,
    recorded_at timestamptz NOT NULL,
    effective_on date,
    person text,
    cause text,
    proposal integer,
    certificate uuid,
    organisation uuid,
    edition text,
    codes text,
    refers bytea NOT NULL,
    told bytea NOT NULL
);

-- What is asked for, each in the order of positions.
-- name: create_trail_certificate_index
CREATE INDEX IF NOT EXISTS trail_certificate ON trail (certificate, position) WHERE certificate IS NOT NULL;

-- name: create_trail_organisation_index
CREATE INDEX IF NOT EXISTS trail_organisation ON trail (organisation, position) WHERE organisation IS NOT NULL;

-- name: create_trail_person_index
CREATE INDEX IF NOT EXISTS trail_person ON trail (person, position);

-- name: create_trail_topic_index
CREATE INDEX IF NOT EXISTS trail_topic ON trail (topic, position);

-- name: create_trail_cause_index
CREATE INDEX IF NOT EXISTS trail_cause ON trail (cause, position);

-- name: create_trail_recorded_index
CREATE INDEX IF NOT EXISTS trail_recorded ON trail (recorded_at, position);

-- name: create_trail_effective_index
CREATE INDEX IF NOT EXISTS trail_effective ON trail (effective_on, position);

-- Rows at the end, or of a part.
-- name: copy_trail
COPY trail (
    position, stream, version, topic, recorded_at, effective_on, person, cause, proposal, certificate, organisation,
    edition, codes, refers, told
) FROM STDIN (FORMAT binary);

-- A page of what is asked for, in the order of positions; NULL asks for nothing in particular. The instants are turned
-- into positions, which follow them. About an organisation is also what names one of its certificates alone.
-- name: select_trail
SELECT position, edition, codes, told
FROM projections.trail
WHERE position > %(after)s
    AND position <= %(upto)s
    AND (%(certificate)s::uuid IS NULL OR certificate = %(certificate)s)
    AND (%(organisation)s::uuid IS NULL OR organisation = %(organisation)s OR certificate = ANY(ARRAY(
        SELECT own.certificate FROM projections.trail AS own
        WHERE own.organisation = %(organisation)s AND own.certificate IS NOT NULL
    )))
    AND (%(person)s::text IS NULL OR person = %(person)s)
    AND (%(topic)s::text IS NULL OR topic = %(topic)s)
    AND (%(topics)s::text[] IS NULL OR topic = ANY(%(topics)s::text[]))
    AND (%(cause)s::text IS NULL OR cause = %(cause)s)
    AND (%(proposal)s::integer IS NULL OR proposal = %(proposal)s)
    AND (%(recorded_from)s::timestamptz IS NULL OR position >= (
        SELECT first.position FROM projections.trail AS first
        WHERE first.recorded_at >= %(recorded_from)s ORDER BY first.recorded_at, first.position LIMIT 1
    ))
    AND (%(recorded_before)s::timestamptz IS NULL OR position <= (
        SELECT last.position FROM projections.trail AS last
        WHERE last.recorded_at < %(recorded_before)s ORDER BY last.recorded_at DESC, last.position DESC LIMIT 1
    ))
    AND (%(effective_from)s::date IS NULL OR effective_on >= %(effective_from)s)
    AND (%(effective_to)s::date IS NULL OR effective_on <= %(effective_to)s)
ORDER BY position
LIMIT %(limit)s;

-- The same where nothing is asked for but a certificate, or nothing at all: what nearly everybody asks, planned once.
-- name: select_trail_of_certificate
SELECT position, edition, codes, told
FROM projections.trail
WHERE certificate = %(certificate)s AND position > %(after)s AND position <= %(upto)s
ORDER BY position
LIMIT %(limit)s;

-- name: select_trail_in_order
SELECT position, edition, codes, told
FROM projections.trail
WHERE position > %(after)s AND position <= %(upto)s
ORDER BY position
LIMIT %(limit)s;

-- One event.
-- name: select_event
SELECT position, edition, codes, told FROM projections.trail WHERE position = %(position)s;

-- Events by their positions, in order.
-- name: select_events
SELECT position, edition, codes, told
FROM projections.trail
WHERE position = ANY(%(positions)s::bigint[])
ORDER BY position;

-- Who may be related to an event: everything about its certificate, which may be named by another event of the same
-- request, all editions of its scheme, and everything of the requests found there.
-- name: select_family
WITH origin AS (
    SELECT stream, topic, cause, person, certificate FROM projections.trail WHERE position = %(position)s
),
subject AS (
    SELECT coalesce(origin.certificate, (
        SELECT beside.certificate FROM projections.trail AS beside
        WHERE beside.cause = origin.cause AND beside.person = origin.person AND origin.cause LIKE 'request:%%'
            AND beside.certificate IS NOT NULL
        ORDER BY beside.position LIMIT 1
    )) AS certificate
    FROM origin
),
own AS (
    SELECT trail.position, trail.cause, trail.person
    FROM projections.trail JOIN subject ON trail.certificate = subject.certificate
    ORDER BY trail.position
    LIMIT %(limit)s
),
editions AS (
    SELECT trail.position
    FROM projections.trail JOIN origin ON trail.stream = origin.stream
    WHERE trail.topic IN ('edition-proposed.v1', 'edition-published.v1')
        AND origin.topic IN ('edition-proposed.v1', 'edition-published.v1')
),
requests AS (
    SELECT cause, person FROM own WHERE cause LIKE 'request:%%'
    UNION
    SELECT cause, person FROM origin WHERE cause LIKE 'request:%%'
),
related AS (
    SELECT position FROM own
    UNION
    SELECT position FROM editions
    UNION
    SELECT beside.position FROM projections.trail AS beside
    JOIN requests ON beside.cause = requests.cause AND beside.person = requests.person
    UNION
    SELECT %(position)s
)
SELECT trail.position, trail.stream, trail.version, trail.cause, trail.person, trail.refers
FROM projections.trail JOIN related ON trail.position = related.position
ORDER BY trail.position;

-- How many events a cause has; a request is one person's, and another may have given its own the same key.
-- name: count_of_cause
SELECT count(*) FROM projections.trail
WHERE cause = %(cause)s AND (%(cause)s NOT LIKE 'request:%%' OR person = %(person)s);

-- The receipt of a command: who sent it, when it was carried out, and the digest of what was sent.
-- name: select_receipt
SELECT encode(body_sha256, 'hex') AS body_sha256, position, recorded_at
FROM certlife.receipts
WHERE person = %(person)s AND idempotency_key = %(key)s;

-- The planner knows what was put in.
-- name: analyze_trail
ANALYZE trail;

-- The new table takes the place of the old one.
-- name: swap_trail
DROP TABLE projections.trail;
ALTER TABLE projections_next.trail SET SCHEMA projections;

-- Nothing is left of what was made anew.
-- name: discard_trail
DROP TABLE IF EXISTS projections_next.trail;
