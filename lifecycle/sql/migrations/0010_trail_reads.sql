-- Who read the trail: rows come in through certlife.record_trail_read(), and stay. Each day is sealed by an event of the
-- register's stream. Their lock is advisory lock (4851, 10): a record shares it, a seal takes it alone.

-- read_rows is NULL where an export has only begun.
CREATE TABLE certlife.trail_reads (
    read bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT trail_reads_key PRIMARY KEY,
    read_at timestamptz NOT NULL,
    person text NOT NULL,
    role text NOT NULL,
    key text NOT NULL,
    question text NOT NULL,
    read_rows bigint
);
CREATE INDEX trail_reads_read_at ON certlife.trail_reads (read_at);

REVOKE ALL ON certlife.trail_reads FROM PUBLIC;
GRANT SELECT ON certlife.trail_reads TO certlife_service;

-- Somebody reads the trail. The beginning of an export holds before its first byte; any other record holds with the next
-- commit that waits for the disk, within a second: a server that crashes before loses it, and no seal rests on it yet.
CREATE FUNCTION certlife.record_trail_read(
    by_person text, by_role text, by_key text, asked text, rows_read bigint, now timestamptz
) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = certlife, pg_temp
AS $$
BEGIN
    IF rows_read IS NOT NULL THEN
        PERFORM set_config('synchronous_commit', 'off', true);
    END IF;
    PERFORM pg_advisory_xact_lock_shared(4851, 10);
    INSERT INTO trail_reads (read_at, person, role, key, question, read_rows)
    VALUES (instant(now), by_person, by_role, by_key, asked, rows_read);
END
$$;

-- An instant before which nobody can be recorded to have read the trail any more.
CREATE FUNCTION certlife.trail_reads_settled(now timestamptz) RETURNS timestamptz
LANGUAGE plpgsql VOLATILE SET search_path = certlife, pg_temp
AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(4851, 10);
    RETURN instant(now);
END
$$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA certlife FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    certlife.record_trail_read(text, text, text, text, bigint, timestamptz),
    certlife.trail_reads_settled(timestamptz)
    TO certlife_service;
