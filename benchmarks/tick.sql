-- Deadlines of certificates that are not due yet, spread over two years.
-- name: insert_later
INSERT INTO projections.deadline (certificate_id, kind, subject, due_on, clock, number, holder)
SELECT id, 'surveillance_due', 0, %(after)s::date + 1 + (place %% 700)::integer, true, 'CSP-S01-2098-' || place, 'other'
FROM unnest(%(ids)s::uuid[]) WITH ORDINALITY AS other (id, place)
ON CONFLICT (certificate_id, kind, subject) DO NOTHING

-- The planner knows what was put in.
-- name: analyze_deadlines
ANALYZE projections.deadline
