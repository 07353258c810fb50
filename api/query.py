"""How the parameters of a question are written: a day as a day, an instant with its offset, and bounds for the rest.

And how the caller says what he has kept.
"""

import re
from typing import Annotated

from fastapi import Query, Request, params
from fastapi.dependencies.utils import get_flat_params

from lifecycle.errors import Malformed

LIMIT = 200
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|[+-]\d{2}:\d{2})")

Limit = Annotated[int, Query(ge=1, le=LIMIT)]
Position = Annotated[int | None, Query(ge=0, le=2**62)]
CursorText = Annotated[str | None, Query(max_length=400)]


def clean(text: str | None) -> str | None:
    """The text of a filter. Raises Malformed for what no record holds."""
    if text is not None and "\x00" in text:
        raise Malformed(problem="a filter must not hold NUL")
    return text


def require_known(request: Request) -> None:
    """Raises Malformed for a parameter that the address does not have, or has once: whoever narrows a question so must
    not be answered a wider one."""
    asked = get_flat_params(request.scope["route"].dependant)
    known = {each.alias for each in asked if isinstance(each.field_info, params.Query)}
    for name in dict.fromkeys(request.query_params):
        if name not in known:
            raise Malformed(problem=f"there is no parameter {name[:40]!a} here; there are {', '.join(sorted(known))}")
        if len(request.query_params.getlist(name)) > 1:
            raise Malformed(problem=f"{name} is given more than once")


def require_exact_day(request: Request, name: str) -> None:
    """Raises Malformed for a day not written YYYY-MM-DD: a number would otherwise be read as seconds."""
    given = request.query_params.get(name)
    if given is not None and not DAY.fullmatch(given):
        raise Malformed(problem=f"{name} must be a day, YYYY-MM-DD")


def require_exact_instant(request: Request, name: str) -> None:
    """Raises Malformed for an instant without its offset, and for a number, as above."""
    given = request.query_params.get(name)
    if given is not None and not INSTANT.fullmatch(given):
        raise Malformed(problem=f"{name} must be an instant with its offset, such as 2026-05-03T00:00:00Z")


def is_among(tag: str, if_none_match: str) -> bool:
    """Whether the caller's tags hold this one; RFC 9110, 13.1.2: compared weakly, and ``*`` holds every one."""
    if if_none_match in (tag, "*"):
        return True
    tags = (each.strip().removeprefix("W/") for each in if_none_match.split(","))
    return tag.removeprefix("W/") in tags
