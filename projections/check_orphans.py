"""What stands in plain tables held to the events that speak of it, one to one, with what each says of the other.

Documents, notices, files, keys, reads of the trail, lines of rehearsals; and, of the streams among themselves, numbers
printed and claimed, applications submitted and entered with their organisations.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import groupby
from typing import Any, NamedTuple

import msgspec
from psycopg import Connection

from lifecycle import events as e
from lifecycle import files, log, upcast
from lifecycle.rehearsal.comparison import Line
from lifecycle.rules import normalise_number
from lifecycle.trail_reads import Read, seal_of
from projections.check import SQL, Finding, First, Progress, count_events, rows_of
from projections.tables import copy_in, packed

PAGE = 2_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class RowOrphaned(Finding):
    code = "row_orphaned"
    en = "Position {position}: there is the {kind} {name}, and no event speaks of it."
    zh = "位置 {position}：存在{kind_zh} {name}，但没有任何事件提及。"


class RowLost(Finding):
    code = "row_lost"
    en = "Position {position}: the event speaks of the {kind} {name}, which is not there."
    zh = "位置 {position}：事件提及{kind_zh} {name}，但该项不存在。"


class RowNotAsRecorded(Finding):
    code = "row_not_as_recorded"
    en = "Position {position}: the {kind} {name} is not what the event says: it is {found}, the event says {expected}."
    zh = "位置 {position}：{kind_zh} {name} 与事件不符：现为 {found}，事件记载为 {expected}。"


KINDS = {
    "document": "证书文本",
    "notice": "通知书",
    "file": "文件",
    "details": "人员资料",
    "key": "密钥",
    "secret": "密钥的秘密摘要",
    "reads": "查阅记录",
    "lines": "演练行",
    "number": "证书编号",
    "entry": "认证委托",
}
"""What is compared: what an event speaks of, and what is kept of it, under the same name."""

SPEAK = (
    e.DocumentSealed, e.PersonalDetailsSealed, e.PersonErased, e.KeyIssued, e.KeyRevoked, e.TrailReadsSealed,
    e.RehearsalRequested, e.RehearsalCompleted,
    e.CertificateIssued, e.CertificateRenewed, e.CertificateReissued, e.ApplicationSubmitted,
)  # fmt: skip
CITE = tuple(fact for fact in e.FACTS.values() if set(fact.__struct_fields__) & set(files.MEMBERS))
KEEP = (e.NumberClaimed, e.ApplicationEntered)


class Item(NamedTuple):
    """Something by its name, what is said of it, and where in the log: its position, or the instant of a row."""

    kind: str
    name: str
    says: str
    position: int | None = None
    at: datetime | None = None


class OrphansCheck:
    """Puts down what events speak of and what is kept, and compares."""

    name = "orphans"

    def run(self, connection: Connection) -> Iterator[Progress]:
        """How far it has come. Raises the Finding with the first position."""
        total, told = count_events(connection), _Told()
        for statement in ("write_aside", "create_spoken", "create_kept"):
            connection.execute(SQL[statement])
        for position in self._spoken(connection, told):
            yield Progress(self.name, min(position, total), total)
        for statement in ("forget_files_elsewhere", "keep_rows"):
            connection.execute(SQL[statement])
        _put(connection, "copy_kept", [*told.reads(connection), *told.lines(connection)])
        self._compare(connection)
        yield Progress(self.name, total, total)

    def _spoken(self, connection: Connection, told: "_Told") -> Iterator[int]:
        """What events speak of is put down; tells the position that it has come to."""
        topics = {"topics": [e.topic_of(fact) for fact in {*SPEAK, *CITE, *KEEP}]}
        with rows_of(connection, SQL["select_events_in_order"], topics, PAGE) as events:
            while rows := events.fetchmany(PAGE):
                facts = [recorded for row in rows if (recorded := _read(row)) is not None]
                _put(connection, "copy_spoken", (item for each in facts for item in told.spoken(each)))
                _put(connection, "copy_spoken", (item for each in facts for item in _cited(each)))
                _put(connection, "copy_kept", (item for each in facts for item in _kept(each)))
                yield rows[-1][0]
        _put(connection, "copy_spoken", told.at_the_end())

    def _compare(self, connection: Connection) -> None:
        first = First()
        for kind, name, expected, found, position in connection.execute(SQL["compare_spoken"]).fetchall():
            finding = RowOrphaned if expected is None else RowLost if found is None else RowNotAsRecorded
            said = {"expected": expected, "found": found}
            first.see(finding(position=position, kind=kind, kind_zh=KINDS[kind], name=name, **said))
        first.refuse()


class _Told:
    """What events have spoken of so far, as far as more than one event has to be known."""

    def __init__(self) -> None:
        self.keys: dict[str, tuple[e.Recorded, datetime | None]] = {}
        self.details: dict[str, Item] = {}
        self.unfinished: set[str] = set()
        self.last_day = ""

    def spoken(self, recorded: e.Recorded) -> Iterator[Item]:
        match fact := recorded.fact:
            case e.DocumentSealed():
                says = f"{fact.size} {fact.sha256} {_micros(recorded.recorded_at)}"
                yield Item("document", fact.sha256, says, recorded.position)
            case e.KeyIssued():
                self.keys[fact.key] = recorded, None
                if fact.secret_sha256 is not None:
                    yield Item("secret", fact.key, fact.secret_sha256, recorded.position)
            case e.KeyRevoked() if fact.key in self.keys:
                self.keys[fact.key] = self.keys[fact.key][0], recorded.recorded_at
            case e.PersonalDetailsSealed():
                self.details[fact.person] = Item("details", fact.person, "sealed", recorded.position)
            case e.PersonErased():
                says = f"erased {_micros(recorded.recorded_at)}"
                self.details[fact.person] = Item("details", fact.person, says, recorded.position)
                self._revoke_all(fact.person, recorded.recorded_at)
            case e.TrailReadsSealed():
                self.last_day = max(self.last_day, fact.day.isoformat())
                yield Item("reads", fact.day.isoformat(), f"{fact.reads} {fact.sha256}", recorded.position)
            case e.RehearsalRequested():
                self.unfinished.add(str(recorded.originator_id))
            case e.RehearsalCompleted():
                self.unfinished.discard(str(recorded.originator_id))
                if fact.lines:
                    says = f"{fact.lines} {fact.lines_sha256}"
                    yield Item("lines", str(recorded.originator_id), says, recorded.position)
            case e.Certificate():
                yield Item("number", normalise_number(fact.number), str(recorded.originator_id), recorded.position)
            case e.ApplicationSubmitted():
                yield _entry(recorded, str(recorded.originator_id), fact.organisation, fact)

    def _revoke_all(self, person: str, at: datetime | None) -> None:
        """Whoever is erased has no key any more."""
        for key, (issued, revoked_at) in self.keys.items():
            if revoked_at is None and issued.fact.person == person:  # pyright: ignore[reportAttributeAccessIssue]
                self.keys[key] = issued, at

    def at_the_end(self) -> Iterator[Item]:
        yield from self.details.values()
        for key, (issued, revoked_at) in self.keys.items():
            yield Item("key", key, _key(issued, revoked_at), issued.position)

    def reads(self, connection: Connection) -> Iterator[Item]:
        """Of each day up to the last one sealed, who read the trail."""
        with rows_of(connection, SQL["select_trail_reads"]) as rows:
            for day, reads in groupby(rows, key=lambda row: row[0]):
                if day.isoformat() > self.last_day:
                    return
                first, *others = (Read(*row[1:]) for row in reads)
                seal = seal_of(day, [first, *others])
                yield Item("reads", day.isoformat(), f"{seal.reads} {seal.sha256}", at=first.read_at)

    def lines(self, connection: Connection) -> Iterator[Item]:
        """Of each rehearsal, its lines; they are none of an event's while it is being made."""
        with rows_of(connection, SQL["select_rehearsal_lines"]) as rows:
            for rehearsal, lines in groupby(rows, key=lambda row: row[0]):
                if str(rehearsal) not in self.unfinished:
                    yield Item("lines", str(rehearsal), _digest(lines))


def _cited(recorded: e.Recorded) -> Iterator[Item]:
    """The files that the event cites; a notice served has to be kept, another file may be elsewhere."""
    for digest in files.cited([recorded.fact]):
        yield Item("file", digest, digest, recorded.position)
    if isinstance(recorded.fact, e.HolderNotified) and recorded.fact.notice_sha256:
        yield Item("notice", recorded.fact.notice_sha256, "kept", recorded.position)


def _kept(recorded: e.Recorded) -> Iterator[Item]:
    """What other streams say of a certificate."""
    match fact := recorded.fact:
        case e.NumberClaimed():
            yield Item("number", normalise_number(fact.number), str(fact.certificate), recorded.position)
        case e.ApplicationEntered():
            yield _entry(recorded, str(fact.certificate), recorded.originator_id, fact)


def _entry(recorded: e.Recorded, certificate: str, organisation: Any, fact: Any) -> Item:
    """One application, by its certificate and the request that recorded it there and with its organisation."""
    name = f"{certificate} {fact.by.person} {fact.cause.id}"
    return Item("entry", name, f"{organisation} {fact.scheme} {fact.kind}", recorded.position)


def _key(issued: e.Recorded, revoked_at: datetime | None) -> str:
    fact: Any = issued.fact
    organisation = fact.organisation or "-"
    return f"{fact.person} {fact.role} {organisation} {_micros(issued.recorded_at)} {_micros(revoked_at)}"


def _digest(lines: Iterable[tuple[Any, ...]]) -> str:
    """How many lines, and the digest over theirs; a line filed as what it is not is named instead."""
    count, digests = 0, sha256()
    for _, certificate, affected, encoded, stored in lines:
        line = msgspec.json.decode(encoded, type=Line)
        found = sha256(encoded).digest()
        if (line.certificate, line.is_affected or bool(line.not_judged), found) != (certificate, affected, stored):
            return f"not those of certificate {certificate}"
        digests.update(found)
        count += 1
    return f"{count} {digests.hexdigest()}"


def _micros(instant: datetime | None) -> str:
    return str((instant - EPOCH) // timedelta(microseconds=1)) if instant else "-"


def _put(connection: Connection, statement: str, items: Iterable[Item]) -> None:
    """All is read before anything is written."""
    rows = b"".join([packed((*item[:4], item.at and item.at.isoformat())) for item in items])
    copy_in(connection, SQL[statement], [rows])


def _read(row: log.Row) -> e.Recorded | None:
    """What cannot be read is found elsewhere, and speaks of nothing."""
    try:
        return upcast.recorded(*row)
    except upcast.Unreadable:
        return None
