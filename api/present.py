"""The present: the database's in production, and of a simulation what it was started at or moved to."""

import time
from datetime import UTC, datetime, timedelta


class DatabasePresent:
    """Production: the database stamps every instant."""

    def instant(self) -> datetime | None:
        return None


class SimulatedPresent:
    """A simulation's own time: it runs on from the instant it was set to, and can be moved forward."""

    def __init__(self, start: datetime | None = None) -> None:
        self.move_to(start or datetime.now(UTC))

    def instant(self) -> datetime:
        return self._start + timedelta(seconds=time.monotonic() - self._at)

    def move_to(self, instant: datetime) -> None:
        """From now on it is that instant, and time runs on."""
        self._start, self._at = instant.astimezone(UTC), time.monotonic()
