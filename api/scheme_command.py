"""certlife scheme: what an edition says, and what changes from one to another."""

import typer

app = typer.Typer(no_args_is_help=True, help="Editions: diff tells what changes from one to another.")


@app.callback()
def scheme() -> None:
    """Editions of schemes."""
