"""What all commands stand on: where they print, the register they work on, days as they are given."""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import date
from typing import Annotated

import typer
from rich.console import Console

from api.house import House, addresses, opened
from api.query import DAY
from api.settings import Settings

console = Console(highlight=False, soft_wrap=True)


class Unfit(Exception):
    """The command cannot be carried out here; the message says what would be accepted."""


@contextmanager
def at_home(settings: Settings | None = None) -> Generator[House]:
    """The house of the register that the environment names."""
    settings = settings or Settings()
    with addresses(settings) as where, opened(where, settings) as house:
        yield house


def day_option(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        if DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise typer.BadParameter("a day is written YYYY-MM-DD")


Day = Annotated[str | None, typer.Option(metavar="DAY", help="a legal day, YYYY-MM-DD")]
