"""Registers to let time pass in: one in memory, one in PostgreSQL."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing

import pytest

from tests.clock import world as worlds
from tests.clock.world import Present, World
from tests.databases import Database


@pytest.fixture
def present() -> Present:
    return Present()


@pytest.fixture
def in_memory(present: Present) -> World:
    return worlds.in_memory(present)


@pytest.fixture
def world(database: Database, present: Present) -> Generator[World]:
    with closing(worlds.in_postgres(database, present)) as world:
        yield world
