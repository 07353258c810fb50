-- From now on the transaction sees the register as it stands, and changes nothing.
-- name: begin_snapshot
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY

-- How many events there are.
-- name: count_events
SELECT count(*) FROM certlife.events
