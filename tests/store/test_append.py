"""What an append records, answers and refuses."""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest

from lifecycle.periods import legal_day
from lifecycle.store import (
    DayTurned,
    KeyNotInForce,
    NotAppended,
    NothingToAppend,
    ReceiptExists,
    Recorder,
    Unstorable,
    VersionConflict,
)
from tests.store.facts import new_key, receipt, stored
from tests.store.seeded import Owner


def test_events_come_back_as_they_were_stored_with_their_places(recorder: Recorder) -> None:
    stream = uuid4()
    events = [stored(stream, version) for version in (1, 2, 3)]

    positions = recorder.insert_events(events)

    found = recorder.select_events(stream)
    assert [(f.originator_id, f.originator_version, f.topic, f.state) for f in found] == [
        (e.originator_id, e.originator_version, e.topic, e.state) for e in events
    ]
    assert [f.position for f in found] == positions


def test_one_append_records_one_instant_in_several_streams(recorder: Recorder) -> None:
    one, other = uuid4(), uuid4()

    positions = recorder.insert_events([stored(one), stored(other), stored(one, 2)])

    found = [*recorder.select_events(one), *recorder.select_events(other)]
    assert len({f.recorded_at for f in found}) == 1
    assert sorted(f.position for f in found) == positions == sorted(positions)


def test_a_stream_is_read_between_two_versions_from_either_end(recorder: Recorder) -> None:
    stream = uuid4()
    recorder.insert_events([stored(stream, version) for version in range(1, 7)])

    def versions(**bounds: object) -> list[int]:
        return [f.originator_version for f in recorder.select_events(stream, **bounds)]

    assert versions(gt=2, lte=4) == [3, 4]
    assert versions(desc=True, limit=2) == [6, 5]
    assert versions(gt=1, limit=1) == [2]
    assert versions(lte=2, desc=True) == [2, 1]


def test_a_version_that_is_taken_is_a_conflict_that_names_the_stream(recorder: Recorder, owner: Owner) -> None:
    stream, other = uuid4(), uuid4()
    recorder.insert_events([stored(stream), stored(stream, 2)])
    before = owner.everything()

    with pytest.raises(VersionConflict) as refused:
        recorder.insert_events([stored(other), stored(stream, 2)], receipt=receipt())

    assert (refused.value.stream, refused.value.version) == (stream, 2)
    assert owner.everything() == before


def test_positions_have_holes_after_a_conflict_and_still_rise(recorder: Recorder) -> None:
    stream = uuid4()
    (first,) = recorder.insert_events([stored(stream)])
    with pytest.raises(VersionConflict):
        recorder.insert_events([stored(stream)])

    (second,) = recorder.insert_events([stored(stream, 2)])

    assert second > first + 1


def test_a_receipt_is_found_with_the_position_of_its_last_event(recorder: Recorder) -> None:
    stream, given = uuid4(), receipt("key-7")
    last = recorder.insert_events([stored(stream), stored(stream, 2)], receipt=given)[-1]

    found = recorder.find_receipt("person-1", "key-7")

    assert found is not None
    assert tuple(found)[:5] == (*given, last)
    assert found.recorded_at == recorder.select_events(stream)[-1].recorded_at
    assert recorder.find_receipt("person-2", "key-7") is None


def test_the_same_person_uses_a_key_once(recorder: Recorder, owner: Owner) -> None:
    recorder.insert_events([stored()], receipt=receipt("a, b"))
    before = owner.everything()

    with pytest.raises(ReceiptExists) as refused:
        recorder.insert_events([stored()], receipt=receipt("a, b"))

    assert (refused.value.person, refused.value.key) == ("person-1", "a, b")
    assert owner.everything() == before


def test_two_persons_may_use_the_same_key(recorder: Recorder) -> None:
    recorder.insert_events([stored()], receipt=receipt("key-1", "person-1"))
    recorder.insert_events([stored()], receipt=receipt("key-1", "person-2"))

    assert recorder.find_receipt("person-1", "key-1") != recorder.find_receipt("person-2", "key-1")


def test_a_command_begins_with_the_present_its_receipt_and_its_stream(recorder: Recorder) -> None:
    stream, before = uuid4(), recorder.present()
    begun = recorder.begin_command("person-1", "key-1", stream)
    assert (begun.receipt, begun.stored) == (None, [])

    recorder.insert_events([stored(stream), stored(stream, 2)], receipt=receipt())

    begun = recorder.begin_command("person-1", "key-1", stream)
    assert begun.receipt == recorder.find_receipt("person-1", "key-1")
    assert begun.stored == recorder.select_events(stream)
    assert begun.instant > before
    begun = recorder.begin_command("person-2", "key-1", stream)
    assert (begun.receipt, begun.stored) == (None, recorder.select_events(stream))


def test_what_was_decided_on_another_day_is_not_recorded(recorder: Recorder, owner: Owner) -> None:
    today = legal_day(recorder.present())
    yesterday = today - timedelta(days=1)

    with pytest.raises(DayTurned) as refused:
        recorder.insert_events([stored()], decided_on=yesterday, receipt=receipt())

    assert (refused.value.decided_on, refused.value.recorded_on) == (yesterday, today)
    assert owner.everything()["events"] == []


def test_what_was_decided_today_is_recorded(recorder: Recorder) -> None:
    def decided_today() -> list[int]:
        return recorder.insert_events([stored()], decided_on=legal_day(recorder.present()))

    try:
        assert decided_today()
    except DayTurned:  # the test ran at 00:00 Asia/Shanghai
        assert decided_today()


def test_an_append_without_events_is_refused(recorder: Recorder) -> None:
    with pytest.raises(NothingToAppend):
        recorder.insert_events([], receipt=receipt())


@pytest.mark.parametrize("text", ["\0", "a\ud800b"])
def test_a_text_that_postgresql_cannot_hold_is_refused(recorder: Recorder, owner: Owner, text: str) -> None:
    with pytest.raises(Unstorable):
        recorder.insert_events([stored()], receipt=receipt(text))
    with pytest.raises(Unstorable):
        recorder.find_receipt("person-1", text)

    assert owner.everything()["events"] == []
    assert recorder.insert_events([stored()], receipt=receipt("😀 報警"))


def test_an_event_larger_than_what_a_socket_takes_at_once_is_stored(recorder: Recorder) -> None:
    stream, large = uuid4(), stored(cause="x" * 5_000_000)
    recorder.insert_events([type(large)(stream, 1, large.topic, large.state)])

    assert recorder.select_events(stream)[0].state == large.state


def test_a_stream_is_named_by_a_uuid(recorder: Recorder) -> None:
    event = stored()
    with pytest.raises(TypeError, match="a UUID"):
        recorder.insert_events([type(event)("certificate-1", 1, event.topic, event.state)])


def test_the_last_event_is_known(recorder: Recorder) -> None:
    assert recorder.last_event() is None
    assert recorder.max_notification_id() is None

    stream = uuid4()
    (position,) = recorder.insert_events([stored(stream)])

    assert recorder.last_event() == (position, recorder.select_events(stream)[0].recorded_at)
    assert recorder.max_notification_id() == position


# ---- keys ------------------------------------------------------------------------------------------------------------


def test_a_key_is_issued_and_revoked_with_its_events(recorder: Recorder) -> None:
    stream, (name, key) = uuid4(), new_key()

    recorder.insert_events([stored(stream)], also=[(name, key)])
    issued = recorder.key_by_hash(key["sha256"])
    recorder.insert_events([stored(stream, 2)], also=[("revoke_key", {"key": "key-9"})])
    revoked = recorder.key_by_hash(key["sha256"])

    first, second = (f.recorded_at for f in recorder.select_events(stream))
    assert (issued.key, issued.person, issued.role, issued.organisation) == ("key-9", "p", "auditor", None)
    assert (issued.issued_at, issued.revoked_at) == (first, None)
    assert (revoked.issued_at, revoked.revoked_at) == (first, second)
    assert recorder.keys() == [revoked]
    assert recorder.key_by_hash(b"?" * 32) is None


def test_a_key_that_is_not_in_force_cannot_be_revoked(recorder: Recorder, owner: Owner) -> None:
    with pytest.raises(KeyNotInForce):
        recorder.insert_events([stored()], also=[("revoke_key", {"key": "key-9"})])

    assert owner.everything()["events"] == []


def test_a_key_is_never_issued_without_an_event(recorder: Recorder, owner: Owner) -> None:
    recorder.insert_events([stored()])
    with pytest.raises(NotAppended):
        recorder._connections.read("SELECT certlife.issue_key('\\x00', 'k', 'p', 'auditor', NULL)")

    assert owner.everything()["keys"] == []


def test_after_a_refusal_beside_an_append_the_same_connection_goes_on(recorder: Recorder) -> None:
    for _ in range(3):
        recorder.insert_events([stored()])
        with pytest.raises(KeyNotInForce):
            recorder.insert_events([stored(), stored()], also=[("revoke_key", {"key": "key-9"})])

    assert recorder.insert_events([stored(), stored()])


def test_the_present_is_aware_and_in_utc(recorder: Recorder) -> None:
    present = recorder.present()

    assert present.tzinfo == UTC
    assert abs(present - datetime.now(UTC)) < timedelta(days=1)
    assert legal_day(present) >= date(2026, 1, 1)
