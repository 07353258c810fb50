"""A certificate with a fact that cannot be projected is set aside, and the others go on."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from uuid import uuid4

import psycopg
import pytest
from psycopg import Connection

from lifecycle import events as e
from lifecycle.organisation import id_of
from projections import register as register_projection
from projections.engine import Engine, connect
from projections.rebuild import Rebuild, rebuild
from tests.clock.told import Told
from tests.clock.world import World, unified_code
from tests.databases import Database
from tests.projections.tables import SQL, engine, projections, rebuilt, tables

STAMP = b'"effective_on":"2023-01-02","by":{"person":"x","role":"clock","key":"x"},"cause":{"kind":"clock","id":"x"}'
TOLD = b'{"type":"holder-notified.v1",%b,"of":1,"served_on":"2023-01-02","proof_sha256":""' % STAMP
DOCUMENT = b'"number":"CSP-S01-2023-09999","document":9,"valid_from":"2023-01-02","valid_until":"2026-01-01",\
"first_certified_on":"2023-01-02","address":"a","scope":"s","level":"five_star","certification_type":"star",\
"replaces":1,"due":{"visit_on":"2025-01-02","notice_on":"2024-10-04","coverage_on":"2027-01-02",\
"anchor_on":"2023-01-02","interval_months":24}'

BROKEN = {
    "no JSON": ("holder-notified.v1", b"{"),
    "no UTF-8": ("holder-notified.v1", b'{"type":"\xff'),
    "a topic that nobody knows": ("holder-astonished.v1", b"{}"),
    "the state of another topic": ("certificate-expired.v1", TOLD + b"}"),
    "a field missing": ("certificate-suspended.v1", b'{"type":"certificate-suspended.v1",%b}' % STAMP),
    "a field unknown, whose name no text can hold": ("holder-notified.v1", TOLD + rb',"\u0000":1}'),
    "a grade of no case": ("grade-determined.v1", b'{"type":"grade-determined.v1",%b,"assessment":1,"score":null,\
"level":"none","because":""}' % STAMP),
    "a target that cannot be patched": ("record-corrected.v1", b'{"type":"record-corrected.v1",%b,"target":1,\
"reason":"","changes":[{"path":"/no/such/path","new":1}]}' % STAMP),
    "a holder whom no text can hold": ("certificate-reissued.v1", b'{"type":"certificate-reissued.v1",%b,%b,\
"holder":"\\u0000"}' % (STAMP, DOCUMENT)),
}  # fmt: skip
"""Topic and state of facts that cannot be projected, each for another reason."""


@dataclass
class Scene:
    """Two certificates, projected, and an owner who may do what he wants with the log."""

    world: World
    broken: Told
    other: Told
    engine: Engine
    connection: Connection
    owner: Connection
    numbers: list[str]
    url: str

    def project(self) -> None:
        self.engine.catch_up(self.connection)

    def breaks(self, topic: str, state: bytes) -> int:
        """The version of the broken fact in the first certificate's stream."""
        values = {"id": self.broken.id, "topic": topic, "state": state}
        ((version, _),) = self.owner.execute(SQL["insert_event"], values).fetchall()
        return version

    def repairs(self, version: int) -> None:
        by, on = self.other.facts[0].by, self.other.facts[0].effective_on
        told = e.HolderNotified(
            effective_on=on, by=by, cause=e.Cause("request", "r"), of=1, served_on=on, proof_sha256=""
        )
        values = {"id": self.broken.id, "version": version, "topic": e.topic_of(told), "state": e.encode(told)}
        self.owner.execute(SQL["repair_event"], values)

    def under_repair(self) -> list[bool]:
        return [found.under_repair for found in register_projection.find(self.connection, self.numbers)]

    def set_aside(self) -> set[str]:
        return {line.split("\t")[1] for line in tables(self.connection)["quarantine"]}

    def deadlines_of(self, told: Told) -> list[str]:
        return [line for line in tables(self.connection)["deadline"] if line.startswith(str(told.id))]


@pytest.fixture
def scene(world: World, database: Database) -> Generator[Scene]:
    made, broken, other = engine(database, world.present), Told(world).issued(), Told(world).issued()
    with connect(database.engine_url) as connection, psycopg.connect(database.owner_url, autocommit=True) as owner:
        numbers = [told.certificate.label for told in (broken, other)]
        scene = Scene(world, broken, other, made, connection, owner, numbers, database.engine_url)
        scene.project()
        assert scene.under_repair() == [False, False]
        yield scene


@pytest.mark.parametrize("why", BROKEN)
def test_a_fact_that_cannot_be_projected_sets_its_certificate_aside_and_the_others_go_on(
    scene: Scene, why: str
) -> None:
    scene.breaks(*BROKEN[why])
    scene.other.suspended()
    scene.project()
    assert scene.under_repair() == [True, False]
    assert scene.set_aside() == {str(scene.broken.id)}
    assert not scene.deadlines_of(scene.broken)
    assert any("withdrawal_proposal" in line for line in scene.deadlines_of(scene.other))
    assert tables(scene.connection) == rebuilt(scene.connection)
    assert tables(scene.connection) == rebuilt(scene.connection, batch=1)


@pytest.mark.parametrize("seen", [True, False], ids=["seen", "not seen yet by the engine"])
@pytest.mark.parametrize("why", BROKEN)
def test_a_rebuild_beside_sets_the_same_aside_for_the_same_reason(scene: Scene, why: str, seen: bool) -> None:
    scene.breaks(*BROKEN[why])
    scene.other.suspended()
    if seen:
        scene.project()
    expected = rebuilt(scene.connection)
    for projection in projections():
        list(rebuild(scene.url, projection))
    assert tables(scene.connection) == expected
    assert scene.set_aside() == {str(scene.broken.id)}


def test_a_rebuild_beside_that_trusts_the_bulk_read_is_found_out(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Rebuild, "_set_aside", lambda *_: set())
    scene.breaks(*BROKEN["no JSON"])
    scene.project()
    live = tables(scene.connection)
    for projection in projections():
        list(rebuild(scene.url, projection))
    assert tables(scene.connection) != live


@pytest.mark.parametrize("why", BROKEN)
def test_it_is_released_by_a_rebuild_after_its_repair(scene: Scene, why: str) -> None:
    before = tables(scene.connection)
    version = scene.breaks(*BROKEN[why])
    scene.project()
    scene.repairs(version)
    scene.project()
    assert scene.set_aside(), "nobody looks at it again before a rebuild or its next fact"
    for projection in projections():
        list(rebuild(scene.url, projection))
    assert scene.under_repair() == [False, False]
    assert not scene.set_aside()
    assert tables(scene.connection)["deadline"] == before["deadline"]
    assert tables(scene.connection)["register"] == before["register"]


def test_it_is_released_by_its_next_fact_after_its_repair(scene: Scene) -> None:
    version = scene.breaks(*BROKEN["a holder whom no text can hold"])
    scene.project()
    scene.repairs(version)
    scene.broken.suspended()
    scene.project()
    assert scene.under_repair() == [False, False]
    assert tables(scene.connection) == rebuilt(scene.connection)


def test_its_next_fact_alone_does_not_release_it(scene: Scene) -> None:
    scene.breaks(*BROKEN["no JSON"])
    scene.project()
    fact = e.encode(scene.other.facts[-1]).replace(b"-00002", b"-00001")
    scene.breaks(e.topic_of(scene.other.facts[-1]), fact)
    scene.project()
    assert scene.under_repair() == [True, False]
    assert tables(scene.connection) == rebuilt(scene.connection)


def test_what_is_not_readable_in_other_streams_is_passed_over(scene: Scene) -> None:
    organisation = id_of(unified_code(0))
    values = {"id": organisation, "topic": "organisation-registered.v1", "state": b"{"}
    scene.owner.execute(SQL["insert_event"], values)
    scene.other.suspended()
    scene.project()
    assert not scene.set_aside()
    assert tables(scene.connection) == rebuilt(scene.connection)


def test_what_lies_in_the_database_sets_no_certificate_aside(scene: Scene, database: Database) -> None:
    scene.owner.execute(SQL["take_deadlines_away"])
    scene.other.suspended()
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        scene.project()
    scene.owner.execute(SQL["give_deadlines_back"])
    scene.project()
    assert not scene.set_aside()
    assert tables(scene.connection) == rebuilt(scene.connection)


def test_a_number_whose_issue_cannot_be_read_is_under_repair_and_not_unknown(scene: Scene) -> None:
    scene.broken = Told(scene.world).issued()
    issued = scene.broken.certificate
    broken = {"id": issued.id, "version": issued.version, "topic": "certificate-issued.v1", "state": b"{"}
    scene.owner.execute(SQL["repair_event"], broken)
    scene.project()
    (found,) = register_projection.find(scene.connection, [issued.label])
    assert found.under_repair
    assert tables(scene.connection) == rebuilt(scene.connection)


def test_a_topic_that_nobody_knows_is_no_matter_of_certificates_in_other_streams(scene: Scene) -> None:
    for stream in (id_of(unified_code(0)), uuid4()):
        scene.owner.execute(SQL["insert_event"], {"id": stream, "topic": "something-new.v1", "state": b"{}"})
    scene.project()
    assert not scene.set_aside()
    assert tables(scene.connection) == rebuilt(scene.connection)
