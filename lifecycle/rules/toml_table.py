"""Strict reading of a TOML table: every key is asked for by name and kind, and what is left over is refused."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from reprlib import Repr
from types import TracebackType
from typing import Any, Generic

from lifecycle.rules.scheme_terms import MARK_DECIMALS, MalformedEdition, Parameter, Value

SHOWN_AS = Repr()
SHOWN_AS.maxstring = SHOWN_AS.maxother = 80


@dataclass(frozen=True)
class Kind(Generic[Value]):
    """What a value must be, in words, and how it is read: None where it is not that."""

    expected: str
    read: Callable[[Any], Value | None]


def matching(pattern: str, expected: str) -> Kind[str]:
    """A text of this form."""
    form = re.compile(pattern)
    return Kind(expected, lambda found: found if isinstance(found, str) and form.fullmatch(found) else None)


def whole(low: int, high: int) -> Kind[int]:
    """A whole number from low to high."""
    return Kind(
        f"a whole number from {low} to {high}",
        lambda found: found if type(found) is int and low <= found <= high else None,
    )


def choice(*words: str) -> Kind[str]:
    """One of the words."""
    return Kind(
        f"one of {', '.join(words)}", lambda found: found if isinstance(found, str) and found in words else None
    )


def exact(low: int, high: int) -> Kind[Fraction]:
    """An exact decimal from low to high, written as a string, read as a fraction."""
    decimal = re.compile(rf"[0-9]{{1,6}}(\.[0-9]{{1,{MARK_DECIMALS}}})?")

    def read(found: Any) -> Fraction | None:
        value = Fraction(found) if isinstance(found, str) and decimal.fullmatch(found) else None
        return value if value is not None and low <= value <= high else None

    return Kind(f'a decimal string from "{low}" to "{high}"', read)


def _printable(found: Any) -> str | None:
    return found if isinstance(found, str) and found.strip() and found.isprintable() else None


TEXT = Kind("a text of printable characters", _printable)
CODE = matching(r"[a-z][a-z0-9_]{0,39}", "a code of lower-case letters, digits and underscores")
CLAUSE = matching(r"[0-9A-Za-z][0-9A-Za-z.-]{0,19}", "a clause number such as 5.2.1")
FLAG = Kind("true or false", lambda found: found if isinstance(found, bool) else None)
FULL_LIST = Kind("a list that is not empty", lambda found: found if isinstance(found, list) and found else None)
DAY = Kind("a day, YYYY-MM-DD", lambda found: found if type(found) is date else None)


class Table:
    """One table of a scheme file, that knows where it stands. Leaving its ``with`` refuses a key not asked for."""

    def __init__(self, content: Any, *, at: str, file: str) -> None:
        self.at, self.file = at, file
        if not isinstance(content, dict):
            raise MalformedEdition(file, at, "a table", SHOWN_AS.repr(content))
        self._left: dict[str, Any] = dict(content)  # pyright: ignore[reportUnknownArgumentType]

    def __enter__(self) -> "Table":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is None and self._left:
            key = next(iter(self._left))
            raise self.malformed(key, "no such key", SHOWN_AS.repr(self._left[key]))

    def __contains__(self, key: str) -> bool:
        return key in self._left

    def malformed(self, key: str, expected: str, found: str) -> MalformedEdition:
        """The refusal that names this key, below this table."""
        return MalformedEdition(self.file, f"{self.at}.{key}" if self.at else key, expected, found)

    def value(self, key: str, kind: Kind[Value]) -> Value:
        """The value under the key, as the kind reads it."""
        if key not in self._left:
            raise self.malformed(key, kind.expected, "nothing")
        found = self._left.pop(key)
        read = kind.read(found)
        if read is None:
            raise self.malformed(key, kind.expected, SHOWN_AS.repr(found))
        return read

    def optional(self, key: str, kind: Kind[Value]) -> Value | None:
        """The value under the key, or None where it is left out."""
        return self.value(key, kind) if key in self else None

    def texts(self, key: str, kind: Kind[str]) -> tuple[str, ...]:
        """The list under the key, each of the kind, at least one."""
        found = self.value(key, FULL_LIST)
        for index, each in enumerate(found):
            if kind.read(each) is None:
                raise self.malformed(f"{key}[{index}]", kind.expected, SHOWN_AS.repr(each))
        return tuple(found)

    def table(self, key: str) -> "Table":
        """The table under the key."""
        found = self.value(key, Kind("a table", lambda found: found if isinstance(found, dict) else None))
        return Table(found, at=f"{self.at}.{key}" if self.at else key, file=self.file)

    def rows(self, key: str) -> list["Table"]:
        """The tables in the list under the key, at least one; each is named by its code, else by its place."""
        found = self.value(key, FULL_LIST)
        at = f"{self.at}.{key}" if self.at else key
        names = [f"{at}[{_name(row, index)}]" for index, row in enumerate(found)]
        return [Table(row, at=name, file=self.file) for name, row in zip(names, found, strict=True)]

    def tables(self) -> list[tuple[str, "Table"]]:
        """Every table left in this one, with its key; at least one."""
        keys = list(self._left)
        if not keys:
            raise MalformedEdition(self.file, self.at, "at least one entry", "none")
        return [(key, self.table(key)) for key in keys]

    def clause(self) -> str | None:
        """The clause that publishes this entry, or None where its status is "assumed": one of the two must stand."""
        if "clause" in self and "status" in self:
            raise self.malformed("status", "either a clause or a status, not both", "both")
        if "clause" in self:
            return self.value("clause", TEXT)
        expected = 'clause = "..." or status = "assumed"'
        self.value("status", Kind(expected, lambda found: found if found == "assumed" else None))
        return None

    def record(self, key: str, kind: Kind[Value], unit: str) -> Parameter[Value]:
        """The record {value, unit, clause or status} under the key."""
        with self.table(key) as entry:
            value = entry.value("value", kind)
            entry.value("unit", choice(unit))
            return Parameter(key, value, unit, entry.clause())

    def optional_record(self, key: str, kind: Kind[Value], unit: str) -> Value | None:
        """The value of the record under the key, or None where it is left out."""
        return self.record(key, kind, unit).value if key in self else None


def _name(row: Any, index: int) -> str:
    code = row.get("code") if isinstance(row, dict) else None  # pyright: ignore
    return SHOWN_AS.repr(code).strip("'") if isinstance(code, str) and code.isprintable() else str(index)
