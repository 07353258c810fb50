"""Ten years of a register by chance, in which everything goes wrong that can: every law holds at every step."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.clock.troubled import simulated

YEARS = 10 * 365 + 2
SEEDS = [
    *range(3),
    *(pytest.param(seed, marks=pytest.mark.figures) for seed in range(3, 16)),
    *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(16, 100)),
]


@pytest.mark.parametrize("seed", SEEDS)
def test_every_law_holds_at_every_step(seed: int) -> None:
    world = simulated(seed, YEARS)
    happened = {fact.topic for fact in world.recorder.log}
    assert len(happened) > 25, "not much happened"


def test_one_seed_makes_one_history_to_the_byte() -> None:
    runs = [("0", "UTC"), ("1", "America/St_Johns")]
    digests = {process.communicate()[0].strip() for process in [_simulation(*run) for run in runs]}
    assert digests == {simulated(4711, 900).digest()}


def _simulation(hash_seed: str, zone: str) -> subprocess.Popen[str]:
    environ = os.environ | {"PYTHONHASHSEED": hash_seed, "TZ": zone}
    command = [sys.executable, "-m", "tests.clock.troubled", "4711", "900"]
    return subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True)
