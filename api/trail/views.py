"""What a holder is shown of the trail: its own, without persons and internal reasons, as of streams."""

from typing import Any

import msgspec

from api.views import INTERNAL, without_texts
from lifecycle import events as e
from projections.changes import Changes
from projections.folds import CERTIFICATE_FACTS

SHOWN_TO_HOLDER = frozenset(
    e.topic_of(fact)
    for fact in {*CERTIFICATE_FACTS, e.OrganisationRegistered, e.ApplicationEntered, e.BarImposed, e.BarLifted}
    if fact not in INTERNAL
)
"""Types of events that a holder is shown."""

_HIDDEN = {"by": None, "signed_by": [], "cause": None, "proposal": None, "refers": [], "problem": None}
_SHOWN_GROUNDS = ("reasons", "closed", "changes", "void", "recomputed")
_SHOWN_MEMBERS = frozenset({
    "organisation", "scheme", "edition", "status", "standings", "withdrawal_since", "first_certified_on", "document",
    "due", "last_check_on", "visits", "periods", "levels", "numbers", "holders", "addresses", "scopes", "types",
    "editions", "checks",
})  # fmt: skip
_SHOWN_OF_CASES = frozenset({
    "kind", "opened_on", "stage", "draw", "quota", "on_site_to", "level", "against", "upheld", "decide_by",
})  # fmt: skip


def told_for_holder(told: bytes) -> bytes:
    """The event without who did it, why it was proposed, and what it changed inside."""
    shown: dict[str, Any] = msgspec.json.decode(told)
    grounds = {name: without_texts(name, value) for name, value in shown["grounds"].items() if name in _SHOWN_GROUNDS}
    changed = None if shown["changed"] is None else changes_for_holder(shown["changed"])
    return msgspec.json.encode(shown | _HIDDEN | {"grounds": grounds, "changed": changed})


def changes_for_holder(changed: Changes) -> Changes:
    """Of what changed what a holder is told of its certificate."""
    return {name: values for name, values in changed.items() if _is_shown(name)}


def _is_shown(name: str) -> bool:
    first, *rest = name.split("/")
    if first == "cases":
        return rest[1] in _SHOWN_OF_CASES
    return first in _SHOWN_MEMBERS
