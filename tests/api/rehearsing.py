"""A new edition at an office: published by two, rehearsed, approved, adopted; each act is expected to succeed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from lifecycle import events as e
from lifecycle.rehearsal.adoption import Run
from lifecycle.rules import shipped_editions
from tests.api.life import CSP, EDITION, Json, Life
from tests.api.office import Office, answered

NEW = "CSP-S01-001:2024"
SHIPPED = shipped_editions()[EDITION].text
SUCCESSION = """
[succession]
of = "{of}"
last_decision_on = {{ value = {last}, unit = "day", status = "assumed" }}
transition_ends_on = {{ value = 2027-12-31, unit = "day", status = "assumed" }}
afterwards = {{ value = "adoption_due", unit = "choice", status = "assumed" }}
grade_at_adoption = {{ value = "{grade}", unit = "choice", status = "assumed" }}
"""


def edition_text(
    *replaced: tuple[str, str],
    id: str = NEW,
    effective_from: str = "2024-02-01",
    grade: str = "kept",
    of: str = EDITION,
) -> str:
    """The shipped rules with five stars from 93 and every 18 months, under another id."""
    text = SHIPPED
    for old, new in (
        (f'id = "{EDITION}"', f'id = "{id}"'),
        ("effective_from = { value = 2021-01-01", f"effective_from = {{ value = {effective_from}"),
        ('"95", unit', '"93", unit'),
        ("value = 24", "value = 18"),
        *replaced,
    ):
        assert old in text, old
        text = text.replace(old, new)
    return text + SUCCESSION.format(of=of, grade=grade, last=effective_from)


@dataclass
class Rehearsing:
    """An edition on its way at the office; ``id`` is the rehearsal's."""

    office: Office
    id: str = ""

    @classmethod
    def at(cls, office: Office) -> Rehearsing:
        """Three scheme managers are employed: sam writes, sue publishes and approves, sol is another."""
        for person in ("sue", "sol"):
            office.employs(person, "scheme_manager")
        return cls(office)

    def proposes(self, text: str, person: str = "sam", **body: Any) -> Any:
        """The bare response."""
        return self.office.post(f"/schemes/{CSP}/editions", person, {"text": text} | body)

    def publishes(self, text: str | None = None, **body: Any) -> Rehearsing:
        proposed = answered(self.proposes(text or edition_text(), **body), 202)
        self.approves_edition(proposed)
        return self

    def approves_edition(self, proposed: Json, person: str = "sue") -> Json:
        path = f"/schemes/{CSP}/proposals/{proposed['proposal']}/approvals"
        return answered(self.office.post(path, person, {"digest": proposed["digest"]}))

    def rehearses(self, edition: str = NEW, person: str = "sam") -> Rehearsing:
        """A rehearsal requested and made."""
        asked = answered(self.office.post("/rehearsals", person, {"edition": edition}), 201)
        self.id = asked["rehearsal_id"]
        self.waits()
        assert self.view()["state"] == "completed"
        return self

    def approves(self, person: str, **given: Any) -> Any:
        """The bare response."""
        view = self.view()
        body = {"digest": view["digest"], "log_position": view["log_position"]} | given
        return self.office.post(f"/rehearsals/{self.id}/approvals", person, body)

    def approved(self, *persons: str) -> Rehearsing:
        for person in persons or ("sue", "dora"):
            answered(self.approves(person))
        return self

    def steps(self, step: str = "start", person: str = "sam", **given: Any) -> Any:
        """The bare response."""
        return self.office.post(f"/rehearsals/{self.id}/adoption", person, {"step": step}, **given)

    def adopts(self, **given: Any) -> Json:
        """What the rehearsal tells once the adoption has run."""
        answered(self.steps(**given))
        self.waits()
        return self.view()

    def in_force(self, day: str | date = "2024-02-01") -> Rehearsing:
        """The day has come on which the edition takes effect."""
        self.office.moves_to(day)
        return self

    def waits(self) -> None:
        """Whatever runs for the rehearsal has ended."""
        self.office.house.runner.wait(UUID(self.id))

    def view(self, person: str = "aud") -> Json:
        return answered(self.office.get(f"/rehearsals/{self.id}", person))

    def lines(self, of: str = "all", **query: Any) -> list[Json]:
        return answered(self.office.get(f"/rehearsals/{self.id}/affected", "aud", of=of, **query))["items"]

    def line(self, life: Life) -> Json:
        return next(line for line in self.lines() if line["certificate"] == life.id)

    def run(self, person: str = "sam") -> Run:
        """One run of the adoption, to be stepped through."""
        by = e.By(person, "scheme_manager", self.office.keys[person])
        return Run.of(self.office.house.register, UUID(self.id), by)
