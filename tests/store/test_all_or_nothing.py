"""Whatever write of a command fails, nothing of it stays."""

from uuid import uuid4

import pytest
from eventsourcing.persistence import DatabaseError

from lifecycle.store import Recorder
from tests.store.facts import new_key, receipt, stored
from tests.store.seeded import Owner

FACTS = 3
WRITES = [("certlife.events", n) for n in range(1, FACTS + 1)] + [("certlife.receipts", 1), ("certlife.key_hashes", 1)]


@pytest.mark.parametrize(("table", "n"), WRITES)
def test_when_the_nth_write_of_a_command_fails_nothing_of_it_stays(
    recorder: Recorder, owner: Owner, table: str, n: int
) -> None:
    recorder.insert_events([stored()], receipt=receipt("earlier"))
    before = owner.everything()
    owner.fail_nth_insert(table, n)
    stream = uuid4()

    def command() -> list[int]:
        facts = [stored(stream, version) for version in range(1, FACTS + 1)]
        return recorder.insert_events(facts, receipt=receipt("now"), also=[new_key()])

    with pytest.raises(DatabaseError, match=f"the {n}. insert fails"):
        command()
    assert owner.everything() == before

    assert command()  # the fault was in that write alone
    assert {name: len(rows) for name, rows in owner.everything().items()} == {"events": 4, "receipts": 2, "keys": 1}


def test_when_the_second_row_beside_an_append_is_refused_the_first_does_not_stay(
    recorder: Recorder, owner: Owner
) -> None:
    with pytest.raises(DatabaseError):
        recorder.insert_events([stored()], receipt=receipt(), also=[new_key("key-1"), new_key("key-1")])

    assert owner.everything() == {"events": [], "receipts": [], "keys": []}
