-- Rows that are written beside an event, in its transaction, and carry its instant.
-- Refusals: CL003 this transaction appended no event; CL004 the key is not in force.

-- The instant of the event that this transaction appended. It holds append's lock, so the last event is its own.
CREATE FUNCTION certlife.appended_at() RETURNS timestamptz
LANGUAGE plpgsql STABLE SET search_path = certlife, pg_temp
AS $$
DECLARE
    stamp timestamptz;
BEGIN
    SELECT e.recorded_at INTO stamp
    FROM (SELECT xmin, recorded_at FROM events ORDER BY position DESC LIMIT 1) e
    WHERE e.xmin = pg_current_xact_id()::xid;
    IF stamp IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'CL003', MESSAGE = 'This needs the event that it follows from, before it.';
    END IF;
    RETURN stamp;
END
$$;

-- A key can be used from now on.
CREATE FUNCTION certlife.issue_key(sha256 bytea, key text, person text, role text, organisation uuid) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = certlife, pg_temp
AS $$
    INSERT INTO key_hashes (sha256, key, person, role, organisation, issued_at)
    VALUES (sha256, key, person, role, organisation, appended_at())
$$;

-- A key cannot be used any more.
CREATE FUNCTION certlife.revoke_key(revoked text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = certlife, pg_temp
AS $$
BEGIN
    UPDATE key_hashes SET revoked_at = appended_at() WHERE key = revoked AND revoked_at IS NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'CL004', MESSAGE = format('The key %s is unknown, or revoked already.', revoked);
    END IF;
END
$$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA certlife FROM PUBLIC;
GRANT EXECUTE ON FUNCTION certlife.issue_key(bytea, text, text, text, uuid), certlife.revoke_key(text)
    TO certlife_service;
