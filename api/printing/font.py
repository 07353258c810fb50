"""The one font of the documents, which comes with the service: what it can print, and what its bytes are."""

import unicodedata
from functools import cached_property
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

from fontTools.ttLib import TTFont

FOLDER = Path(str(files("api") / "fonts"))
FILE = FOLDER / "NotoSerifSC-Regular.ttf"


class Font:
    """Noto Serif SC, as ``lifecycle.documents.Glyphs`` asks for it."""

    @cached_property
    def sha256(self) -> str:
        return sha256(FILE.read_bytes()).hexdigest()

    @cached_property
    def _characters(self) -> frozenset[int]:
        with TTFont(FILE, lazy=True) as font:
            return frozenset(font.getBestCmap() or ())

    def missing(self, text: str) -> str:
        """The characters of the text that have no glyph, or show none, each once; white space is laid as space."""
        return "".join(dict.fromkeys(each for each in text if not (each.isspace() or self._prints(each))))

    def _prints(self, character: str) -> bool:
        return ord(character) in self._characters and not unicodedata.category(character).startswith("C")
