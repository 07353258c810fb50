-- The tree grows by one process at a time: the others see what it did.
-- name: take_ledger_lock
SELECT pg_advisory_xact_lock(4851, 9)

-- The last leaf: the tree's size, and the position up to which events have leaves.
-- name: select_end
SELECT leaf_index + 1, position FROM ledger.leaves ORDER BY leaf_index DESC LIMIT 1

-- Events after a position, as leaves cover them: recorded_at in microseconds since 1970-01-01T00:00:00Z.
-- name: select_events
SELECT
    position, originator_id, originator_version, topic,
    CASE recorded_at
        WHEN 'infinity' THEN 9223372036854775807
        WHEN '-infinity' THEN -9223372036854775808
        ELSE (extract(epoch FROM recorded_at) * 1000000)::bigint
    END,
    state
FROM certlife.events
WHERE position > %(after)s
ORDER BY position
LIMIT %(limit)s

-- The tree has these leaves too, and the subtrees that they complete.
-- name: grow
SELECT ledger.grow(
    %(first_index)s, %(positions)b::bigint[], %(hashes)b::bytea[],
    %(levels)s::smallint[], %(numbers)s::bigint[], %(roots)b::bytea[]
)

-- Hashes of leaves side by side.
-- name: select_leaf_hashes
SELECT leaf_index, hash FROM ledger.leaves WHERE leaf_index >= %(first)s AND leaf_index < %(after)s

-- Roots of subtrees side by side.
-- name: select_subtree_roots
SELECT number, hash FROM ledger.subtrees WHERE level = %(level)s AND number >= %(first)s AND number < %(after)s

-- The leaf of the event at a position.
-- name: select_leaf_at
SELECT leaf_index, position, hash FROM ledger.leaves WHERE position = %(position)s

-- Leaves from an index on.
-- name: select_leaves
SELECT leaf_index, position, hash FROM ledger.leaves WHERE leaf_index >= %(first)s ORDER BY leaf_index LIMIT %(limit)s

-- The last stored subtree of each level.
-- name: select_last_subtrees
SELECT level, max(number) FROM ledger.subtrees GROUP BY level ORDER BY level

-- The keys that the register says sign the ledger.
-- name: select_signing_keys
SELECT topic, state FROM certlife.events
WHERE originator_id = %(register)s AND topic = %(topic)s
ORDER BY position

-- The name of a log without an address.
-- name: select_register
SELECT register FROM ledger.name

-- A note stands for the tree at that size, unless a later one does, or one from less than the pause ago. While there
-- are notes from later than now no pause is kept: the clock was put back, and nothing would be signed until it is past.
-- name: add_checkpoint
SELECT ledger.add_checkpoint(%(size)s, %(position)s, %(note)s, CASE
    WHEN NOT EXISTS (SELECT FROM ledger.checkpoints WHERE made_at > clock_timestamp()) THEN %(pause)s::interval
END)

-- The last note.
-- name: select_last_checkpoint
SELECT tree_size, position, note FROM ledger.checkpoints ORDER BY tree_size DESC LIMIT 1

-- The note of a size.
-- name: select_checkpoint
SELECT tree_size, position, note FROM ledger.checkpoints WHERE tree_size = %(size)s

-- Notes of more than a size, the smallest first.
-- name: select_checkpoints
SELECT tree_size, position, note FROM ledger.checkpoints WHERE tree_size > %(after)s ORDER BY tree_size LIMIT %(limit)s

-- The last event's position before another position.
-- name: select_position_before
SELECT coalesce(max(position), 0) FROM ledger.leaves WHERE position < %(position)s

-- The events of a stream up to a position, as leaves cover them; of all topics where none is named.
-- name: select_stream_events
SELECT
    position, originator_id, originator_version, topic,
    CASE recorded_at
        WHEN 'infinity' THEN 9223372036854775807
        WHEN '-infinity' THEN -9223372036854775808
        ELSE (extract(epoch FROM recorded_at) * 1000000)::bigint
    END,
    state
FROM certlife.events
WHERE originator_id = %(stream)s
    AND position <= %(upto)s
    AND (%(topic)s::text IS NULL OR topic = %(topic)s)
ORDER BY originator_version

-- For each of these leaves the first note that covers it, less than a size; the last ones.
-- name: select_first_checkpoints
SELECT DISTINCT note.tree_size, note.position, note.note
FROM unnest(%(indexes)s::bigint[]) AS leaf (leaf_index)
CROSS JOIN LATERAL (
    SELECT c.tree_size, c.position, c.note
    FROM ledger.checkpoints c
    WHERE c.tree_size > leaf.leaf_index AND c.tree_size < %(size)s
    ORDER BY c.tree_size
    LIMIT 1
) AS note
ORDER BY note.tree_size DESC
LIMIT %(limit)s
