"""Certificate numbers: how they are compared, and the template that makes and recognises them.

The template is a grammar of two fields of fixed width, ``{year}`` and then ``{serial:0Nd}`` with N from 1 to 9, between
upper-case letters, digits, dots and hyphens. It is never handed to ``str.format``, whose language reaches attributes.
"""

import re
import unicodedata
from dataclasses import dataclass

_TEMPLATE = re.compile(r"([A-Z0-9.-]{0,20})\{year\}([A-Z0-9.-]{0,20})\{serial:0([1-9])d\}([A-Z0-9.-]{0,20})")


def normalise_number(text: str) -> str:
    """The form in which two certificate numbers are compared: NFKC, upper-case, without spaces."""
    upper = unicodedata.normalize("NFKC", text).upper()
    return unicodedata.normalize("NFKC", "".join(upper.split()))  # again: what the spaces kept apart may now combine


class SerialOutOfSeries(Exception):
    """The year or the serial does not fit into the scheme's number template."""

    code = "serial_out_of_series"

    def __init__(self, template: str, year: int, serial: int) -> None:
        self.template, self.year, self.serial = template, year, serial
        super().__init__(f"{template} has no number for serial {serial} of {year}")


@dataclass(frozen=True)
class NumberTemplate:
    """A template that has been read: ``before`` year ``between`` serial ``after``."""

    template: str
    before: str
    between: str
    width: int
    after: str

    @classmethod
    def read(cls, template: str) -> "NumberTemplate | None":
        """The template, or None where the text is not one."""
        found = _TEMPLATE.fullmatch(template)
        if found is None:
            return None
        before, between, width, after = found.groups()
        return cls(template, before, between, int(width), after)

    def number(self, year: int, serial: int) -> str:
        """The certificate number with this serial of the year; SerialOutOfSeries where either has too many digits."""
        if not (1000 <= year <= 9999 and 1 <= serial < 10**self.width):
            raise SerialOutOfSeries(self.template, year, serial)
        return f"{self.before}{year}{self.between}{serial:0{self.width}d}{self.after}"

    def recognises(self, normalised: str) -> bool:
        """Whether a number, already normalised, has this form."""
        form = (
            f"{re.escape(self.before)}[0-9]{{4}}{re.escape(self.between)}[0-9]{{{self.width}}}{re.escape(self.after)}"
        )
        return re.fullmatch(form, normalised) is not None
