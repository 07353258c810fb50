"""A caller that carries out numbered commands as the service does, and never gives one up."""

from collections import Counter
from uuid import NAMESPACE_OID, uuid4, uuid5

from lifecycle import events as e
from lifecycle.store import Recorder, StoreUnavailable, VersionConflict
from tests.store.facts import receipt, stored


class FalseConflict(Exception):
    """A conflict was told although nobody else writes to the stream, and no receipt explains it."""


class Caller:
    """Each command appends one event to the caller's own stream, under the key ``<name>-<number>``."""

    def __init__(self, name: str, recorder: Recorder):
        self.name = name
        self.stream = uuid5(NAMESPACE_OID, name)
        self._recorder = recorder
        self.unavailable = 0

    def carry_out(self, number: int) -> int:
        """The command has had its effect; answers its position. Raises FalseConflict."""
        key = f"{self.name}-{number}"
        while True:
            try:
                return self._attempt(key)
            except StoreUnavailable:
                self.unavailable += 1

    def _attempt(self, key: str) -> int:
        begun = self._recorder.begin_command(self.name, key, uuid4())
        if begun.receipt is not None:
            return begun.receipt.position
        last = self._recorder.select_events(self.stream, desc=True, limit=1)
        version = last[0].originator_version if last else 0
        try:
            event = stored(self.stream, version + 1, key)
            return self._recorder.insert_events([event], receipt=receipt(key, self.name))[-1]
        except VersionConflict as conflict:
            found = self._recorder.find_receipt(self.name, key)
            if found is None:
                raise FalseConflict(key) from conflict
            return found.position


def effects(recorder: Recorder) -> Counter[str]:
    """How often each command had its effect."""
    recorded = recorder.select_notifications(None, limit=10_000_000)
    return Counter(e.decode(notification.state).cause.id for notification in recorded)
