"""Registers to let time pass in: one in memory, one in PostgreSQL."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from lifecycle.service import Register
from tests.clock.world import Present, World
from tests.databases import Database


@pytest.fixture
def present() -> Present:
    return Present()


@pytest.fixture
def in_memory(present: Present) -> World:
    """A world kept in memory, in which nothing has happened yet."""
    return World(Register({"PERSISTENCE_MODULE": "tests.clock.memory"}, present), present, seed=1).found()


@pytest.fixture
def world(database: Database, present: Present) -> Generator[World]:
    """A world kept in PostgreSQL, in which nothing has happened yet."""
    register = Register({"CERTLIFE_DATABASE_URL": database.service_url}, present)
    yield World(register, present, seed=1).found()
    register.close()
