"""What a stream says once its corrections are applied.

The last change of each path wins, voided facts drop out; the facts keep their versions. No rule is asked: a correction
carries what follows from it (``recomputed``). Source: domain.md, section 4, "Corrections".
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from lifecycle import events as e
from lifecycle.events import Recorded


def amend(history: Sequence[Recorded]) -> Sequence[Recorded]:
    """The same facts as they read with every correction in ``history`` applied, in the same order."""
    corrections = [recorded.fact for recorded in history if type(recorded.fact) is e.RecordCorrected]
    if not corrections:
        return history
    voided, patches = _gather(corrections)
    return [
        _patched(recorded, patches[recorded.version]) if recorded.version in patches else recorded
        for recorded in history
        if recorded.version not in voided
    ]


def patch(fact: e.Fact, changes: dict[str, Any]) -> e.Fact:
    """The fact with each value put at its path. Raises KeyError for a path it does not have, msgspec.ValidationError
    for a value of the wrong type."""
    tree = e.plain(fact)
    for path, value in changes.items():
        _put(tree, path, e.plain(value))
    return msgspec.convert(tree, type(fact))


def value_at(fact: e.Fact, path: str) -> Any:
    """The value at a path such as "/ends_on" or "/findings/5.2.1/marks"; None where an optional one is left out.

    Raises KeyError where the fact has no such path.
    """
    node, key = _walk(e.plain(fact), path)
    if key not in node and key not in _optional(fact, path):
        raise KeyError(path)
    return node.get(key)


def _gather(corrections: Sequence[e.RecordCorrected]) -> tuple[set[int], dict[int, dict[str, Any]]]:
    voided: set[int] = set()
    patches: dict[int, dict[str, Any]] = {}
    for correction in corrections:
        if correction.void:
            voided.add(correction.target)
        for change in correction.changes:
            patches.setdefault(correction.target, {})[change.path] = change.new
        for outcome in correction.recomputed:
            patches.setdefault(outcome.version, {})[outcome.path] = outcome.value
    return voided, patches


def _patched(recorded: Recorded, changes: dict[str, Any]) -> Recorded:
    return msgspec.structs.replace(recorded, fact=patch(recorded.fact, changes))


def _put(tree: dict[str, Any], path: str, value: Any) -> None:
    node, key = _walk(tree, path)
    node[key] = value


def _walk(tree: Any, path: str) -> tuple[dict[str, Any], str]:
    """The object that holds the last step of the path; a list of findings is stepped into by element."""
    *steps, last = path.removeprefix("/").split("/")
    for step in steps:
        tree = _finding(tree, step) if isinstance(tree, list) else _object(tree, path)[step]
    return _object(tree, path), last


def _object(tree: Any, path: str) -> dict[str, Any]:
    if not isinstance(tree, dict):
        raise KeyError(path)
    return tree


def _finding(findings: list[Any], element: str) -> Any:
    for finding in findings:
        if isinstance(finding, dict) and finding.get("element") == element:
            return finding
    raise KeyError(element)


def _optional(fact: e.Fact, path: str) -> set[str]:
    cls = e.Finding if path.startswith("/findings/") else type(fact)
    return {field.name for field in msgspec.structs.fields(cls) if not field.required}
