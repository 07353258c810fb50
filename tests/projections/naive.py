"""The public answer as one would find it by hand: the facts known then, read from first to last as plain JSON.

It shares no code with what it is compared to, is slow, and keeps nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from lifecycle import log

Fact = dict[str, Any]
STANDS = {
    "certificate-issued.v1": "valid",
    "certificate-suspended.v1": "suspended",
    "suspension-extended.v1": "suspended",
    "certificate-reinstated.v1": "valid",
    "certificate-withdrawn.v1": "withdrawn",
    "certificate-cancelled.v1": "cancelled",
    "certificate-expired.v1": "expired",
}
DOCUMENTS = ("certificate-issued.v1", "certificate-renewed.v1", "certificate-reissued.v1")
PRINTED = ("number", "holder", "scope", "certification_type")


class Line:
    """What was said of one thing, in the order in which it was said: from which day, and what."""

    def __init__(self) -> None:
        self.said: list[tuple[str, Any]] = []

    def at(self, day: str) -> Any:
        return next((value for since, value in reversed(self.said) if since <= day), None)

    def say(self, since: str, value: Any) -> None:
        self.said = [(day, old) for day, old in self.said if day < since]
        if self.at(since) != value:
            self.said.append((since, value))

    def repeat(self, since: str, value: Any) -> None:
        if self.at(since) != value:
            self.say(since, value)


def answer(rows: list[log.Row], number: str, on: date, known_at: datetime, stars: Mapping[str, Any]) -> Fact:
    """The public members of the answer for the number on a legal day, as far as was known at an instant."""
    facts = list(_amended([row for row in rows if row[5] <= known_at]))
    lines, standings, application, first = _read(facts)
    day = on.isoformat()
    numbers = [value for _, value in lines["number"].said]
    since = {value: day for day, value in reversed(lines["number"].said)}
    if number not in numbers or day < since[number]:
        return {"certificate_number": number, "status": "unknown"}
    current = lines["number"].at(day)
    if current == number:
        return _described(lines, standings, application, first, number, day, stars)
    last = max(index for index, value in enumerate(numbers) if value == number)
    replaced = lines["number"].said[last + 1][0]
    before = (date.fromisoformat(replaced) - timedelta(days=1)).isoformat()
    shown = _described(lines, standings, application, first, number, before, stars)
    return shown | {"status": "superseded", "status_since": replaced, "suspended_until": None, "superseded_by": current}


def _amended(rows: list[log.Row]) -> Iterator[Fact]:
    facts = {row[2]: json.loads(row[4]) for row in rows}
    for fact in list(facts.values()):
        if fact["type"] == "record-corrected.v1":
            changes = [(fact["target"], each["path"], each.get("new")) for each in fact.get("changes", ())]
            for each in fact.get("recomputed", ()):
                changes.append((each["version"], each["path"], each.get("value")))
            for version, path, value in changes:
                if version in facts:
                    _patch(facts[version], path.split("/")[1:], value)
    gone = {fact["target"] for fact in facts.values() if fact.get("void")}
    return (fact for version, fact in facts.items() if version not in gone)


def _patch(node: Any, path: list[str], value: Any) -> None:
    for step in path[:-1]:
        node = node[step] if isinstance(node, dict) else next(each for each in node if each["element"] == step)
    node[path[-1]] = value


def _read(facts: list[Fact]) -> tuple[dict[str, Line], list[tuple[str, str, str | None]], Fact, str | None]:
    lines = {name: Line() for name in (*PRINTED, "level", "valid_until", "edition")}
    standings, application, first = [], {}, None
    for fact in facts:
        kind, on = fact["type"], fact["effective_on"]
        if kind == "application-submitted.v1" and fact["kind"] == "initial":
            application = fact
        if kind in DOCUMENTS:
            since, first = (on if kind == "certificate-reissued.v1" else fact["valid_from"]), fact["first_certified_on"]
            for name in PRINTED:
                lines[name].repeat(since, fact[name])
            if kind == "certificate-reissued.v1":
                if any(other["type"] == "grade-changed.v1" for other in facts if other.get("case") == fact["case"]):
                    lines["certification_type"].say(since, fact["certification_type"])
            else:
                lines["valid_until"].say(since, fact["valid_until"])
                lines["level"].say(since, fact["level"])
        if kind == "certificate-issued.v1":
            lines["edition"].say(on, application["edition"])
        if kind == "grade-changed.v1":
            lines["level"].say(on, fact["level"])
        if kind in STANDS:
            standings.append((on, STANDS[kind], fact.get("ends_on")))
    return lines, standings, application, first


def _described(
    lines: dict[str, Line],
    standings: list[tuple[str, str, str | None]],
    application: Fact,
    first: str | None,
    number: str,
    day: str,
    stars: Mapping[str, Any],
) -> Fact:
    status, since, until = _standing(lines, standings, day)
    edition, level = lines["edition"].at(day), lines["level"].at(day)
    return {
        "certificate_number": number,
        "status": status,
        "status_since": since,
        "holder": lines["holder"].at(day),
        "scheme": application["scheme"],
        "edition": edition,
        "certification_type": lines["certification_type"].at(day),
        "level": level,
        "stars": stars[edition].get(level),
        "scope": lines["scope"].at(day),
        "valid_from": max(since for since, _ in lines["valid_until"].said if since <= day),
        "valid_until": lines["valid_until"].at(day),
        "suspended_until": until if status == "suspended" else None,
        "first_certified_on": first,
        "superseded_by": None,
    }


def _standing(
    lines: dict[str, Line], standings: list[tuple[str, str, str | None]], day: str
) -> tuple[str, str, str | None]:
    place = max(index for index, (on, _, _) in enumerate(standings) if on <= day)
    on, status, until = standings[place]
    valid_until = lines["valid_until"].at(day)
    if status in ("valid", "suspended") and day > valid_until:
        ended = (date.fromisoformat(valid_until) + timedelta(days=1)).isoformat()
        return "expired", ended, None
    since = on
    while place and standings[place - 1][1] == status:
        place -= 1
        since = standings[place][0]
    return status, since, until
