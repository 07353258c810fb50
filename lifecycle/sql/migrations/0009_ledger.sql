-- The ledger: the Merkle tree (RFC 9162) over all events in commit order, and its signed checkpoints. Rows come in
-- through ledger.grow() and ledger.add_checkpoint() and stay: the tree is no read model, and is never made anew.
-- Their lock is advisory lock (4851, 9).
-- Refusals: CL010 the tree is not of that size, or the events come before its last one; CL011 no such tree was there.

CREATE SCHEMA ledger;
REVOKE ALL ON SCHEMA ledger FROM PUBLIC;
GRANT USAGE ON SCHEMA ledger TO certlife_service, certlife_engine;

-- A name for the log where the register has no public address to be named by.
CREATE TABLE ledger.name (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    register uuid NOT NULL DEFAULT gen_random_uuid()
);
INSERT INTO ledger.name DEFAULT VALUES;

-- One leaf an event. Positions have holes, indexes have none.
CREATE TABLE ledger.leaves (
    leaf_index bigint CONSTRAINT leaves_key PRIMARY KEY CHECK (leaf_index >= 0),
    position bigint NOT NULL CONSTRAINT leaves_position_key UNIQUE,
    hash bytea NOT NULL CHECK (octet_length(hash) = 32)
);

-- Of the complete subtrees those of 256, 65,536, ... leaves: level 8, 16, ... The number-th of a level begins at leaf
-- number * 2^level.
CREATE TABLE ledger.subtrees (
    level smallint NOT NULL CHECK (level > 0 AND level % 8 = 0),
    number bigint NOT NULL CHECK (number >= 0),
    hash bytea NOT NULL CHECK (octet_length(hash) = 32),
    CONSTRAINT subtrees_key PRIMARY KEY (level, number)
);

-- The signed notes, to the byte. position is that of the last event covered.
CREATE TABLE ledger.checkpoints (
    tree_size bigint CONSTRAINT checkpoints_key PRIMARY KEY CHECK (tree_size > 0),
    position bigint NOT NULL,
    note text NOT NULL,
    made_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Each round asks how long ago the last one was.
CREATE INDEX checkpoints_made_at ON ledger.checkpoints (made_at);

REVOKE ALL ON ALL TABLES IN SCHEMA ledger FROM PUBLIC;
GRANT SELECT ON ALL TABLES IN SCHEMA ledger TO certlife_service, certlife_engine;

-- The tree has these leaves too, from first_index on, and the subtrees that they complete.
CREATE FUNCTION ledger.grow(
    first_index bigint, positions bigint[], hashes bytea[], levels smallint[], numbers bigint[], roots bytea[]
) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = ledger, pg_temp
AS $$
DECLARE
    last leaves;
BEGIN
    PERFORM pg_advisory_xact_lock(4851, 9);
    SELECT l.* INTO last FROM leaves l ORDER BY l.leaf_index DESC LIMIT 1;
    IF first_index <> coalesce(last.leaf_index + 1, 0) OR positions[1] <= last.position THEN
        RAISE EXCEPTION USING ERRCODE = 'CL010', MESSAGE = 'The tree grows at its end alone.';
    END IF;
    INSERT INTO leaves (leaf_index, position, hash)
    SELECT first_index + added.place - 1, added.position, added.hash
    FROM unnest(positions, hashes) WITH ORDINALITY AS added (position, hash, place);
    INSERT INTO subtrees (level, number, hash)
    SELECT added.level, added.number, added.hash FROM unnest(levels, numbers, roots) AS added (level, number, hash);
END
$$;

-- The note stands for the tree at that size; answers whether it does now. It does not where a later one does, made by
-- another process perhaps, or one from less than the pause ago.
CREATE FUNCTION ledger.add_checkpoint(size bigint, of_position bigint, signed text, pause interval) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = ledger, pg_temp
AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(4851, 9);
    IF NOT EXISTS (SELECT FROM leaves l WHERE l.leaf_index = size - 1 AND l.position = of_position) THEN
        RAISE EXCEPTION USING ERRCODE = 'CL011', MESSAGE = 'The tree does not end with that event at that size.';
    END IF;
    IF EXISTS (SELECT FROM checkpoints c WHERE c.tree_size >= size OR c.made_at > clock_timestamp() - pause) THEN
        RETURN false;
    END IF;
    INSERT INTO checkpoints (tree_size, position, note) VALUES (size, of_position, signed);
    RETURN true;
END
$$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA ledger FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.grow(bigint, bigint[], bytea[], smallint[], bigint[], bytea[]) TO certlife_engine;
GRANT EXECUTE ON FUNCTION ledger.add_checkpoint(bigint, bigint, text, interval) TO certlife_service;
