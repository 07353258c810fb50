-- One row a certificate number: the public answers, each with the legal day from which it holds; the days on which the
-- status turns, and what it turns to; the number's place in the order in which numbers were claimed.
-- name: create_register
CREATE TABLE IF NOT EXISTS register (
    number text PRIMARY KEY,
    certificate_id uuid NOT NULL,
    segments bytea NOT NULL,
    turns date[] NOT NULL,
    statuses text[] NOT NULL,
    list_index bigint,
    under_repair boolean NOT NULL DEFAULT false
);

-- The numbers of one certificate.
-- name: create_register_index
CREATE INDEX IF NOT EXISTS register_certificate ON register (certificate_id);

-- Each place is given once; a status list reads a range of them.
-- name: create_register_place_index
CREATE UNIQUE INDEX IF NOT EXISTS register_place ON register (list_index);

-- One row a certificate, from its application on, for staff.
-- name: create_certificate
CREATE TABLE IF NOT EXISTS certificate (
    certificate_id uuid PRIMARY KEY,
    version integer NOT NULL,
    organisation uuid,
    scheme text NOT NULL,
    edition text NOT NULL,
    number text,
    holder text NOT NULL,
    turns date[] NOT NULL,
    statuses text[] NOT NULL,
    levels text[] NOT NULL,
    valid_until date,
    due_on date,
    under_repair boolean NOT NULL DEFAULT false
);

-- name: create_certificate_organisation_index
CREATE INDEX IF NOT EXISTS certificate_organisation ON certificate (organisation);

-- A batch of numbers, made or replaced.
-- name: upsert_register
INSERT INTO register (number, certificate_id, segments, turns, statuses)
SELECT number, certificate_id, segments, turns::date[], statuses::text[]
FROM unnest(
    %(numbers)s::text[], %(certificate_ids)s::uuid[], %(segments)s::bytea[], %(turns)s::text[], %(statuses)s::text[]
) AS given (number, certificate_id, segments, turns, statuses)
ON CONFLICT (number) DO UPDATE
SET certificate_id = excluded.certificate_id,
    segments = excluded.segments,
    turns = excluded.turns,
    statuses = excluded.statuses,
    under_repair = false;

-- Numbers that the certificates do not bear, as they read now: claimed, and void since, or replaced the same day.
-- name: blank_numbers
UPDATE register
SET segments = '[]', turns = '{}', statuses = '{}', under_repair = false
WHERE certificate_id = ANY(%(certificate_ids)s::uuid[])
    AND NOT number = ANY(%(numbers)s::text[])
    AND (segments <> '[]' OR under_repair);

-- Numbers claimed get the next places, in the order in which they were claimed. One that no readable certificate bears
-- yet has no answer: its certificate is set aside, or does not bear it any more.
-- name: claim_places
INSERT INTO register (number, certificate_id, segments, turns, statuses, list_index, under_repair)
SELECT claimed.number, claimed.certificate_id, '[]', '{}', '{}', taken.last + claimed.place,
    coalesce(certificate.under_repair, true)
FROM (SELECT coalesce(max(list_index), -1) AS last FROM register) AS taken
CROSS JOIN unnest(%(numbers)s::text[], %(certificate_ids)s::uuid[]) WITH ORDINALITY
    AS claimed (number, certificate_id, place)
LEFT JOIN certificate ON certificate.certificate_id = claimed.certificate_id
ON CONFLICT (number) DO UPDATE SET list_index = excluded.list_index;

-- A batch of certificates, made or replaced. Lists of days and words come as array literals.
-- name: upsert_certificate
INSERT INTO certificate (
    certificate_id, version, organisation, scheme, edition, number, holder, turns, statuses, levels, valid_until, due_on
)
SELECT
    certificate_id, version, organisation, scheme, edition, number, holder,
    turns::date[], statuses::text[], levels::text[], valid_until, due_on
FROM unnest(
    %(certificate_ids)s::uuid[], %(versions)s::integer[], %(organisations)s::uuid[], %(schemes)s::text[],
    %(editions)s::text[], %(numbers)s::text[], %(holders)s::text[], %(turns)s::text[], %(statuses)s::text[],
    %(levels)s::text[], %(valid_until)s::date[], %(due_on)s::date[]
) AS given (
    certificate_id, version, organisation, scheme, edition, number, holder, turns, statuses, levels, valid_until, due_on
)
ON CONFLICT (certificate_id) DO UPDATE
SET version = excluded.version,
    organisation = excluded.organisation,
    scheme = excluded.scheme,
    edition = excluded.edition,
    number = excluded.number,
    holder = excluded.holder,
    turns = excluded.turns,
    statuses = excluded.statuses,
    levels = excluded.levels,
    valid_until = excluded.valid_until,
    due_on = excluded.due_on,
    under_repair = false;

-- The numbers that some certificates have claimed, found by reading the whole log: seldom asked.
-- name: select_claims
SELECT event.position, event.originator_id, event.originator_version, event.topic, event.state, event.recorded_at
FROM certlife.events AS event
CROSS JOIN unnest(%(certificate_ids)s::uuid[]) AS wanted (certificate_id)
WHERE event.topic = 'number-claimed.v1'
    AND position(convert_to(format('"certificate":"%%s"', wanted.certificate_id), 'UTF8') IN event.state) > 0
ORDER BY event.position;

-- The numbers answer "under repair", never an old status, nor that there is no such number.
-- name: withhold_numbers
INSERT INTO register (number, certificate_id, segments, turns, statuses, under_repair)
SELECT number, certificate_id, '[]', '{}', '{}', true
FROM unnest(%(numbers)s::text[], %(certificate_ids)s::uuid[]) AS given (number, certificate_id)
ON CONFLICT (number) DO UPDATE
SET certificate_id = excluded.certificate_id,
    segments = excluded.segments,
    turns = excluded.turns,
    statuses = excluded.statuses,
    under_repair = excluded.under_repair;

-- The certificates are listed as under repair, and nothing else is said of them.
-- name: withhold_certificates
INSERT INTO certificate (
    certificate_id, version, scheme, edition, holder, turns, statuses, levels, under_repair
)
SELECT certificate_id, 0, '', '', '', '{}', '{}', '{}', true
FROM unnest(%(certificate_ids)s::uuid[]) AS given (certificate_id)
ON CONFLICT (certificate_id) DO UPDATE
SET version = excluded.version,
    organisation = excluded.organisation,
    scheme = excluded.scheme,
    edition = excluded.edition,
    number = excluded.number,
    holder = excluded.holder,
    turns = excluded.turns,
    statuses = excluded.statuses,
    levels = excluded.levels,
    valid_until = excluded.valid_until,
    due_on = excluded.due_on,
    under_repair = excluded.under_repair;

-- The public answers of some numbers, and where the projection stands, in one statement.
-- name: select_numbers
SELECT wanted.number, register.certificate_id, register.segments, register.under_repair, register.list_index,
    position.position, position.complete_until
FROM projections.position
CROSS JOIN unnest(%(numbers)s::text[]) WITH ORDINALITY AS wanted (number, place)
LEFT JOIN projections.register ON register.number = wanted.number
WHERE position.projection = 'register'
ORDER BY wanted.place;

-- A page of certificates, filtered by what stands on a legal day, which is not told of one under repair; keyed by id.
-- name: select_certificates
SELECT certificate.certificate_id, certificate.version, certificate.organisation, certificate.scheme,
    certificate.edition, certificate.number, certificate.holder, certificate.valid_until, certificate.due_on,
    certificate.under_repair, now.status, now.level
FROM projections.certificate
LEFT JOIN LATERAL (
    SELECT
        coalesce(certificate.statuses[width_bucket(%(on)s::date, certificate.turns)], 'none') AS status,
        certificate.levels[width_bucket(%(on)s::date, certificate.turns)] AS level
) AS now ON NOT certificate.under_repair
WHERE certificate.certificate_id > %(after)s
    AND (%(status)s::text IS NULL OR now.status = %(status)s)
    AND (%(level)s::text IS NULL OR now.level = %(level)s)
    AND (%(holder)s::text IS NULL OR position(lower(%(holder)s) IN lower(certificate.holder)) > 0)
    AND (%(organisation)s::uuid IS NULL OR certificate.organisation = %(organisation)s)
    AND (%(due_by)s::date IS NULL OR (certificate.due_on <= %(due_by)s AND now.status IN ('active', 'suspended')))
ORDER BY certificate.certificate_id
LIMIT %(limit)s;

-- Some numbers, for somebody who knows none.
-- name: select_first_numbers
SELECT number FROM projections.register ORDER BY number LIMIT %(limit)s;

-- While the register is made anew: the numbers claimed up to where the bulk read ends, each with its place.
-- name: create_claimed
CREATE TABLE claimed (
    list_index bigint GENERATED ALWAYS AS IDENTITY (START 0 MINVALUE 0),
    number text NOT NULL,
    certificate_id uuid NOT NULL
);

-- In the order of the claims.
-- name: copy_claimed
COPY claimed (number, certificate_id) FROM STDIN;

-- Found by the certificates of a part.
-- name: create_claimed_index
CREATE INDEX claimed_certificate ON claimed (certificate_id);

-- The places of the numbers of some certificates.
-- name: select_claimed
SELECT number, list_index FROM claimed WHERE certificate_id BETWEEN %(first)s AND %(last)s;

-- Numbers with everything there is to say of them.
-- name: copy_register
COPY register (number, certificate_id, segments, turns, statuses, list_index) FROM STDIN;

-- Certificates likewise.
-- name: copy_certificate
COPY certificate (
    certificate_id, version, organisation, scheme, edition, number, holder, turns, statuses, levels, valid_until, due_on
) FROM STDIN;

-- Numbers of these certificates that have no place yet get theirs; one that no readable certificate bears has no answer.
-- name: place_claimed
INSERT INTO register (number, certificate_id, segments, turns, statuses, list_index, under_repair)
SELECT claimed.number, claimed.certificate_id, '[]', '{}', '{}', claimed.list_index,
    coalesce(certificate.under_repair, true)
FROM claimed
LEFT JOIN certificate ON certificate.certificate_id = claimed.certificate_id
WHERE claimed.certificate_id BETWEEN %(first)s AND %(last)s
    AND NOT EXISTS (
        SELECT FROM register WHERE register.number = claimed.number AND register.list_index = claimed.list_index
    )
ORDER BY claimed.list_index
ON CONFLICT (number) DO UPDATE SET list_index = excluded.list_index;

-- The planner knows what was put in.
-- name: analyze_register
ANALYZE register, certificate;

-- The new tables take the place of the old ones.
-- name: swap_register
DROP TABLE projections.register, projections.certificate, projections_next.claimed;
ALTER TABLE projections_next.register SET SCHEMA projections;
ALTER TABLE projections_next.certificate SET SCHEMA projections;

-- Nothing is left of what was made anew.
-- name: discard_register
DROP TABLE IF EXISTS projections_next.register, projections_next.certificate, projections_next.claimed;
