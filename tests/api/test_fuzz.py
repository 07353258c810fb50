"""Hostile requests by the thousand: never a failure, never an answer that the document does not tell, and whatever was
recorded can be read and projected.
"""

from collections import Counter

import pytest

from tests.api.fitting import PAGES
from tests.api.hostile import Hostile
from tests.api.office import Office, answered, problem_of
from tests.api.reading import page_of


def seeds(count: int) -> list[int]:
    return list(range(1, count + 1))


@pytest.mark.parametrize(
    ("seed", "requests"),
    [
        (1, 2_000),
        *(pytest.param(seed, 5_000, marks=pytest.mark.figures) for seed in seeds(16)),
        *(pytest.param(1000 + seed, 5_000, marks=pytest.mark.soak) for seed in seeds(200)),
    ],
)
def test_no_hostile_request_fails_the_service(office: Office, seed: int, requests: int) -> None:
    hostile, statuses = Hostile(office, seed), Counter()
    office.house.catch_up()
    for _ in range(requests):
        response = hostile.request()
        statuses[response.status_code] += 1
        assert response.status_code < 500, (seed, response.request.url, response.request.content, response.text)
        if PAGES.fullmatch(response.request.url.path):
            page_of(response, response.status_code)
        elif response.status_code >= 400:
            problem_of(response)
    assert {200, 401, 403, 404, 409, 422} <= statuses.keys(), "the grammar reaches every kind of answer"
    office.house.catch_up()
    assert answered(office.get("/readyz"))["under_repair"] == 0
    for row in everything(office):
        answered(office.get(f"/certificates/{row['certificate_id']}", "aud"))


def everything(office: Office) -> list[dict]:
    found, cursor = [], None
    while cursor is not None or not found:
        page = answered(office.get("/certificates", "aud", cursor=cursor, limit=200))
        found += page["items"]
        if (cursor := page["next"]) is None:
            return found
    return found
