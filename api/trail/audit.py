"""certlife audit: what the log alone proves. Exit 0 where everything was kept, 1 where something was not."""

import time
from collections.abc import Iterator
from itertools import groupby, pairwise
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
import typer
from psycopg import Connection

from api.terminal import at_home, console
from api.trail.questions import Trail
from lifecycle import events as e
from lifecycle import log, upcast
from lifecycle.audit.breach import Breach, NotJudged
from lifecycle.audit.persons_known import TOLD_BY, Known
from lifecycle.audit.separation import breaches
from lifecycle.keys import REGISTER
from lifecycle.trail_reads import differs
from projections.follower import connect

app = typer.Typer(no_args_is_help=True, help="What the log alone proves: duties, reads.")
FACTS_A_PART = 50_000
IDS = 2**128
WORDS = {
    "zh": ("已核查 {facts} 个事件，发现 {found} 处违反。", "位置 {position} {type} {stream}/{version}：{message}"),
    "en": ("{facts} events looked at, {found} breaches.", "position {position} {type} {stream}/{version}: {message}"),
}
SEALED = {
    "zh": ("已核对 {days} 个封存日，{found} 日不符。", "{day} 的查阅记录与封存不符（应有 {reads} 条）"),
    "en": (
        "{days} sealed days looked at, {found} differ.",
        "the reads of {day} are not those sealed ({reads} of them)",
    ),
}
Language = Annotated[Literal["zh", "en"], typer.Option("--lang", help="zh or en")]
AsJson = Annotated[bool, typer.Option("--json", help="one JSON object")]


@app.command()
def duties(lang: Language = "en", as_json: AsJson = False) -> None:
    """Proves from the whole log that separation of duties was kept; lists each breach, each role given to oneself."""
    found: list[Breach] = []
    looked_at = 0
    with at_home() as house, connect(house.addresses.engine) as connection:
        began = time.monotonic()
        upto = house.register.recorder.max_notification_id() or 0
        for done, parts, facts, part in audited(connection, upto):
            looked_at += facts
            found += part
            if not as_json:
                _progress(done, parts, looked_at, time.monotonic() - began)
    if as_json:
        print(msgspec.json.encode({"events": looked_at, "breaches": [_plain(each) for each in found]}).decode())
    else:
        summary, line = WORDS[lang]
        for each in found:
            told = each._asdict() | {"message": each.refusal.message(lang)}
            console.print(line.format(**told), markup=False)
        console.print(summary.format(facts=looked_at, found=len(found)))
    if found:
        raise typer.Exit(1)


@app.command()
def reads(lang: Language = "en", as_json: AsJson = False) -> None:
    """Compares who is recorded to have read the trail with what was sealed day by day."""
    with at_home() as house:
        kept = Trail(house.questions).reads
        facts = [recorded.fact for recorded in house.register.events.get(REGISTER)]  # pyright: ignore[reportAttributeAccessIssue]
        seals = [fact for fact in facts if isinstance(fact, e.TrailReadsSealed)]
        found = {seal.day: seal.reads for seal in seals if differs(kept.of_day(seal.day), seal)}
        found |= dict.fromkeys(kept.never_sealed(seals), 0)
    if as_json:
        print(msgspec.json.encode({"days": len(seals), "differ": sorted(found)}).decode())
    else:
        summary, line = SEALED[lang]
        for day, expected in sorted(found.items()):
            console.print(line.format(day=day, reads=expected))
        console.print(summary.format(days=len(seals), found=len(found)))
    if found:
        raise typer.Exit(1)


def audited(connection: Connection, upto: int) -> Iterator[tuple[int, int, int, list[Breach]]]:
    """Part after part of all streams: how many parts are done, of how many, its events, and its breaches."""
    told = [row for kind in TOLD_BY for row in log.of_topic(connection, e.topic_of(kind), upto)]
    known = Known(upcast.recorded(*row) for row in sorted(told, key=lambda row: row[0]))
    parts = max(1, upto // FACTS_A_PART)
    cuts = [IDS * number // parts for number in range(parts + 1)]
    for done, (first, after) in enumerate(pairwise(cuts), 1):
        facts, found = 0, []
        rows = log.span_rows(connection, UUID(int=first), UUID(int=after - 1), upto_position=upto)
        for _, stream in groupby(rows, key=lambda row: row[1]):
            stream = list(stream)
            facts += len(stream)
            found += _of_stream(stream, known)
        yield done, parts, facts, sorted(found, key=lambda each: each.position)


def _of_stream(rows: list[log.Row], known: Known) -> list[Breach]:
    try:
        history = [upcast.recorded(*row) for row in rows]
    except upcast.Unreadable as error:
        position, stream, version, topic, _, _ = rows[0]
        return [Breach(stream, version, position, topic, NotJudged(problem=str(error)))]
    return list(breaches(history, known))


def _progress(done: int, parts: int, facts: int, seconds: float) -> None:
    left = seconds / done * (parts - done)
    console.print(f"{done} of {parts} parts, {facts} events  {facts / max(0.001, seconds):.0f}/s  {left:.0f} s left")


def _plain(breach: Breach) -> dict[str, Any]:
    refusal = breach.refusal
    told = breach._asdict() | {"code": refusal.code, "en": refusal.message("en"), "zh": refusal.message("zh")}
    del told["refusal"]
    return told
