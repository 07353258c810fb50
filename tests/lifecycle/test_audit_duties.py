from __future__ import annotations

import pytest
from tests.clock.world import in_memory
from lifecycle.separation import breaches
from lifecycle.persons_known import Known
from lifecycle.upcast import recorded
from collections import defaultdict


def histories(world):
    told = [recorded(f.position, f.originator_id, f.originator_version, f.topic, f.state, f.recorded_at) for f in world.register.recorder.log]
    return told


@pytest.mark.parametrize("seed", range(6))
def test_a_lawful_history_has_no_breach(seed):
    world = in_memory(seed=seed).lives(900)
    told = histories(world)
    from lifecycle.persons_known import TOLD_BY
    known = Known(r for r in told if isinstance(r.fact, TOLD_BY))
    streams = defaultdict(list)
    for r in told: streams[r.originator_id].append(r)
    found = [b for s in streams.values() for b in breaches(s, known)]
    print(len(told), [(b, b.refusal) for b in found[:5]])
    assert not found
