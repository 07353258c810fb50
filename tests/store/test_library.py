"""The eventsourcing library finds the store by its environment, and is refused what would weaken it."""

from collections.abc import Iterable
from typing import ClassVar
from uuid import UUID, uuid4

import pytest
from eventsourcing.application import Application
from eventsourcing.persistence import InfrastructureFactory, JSONTranscoder, NotSupportedError, StoredEvent, Tracking

from lifecycle.events import Recorded
from lifecycle.store import Factory, JsonMapper, Recorder, VersionConflict
from tests.databases import Database
from tests.store.facts import fact, receipt, stored


class Register(Application[UUID]):
    """An application that names the store as its environment wants it."""

    env: ClassVar[dict[str, str]] = {
        "PERSISTENCE_MODULE": "lifecycle.store",
        "MAPPER_TOPIC": "lifecycle.store:JsonMapper",
    }


class Versions:
    """The simplest thing to add up from a stream."""

    def __init__(self, history: Iterable[Recorded]):
        self.versions = [recorded.version for recorded in history]


def versions(_: Versions | None, history: Iterable[Recorded]) -> Versions:
    return Versions(history)


@pytest.fixture
def environment(production_database: Database) -> dict[str, str]:
    return {"CERTLIFE_DATABASE_URL": production_database.service_url}


def test_an_application_saves_and_loads_facts(environment: dict[str, str]) -> None:
    stream = uuid4()
    with Register(environment) as register:
        recordings = register.save(Recorded(stream, 1, fact()), Recorded(stream, 2, fact()), receipt=receipt())
        loaded = list(register.events.get(stream))
        state = register.repository.get(stream, projector_func=versions)

    assert [(each.version, each.fact) for each in loaded] == [(1, fact()), (2, fact())]
    assert [each.position for each in loaded] == [each.notification.id for each in recordings]
    assert loaded[0].recorded_at == loaded[1].recorded_at is not None
    assert state.versions == [1, 2]


def test_an_application_tells_a_conflict(environment: dict[str, str]) -> None:
    stream = uuid4()
    with Register(environment) as register:
        register.save(Recorded(stream, 1, fact()))
        with pytest.raises(VersionConflict):
            register.save(Recorded(stream, 1, fact()))


def test_a_closed_store_opens_again_when_it_is_used(recorder: Recorder) -> None:
    recorder.insert_events([stored()])
    recorder.close()

    assert recorder.insert_events([stored()])


def test_notifications_are_in_commit_order_between_two_positions(recorder: Recorder) -> None:
    positions = recorder.insert_events([stored() for _ in range(6)])

    def ids(**bounds: object) -> list[int]:
        return [n.id for n in recorder.select_notifications(limit=100, **bounds)]

    assert ids(start=None) == positions
    assert ids(start=positions[2]) == positions[2:]
    assert ids(start=positions[2], inclusive_of_start=False) == positions[3:]
    assert ids(start=None, stop=positions[3]) == positions[:4]
    assert ids(start=None, topics=["surveillance-requested.v1"]) == positions
    assert ids(start=None, topics=["another.v1"]) == []
    assert [n.id for n in recorder.select_notifications(None, limit=2)] == positions[:2]


def test_the_librarys_subscription_is_refused_and_says_what_to_use(recorder: Recorder) -> None:
    with pytest.raises(NotImplementedError, match="Listener"):
        recorder.subscribe()


def test_no_address_is_refused_and_says_which_setting_it_wants() -> None:
    with pytest.raises(OSError, match="CERTLIFE_DATABASE_URL"):
        InfrastructureFactory.construct({"PERSISTENCE_MODULE": "lifecycle.store"})


def test_the_mapper_is_ours_where_none_is_named(environment: dict[str, str]) -> None:
    assert isinstance(Factory(environment).mapper(), JsonMapper)
    assert isinstance(Factory(environment).mapper(mapper_class=JsonMapper), JsonMapper)
    with Register(environment) as register:
        assert isinstance(register.mapper, JsonMapper)


@pytest.mark.parametrize(
    "setting",
    [{"COMPRESSOR_TOPIC": "zlib"}, {"CIPHER_TOPIC": "tests.store.test_library:Cipher", "CIPHER_KEY": "key"}],
)
def test_a_store_that_is_compressed_or_encrypted_is_refused(
    environment: dict[str, str], setting: dict[str, str]
) -> None:
    with pytest.raises(NotSupportedError, match="plain JSON"):
        Register(environment | setting)


class Cipher:
    """Somebody configured one."""

    def __init__(self, _: object):
        pass


def test_snapshots_tracking_and_processes_are_refused(environment: dict[str, str]) -> None:
    factory = Factory(environment)
    for ask in (factory.aggregate_recorder, factory.tracking_recorder, factory.process_recorder):
        with pytest.raises(NotSupportedError):
            ask()


def test_a_fact_is_stored_as_one_plain_tagged_json_object() -> None:
    row = JsonMapper(JSONTranscoder()).to_stored_event(Recorded(uuid4(), 4, fact()))

    assert row.topic == "surveillance-requested.v1"
    assert row.originator_version == 4
    assert row.state.startswith(b'{"type":"surveillance-requested.v1",')
    assert b"\n" not in row.state


def test_tracking_is_not_silently_dropped(recorder: Recorder) -> None:
    with pytest.raises(NotSupportedError):
        recorder.insert_events([stored()], tracking=Tracking("upstream", 1))


def test_a_misspelt_argument_is_not_silently_dropped(recorder: Recorder) -> None:
    with pytest.raises(TypeError):
        recorder.insert_events([StoredEvent(uuid4(), 1, "t", b"")], reciept=receipt())
