"""The trail over HTTP."""

from __future__ import annotations

from tests.api.life import Life
from tests.api.office import Office, answered


def test_first(office: Office, life: Life) -> None:
    life.granted()
    life.does("issuances", "reg", {})
    office.house.catch_up()
    page = answered(office.get("/events", "aud", limit=200))
    assert len(page["items"]) == office.count()
    for item in page["items"]:
        one = answered(office.get(f"/events/{item['position']}", "aud"))
        print(item["position"], item["type"], [(r["link"], r["of"], r["event"]["position"]) for r in one["causes"]], [(r["link"], r["of"], r["event"]["position"]) for r in one["effects"]], one["receipt"])
    mine = answered(office.get("/events", "holder"))
    print(len(mine["items"]), mine["items"][3])
    print(office.get("/events.csv", "holder").text[:1500])
    print(office.get("/events.jsonl", "aud", type="certificate-issued.v1").text[:300])
    print(answered(office.get(f"/certificates/{life.id}/changes", "aud", **{"from": "2024-01-15"}))["changed"].keys())
