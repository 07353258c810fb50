"""certlife rehearse and certlife adopt: a rehearsal made, and a signed one turned into facts, by hand."""

from collections import Counter
from collections.abc import Iterable
from time import monotonic
from typing import Annotated
from uuid import UUID, uuid4

import typer

from api.terminal import Unfit, at_home, console
from lifecycle import commands as c
from lifecycle import events as e
from lifecycle.rehearsal.adoption import Adopted, Run
from lifecycle.rehearsal.requests import Rehearsals
from lifecycle.rehearsal.run import rehearsal
from lifecycle.rehearsal.run import rehearse as made
from lifecycle.work import Request

Id = Annotated[str, typer.Argument(metavar="ID", help="the rehearsal's id")]
By = Annotated[str, typer.Option(help="the person who has it done")]
LINES_A_WORD = 200


def rehearse(id: Id) -> None:
    """Makes a rehearsal that was requested, or goes on with one that was cut short."""
    with at_home() as house:
        with house.reading() as connection:
            found = made(house.register, connection, _id(id), _counting)
        report = found.completed.report if found.completed else {}
        console.print(
            f"{found.edition}  position {report['position']}  {report['certificates']} certificates, "
            f"{report['affected']} affected: {report['gains']} gain, {report['loses']} lose, {report['mixed']} both"
        )


def adopt(
    id: Id,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="tell what would be recorded; record nothing")] = False,
    halt: Annotated[bool, typer.Option("--halt", help="stop an adoption that is under way")] = False,
    by: By = "operator",
) -> None:
    """Every certificate in force takes the rehearsed edition. Killed or halted, it goes on when it is asked again."""
    person, which = e.By(by, "scheme_manager", "command-line"), _id(id)
    with at_home() as house:
        if dry_run:
            _tell(Run.of(house.register, which, person).would(), "would be")
            return
        run = None if halt else Run.of(house.register, which, person)
        step = c.Adopt(step="halt" if halt else "start")
        Rehearsals(house.register).step(Request(person, uuid4().hex, "00" * 32), which, step)
        if run is None:
            console.print("halted  已中止")
            return
        _tell(_paced(run.adopt(), run.lines), "are")
        if (state := rehearsal(house.register, which).state) != "adopted":
            raise Unfit(f"the adoption is {state}: it did not come to its end")


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise typer.BadParameter("a rehearsal's id is a UUID") from None


def _counting(lines: int) -> None:
    console.print(f"{lines} lines")


def _paced(done: Iterable[Adopted], of: int) -> Iterable[Adopted]:
    """The same, with the rate and the time left now and then."""
    began = monotonic()
    for count, each in enumerate(done, 1):
        if count % LINES_A_WORD == 0:
            rate = count / max(0.001, monotonic() - began)
            console.print(f"{count} of {of}  {rate:.0f}/s  {(of - count) / rate:.0f} s left")
        yield each


def _tell(done: Iterable[Adopted], are: str) -> None:
    """Each certificate that does not simply take the edition, and the counts. Holders' notices go by the facts."""
    counted: Counter[str] = Counter()
    for each in done:
        counted[each.outcome] += 1
        topics = ", ".join(e.topic_of(fact) for fact in each.facts)
        console.print(f"{each.number or each.certificate}  {each.outcome}  {topics}", markup=False)
    for outcome, count in sorted(counted.items()):
        console.print(f"{count} {are} {outcome}")
