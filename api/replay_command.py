"""certlife replay: every recorded question asked again, under another edition or under each of two."""

from pathlib import Path
from typing import Annotated

import typer

from api.editions import edition_named
from api.house import House
from api.replay_views import views
from api.report_page import as_html
from api.report_text import as_csv, as_json, as_text
from api.terminal import Day, Unfit, at_home, console, day_option
from lifecycle.answers import Period
from lifecycle.comparison import Comparing
from lifecycle.log import settled
from lifecycle.rehearsing import rehearsed
from lifecycle.report import Report, Scope

Name = Annotated[str | None, typer.Option(metavar="FILE", help="a scheme file, or the id of a published edition")]
SHOWN = {"json": as_json, "csv": as_csv, "html": as_html}


def replay(
    edition: Name = None,
    against: Name = None,
    scheme: Annotated[str | None, typer.Option(help="the edition's own if left out")] = None,
    level: Annotated[str | None, typer.Option(help="only certificates of this level")] = None,
    first_on: Annotated[
        str | None, typer.Option("--from", metavar="DAY", help="only questions from this day on")
    ] = None,
    last_on: Annotated[str | None, typer.Option("--to", metavar="DAY", help="only questions until this day")] = None,
    holder: Annotated[str | None, typer.Option(help="only certificates whose holder's name has this in it")] = None,
    on: Day = None,
    certificate: Annotated[
        str | None, typer.Option(metavar="ID", help="three views of one certificate, by id or number")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="one row for each answer that differs")] = False,
    html: Annotated[bool, typer.Option("--html", help="one page for people")] = False,
    output: Annotated[
        Path | None, typer.Option("-o", metavar="FILE", help="where to write it; printed if left out")
    ] = None,
) -> None:
    """Asks all recorded questions again, with their recorded inputs, under another edition. Writes nothing to the
    register.
    """
    if edition is None:
        raise typer.BadParameter("--edition names a scheme file, or the id of a published edition")
    asked_for = [name for name, wanted in (("json", json), ("csv", csv), ("html", html)) if wanted]
    if len(asked_for) > 1:
        raise typer.BadParameter(f"give one of {', '.join(f'--{name}' for name in asked_for)}")
    with at_home() as house:
        comparing = _comparing(house, edition, against, Period(day_option(first_on), day_option(last_on)), on)
        if certificate is not None:
            for told in views(house, comparing, certificate):
                console.print(told, markup=False)
            return
        report = _rehearsed(house, comparing, _scope(comparing, scheme, level, holder))
    _give(report, comparing, asked_for[0] if asked_for else None, output)


def _comparing(house: House, edition: str, against: str | None, period: Period, on: str | None) -> Comparing:
    editions = house.register.editions
    other = edition_named(against, editions) if against else None
    day = day_option(on) or house.today()
    return Comparing(edition_named(edition, editions), editions, day, against=other, period=period)


def _scope(comparing: Comparing, scheme: str | None, level: str | None, holder: str | None) -> Scope:
    own = comparing.edition.scheme
    if scheme not in (None, own) or (comparing.against and comparing.against.scheme != own):
        raise Unfit(f"{comparing.edition.id} is an edition of {own}, and answers for certificates of that scheme only.")
    return Scope(own, level, comparing.period.first_on, comparing.period.last_on, holder)


def _rehearsed(house: House, comparing: Comparing, scope: Scope) -> Report:
    with house.reading() as connection:
        return rehearsed(connection, comparing, scope, settled(connection, house.present.instant()).position)


def _give(report: Report, comparing: Comparing, form: str | None, output: Path | None) -> None:
    text = "\n".join(as_text(report, comparing.edition, comparing.against)) + "\n"
    told = SHOWN[form](report) if form else text.encode()
    if output is not None:
        output.write_bytes(told)
        console.print(f"{output}: {len(told)} bytes", markup=False)
    else:
        typer.echo(told, nl=False)
