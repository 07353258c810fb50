-- Whole histories in the order of their ids, packed: of each its last version, and of the facts under the topics asked
-- for their versions (four bytes each) and states (a line each). The rows come sorted into the aggregates, which is why
-- nothing may be done in parallel here.
-- name: copy_histories
COPY (
    SELECT originator_id, max(originator_version), string_agg(version, ''::bytea), string_agg(state, '\x0a'::bytea)
    FROM (
        SELECT originator_id, originator_version,
            CASE WHEN topic = ANY(%(topics)s) THEN int4send(originator_version) END AS version,
            CASE WHEN topic = ANY(%(topics)s) THEN state END AS state
        FROM certlife.events
        WHERE originator_id BETWEEN %(first)s AND %(last)s AND position <= %(upto)s
        ORDER BY originator_id, originator_version
    ) AS event
    GROUP BY originator_id
    HAVING count(state) > 0
) TO STDOUT (FORMAT binary)

-- For a bulk read, until the transaction ends.
-- name: prepare_bulk
SELECT set_config('max_parallel_workers_per_gather', '0', true), set_config('work_mem', '256MB', true)
