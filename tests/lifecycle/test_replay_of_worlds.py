"""Asked again under its own edition, every history that chance has made answers as it is recorded."""

from __future__ import annotations

import pytest

from lifecycle import events as e
from lifecycle.history import history_of
from lifecycle.rehearsal.comparison import Comparing
from lifecycle.rehearsal.same import Changed, changed, kept
from tests.clock.world import World, in_memory
from tests.lifecycle.nudged import a_suspension_ends_a_day_earlier, validity_ends_a_day_later

SEEDS = [101, 102, *(pytest.param(seed, marks=pytest.mark.figures) for seed in range(103, 120))]


def lived(seed: int) -> World:
    return in_memory(seed=seed).lives(900)


def differing(world: World) -> list[Changed]:
    editions = world.register.editions
    return [
        each for certificate in world.histories()
        for each in changed(kept(certificate.id, certificate.history, {}, editions), editions)
    ]  # fmt: skip


@pytest.mark.parametrize("seed", SEEDS)
def test_every_recorded_outcome_is_reproduced(seed: int) -> None:
    assert differing(lived(seed)) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_no_certificate_without_corrections_is_affected_by_its_own_edition(seed: int) -> None:
    world = lived(seed)
    asked = 0
    for certificate in world.histories():
        if not any(isinstance(recorded.fact, e.RecordCorrected) for recorded in certificate.history):
            edition = world.register.editions[certificate.edition]
            found = Comparing(edition, world.register.editions, world.today).line(
                history_of(certificate.id, certificate.history)
            )
            assert found is None or not (found.is_affected or found.not_judged)
            assert found is None or found.before == found.after
            asked += found is not None
    assert asked


@pytest.mark.parametrize("nudge", [validity_ends_a_day_later, a_suspension_ends_a_day_earlier])
def test_a_rule_nudged_after_the_fact_is_found(nudge, monkeypatch: pytest.MonkeyPatch) -> None:
    world = lived(101)
    nudge(monkeypatch)
    assert differing(world)
