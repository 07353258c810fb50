-- Where the read models stand. The engine makes and rebuilds them, after SET ROLE certlife_engine, so that they are the
-- role's and not a login's; the service reads them.
CREATE SCHEMA projections AUTHORIZATION certlife_engine;
REVOKE ALL ON SCHEMA projections FROM PUBLIC;
GRANT USAGE ON SCHEMA projections TO certlife_service;
ALTER DEFAULT PRIVILEGES FOR ROLE certlife_engine IN SCHEMA projections GRANT SELECT ON TABLES TO certlife_service;
