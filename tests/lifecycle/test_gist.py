"""The gist of a record is what the whole fold says, and what is read for it is enough."""

from __future__ import annotations

from struct import pack

import pytest

from lifecycle import events as e
from lifecycle.bulk import Packed
from lifecycle.certificate import Certificate, evolve
from lifecycle.events import Recorded, encode, topic_of
from lifecycle.history import history_of
from lifecycle.rehearsal.gist import Gist, take_in
from lifecycle.rehearsal.narrow import TOPICS
from tests.clock.world import in_memory
from tests.corpus.boundaries import told
from tests.lifecycle.made_up import comparing, five_stars_from, made_up

SAME = ("edition", "suspended_from", "first_certified_on", "document", "periods", "checks", "last_check_on",
        "valid_until")  # fmt: skip
PRINTED = ("numbers", "holders")
WHOLE = (e.RecordCorrected, e.GradeChanged, e.EditionAdopted)

EDITIONS = [five_stars_from("93"), made_up(("validity_months = { value = 36", "validity_months = { value = 24"))]


@pytest.fixture(scope="module")
def histories() -> list[list[Recorded]]:
    """Told at every boundary, and lived by chance."""
    world = in_memory(seed=101).lives(900)
    return [*(story.history for story in told()), *(certificate.history for certificate in world.histories())]


def test_the_gist_is_what_the_whole_fold_says(histories: list[list[Recorded]]) -> None:
    for history in histories:
        if any(isinstance(recorded.fact, WHOLE) for recorded in history):
            continue
        whole, gist = Certificate(history[0].originator_id), Gist(history[0].originator_id)
        for recorded in history:
            evolve(whole, recorded.version, recorded.fact)
            take_in(gist, recorded.version, recorded.fact)
            for name in SAME:
                assert getattr(gist, name) == getattr(whole, name), (name, recorded)
            for name in PRINTED:
                assert getattr(gist, name).last == getattr(whole, name).last, (name, recorded)


@pytest.mark.parametrize("edition", EDITIONS)
def test_what_is_read_in_bulk_has_the_line_of_the_whole_history(edition, histories: list[list[Recorded]]) -> None:
    asked, read = comparing(edition), set()
    for history in histories:
        whole = history_of(history[0].originator_id, history)
        in_bulk = packed(history).history()
        assert asked.line(in_bulk) == asked.line(whole)
        read.add(isinstance(in_bulk.facts[0][1], e.Fact))
    assert read == {True, False}


def packed(history: list[Recorded]) -> Packed:
    """As the server packs it."""
    read = [recorded for recorded in history if topic_of(recorded.fact) in TOPICS]
    return Packed(
        history[0].originator_id,
        history[-1].version,
        b"".join(pack("!i", recorded.version) for recorded in read),
        b"\n".join(encode(recorded.fact) for recorded in read),
    )
