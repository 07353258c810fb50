"""The forms in which the trail is exported: JSON lines, and CSV that no spreadsheet takes for formulas."""

import csv
import io
from collections.abc import Iterable
from typing import Any, Literal

import msgspec

Format = Literal["csv", "jsonl"]
MEDIA_TYPES: dict[Format, str] = {"csv": "text/csv", "jsonl": "application/jsonl"}
COLUMNS = (
    "position", "recorded_at", "effective_on", "type", "person", "role", "key", "signed_by", "certificate_id",
    "organisation", "stream", "version", "case", "proposal", "edition", "cause", "body_sha256", "grounds", "clauses",
    "refers", "changed", "problem",
)  # fmt: skip
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""How a cell begins that a spreadsheet would calculate; where they take fullwidth signs for the others, these too."""


def head(form: Format) -> bytes:
    """What stands before the first event."""
    return _line(COLUMNS) if form == "csv" else b""


def written(form: Format, told: bytes) -> bytes:
    """One event, on a line of its own."""
    return _line(_cells(msgspec.json.decode(told))) if form == "csv" else told + b"\n"


def _cells(told: dict[str, Any]) -> list[str]:
    by, cause = told["by"] or {}, told["cause"] or {}
    flat = told | by | {
        "cause": ":".join(filter(None, (cause.get("kind"), cause.get("id")))),
        "body_sha256": cause.get("body_sha256"),
        "signed_by": " ".join(told["signed_by"]),
    }  # fmt: skip
    return [_cell(flat.get(name)) for name in COLUMNS]


def _cell(value: Any) -> str:
    if value is None or value in ({}, []):
        return ""
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return f"'{text}" if text.startswith(FORMULA) else text


def _line(cells: Iterable[str]) -> bytes:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue().encode()
