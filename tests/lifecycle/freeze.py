"""Freezes one example of every fact that has none yet: ``uv run python -m tests.lifecycle.freeze``.

Run it once when a fact is added or gets a new version, and commit the file. A file that exists is never written again:
it is how facts of that topic stand in logs for ever, so a test that it turns red is right and the code is wrong.
"""

from datetime import date
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import msgspec

from lifecycle import events as e
from lifecycle.certificate import fold
from lifecycle.events import Recorded
from lifecycle.status import segments

FROZEN = Path(__file__).parent / "frozen"
LIVES = Path(__file__).parent / "frozen_lives"
"""Whole lives, one fact a line, and what the public was told of each when it was frozen."""

_BY_NAME: dict[str, Any] = {
    "score": "187/2",
    "level": "four_star",
    "marks": "3.5",
    "element": "5.2.1",
    "edition": "CSP-S01-001:2021",
    "scheme": "CSP-S01-001",
    "number": "CSP-S01-2024-00001",
    "certification_type": "star",
    "path": "/findings/5.2.1/marks",
    "old": "3.5",
    "new": "2.5",
    "body": {"grounds": "早期监督", "effective_on": "2024-02-29"},
    "value": {"visit_on": "2025-02-28"},
    "purpose": "status",
    "kid": "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
    "curve": "Ed25519",
    "public_key": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
}
_BY_TYPE: dict[Any, Any] = {
    str: "报警 alarm",
    int: 7,
    bool: True,
    date: date(2024, 2, 29),
    UUID: UUID("11111111-1111-4111-8111-111111111111"),
    Any: None,
}


def path_of(topic: str) -> Path:
    """Where the frozen example of the topic lies."""
    return FROZEN / f"{topic}.json"


def example(cls: type[msgspec.Struct]) -> msgspec.Struct:
    """A struct of that class with every field set, the optional ones too."""
    return cls(**{name: _value(name, hint) for name, hint in get_type_hints(cls).items() if name in _fields(cls)})


def _fields(cls: type[msgspec.Struct]) -> set[str]:
    return {field.name for field in msgspec.structs.fields(cls)}


def _value(name: str, hint: Any) -> Any:
    if name in _BY_NAME and hint is not UUID:
        return _BY_NAME[name]
    if name.endswith("sha256") or name == "digest":
        return "0123456789abcdef" * 4
    if get_origin(hint) is Literal:
        return get_args(hint)[0]
    if get_origin(hint) in (Union, UnionType):
        return _value(name, next(each for each in get_args(hint) if each is not type(None)))
    if get_origin(hint) is tuple:
        return (_value(name, get_args(hint)[0]),) * 2
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return example(hint)
    return _BY_TYPE[hint]


def told_of(facts: list[e.Fact]) -> list[dict[str, Any]]:
    """Every public answer about a life's numbers, each with the day from which it holds."""
    id = UUID(int=1)
    certificate = fold(id, tuple(Recorded(id, version, fact) for version, fact in enumerate(facts, 1)))
    numbers = dict.fromkeys(fact.number for fact in facts if isinstance(fact, e.Certificate))
    return [
        e.plain({"from": on, "answer": each}) for number in numbers for on, each in segments(certificate, number, {})
    ]


def freeze() -> list[str]:
    """The topics frozen now."""
    FROZEN.mkdir(exist_ok=True)
    missing = [topic for topic in e.FACTS if not path_of(topic).exists()]
    for topic in missing:
        path_of(topic).write_bytes(e.encode(example(e.FACTS[topic])) + b"\n")
    return missing


if __name__ == "__main__":
    for frozen in freeze():
        print(f"frozen: {frozen}")
