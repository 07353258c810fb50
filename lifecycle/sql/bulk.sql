-- Whole histories in the order of their ids, packed: of each its last version, and of the facts under the topics asked
-- for their versions (four bytes each) and states (a line each). The rows come sorted into the aggregates, which is why
-- nothing may be done in parallel here.
-- name: copy_histories
COPY (
    SELECT originator_id, (
            SELECT max(last.originator_version) FROM certlife.events AS last
            WHERE last.originator_id = event.originator_id AND last.position <= %(upto)s
        ), string_agg(int4send(originator_version), ''::bytea), string_agg(state, '\x0a'::bytea)
    FROM (
        SELECT originator_id, originator_version, state
        FROM certlife.events
        WHERE originator_id BETWEEN %(first)s AND %(last)s AND position <= %(upto)s AND topic = ANY(%(topics)s)
        ORDER BY originator_id, originator_version
    ) AS event
    GROUP BY originator_id
) TO STDOUT (FORMAT binary)

-- For a bulk read, until the transaction ends.
-- name: prepare_bulk
SELECT set_config('max_parallel_workers_per_gather', '0', true), set_config('work_mem', '256MB', true),
    set_config('jit', 'off', true)
