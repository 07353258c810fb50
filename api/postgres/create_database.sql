-- name: create_database
-- The register's database in a new cluster; the database's owner is the cluster's superuser.
CREATE DATABASE certlife;
