-- The session answers in UTC, sees what others committed before each statement, and gives up before its caller does;
-- a process that stops in mid-transaction does not hold append's lock for long.
-- name: prepare_session
SELECT
    set_config('TimeZone', 'UTC', false),
    set_config('default_transaction_isolation', 'read committed', false),
    set_config('statement_timeout', '2000ms', false),
    set_config('idle_in_transaction_session_timeout', '5000ms', false)

-- A transaction begins.
-- name: begin
BEGIN

-- What was done in it holds.
-- name: commit
COMMIT

-- What was done in it never was.
-- name: rollback
ROLLBACK
