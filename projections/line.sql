-- The session gives up a question before the one who asks it does.
-- name: prepare_session
SELECT set_config('TimeZone', 'UTC', false), set_config('statement_timeout', '2000ms', false);

-- What the register has of some numbers, a row for each number found, or one without a number if none is; where the
-- projection stands, and the present, of the same moment.
-- name: select_gathered
SELECT register.number, register.segments, register.under_repair, register.list_index,
    position.position, position.complete_until, (SELECT certlife.instant(%(now)s::timestamptz))
FROM projections.position
LEFT JOIN projections.register ON register.number = ANY(%(numbers)s::text[])
WHERE position.projection = 'register';
