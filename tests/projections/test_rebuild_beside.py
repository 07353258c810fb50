"""A projection made anew beside the one that serves is to the byte what was projected live, and takes its place."""

from __future__ import annotations

import pytest

from projections.rebuild import rebuild
from tests.projections.conftest import Lived
from tests.projections.tables import projections, tables


@pytest.mark.parametrize("facts_a_part", [50, 1_000, 10**6])
def test_a_rebuild_beside_equals_what_was_projected_live(
    lived: Lived, facts_a_part: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("projections.rebuild.FACTS_A_PART", facts_a_part)
    for projection in projections():
        for progress in rebuild(lived.database.engine_url, projection):
            assert tables(lived.connection) == lived.live
        assert progress.doing == "done"
    assert tables(lived.connection) == lived.live
