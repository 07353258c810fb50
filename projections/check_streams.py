"""Every stream held to the rules: versions without gaps, every event readable, every step one that may be decided."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter

from psycopg import Connection

from lifecycle import events as e
from lifecycle import log, upcast
from lifecycle.audit.lawful import first_breach
from lifecycle.audit.persons_known import TOLD_BY, Known
from lifecycle.bulk import spans
from projections.check import SQL, Finding, First, Progress, count_events, end_of


class EventOutOfOrder(Finding):
    code = "event_out_of_order"
    en = "Position {position}: version {version} of stream {stream} stands where version {expected} should."
    zh = "位置 {position}：流 {stream} 此处为第 {version} 版，应为第 {expected} 版。"


class EventUnreadable(Finding):
    code = "event_unreadable"
    en = "Position {position}: the event cannot be read. {problem}"
    zh = "位置 {position}：无法读取该事件。{problem}"


class EventUnlawful(Finding):
    code = "event_unlawful"
    en = "Position {position}: {type}, version {version} of stream {stream}, is not lawful: {problem}."
    zh = "位置 {position}：流 {stream} 第 {version} 版 {type} 不合法：{problem_zh}。"


class InstantOutOfOrder(Finding):
    code = "instant_out_of_order"
    en = "Position {position}: the event bears an earlier instant than one recorded before it."
    zh = "位置 {position}：该事件的时刻早于其前的事件。"


class StreamsCheck:
    """Judges every stream whole, a part of all ids at a time."""

    name = "streams"

    def run(self, connection: Connection) -> Iterator[Progress]:
        """How far it has come. Raises the Finding with the first position of all."""
        total, upto, first = count_events(connection), end_of(connection), First()
        for (position,) in connection.execute(SQL["select_first_earlier"]).fetchall():
            first.see(InstantOutOfOrder(position=position))
        known, done = known_by(connection, upto), 0
        for span in spans(total):
            for _, stream in groupby(log.span_rows(connection, *span, upto_position=upto), key=itemgetter(1)):
                rows = list(stream)
                first.see(_judged(rows, known))
                done += len(rows)
            yield Progress(self.name, min(done, total), total)
        first.refuse()


def known_by(connection: Connection, upto: int) -> Known:
    """What can be read of editions, persons and approvals; what cannot is found where it stands."""
    told: list[e.Recorded] = []
    for row in sorted(row for kind in TOLD_BY for row in log.of_topic(connection, e.topic_of(kind), upto)):
        try:
            recorded = upcast.recorded(*row)
            Known([recorded])
        except Exception:  # noqa: S112 - whatever ails it, it is found where it stands
            continue
        told.append(recorded)
    return Known(told)


def _judged(rows: list[log.Row], known: Known) -> Finding | None:
    """The first thing that is wrong with a stream."""
    sound, finding = _readable(rows)
    breach = first_breach(sound, known) if sound else None
    if breach is None or (finding is not None and finding.position < breach.position):
        return finding
    said = {
        "problem": breach.refusal.message("en").rstrip("."),
        "problem_zh": breach.refusal.message("zh").rstrip("。"),
    }
    return EventUnlawful(
        position=breach.position, stream=breach.stream, version=breach.version, type=breach.type, **said
    )


def _readable(rows: Iterable[log.Row]) -> tuple[list[e.Recorded], Finding | None]:
    """The events up to the first that is out of order or cannot be read, and what is wrong with that one."""
    sound: list[e.Recorded] = []
    last = 0
    for expected, row in enumerate(rows, 1):
        position, stream, version = row[:3]
        if version != expected or position <= last:
            return sound, EventOutOfOrder(position=position, stream=stream, version=version, expected=expected)
        try:
            sound.append(upcast.recorded(*row))
        except upcast.Unreadable as problem:
            return sound, EventUnreadable(position=position, problem=problem)
        last = position
    return sound, None
