-- The one door into the log. Its lock is advisory lock (4851, 2): append takes it alone, settled shares it.
-- Refusals: CL001 the legal day has turned; CL002 the instant does not come from where this register takes it.

-- What the register is, as a constant, so that append need not read the table each time.
DO $kind$
BEGIN
    EXECUTE format(
        'CREATE FUNCTION certlife.register_kind() RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN %L::text',
        (SELECT kind FROM certlife.register)
    );
END
$kind$;

-- The present as an append now would stamp it: the database's clock, in a simulation the process's, never before the
-- last event.
CREATE FUNCTION certlife.instant(now timestamptz) RETURNS timestamptz
LANGUAGE plpgsql VOLATILE SET search_path = certlife, pg_temp
AS $$
BEGIN
    IF (register_kind() = 'simulation') <> (now IS NOT NULL) THEN
        RAISE EXCEPTION USING ERRCODE = 'CL002',
            MESSAGE = CASE register_kind()
                WHEN 'simulation' THEN 'A simulation takes its instants from its process: give one.'
                ELSE 'A production register takes its instants from the database: give none.'
            END;
    END IF;
    RETURN greatest(coalesce(now, clock_timestamp()),
        (SELECT e.recorded_at FROM events e ORDER BY e.position DESC LIMIT 1));
END
$$;

-- Events and receipt are recorded together, stamped, in the order of commits; answers the last event's position. The
-- positions of one append follow each other, because nobody takes one without the lock.
-- now is NULL in production. decided_on NULL asks for no day; receipt_person NULL writes no receipt.
-- Each statement below sees what was committed before the lock was granted only under READ COMMITTED.
CREATE FUNCTION certlife.append(
    ids uuid[], versions integer[], topics text[], states bytea[],
    receipt_person text, receipt_key text, receipt_body_sha256 bytea, receipt_response bytea,
    decided_on date, now timestamptz
) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = certlife, pg_temp
AS $$
DECLARE
    last bigint;
    stamp timestamptz;
BEGIN
    IF (register_kind() = 'simulation') <> (now IS NOT NULL) THEN
        PERFORM instant(now);  -- refuses
    END IF;
    PERFORM pg_advisory_xact_lock(4851, 2);
    -- The first row stamps itself: a statement less under the lock.
    INSERT INTO events (originator_id, originator_version, topic, state, recorded_at)
    VALUES (ids[1], versions[1], topics[1], states[1], greatest(coalesce(now, clock_timestamp()),
        (SELECT e.recorded_at FROM events e ORDER BY e.position DESC LIMIT 1)))
    RETURNING position, recorded_at INTO last, stamp;
    IF decided_on <> (stamp AT TIME ZONE 'Asia/Shanghai')::date THEN
        RAISE EXCEPTION USING ERRCODE = 'CL001', MESSAGE = 'The legal day has turned.',
            DETAIL = format('%s %s', to_char(decided_on, 'YYYY-MM-DD'),
                to_char(stamp AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD'));
    END IF;
    FOR i IN 2 .. cardinality(ids) LOOP
        INSERT INTO events (originator_id, originator_version, topic, state, recorded_at)
        VALUES (ids[i], versions[i], topics[i], states[i], stamp)
        RETURNING position INTO last;
    END LOOP;
    IF receipt_person IS NOT NULL THEN
        INSERT INTO receipts (person, idempotency_key, body_sha256, response, position, recorded_at)
        VALUES (receipt_person, receipt_key, receipt_body_sha256, receipt_response, last, stamp);
    END IF;
    NOTIFY certlife_events;
    RETURN last;
END
$$;

-- The last position, and an instant before which nothing can be recorded any more. Waits for the append under way,
-- and must run in a transaction of its own: it would hold up every append until that ends.
CREATE FUNCTION certlife.settled(now timestamptz, OUT last bigint, OUT settled_at timestamptz)
LANGUAGE plpgsql VOLATILE SET search_path = certlife, pg_temp
AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(4851, 2);
    last := coalesce((SELECT e.position FROM events e ORDER BY e.position DESC LIMIT 1), 0);
    settled_at := instant(now);
END
$$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA certlife FROM PUBLIC;
GRANT EXECUTE ON FUNCTION certlife.register_kind(), certlife.instant(timestamptz), certlife.settled(timestamptz)
    TO certlife_service, certlife_engine;
GRANT EXECUTE ON FUNCTION certlife.append(
    uuid[], integer[], text[], bytea[], text, text, bytea, bytea, date, timestamptz
) TO certlife_service;
