-- What falls due, one row a certificate, kind and subject. Rows of the clock are acts that a tick records.
-- name: create_deadline
CREATE TABLE IF NOT EXISTS deadline (
    certificate_id uuid NOT NULL,
    kind text NOT NULL,
    subject integer NOT NULL,
    due_on date NOT NULL,
    clock boolean NOT NULL,
    number text,
    holder text NOT NULL,
    organisation uuid,
    PRIMARY KEY (certificate_id, kind, subject)
);

-- What a tick asks for, oldest first, paged by key.
-- name: create_deadline_clock_index
CREATE INDEX IF NOT EXISTS deadline_clock ON deadline (due_on, certificate_id) WHERE clock;

-- What people ask for.
-- name: create_deadline_due_index
CREATE INDEX IF NOT EXISTS deadline_due ON deadline (due_on, certificate_id, kind, subject)
WHERE NOT clock;

-- The old rows of the certificates in a batch.
-- name: delete_deadlines
DELETE FROM deadline WHERE certificate_id = ANY(%(certificate_ids)s);

-- The new rows of the certificates in a batch.
-- name: insert_deadlines
INSERT INTO deadline (certificate_id, kind, subject, due_on, clock, number, holder, organisation)
SELECT certificate_id, kind, subject, due_on, clock, number, holder, organisation
FROM unnest(
    %(certificate_ids)s::uuid[], %(kinds)s::text[], %(subjects)s::integer[], %(due_on)s::date[], %(clocks)s::boolean[],
    %(numbers)s::text[], %(holders)s::text[], %(organisations)s::uuid[]
) AS given (certificate_id, kind, subject, due_on, clock, number, holder, organisation);

-- Certificates for which the clock has something to record by a day, oldest first.
-- name: select_clock_due
SELECT DISTINCT ON (due_on, certificate_id) due_on, certificate_id
FROM projections.deadline
WHERE clock
    AND due_on <= %(by)s
    AND (due_on, certificate_id) > (%(after_on)s, %(after_id)s)
ORDER BY due_on, certificate_id
LIMIT %(limit)s;

-- A page of the work of persons that falls due by a day, oldest first.
-- name: select_deadlines
SELECT certificate_id, kind, subject, due_on, number, holder
FROM projections.deadline
WHERE NOT clock
    AND due_on <= %(by)s
    AND (due_on, certificate_id, kind, subject) > (%(after_on)s, %(after_id)s, %(after_kind)s, %(after_subject)s)
    AND (%(kind)s::text IS NULL OR kind = %(kind)s)
    AND (%(shown)s::text[] IS NULL OR kind = ANY(%(shown)s::text[]))
    AND (%(organisation)s::uuid IS NULL OR organisation = %(organisation)s)
ORDER BY due_on, certificate_id, kind, subject
LIMIT %(limit)s;

-- Deadlines in bulk.
-- name: copy_deadline
COPY deadline (certificate_id, kind, subject, due_on, clock, number, holder, organisation) FROM STDIN;

-- The planner knows what was put in.
-- name: analyze_deadline
ANALYZE deadline;

-- The new table takes the place of the old one.
-- name: swap_deadline
DROP TABLE projections.deadline;
ALTER TABLE projections_next.deadline SET SCHEMA projections;

-- Nothing is left of what was made anew.
-- name: discard_deadline
DROP TABLE IF EXISTS projections_next.deadline;
