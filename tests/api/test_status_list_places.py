"""A number's place in the status lists is its place in the order in which numbers were claimed, whatever is rebuilt."""

import psycopg
import pytest

from projections.engine import connect
from projections.rebuild import rebuild
from tests.api.life import Life, life_at
from tests.api.office import Office
from tests.databases import Database

Row = tuple[str, int | None, bytes, bool]


def rows(office: Office) -> list[Row]:
    """What the register has of every number, in the order of places."""
    with office.house.register.recorder.connection() as connection:
        return connection.execute(
            "SELECT number, list_index, segments, under_repair FROM projections.register ORDER BY list_index, number"
        ).fetchall()


def places(office: Office) -> dict[str, int | None]:
    return {number: list_index for number, list_index, _, _ in rows(office)}


def rebuilt(office: Office) -> list[Row]:
    """The same rows, made again from the whole log."""
    follower = next(each for each in office.house.engine.followers if each.projection.name == "register")
    list(rebuild(office.house.addresses.engine, follower.projection))
    return rows(office)


def test_numbers_have_places_in_the_order_in_which_they_were_claimed(office: Office) -> None:
    first = life_at(office, "active")
    office.house.catch_up()
    second, third = life_at(office, "active"), life_at(office, "suspended")
    office.moves_to("2024-02-01")
    first.graded("regrade", lost=10).decided("change_grade")
    office.house.catch_up()
    expected = {first.number: 0, second.number: 1, third.number: 2, "CSP-S01-2024-00004": 3}
    assert places(office) == expected
    live = rows(office)
    assert rebuilt(office) == live


@pytest.mark.parametrize("batch", [1, 2, 3, 7])
def test_places_do_not_depend_on_how_the_log_was_read(office: Office, batch: int) -> None:
    lives = [life_at(office, "active") for _ in range(3)]
    office.moves_to("2024-02-01")
    lives[0].graded("regrade", lost=10).decided("change_grade")
    follower = next(each for each in office.house.engine.followers if each.projection.name == "register")
    with connect(office.house.addresses.engine) as connection:
        while follower.advance(connection, batch):
            pass
    assert places(office) == {f"CSP-S01-2024-{serial:05d}": serial - 1 for serial in range(1, 5)}
    assert rebuilt(office) == rows(office)


def test_a_number_of_a_reissue_taken_back_keeps_its_place_and_stands_for_nothing(office: Office) -> None:
    life = life_at(office, "active")
    office.moves_to("2024-02-01")
    life.graded("regrade", lost=10).decided("change_grade")
    assert office.status("CSP-S01-2024-00002")["status"] == "valid"
    life.both("corrections", {"target": life.version_of("certificate-reissued"), "void": True, "reason": "taken back"})
    assert office.status("CSP-S01-2024-00002")["status"] == "unknown"
    assert life.status() == "valid"
    live = rows(office)
    assert rebuilt(office) == live


def test_the_number_of_a_certificate_that_cannot_be_read_has_its_place(office: Office, database: Database) -> None:
    broken, sound = life_at(office, "active"), life_at(office, "active")
    spoil(database, broken, "certificate-issued.v1")
    office.house.catch_up()
    assert places(office) == {broken.number: 0, sound.number: 1}
    answer = office.get(f"/status/{broken.number}")
    assert (answer.status_code, answer.json()["code"]) == (503, "under_repair")
    live = rows(office)
    assert rebuilt(office) == live


def test_a_claim_that_cannot_be_read_leaves_its_place_empty(office: Office, database: Database) -> None:
    first, second = life_at(office, "active"), life_at(office, "active")
    with psycopg.connect(database.owner_url) as owner:
        owner.execute("UPDATE certlife.events SET state = 'x' WHERE topic = 'number-claimed.v1' AND position = ("
                      "SELECT min(position) FROM certlife.events WHERE topic = 'number-claimed.v1')")  # fmt: skip
    office.house.catch_up()
    assert places(office)[second.number] == 1
    assert places(office)[first.number] is None


def spoil(database: Database, life: Life, topic: str) -> None:
    """The fact cannot be read any more."""
    with psycopg.connect(database.owner_url) as owner:
        owner.execute(
            "UPDATE certlife.events SET state = 'x' WHERE topic = %s AND originator_id = %s", (topic, life.id)
        )
