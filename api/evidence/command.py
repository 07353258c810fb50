"""certlife evidence: the dispute bundle of a certificate, written to a file."""

from pathlib import Path
from shutil import copyfileobj
from typing import Annotated
from uuid import UUID

import typer

from api.evidence.bundle import nobody
from api.house import House
from api.identity import OPERATOR
from api.terminal import at_home, console

PATIENCE_SECONDS = 30
"""So long as it takes until a checkpoint may be signed after the last one, and some more."""


def evidence(
    certificate: Annotated[str, typer.Argument(metavar="ID|NUMBER", help="a certificate's id, or a number of it")],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="FILE", help="the file to write")],
    names: Annotated[bool, typer.Option("--names", help="with the names of persons, in a file of their own")] = False,
) -> None:
    """The dispute bundle of a certificate: a zip that anybody checks offline with the verify.py in it.

    That it was fetched is itself recorded.
    """
    with at_home() as house:
        for signer in (house.checkpoints.signer, house.evidence.signer):
            signer.begin()
        house.catch_up()
        id = named(house, certificate)
        naming = house.evidence.naming(OPERATOR, id) if names else nobody
        made = house.evidence.bundle(OPERATOR, id, naming, patience_seconds=PATIENCE_SECONDS)
        with made.file, out.open("wb") as file:
            copyfileobj(made.file, file)
        console.print(f"{out}: {made.events} events, {made.size} bytes")


def named(house: House, certificate: str) -> UUID:
    """The certificate by its id or a number that it bears or bore. Raises CertificateUnknown."""
    try:
        return UUID(certificate)
    except ValueError:
        return house.register.certificate_numbered(certificate).id
