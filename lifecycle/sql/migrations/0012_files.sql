-- Files of evidence, to the byte, for ever: rows come in through certlife.keep_file(), and stay. Facts cite them by digest.

-- The digest is the row's name, and no row has another's. A file has at most 20 MiB.
CREATE TABLE certlife.files (
    sha256 bytea CONSTRAINT files_key PRIMARY KEY,
    content bytea NOT NULL CHECK (octet_length(content) BETWEEN 1 AND 20971520),
    media_type text NOT NULL,
    kept_by text NOT NULL,
    kept_at timestamptz NOT NULL,
    CONSTRAINT files_digest_check CHECK (sha256 = sha256(content))
);
ALTER TABLE certlife.files ALTER COLUMN content SET STORAGE EXTERNAL; -- most of them are compressed already

REVOKE ALL ON certlife.files FROM PUBLIC;
GRANT SELECT ON certlife.files TO certlife_service;

-- The bytes are kept. The same bytes again change nothing, whoever brings them, and whatever they are said to be.
CREATE FUNCTION certlife.keep_file(kept bytea, said_to_be text, by_person text, now timestamptz) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = certlife, pg_temp
AS $$
    INSERT INTO files (sha256, content, media_type, kept_by, kept_at)
    VALUES (sha256(kept), kept, said_to_be, by_person, instant(now))
    ON CONFLICT ON CONSTRAINT files_key DO NOTHING
$$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA certlife FROM PUBLIC;
GRANT EXECUTE ON FUNCTION certlife.keep_file(bytea, text, text, timestamptz) TO certlife_service;
