"""The trail tells every event once, and made anew it is to the byte what it was."""

from __future__ import annotations

import pytest

from lifecycle import events as e
from projections import rebuild as room
from projections.follower import Follower
from projections.rebuild import rebuild
from projections.trail import TrailFollower, TrailProjection
from tests.projections.conftest import Lived
from tests.projections.trailing import Trailed, trailed


def test_every_event_is_told_once_in_commit_order(lived: Lived) -> None:
    with trailed(lived) as trail:
        told = trail.rows()
        print(len(told), told[0], max(len(t[-1]) for t in told), sum(len(t[-1]) for t in told)/len(told))
        for t in told[20:60]: print(t[-1].decode())
