-- The logins of an embedded server, made once, each a member of its role.
-- name: create_logins
DO $logins$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'certlife_app') THEN
        CREATE ROLE certlife_app LOGIN IN ROLE certlife_service;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'certlife_projector') THEN
        CREATE ROLE certlife_projector LOGIN IN ROLE certlife_engine;
    END IF;
END
$logins$
