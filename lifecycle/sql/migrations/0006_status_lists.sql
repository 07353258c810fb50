-- Signed status lists as they were given out: kept to the byte, for ever, and never made again. Rows come in through
-- certlife.keep_status_list(), whose lock is advisory lock (4851, 3).

-- content_sha256 is the digest of what the list says, without the instant at which it says so.
CREATE TABLE certlife.status_lists (
    list integer NOT NULL CHECK (list >= 0),
    made_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL CHECK (expires_at > made_at),
    content_sha256 bytea NOT NULL CHECK (octet_length(content_sha256) = 32),
    token bytea NOT NULL,
    CONSTRAINT status_lists_key PRIMARY KEY (list, made_at)
);

-- Up to which instant the last token of a list is known to say what the register says.
CREATE TABLE certlife.status_lists_confirmed (
    list integer CONSTRAINT status_lists_confirmed_key PRIMARY KEY,
    true_until timestamptz NOT NULL
);

REVOKE ALL ON certlife.status_lists, certlife.status_lists_confirmed FROM PUBLIC;
GRANT SELECT ON certlife.status_lists, certlife.status_lists_confirmed TO certlife_service;

-- The last token of the list, if it says that, is known to be right until then.
CREATE FUNCTION certlife.confirm_status_list(confirmed integer, content bytea, until timestamptz) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = certlife, pg_temp
AS $$
    INSERT INTO status_lists_confirmed AS known (list, true_until)
    SELECT last.list, until
    FROM (SELECT l.list, l.content_sha256 FROM status_lists l WHERE l.list = confirmed ORDER BY l.made_at DESC LIMIT 1) last
    WHERE last.content_sha256 = content
    ON CONFLICT (list) DO UPDATE SET true_until = greatest(known.true_until, excluded.true_until)
$$;

-- A token is kept as the list's last; answers whether it was. It is not where the last one, made by another process
-- perhaps, says the same and has not run out, or is less than a minute old and has not run out.
CREATE FUNCTION certlife.keep_status_list(
    kept integer, made timestamptz, expires timestamptz, content bytea, signed bytea, until timestamptz
) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = certlife, pg_temp
AS $$
DECLARE
    last status_lists;
BEGIN
    PERFORM pg_advisory_xact_lock(4851, 3);
    SELECT l.* INTO last FROM status_lists l WHERE l.list = kept ORDER BY l.made_at DESC LIMIT 1;
    IF last.made_at >= made OR last.expires_at > made
        AND (last.content_sha256 = content OR last.made_at > made - interval '1 minute')
    THEN
        RETURN false;
    END IF;
    INSERT INTO status_lists (list, made_at, expires_at, content_sha256, token)
    VALUES (kept, made, expires, content, signed);
    PERFORM confirm_status_list(kept, content, until);
    RETURN true;
END
$$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA certlife FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    certlife.confirm_status_list(integer, bytea, timestamptz),
    certlife.keep_status_list(integer, timestamptz, timestamptz, bytea, bytea, timestamptz)
    TO certlife_service;
