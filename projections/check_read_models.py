"""The read models derived again, beside those that serve, by the same folds; and compared row by row, to the byte.

A part of all ids at a time, in tables that last as long as the check; up to where each says that it has come, so an
engine that is behind, or at work, is no obstacle.
"""

from collections.abc import Iterator
from typing import Any

from psycopg import Connection

from lifecycle import log
from lifecycle.bulk import spans
from projections import follower
from projections.check import SQL, Finding, First, Progress, count_events, end_of
from projections.folds import CLAIM_TOPIC, claim_of
from projections.follower import follower_of
from projections.rebuild import Reach, Rebuildable, write_part
from projections.tables import Span


class RowDiffers(Finding):
    code = "row_differs"
    en = "Position {position}: a row of {model} is not the one that its events make ({what}): it {how}."
    zh = "位置 {position}：{model} 中的一行与其事件推导的结果不符（{what}）：{how_zh}。"


class ReadModelMissing(Finding):
    code = "read_model_missing"
    en = "Position {position}: {model} has no position, so its rows cannot be relied on. `certlife rebuild` makes it."
    zh = "位置 {position}：{model} 没有位置记录，其任何行均不可信。可用 `certlife rebuild` 重建。"


class ReadModelOfOther(Finding):
    code = "read_model_of_other"
    en = "Position {position}: {model} is of version {stored}, and this program makes version {own}; compare it there."
    zh = "位置 {position}：{model} 的版本为 {stored}，本程序的版本为 {own}；请用相应程序核对。"


class PositionAhead(Finding):
    code = "position_ahead"
    en = "Position {position}: {model} says that it has seen what comes after this, and has not."
    zh = "位置 {position}：{model} 声称已处理此后的事件，实际并未处理。"


HOW = {
    "added": ("was added", "该行系添加"),
    "missing": ("is missing", "该行已缺失"),
    "changed": ("was changed", "该行被改动"),
}


class ReadModelCheck:
    """Compares one projection's rows."""

    def __init__(self, projection: Rebuildable) -> None:
        self.projection = projection
        self.name = projection.name

    def run(self, connection: Connection) -> Iterator[Progress]:
        """How far it has come, and in the end how many events the projection has yet to see. Raises Finding."""
        total, upto, first = count_events(connection), self._position(connection), First()
        made = follower_of(self.projection)
        self._begin(connection, upto)
        parts = list(spans(total))
        for done, part in enumerate(parts, 1):
            span = Span(*part)
            self._make(connection, made, span, upto)
            first.see(self._compared(connection, f"compare_{self.name}", upto, **span._asdict()))
            connection.execute(SQL[f"empty_{self.name}"])
            yield Progress(self.name, total * done // len(parts), total)
        for whole in (f"compare_{self.name}_whole", "compare_set_aside"):
            if whole in SQL:
                first.see(self._compared(connection, whole, upto))
        first.refuse()
        ((unseen,),) = connection.execute(SQL["count_events_after"], {"position": upto}).fetchall()
        yield Progress(self.name, total, total, unseen)

    def _position(self, connection: Connection) -> int:
        """Where it says that it stands. Raises the Finding that speaks against it."""
        name = {"projection": self.name}
        found = connection.execute(SQL["select_read_model"], name).fetchone()
        if found is None:
            raise ReadModelMissing(position=0, model=self.name)
        position, complete_until, version, definition = found
        if (version, definition) != (self.projection.version, self.projection.definition):
            raise ReadModelOfOther(position=0, model=self.name, stored=version, own=self.projection.version)
        if position > (end := end_of(connection)):
            raise PositionAhead(position=end, model=self.name)
        told = {"position": position, "complete_until": complete_until}
        for (unseen,) in connection.execute(SQL["select_unseen"], told).fetchall():
            raise PositionAhead(position=unseen, model=self.name)
        return position

    def _begin(self, connection: Connection, upto: int) -> None:
        """The tables are there, empty."""
        connection.execute(SQL["write_aside"])
        connection.execute(follower.SQL["create_quarantine"])
        self.projection.create(connection)
        self.projection.learn(connection, map(claim_of, log.of_topic(connection, CLAIM_TOPIC, upto)))

    def _make(self, connection: Connection, made: follower.Follower, span: Span, upto: int) -> None:
        if (load := getattr(made, "load", None)) is not None:
            load(connection, list(log.span_rows(connection, *span, upto_position=upto)))
        else:
            write_part(connection, made, span, Reach(upto))

    def _compared(self, connection: Connection, statement: str, upto: int, **bounds: Any) -> RowDiffers | None:
        values = bounds | {"upto": upto, "projection": self.name}
        for position, what, how in connection.execute(SQL[statement], values).fetchall():
            en, zh = HOW[how]
            return RowDiffers(position=position, model=self.name, what=what, how=en, how_zh=zh)
        return None
