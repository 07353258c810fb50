"""Persons over HTTP: registered, their details given and read, erased."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response

from api.commands import add, answered, digest_of, receive
from api.identity import identify, require
from lifecycle import commands as c
from lifecycle.duties import DUTIES, Roles
from lifecycle.persons.details import ENTITLED
from lifecycle.persons.requests import Persons, withheld
from lifecycle.service import Request as Asked
from lifecycle.work import Answer

PERSON = "/persons/{person}"
ADDRESSES: dict[str, type[c.Command]] = {
    "/persons": c.RegisterPerson,
    f"{PERSON}/details": c.GiveDetails,
    f"{PERSON}/erasure": c.ErasePerson,
}
COMMANDS: dict[str, tuple[type[msgspec.Struct], Roles]] = {
    address: (command, DUTIES[command].by) for address, command in ADDRESSES.items()
}
CarryOut = Callable[[Asked, str, Any], Answer]


def router(persons: Persons) -> APIRouter:
    """Every address of this room."""
    routes = APIRouter()
    carried_out: dict[type[c.Command], CarryOut] = {
        c.RegisterPerson: lambda asked, _, command: persons.add(asked, command),
        c.GiveDetails: persons.give_details,
        c.ErasePerson: persons.erase,
    }
    for address, command in ADDRESSES.items():
        add(routes, address, command, _handler(persons, command, carried_out[command]))

    @routes.get(PERSON, tags=["persons"])
    def one(request: Request, person: str) -> Response:
        """Name and contact of a person, for administrator, auditor and that person. That they were read is recorded."""
        identity = identify(persons.register, request)
        if identity.by.person != person:
            require(identity, ENTITLED, "read the details of another person")
        found, details = persons.personal.read(identity.by, person)
        told = {"person": person, "name": details.name, "contact": details.contact, "erased_on": found.erased_on}
        return Response(msgspec.json.encode(told), headers={"Cache-Control": "no-store"}, media_type="application/json")

    return routes


def _handler(persons: Persons, command: type[c.Command], carry_out: CarryOut) -> Callable[[Request, bytes], Response]:
    def handle(request: Request, body: bytes) -> Response:
        received = receive(persons.register, request, body, DUTIES[command].by, c.name_of(command))
        read = c.read(command, received.body)
        asked = replace(received.asked, body_sha256=digest_of(request, withheld(received.body)))
        return answered(received, carry_out(asked, received.path.get("person", ""), read), "person_stream")

    return handle
