"""A service's process, which is asked for one command and killed on the way."""

from __future__ import annotations

from multiprocessing.connection import Connection as Pipe
from uuid import UUID

from lifecycle import commands as c
from lifecycle.service import Register
from tests.clock.world import START, Present, asked


def application(organisation: UUID) -> c.SubmitApplication:
    """An application, which is recorded in two streams."""
    return c.SubmitApplication(
        kind="initial",
        organisation=organisation,
        scheme="CSP-S01-001",
        certification_type="star",
        holder="Example Alarm Ltd",
        address="1 Example Road",
        scope="alarm operation",
    )


def serve(url: str, organisation: UUID, id: UUID, key: str, caller: Pipe) -> None:
    """The command is carried out when the caller says so."""
    register = Register({"CERTLIFE_DATABASE_URL": url}, Present(START))
    register.open()
    register.organisation(organisation)
    caller.send("ready")
    caller.recv()
    register.execute(asked("holder", application(organisation), key), application(organisation), id)
    caller.send("done")
