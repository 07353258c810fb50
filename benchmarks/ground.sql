-- The facts of one certificate again, under new ids and numbers, in the order of the ids.
-- name: copy_stream
INSERT INTO certlife.events (originator_id, originator_version, topic, state, recorded_at)
SELECT
    copy.id,
    fact.originator_version,
    fact.topic,
    convert_to(
        replace(convert_from(fact.state, 'UTF8'), %(number)s, 'CSP-S01-2099-' || lpad(copy.place::text, 5, '0')), 'UTF8'
    ),
    (SELECT max(recorded_at) FROM certlife.events)
FROM unnest(%(ids)s::uuid[]) WITH ORDINALITY AS copy (id, place)
CROSS JOIN (
    SELECT originator_version, topic, state FROM certlife.events
    WHERE originator_id = %(of)s AND originator_version <= %(facts)s
) AS fact
ORDER BY copy.place, fact.originator_version

-- The planner knows what was put in.
-- name: analyze
ANALYZE certlife.events
