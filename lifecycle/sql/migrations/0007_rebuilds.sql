-- Where read models are built anew, beside those that serve, until they take their place. They are the service's to read
-- from that moment on: it may not look into this schema, but the right to read comes along with the tables.
CREATE SCHEMA projections_next AUTHORIZATION certlife_engine;
REVOKE ALL ON SCHEMA projections_next FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE certlife_engine IN SCHEMA projections_next GRANT SELECT ON TABLES TO certlife_service;

-- Of which definition the rows of a projection are: those that stand were made by the first. rebuild is the one that
-- made them, if one did.
ALTER TABLE IF EXISTS projections.position
    ADD COLUMN version integer NOT NULL DEFAULT 1,
    ADD COLUMN definition text NOT NULL DEFAULT '',
    ADD COLUMN rebuild uuid;
