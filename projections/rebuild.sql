-- What is being made anew, one row a projection: of which definition, from the log up to which position, and up to where
-- the engine has checked that every fact can be read. Whoever does a step of it holds the row, so that it cannot end or
-- begin anew in the middle of the step.
-- name: create_rebuild
CREATE TABLE IF NOT EXISTS rebuild (
    projection text PRIMARY KEY,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    version integer NOT NULL,
    definition text NOT NULL,
    upto bigint NOT NULL,
    checked bigint NOT NULL
);

-- The log cut by ids of streams: what of it has been read, and how many facts it was.
-- name: create_part
CREATE TABLE IF NOT EXISTS part (
    projection text NOT NULL,
    first uuid NOT NULL,
    last uuid NOT NULL,
    facts bigint,
    PRIMARY KEY (projection, first)
);

-- name: select_rebuild
SELECT version, definition, id, upto, checked FROM rebuild WHERE projection = %(projection)s;

-- name: insert_rebuild
INSERT INTO rebuild (projection, version, definition, checked, upto)
SELECT %(projection)s, %(version)s, %(definition)s, position,
    greatest(position, (SELECT max(event.position) FROM certlife.events AS event))
FROM projections.position WHERE projection = %(projection)s
RETURNING id, upto, checked;

-- What the engine has set aside in a part.
-- name: select_set_aside
SELECT certificate_id FROM projections.quarantine
WHERE projection = %(projection)s AND certificate_id BETWEEN %(first)s AND %(last)s;

-- name: insert_parts
INSERT INTO part (projection, first, last)
SELECT %(projection)s, first, last
FROM unnest(%(firsts)s::uuid[], %(lasts)s::uuid[]) AS given (first, last);

-- Held together with others who read other parts.
-- name: share_rebuild
SELECT FROM rebuild WHERE projection = %(projection)s AND id = %(id)s FOR KEY SHARE;

-- Held alone.
-- name: hold_rebuild
SELECT FROM rebuild WHERE projection = %(projection)s AND id = %(id)s FOR UPDATE;

-- The next part that nobody reads, held.
-- name: take_part
SELECT first, last FROM part
WHERE projection = %(projection)s AND facts IS NULL
ORDER BY first
LIMIT 1
FOR UPDATE SKIP LOCKED;

-- Read, in the same transaction as its rows were written.
-- name: finish_part
UPDATE part SET facts = %(facts)s WHERE projection = %(projection)s AND first = %(first)s;

-- How many parts there are, how many have been read, and the facts in them.
-- name: count_parts
SELECT count(*), count(facts), coalesce(sum(facts), 0)::bigint FROM part WHERE projection = %(projection)s;

-- How far the new tables have come, once all parts have been read.
-- name: select_next_position
SELECT position FROM position WHERE projection = %(projection)s;

-- The rows that serve: how far they have come, held.
-- name: hold_live
SELECT position, version FROM projections.position WHERE projection = %(projection)s FOR UPDATE;

-- Nobody who asks waits for longer than this behind one who swaps tables.
-- name: swap_impatiently
SELECT set_config('lock_timeout', '50ms', true);

-- What is set aside is what the new rows say, and the position theirs.
-- name: swap_position
WITH released AS (DELETE FROM projections.quarantine WHERE projection = %(projection)s),
next AS (DELETE FROM position WHERE projection = %(projection)s RETURNING position, version, definition)
UPDATE projections.position
SET position = next.position, version = next.version, definition = next.definition, rebuild = %(id)s
FROM next
WHERE projection = %(projection)s;

-- name: swap_quarantine
WITH next AS (
    DELETE FROM quarantine WHERE projection = %(projection)s RETURNING projection, certificate_id, position, problem
)
INSERT INTO projections.quarantine (projection, certificate_id, position, problem)
SELECT projection, certificate_id, position, problem FROM next;

-- Nothing is left of it.
-- name: forget_rebuild
WITH parts AS (DELETE FROM part WHERE projection = %(projection)s),
positions AS (DELETE FROM position WHERE projection = %(projection)s),
problems AS (DELETE FROM quarantine WHERE projection = %(projection)s)
DELETE FROM rebuild WHERE projection = %(projection)s;

-- Which rebuild made the rows that serve.
-- name: select_last_rebuild
SELECT rebuild FROM projections.position WHERE projection = %(projection)s;
