"""The whole life of a certificate over HTTP, from its application to its end."""

from datetime import date, timedelta

from tests.api.life import STAGES, Life, life_at
from tests.api.office import Office


def test_a_certificate_lives_its_whole_life_over_http(life: Life) -> None:
    office = life.office
    life.issued()
    assert life.status() == "valid"

    due = life.view()["due"]
    office.moves_to(due["notice_on"])
    office.ticks()
    assert life.types[-1] == "surveillance-due"
    life.case = life.last_case("visit")
    life.visited()
    life.decided("maintain")
    assert life.types[-1] == "certification-maintained"

    life.suspended()
    assert life.status() == "suspended"
    life.reinstated()
    assert life.status() == "valid"

    last_day = date.fromisoformat(life.view()["periods"][-1]["valid_until"])
    office.moves_to(last_day - timedelta(days=60))
    life.graded("renewal").decided("renew")
    assert life.status("aud", on=last_day.isoformat()) == "valid"

    office.moves_to(last_day + timedelta(days=1))
    shown = office.status(life.number)
    assert (shown["status"], shown["valid_from"]) == ("valid", office.today.isoformat())

    life.expired()
    assert life.status() == "expired"
    office.ticks()
    assert life.types[-1] == "certificate-expired"
    assert life.status() == "expired"


def test_every_stage_of_a_life_can_be_reached_over_http(shared_office: Office) -> None:
    for stage in STAGES:
        assert life_at(shared_office, stage).view()["version"] > 0
