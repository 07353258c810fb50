-- The documents that were made, to the byte, for ever: rows come in through certlife.keep_document(), and stay.

-- The digest is the row's name, and no row has another's.
CREATE TABLE certlife.documents (
    sha256 bytea CONSTRAINT documents_key PRIMARY KEY,
    content bytea NOT NULL CHECK (octet_length(content) > 0),
    kept_at timestamptz NOT NULL,
    CONSTRAINT documents_digest_check CHECK (sha256 = sha256(content))
);
ALTER TABLE certlife.documents ALTER COLUMN content SET STORAGE EXTERNAL; -- it is compressed already

REVOKE ALL ON certlife.documents FROM PUBLIC;
GRANT SELECT ON certlife.documents TO certlife_service;

-- The bytes are kept, beside the event that seals them. The same bytes again change nothing.
CREATE FUNCTION certlife.keep_document(kept bytea) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = certlife, pg_temp
AS $$
    INSERT INTO documents (sha256, content, kept_at) VALUES (sha256(kept), kept, appended_at())
    ON CONFLICT ON CONSTRAINT documents_key DO NOTHING
$$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA certlife FROM PUBLIC;
GRANT EXECUTE ON FUNCTION certlife.keep_document(bytea) TO certlife_service;
