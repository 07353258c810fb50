"""A value as it stands from day to day."""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from datetime import date
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class Timeline(Generic[T]):
    """Values by the legal day from which each stands, in order of days."""

    days: list[date] = field(default_factory=list)
    values: list[T] = field(default_factory=list)

    def put(self, day: date, value: T) -> None:
        """From ``day`` on ``value`` stands, and what was to begin later does not."""
        keep = bisect_left(self.days, day)
        del self.days[keep:], self.values[keep:]
        if not keep or self.values[-1] != value:
            self.days.append(day)
            self.values.append(value)

    def supersede(self, day: date, value: T) -> None:
        """As ``put``, but what was to begin later is still known: it begins on ``day`` too, and is replaced then."""
        keep = bisect_left(self.days, day)
        self.values[keep:] = [*self.values[keep:], value]
        self.days[keep:] = [day] * (len(self.values) - keep)

    def at(self, day: date) -> T | None:
        """The value that stands on ``day``, or None before the first."""
        index = bisect_right(self.days, day)
        return self.values[index - 1] if index else None

    @property
    def last(self) -> T | None:
        """The value that stands for good, unless something follows."""
        return self.values[-1] if self.values else None
