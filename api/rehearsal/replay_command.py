"""certlife replay: every recorded question asked again, under another edition or under each of two."""

from pathlib import Path
from typing import Annotated

import typer

from api.house import House
from api.rehearsal.corpus import EXPECTED, read_corpus
from api.rehearsal.editions import edition_named
from api.rehearsal.report_page import as_html
from api.rehearsal.report_text import as_csv, as_json, as_text
from api.rehearsal.views import views
from api.terminal import Day, Unfit, at_home, console, day_option
from lifecycle.log import settled
from lifecycle.rehearsal.answers import Period
from lifecycle.rehearsal.comparison import Comparing
from lifecycle.rehearsal.rehearsing import rehearsed
from lifecycle.rehearsal.report import Report, Scope
from lifecycle.rehearsal.same import changed

Name = Annotated[str | None, typer.Option(metavar="FILE", help="a scheme file, or the id of a published edition")]


def replay(
    corpus: Annotated[Path, typer.Argument(help="the histories for --expect-same")] = EXPECTED,
    expect_same: Annotated[
        bool, typer.Option("--expect-same", help="what does this program answer otherwise than it is kept?")
    ] = False,
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
    if expect_same:
        _expect_same(corpus)
        return
    if edition is None:
        raise typer.BadParameter("--edition names a scheme file, or the id of a published edition")
    asked_for = [name for name, wanted in (("json", json), ("csv", csv), ("html", html)) if wanted]
    if len(asked_for) > 1:
        raise typer.BadParameter(f"give one of {', '.join(f'--{name}' for name in asked_for)}")
    period = Period(day_option(first_on), day_option(last_on))
    if period.first_on and period.last_on and period.last_on < period.first_on:
        raise typer.BadParameter(f"--to {last_on} lies before --from {first_on}")
    with at_home() as house:
        comparing = _comparing(house, edition, against, period, on)
        if certificate is not None:
            for told in views(house, comparing, certificate):
                console.print(told, markup=False)
            return
        report = _rehearsed(house, comparing, _scope(comparing, scheme, level, holder))
    _give(report, comparing, asked_for[0] if asked_for else "text", output)


def _expect_same(corpus: Path) -> None:
    """Exit 1 where any recorded outcome would be another now."""
    editions, histories = read_corpus(corpus)
    found = count = 0
    for one in histories:
        count += 1
        for each in changed(one, editions):
            found += 1
            console.print(f"{each.certificate}  {each.topic} @{each.version}  {each.rule}: "
                          f"{each.recorded} -> {each.now}", markup=False)  # fmt: skip
    console.print(f"{count} histories, {found} outcomes changed  {count} 份历史，{found} 项结果有变")
    if found or not count:
        raise typer.Exit(1)


def _comparing(house: House, edition: str, against: str | None, period: Period, on: str | None) -> Comparing:
    editions = dict(house.register.editions)
    other = edition_named(against, editions) if against else None
    if other is not None:
        editions[other.id] = other
    day = day_option(on) or house.today()
    return Comparing(edition_named(edition, editions), editions, day, against=other, period=period)


def _scope(comparing: Comparing, scheme: str | None, level: str | None, holder: str | None) -> Scope:
    own = comparing.edition.scheme
    if scheme not in (None, own) or (comparing.against and comparing.against.scheme != own):
        raise Unfit(f"{comparing.edition.id} is an edition of {own}, and answers for certificates of that scheme only.")
    levels = {
        code for each in (comparing.edition, *comparing.editions.values()) if each.scheme == own for code in each.levels
    }
    if level is not None and level not in levels:
        raise Unfit(f"{level} is no level of {own}. Its levels: {', '.join(sorted(levels))}.")
    return Scope(own, level, comparing.period.first_on, comparing.period.last_on, holder)


def _rehearsed(house: House, comparing: Comparing, scope: Scope) -> Report:
    with house.reading() as connection:
        return rehearsed(connection, comparing, scope, settled(connection, house.present.instant()).position)


def _give(report: Report, comparing: Comparing, form: str, output: Path | None) -> None:
    told = _told(report, comparing, form)
    if output is not None:
        output.write_bytes(told)
        console.print(f"{output}: {len(told)} bytes", markup=False)
    else:
        typer.echo(told, nl=False)


def _told(report: Report, comparing: Comparing, form: str) -> bytes:
    editions = [comparing.edition, *([comparing.against] if comparing.against else []), *comparing.editions.values()]
    match form:
        case "json":
            return as_json(report)
        case "csv":
            return as_csv(report)
        case "html":
            return as_html(report, *editions)
        case _:
            return "".join(f"{line}\n" for line in as_text(report, *editions)).encode()
