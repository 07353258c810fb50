"""certlife trail: who did what, when, on which grounds, and what it changed."""

from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import msgspec
import typer

from api.house import House
from api.identity import OPERATOR
from api.query import LIMIT
from api.terminal import Day, at_home, console, day_option
from api.trail.forms import Format
from api.trail.questions import Trail
from api.trail.routes import asked_for, instant_of
from lifecycle.periods import ZONE
from projections.engine import standing

WHEN = "a day, or an instant with its offset"


def trail(
    certificate: Annotated[str | None, typer.Option(metavar="NUMBER", help="a certificate's number or id")] = None,
    holder: Annotated[UUID | None, typer.Option(metavar="ID", help="everything about an organisation")] = None,
    actor: Annotated[str | None, typer.Option(help="the person who recorded it")] = None,
    kind: Annotated[str | None, typer.Option("--type", help="the type, such as certificate-suspended.v1")] = None,
    begin: Annotated[str | None, typer.Option("--from", metavar="WHEN", help=WHEN)] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="WHEN", help=WHEN)] = None,
    effective_from: Day = None,
    effective_to: Day = None,
    cause: Annotated[str | None, typer.Option(help="request:ID, clock:DAY, rehearsal:ID or import:ID")] = None,
    proposal: Annotated[int | None, typer.Option(help="a proposal of the certificate")] = None,
    event: Annotated[int | None, typer.Option(metavar="POSITION", help="one event with its chain")] = None,
    changes: Annotated[
        bool, typer.Option("--changes", help="what differs of the certificate between what was known --from and --to")
    ] = False,
    form: Annotated[Format | None, typer.Option("--format", help="export all of it in this form")] = None,
    out: Annotated[Path | None, typer.Option("-o", "--out", metavar="FILE", help="the file to export to")] = None,
    limit: Annotated[int, typer.Option(min=1, max=LIMIT)] = 50,
    cursor: Annotated[str | None, typer.Option(help="where the last page ended")] = None,
) -> None:
    """The audit trail. That it was read is itself recorded."""
    with at_home() as house:
        asked = Trail(house.questions)
        known = _certificate(house, certificate)
        first, last = instant_of("from", begin), instant_of("to", end)
        wanted = asked_for(
            certificate=known, organisation=holder, person=actor, topic=kind, cause=cause, proposal=proposal,
            recorded_from=first, recorded_before=last,
            effective_from=day_option(effective_from), effective_to=day_option(effective_to),
        )  # fmt: skip
        if event is not None:
            _show_event(msgspec.json.decode(asked.event(OPERATOR, event)))
        elif changes:
            if known is None:
                raise typer.BadParameter("--changes needs --certificate")
            answer = asked.changes(OPERATOR, known, first, last)
            _show_changes(msgspec.json.decode(answer)["changed"])
        elif form is not None:
            if out is None:
                raise typer.BadParameter("--format needs a file: -o FILE")
            with out.open("wb") as file, closing(asked.export(OPERATOR, wanted, form)) as pieces:
                console.print(f"{out}: {sum(map(file.write, pieces))} bytes")
        else:
            page = msgspec.json.decode(asked.page(OPERATOR, wanted, cursor, limit))
            for told in page["items"]:
                console.print(_line(told), markup=False)
            if page["next"]:
                console.print(f"more  未完: --cursor {page['next']}")
        _tell_lag(asked)


def _certificate(house: House, named: str | None) -> UUID | None:
    """The certificate by its id or a number that it bears or bore."""
    if named is None:
        return None
    try:
        return UUID(named)
    except ValueError:
        return house.register.certificate_numbered(named).id


def _line(told: dict[str, Any]) -> str:
    by = told["by"] or {"person": "?", "role": "?"}
    recorded = datetime.fromisoformat(told["recorded_at"]).astimezone(ZONE)
    signed = f" [{' '.join(told['signed_by'])}]" if told["signed_by"] else ""
    grounds = msgspec.json.encode(told["grounds"]).decode() if told["grounds"] else ""
    return (
        f"{told['position']:>8}  {recorded:%Y-%m-%d %H:%M:%S}  {told['effective_on'] or '-':10}  {told['type']:28}  "
        f"{by['person']} ({by['role']}){signed}  {told['certificate_id'] or '-'}  {grounds}".rstrip()
    )


def _show_event(answer: dict[str, Any]) -> None:
    told = answer["event"]
    console.print(_line(told), markup=False)
    for name, value in (answer["fact"] or {"problem": told["problem"]}).items():
        console.print(f"    {name:22} {_shown(value)}", markup=False)
    console.print("changed  变更")
    _show_changes(told["changed"] or {})
    for heading, chain in (("came from  起因", answer["causes"]), ("led to  后果", answer["effects"])):
        console.print(heading)
        for related in chain:
            console.print(f"{_line(related['event'])}  <{related['link']} {related['of']}>", markup=False)


def _show_changes(changed: dict[str, Any]) -> None:
    for name, (before, after) in changed.items():
        console.print(f"    {name:28} {_shown(before)}  ->  {_shown(after)}", markup=False)


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _tell_lag(trail: Trail) -> None:
    last = trail.recorder.max_notification_id() or 0
    with trail.recorder.connection() as connection:
        position = standing(connection, "trail", 0, seconds=0)
    if position < last:
        console.print(f"the trail stands at position {position} of {last}  轨迹位于 {position}/{last}")
