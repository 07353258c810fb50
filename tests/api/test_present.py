"""The present is a setting of a simulation alone: CERTLIFE_NOW, and what a process makes of it."""

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from api.house import PresentRefused, opened
from api.settings import Settings
from tests.api.conftest import Staffed
from tests.api.life import Life
from tests.api.office import FIRST_DAY, Office, addresses_of, answered, office_of
from tests.databases import Database

LATER = datetime(2031, 5, 6, 7, 8, 9, tzinfo=UTC)


def ready(office: Office) -> dict:
    return answered(office.get("/readyz"))


def test_a_simulation_starts_at_the_instant_given_and_time_runs_on(database: Database) -> None:
    with office_of(database, LATER) as office:
        shown = [ready(office) for _ in range(3)]
        instants = [datetime.fromisoformat(each["now"]) for each in shown]
        assert LATER <= instants[0] < instants[1] < instants[2] < LATER + timedelta(minutes=5)
        assert {(each["kind"], each["simulation"]) for each in shown} == {("simulation", True)}


def test_what_is_recorded_bears_the_simulated_instant(database: Database, staffed: Staffed) -> None:
    with office_of(database, LATER) as office:
        office.employs_as(staffed.office)
        life = Life(office).applies()
        (recorded,) = life.stream()
        assert LATER <= datetime.fromisoformat(recorded["recorded_at"]) < LATER + timedelta(minutes=5)
        assert recorded["effective_on"] == "2031-05-06"


def test_a_simulation_does_not_start_before_what_it_holds_already(database: Database, staffed: Staffed) -> None:
    with office_of(database, LATER) as office:
        office.employs_as(staffed.office)
        Life(office).applies()
        _, last = office.house.register.recorder.last_event()
    for starts_at in (FIRST_DAY, LATER - timedelta(days=1), last - timedelta(microseconds=1)):
        with (
            pytest.raises(PresentRefused, match="CERTLIFE_NOW"),
            opened(addresses_of(database), Settings(now=starts_at)),
        ):
            pass
    with office_of(database, last) as office:
        assert datetime.fromisoformat(ready(office)["now"]) >= last


def test_without_a_setting_a_simulation_goes_on_from_its_last_event_or_from_today(database: Database) -> None:
    begun = datetime.now(UTC)
    with office_of(database, None) as office:
        assert datetime.fromisoformat(ready(office)["now"]) >= begun
    with office_of(database, begun + timedelta(days=3650)) as office:
        office.employs("later", "auditor")
    with office_of(database, None) as office:
        assert datetime.fromisoformat(ready(office)["now"]) >= begun + timedelta(days=3650)


@pytest.mark.parametrize("starts_at", [FIRST_DAY, LATER, datetime(1999, 1, 1, tzinfo=UTC)])
def test_a_production_register_has_no_other_present_than_its_own(
    production_database: Database, starts_at: datetime
) -> None:
    settings = Settings(now=starts_at)
    with pytest.raises(PresentRefused, match="production"), opened(addresses_of(production_database), settings):
        pass


def test_a_production_register_takes_its_instants_from_the_database(production_database: Database) -> None:
    begun = datetime.now(UTC)
    with office_of(production_database, None) as office:
        office.employs_everybody()
        life = Life(office).issued()
        assert life.status() == "valid"
        shown, state = office.status(life.number), ready(office)
        assert (shown["simulation"], state["simulation"], state["kind"]) == (False, False, "production")
        for event in life.stream():
            assert begun - timedelta(minutes=5) < datetime.fromisoformat(event["recorded_at"])


@pytest.mark.parametrize("text", ["2024-01-15T10:00:00+08:00", "2024-01-15T02:00:00Z"])
def test_the_setting_is_an_instant_with_its_offset(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("CERTLIFE_NOW", text)
    assert Settings().starts_at == FIRST_DAY


@pytest.mark.parametrize("text", ["2024-01-15T10:00:00", "2024-01-15", "soon", ""])
def test_a_setting_that_is_no_instant_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("CERTLIFE_NOW", text)
    with pytest.raises(ValidationError):
        Settings()
