"""Facts of an older form are lifted when they are read, one by one and in bulk."""

from uuid import uuid4

import pytest

from lifecycle import events as e
from lifecycle import log, upcast
from lifecycle.store import JsonMapper, Recorder
from tests.store.facts import fact, stored

OLD = b'{"type":"surveillance-wished.v0","effective_on":"2026-03-01","by":{"person":"person-1","role":"registrar",'
OLD += b'"key":"key-1"},"cause":{"kind":"request","id":"request-1"},"why":"the holder moved"}'
OLD_TOPIC = "surveillance-wished.v0"


@pytest.fixture
def two_older_forms(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the fact had been stored under two other names before, the first with another field."""

    def grounds_instead_of_why(state: upcast.State) -> upcast.State:
        state["grounds"] = state.pop("why")
        return state | {"type": "surveillance-wished.v1"}

    monkeypatch.setitem(upcast.UPCASTS, OLD_TOPIC, grounds_instead_of_why)
    monkeypatch.setitem(
        upcast.UPCASTS, "surveillance-wished.v1", lambda state: state | {"type": "surveillance-requested.v1"}
    )


def test_a_fact_of_today_is_read_as_it_is() -> None:
    assert upcast.read("surveillance-requested.v1", e.encode(fact())) == fact()


@pytest.mark.usefixtures("two_older_forms")
def test_an_older_fact_is_lifted_through_every_form_since() -> None:
    assert upcast.read(OLD_TOPIC, OLD) == fact()


@pytest.mark.usefixtures("two_older_forms")
def test_bulk_reading_lifts_older_facts_too() -> None:
    packed = b"\n".join([e.encode(fact("a")), OLD, e.encode(fact("b"))]) + b"\n"

    assert upcast.read_lines(packed) == [fact("a"), fact(), fact("b")]


def test_bulk_reading_without_older_forms_reads_the_same() -> None:
    assert upcast.read_lines(e.encode(fact("a")) + b"\n" + e.encode(fact("b"))) == [fact("a"), fact("b")]


@pytest.mark.usefixtures("two_older_forms")
def test_the_library_and_the_log_read_older_facts_too(recorder: Recorder, engine: log.psycopg.Connection) -> None:
    stream = uuid4()
    recorder.insert_events([type(stored())(stream, 1, OLD_TOPIC, OLD)])

    mapper = JsonMapper.__new__(JsonMapper)
    (by_library,) = (mapper.to_domain_event(row) for row in recorder.select_events(stream))
    assert [by_library] == log.tail(engine, 0, 10) == log.stream(engine, stream)
    assert by_library.fact == fact()


def test_an_unknown_topic_is_refused_by_name() -> None:
    with pytest.raises(upcast.UnknownTopic, match=r"surveillance-wished\.v0"):
        upcast.read(OLD_TOPIC, OLD)


@pytest.mark.parametrize(
    ("topic", "state"),
    [
        ("surveillance-requested.v1", b"not JSON"),
        ("surveillance-requested.v1", b'{"type":"surveillance-requested.v1"}'),
        ("surveillance-requested.v1", e.encode(fact()).replace(b'"grounds"', b'"other"')),
        ("certificate-expired.v1", e.encode(fact())),
    ],
)
def test_what_does_not_fit_its_topic_is_refused(topic: str, state: bytes) -> None:
    with pytest.raises(upcast.Unreadable, match=topic):
        upcast.read(topic, state)


@pytest.mark.usefixtures("two_older_forms")
@pytest.mark.parametrize("state", [b"{", b"[]", b'{"type":"surveillance-wished.v0"}', OLD.replace(b"2026", b"26")])
def test_an_older_fact_that_cannot_be_lifted_is_refused(state: bytes) -> None:
    with pytest.raises(upcast.Unreadable, match=OLD_TOPIC):
        upcast.read(OLD_TOPIC, state)


@pytest.mark.parametrize("packed", [OLD, b"nonsense"])
def test_bulk_reading_refuses_what_it_cannot_read(packed: bytes) -> None:
    with pytest.raises(upcast.Unreadable):
        upcast.read_lines(packed)


@pytest.mark.usefixtures("two_older_forms")
@pytest.mark.parametrize("packed", [b"nonsense", b'{"type":"unheard-of.v1"}', b'{"type":"broken'])
def test_bulk_reading_beside_older_forms_refuses_what_it_cannot_read(packed: bytes) -> None:
    with pytest.raises(upcast.Unreadable):
        upcast.read_lines(packed)


def test_a_refusal_names_the_place_in_the_log(recorder: Recorder, engine: log.psycopg.Connection) -> None:
    stream = uuid4()
    recorder.insert_events([stored(stream), type(stored())(stream, 2, "unheard-of.v1", b"{}")])

    with pytest.raises(upcast.UnknownTopic, match=f"position 2 .stream {stream}, version 2"):
        log.tail(engine, 0, 10)
    assert len(log.tail_rows(engine, 0, 10)) == 2
