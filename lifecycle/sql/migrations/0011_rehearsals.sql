-- The lines of rehearsals: one a certificate, kept to the byte, for ever. Rows come in through
-- certlife.keep_rehearsal_lines() until the rehearsal is completed, and stay.

CREATE TABLE certlife.rehearsal_lines (
    rehearsal uuid NOT NULL,
    certificate uuid NOT NULL,
    affected boolean NOT NULL,
    line bytea NOT NULL,
    line_sha256 bytea NOT NULL CHECK (line_sha256 = sha256(line)),
    CONSTRAINT rehearsal_lines_key PRIMARY KEY (rehearsal, certificate)
);

REVOKE ALL ON certlife.rehearsal_lines FROM PUBLIC;
GRANT SELECT ON certlife.rehearsal_lines TO certlife_service;

-- A rehearsal that was interrupted is made again from the same facts, and finds the lines that it kept before.
CREATE FUNCTION certlife.keep_rehearsal_lines(of uuid, certificates uuid[], affected boolean[], lines bytea[])
RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = certlife, pg_temp
AS $$
    INSERT INTO rehearsal_lines (rehearsal, certificate, affected, line, line_sha256)
    SELECT of, kept.certificate, kept.affected, kept.line, sha256(kept.line)
    FROM unnest(certificates, affected, lines) AS kept (certificate, affected, line)
    WHERE NOT EXISTS (
        SELECT FROM events e WHERE e.originator_id = of AND e.topic = 'rehearsal-completed.v1'
    )
    ON CONFLICT DO NOTHING
$$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA certlife FROM PUBLIC;
GRANT EXECUTE ON FUNCTION certlife.keep_rehearsal_lines(uuid, uuid[], boolean[], bytea[]) TO certlife_service;
