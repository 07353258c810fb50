"""certlife replay: every recorded question asked again, under another edition or under each of two."""

from typing import Annotated

import typer

from api.editions import edition_named
from api.terminal import Day, at_home, console, day_option
from lifecycle.answers import Period
from lifecycle.comparison import Comparing
from lifecycle.log import settled
from lifecycle.rehearsing import rehearsed
from lifecycle.report import Report, Scope

Name = Annotated[str | None, typer.Option(metavar="FILE", help="a scheme file, or the id of a published edition")]


def replay(
    edition: Name = None,
    against: Name = None,
    scheme: Annotated[str | None, typer.Option(help="the edition's own if left out")] = None,
    level: Annotated[str | None, typer.Option(help="only certificates of this level")] = None,
    first_on: Annotated[str | None, typer.Option("--from", metavar="DAY", help="only questions from this day on")] = None,
    last_on: Annotated[str | None, typer.Option("--to", metavar="DAY", help="only questions until this day")] = None,
    holder: Annotated[str | None, typer.Option(help="only certificates whose holder's name has this in it")] = None,
    on: Day = None,
) -> None:
    """Asks all recorded questions again, with their recorded inputs, under another edition. Writes nothing."""
    if edition is None:
        raise typer.BadParameter("--edition names a scheme file, or the id of a published edition")
    with at_home() as house:
        editions = house.register.editions
        asked = edition_named(edition, editions)
        other = edition_named(against, editions) if against else None
        period = Period(day_option(first_on), day_option(last_on))
        comparing = Comparing(asked, editions, day_option(on) or house.today(), against=other, period=period)
        scope = Scope(scheme or asked.scheme, level, period.first_on, period.last_on, holder)
        with house.reading() as connection:
            position = settled(connection, house.present.instant()).position
            _print(rehearsed(connection, comparing, scope, position))


def _print(report: Report) -> None:
    console.print(f"{report.certificates} certificates asked, {report.affected} affected")
    for cell in report.grades:
        console.print(f"  {cell.before:12} -> {cell.after:12} {cell.certificates}")
    rises = report.any_grade_rises
    console.print(rises.answer, rises.rising, rises.over)
