-- Who may do what. Roles belong to the whole server, so another database may have made them, or be making them now.
-- certlife_service  appends and reads; the service's login is a member of it.
-- certlife_engine   reads the log and owns the read models; the engine's login is a member of it.

DO $roles$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['certlife_service', 'certlife_engine'] LOOP
        BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
                EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
            END IF;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;  -- another database's migration was faster
        END;
    END LOOP;
END
$roles$;

-- An owner that is no superuser hands the read models' schema to the engine only as its member; where it may not make
-- itself one, the server's administrator has made it one.
DO $membership$
BEGIN
    IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        GRANT certlife_engine TO CURRENT_USER;
    END IF;
EXCEPTION WHEN insufficient_privilege OR unique_violation THEN
    NULL;
END
$membership$;

REVOKE ALL ON SCHEMA certlife FROM PUBLIC;
GRANT USAGE ON SCHEMA certlife TO certlife_service, certlife_engine;
REVOKE ALL ON certlife.register, certlife.migrations FROM PUBLIC;
GRANT SELECT ON certlife.register, certlife.migrations TO certlife_service, certlife_engine;
