"""certlife scheme: what changes from one edition to another."""

from typing import Annotated

import msgspec
import typer

from api.rehearsal.editions import edition_named
from api.terminal import console
from lifecycle.rules import shipped_editions
from lifecycle.rules.difference import differences

app = typer.Typer(no_args_is_help=True, help="Editions: diff tells what changes from one to another.")

Name = Annotated[str, typer.Argument(metavar="EDITION", help="a scheme file, or the id of a shipped edition")]


@app.callback()
def scheme() -> None:
    """Editions of schemes."""


@app.command()
def diff(old: Name, new: Name, json: Annotated[bool, typer.Option("--json", help="a list of objects")] = False) -> None:
    """What changes from one edition to another, value by value, in words."""
    shipped = shipped_editions()
    before = edition_named(old, shipped)
    after = edition_named(new, {**shipped, before.id: before})
    found = list(differences(before, after))
    if json:
        typer.echo(msgspec.json.format(msgspec.json.encode([each._asdict() for each in found]), indent=1))
        return
    console.print(f"{before.id}  ->  {after.id}", markup=False)
    for each in found:
        source = each.clause or "假定 assumed"
        console.print(f"  {each.zh}\n  {each.en}  ({source})", markup=False)
    console.print("nothing changes  没有变化" if not found else f"{len(found)} changes  {len(found)} 处变化")
