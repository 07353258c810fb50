"""uv run python -m benchmarks NAME [--events N] [--json]: ours and what it is compared with, in turn, in one run."""

import argparse
import importlib
import json
from typing import Any

NAMES = ("append", "command", "engine", "evidence", "lookup", "rebuild", "replay", "tick", "trail", "verify")


def main() -> None:
    """Prints the figures; exits 0 when it ran, whatever the ratios."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("name", choices=NAMES)
    parser.add_argument("--events", type=int, default=None, help="how many events; each benchmark has its own default")
    parser.add_argument("--json", action="store_true", help="one JSON object alone")
    asked = parser.parse_args()
    if asked.events is not None and asked.events < 1:
        parser.error("--events takes a whole number from 1 on")
    rounds, figures = importlib.import_module(f"benchmarks.{asked.name}").run(asked.events)
    if asked.json:
        print(json.dumps({"benchmark": asked.name, "rounds": rounds, "figures": figures}))
    else:
        _print(asked.name, rounds, figures)


def _print(name: str, rounds: int, figures: list[dict[str, Any]]) -> None:
    print(f"{name}: medians of {rounds} rounds")
    for figure in figures:
        print(
            f"  {figure['what']:30} {figure['ratio']:8.3f}   ours {figure['ours']:,.1f}"
            f"   other {figure['other']:,.1f}   {figure['unit']}"
        )


if __name__ == "__main__":
    main()
