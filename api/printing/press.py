"""The press: what a document says, set by typst as PDF/A-3a that assistive technology reads too (PDF/UA-1).

Data enter the templates as JSON and are never read as markup. The same data give the same bytes: its date is that of
issue, there is no randomness, and no font but the one that comes with the service is looked for.
"""

from functools import cached_property
from hashlib import sha256
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import msgspec
import typst

from api.printing.font import FOLDER, Font

RENDERER = f"typst {version('typst')}"
ROOM = Path(str(files("api.printing")))
CERTIFICATE, COPY, NOTICE = ROOM / "certificate.typ", ROOM / "copy.typ", ROOM / "notice.typ"


class Printed(NamedTuple):
    """A document as the press made it."""

    content: bytes
    pages: int


class Mark(NamedTuple):
    """What a derived copy says across each page, and below it."""

    zh: str
    en: str
    note_zh: str
    note_en: str


class Press:
    """Makes documents, and derived copies that say what stands of them now."""

    def __init__(self, font: Font) -> None:
        self._font = font

    @cached_property
    def _fonts(self) -> typst.Fonts:
        return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(FOLDER)])

    @cached_property
    def template_sha256(self) -> str:
        """The digest of what shapes a document: the template, and the digest of the font."""
        return sha256(CERTIFICATE.read_bytes() + bytes.fromhex(self._font.sha256)).hexdigest()

    def document(self, face: dict[str, Any]) -> Printed:
        """The document that shows the face."""
        given = {"root": ROOM, "font_paths": self._fonts, "sys_inputs": _inputs(face)}
        content = typst.compile(CERTIFICATE, format="pdf", pdf_standards=["a-3a", "ua-1"], **given)
        return Printed(content, int(typst.query(CERTIFICATE, "<pages>", field="value", one=True, **given)))

    def notice(self, face: dict[str, Any]) -> bytes:
        """The notice that shows the face; the same whenever it is made."""
        given = {"root": ROOM, "font_paths": self._fonts, "sys_inputs": _inputs(face)}
        return typst.compile(NOTICE, format="pdf", pdf_standards=["a-3a", "ua-1"], **given)

    def copy(self, content: bytes, pages: int, mark: Mark) -> bytes:
        """A copy of the document with the mark across each page. It is no PDF/A, and claims to be none."""
        with TemporaryDirectory() as folder:
            (Path(folder) / "kept.pdf").write_bytes(content)
            inputs = _inputs({"pages": pages, **mark._asdict()})
            return typst.compile(
                COPY.read_bytes(), format="pdf", root=Path(folder), font_paths=self._fonts, sys_inputs=inputs
            )


def _inputs(data: dict[str, Any]) -> dict[str, str]:
    return {"face": msgspec.json.encode(data).decode()}
