"""Where a page ended, as an opaque word that the next question hands back."""

import base64
import binascii
from typing import Any

import msgspec

from lifecycle.errors import Malformed


class Cursor:
    """A key of the list, encoded."""

    @staticmethod
    def write(key: tuple[Any, ...]) -> str:
        return base64.urlsafe_b64encode(msgspec.json.encode(key)).decode().rstrip("=")

    @staticmethod
    def read(text: str | None, first: tuple[Any, ...]) -> tuple[Any, ...]:
        """The key in the word, of the same types as ``first``, which is answered for no word. Raises Malformed."""
        if text is None:
            return first
        try:
            padded = text + "=" * (-len(text) % 4)
            raw = base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True)
            key = msgspec.json.decode(raw, type=tuple[tuple(type(part) for part in first)])
        except (binascii.Error, UnicodeError, msgspec.DecodeError):
            raise Malformed(problem="the cursor is not one that a page of this list gave") from None
        if any("\x00" in part for part in key if isinstance(part, str)):
            raise Malformed(problem="the cursor is not one that a page of this list gave")
        if any(isinstance(part, int) and not 0 <= part < 2**31 for part in key):
            raise Malformed(problem="the cursor is not one that a page of this list gave")
        return key
