"""A real PostgreSQL of our own for development, demonstrations and tests: found, initialised, started and stopped.

Two locks in the data folder say who is alive, so that no process id left in a file is ever believed (locks.py); a
cluster is made under another name and renamed when it is whole (cluster.py); root runs it as somebody else
(account.py); a guard process ends the server when we die without having stopped it (guard.py).
"""

from api.postgres.binaries import PostgresUnavailable, find_binaries
from api.postgres.server import Server, running

__all__ = ["PostgresUnavailable", "Server", "find_binaries", "running"]
