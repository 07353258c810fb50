-- The register's table, empty.
-- name: empty_register
TRUNCATE projections.register

-- The certificates' table, empty.
-- name: empty_certificate
TRUNCATE projections.certificate

-- The engine at the beginning of the log.
-- name: rewind
UPDATE projections.position SET position = 0 WHERE projection = 'register'

-- The first facts, as the library stores them.
-- name: copy_to_stock
INSERT INTO public.stockapplication_events (originator_id, originator_version, topic, state)
SELECT originator_id, originator_version, topic, state FROM certlife.events ORDER BY position LIMIT %(count)s

-- The library's runner at the beginning.
-- name: forget_tracking
DROP TABLE IF EXISTS public.stock_tracking

-- Until the transaction ends, where the projection's own engine writes.
-- name: write_to_projections
SET LOCAL search_path = projections, public
