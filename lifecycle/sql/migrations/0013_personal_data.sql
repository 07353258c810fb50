-- Names and contacts of persons, sealed: each under a key of its own, which is wrapped by a master key that lies outside
-- the database. Rows come in, change and are emptied beside the event that says so, and in no other way.
-- Refusals: CL013 the master key is not the one in force; CL014 the person was erased.

-- An erased person keeps an empty row, so that nothing is taken for that id again.
CREATE TABLE certlife.personal_details (
    person text CONSTRAINT personal_details_key PRIMARY KEY,
    master text,
    wrapped_key bytea,
    sealed bytea,
    erased_at timestamptz,
    CONSTRAINT personal_details_erased_check
        CHECK (num_nonnulls(master, wrapped_key, sealed) = CASE WHEN erased_at IS NULL THEN 3 ELSE 0 END)
);

REVOKE ALL ON certlife.personal_details FROM PUBLIC;
GRANT SELECT ON certlife.personal_details TO certlife_service;

-- The master key in force, by its kid, as the register's stream tells.
CREATE FUNCTION certlife.master_key() RETURNS text
LANGUAGE sql STABLE SET search_path = certlife, pg_temp
AS $$
    SELECT convert_from(e.state, 'UTF8')::json ->> 'kid' FROM events e
    WHERE e.originator_id = '5e0a9c1d-2b7f-5c43-9f58-6d1e7a3b9c66' AND e.topic = 'master-key-changed.v1'
    ORDER BY e.originator_version DESC LIMIT 1
$$;

-- The details are kept in place of those before. Append's lock is held, so no other master key can come between.
CREATE FUNCTION certlife.keep_details(of text, by_master text, key bytea, details bytea) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = certlife, pg_temp
AS $$
BEGIN
    PERFORM appended_at();  -- refuses
    IF by_master IS DISTINCT FROM master_key() THEN
        RAISE EXCEPTION USING ERRCODE = 'CL013', MESSAGE = 'Another master key is in force.';
    END IF;
    INSERT INTO personal_details (person, master, wrapped_key, sealed) VALUES (of, by_master, key, details)
    ON CONFLICT ON CONSTRAINT personal_details_key DO UPDATE
    SET master = excluded.master, wrapped_key = excluded.wrapped_key, sealed = excluded.sealed;
END
$$;

-- The details and their key are destroyed, and the person's keys open nothing any more.
CREATE FUNCTION certlife.erase_person(erased text) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = certlife, pg_temp
AS $$
    INSERT INTO personal_details (person, erased_at) VALUES (erased, appended_at())
    ON CONFLICT ON CONSTRAINT personal_details_key DO UPDATE
    SET master = NULL, wrapped_key = NULL, sealed = NULL, erased_at = excluded.erased_at;
    UPDATE key_hashes SET revoked_at = appended_at() WHERE person = erased AND revoked_at IS NULL;
$$;

-- The same key of a person, wrapped by the master key in force; answers whether it was still wrapped as it had been.
CREATE FUNCTION certlife.rewrap_key(of text, by_master text, before bytea, after bytea) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = certlife, pg_temp
AS $$
BEGIN
    UPDATE personal_details p SET master = by_master, wrapped_key = after
    WHERE p.person = of AND p.wrapped_key = before AND by_master = master_key();
    RETURN FOUND;
END
$$;

-- A key can be used from now on. Append's lock is held, so nobody is erased meanwhile.
CREATE OR REPLACE FUNCTION certlife.issue_key(sha256 bytea, key text, person text, role text, organisation uuid)
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = certlife, pg_temp
AS $$
BEGIN
    IF EXISTS (SELECT FROM personal_details p WHERE p.person = issue_key.person AND p.erased_at IS NOT NULL) THEN
        RAISE EXCEPTION USING ERRCODE = 'CL014', MESSAGE = 'The person was erased.';
    END IF;
    INSERT INTO key_hashes (sha256, key, person, role, organisation, issued_at)
    VALUES (issue_key.sha256, issue_key.key, issue_key.person, issue_key.role, issue_key.organisation, appended_at());
END
$$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA certlife FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    certlife.master_key(),
    certlife.keep_details(text, text, bytea, bytea),
    certlife.erase_person(text),
    certlife.rewrap_key(text, text, bytea, bytea)
    TO certlife_service;
