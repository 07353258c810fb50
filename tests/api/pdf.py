"""Reads a PDF as a stranger would: its text, where each character stands, its fonts, its QR codes, its attachments."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import Any

import pypdf
import pypdfium2
import zxingcpp


@dataclass
class Pdf:
    """The bytes of one."""

    content: bytes

    def texts(self) -> list[str]:
        """The text of each page, without white space: where a line breaks is the press's business."""
        with pypdfium2.PdfDocument(self.content) as document:
            return ["".join(_all_text(page).split()) for page in document]

    def outside(self, left: float, bottom: float, right: float, top: float) -> list[tuple[int, str]]:
        """The characters of each page that are not wholly within these margins, in points."""
        with pypdfium2.PdfDocument(self.content) as document:
            return [(number, each) for number, page in enumerate(document) for each in _outside(
                page, left, bottom, page.get_width() - right, page.get_height() - top)]  # fmt: skip

    def qr_codes(self, scale: float = 3) -> list[str]:
        """What the QR codes of the first page say, read from its picture."""
        with pypdfium2.PdfDocument(self.content) as document:
            return [found.text for found in zxingcpp.read_barcodes(document[0].render(scale=scale).to_pil())]

    def reader(self) -> pypdf.PdfReader:
        return pypdf.PdfReader(BytesIO(self.content))

    def attachments(self) -> dict[str, bytes]:
        return {name: contents[0] for name, contents in self.reader().attachments.items()}

    def fonts(self) -> dict[str, Any]:
        """Every font that a page uses, by name, and whether it is embedded."""
        found = {}
        for page in self.reader().pages:
            for font in page["/Resources"]["/Font"].values():
                (descendant,) = font.get_object()["/DescendantFonts"]
                descriptor = descendant.get_object()["/FontDescriptor"]
                found[str(font.get_object()["/BaseFont"])] = any(key.startswith("/FontFile") for key in descriptor)
        return found


def _all_text(page: pypdfium2.PdfPage) -> str:
    text = page.get_textpage()
    try:
        return text.get_text_range()
    finally:
        text.close()


def _outside(page: pypdfium2.PdfPage, left: float, bottom: float, right: float, top: float) -> list[str]:
    text = page.get_textpage()
    try:
        found = []
        for index in range(text.count_chars()):
            x0, y0, x1, y1 = text.get_charbox(index)
            if x1 > x0 and not (left <= x0 and x1 <= right and bottom <= y0 and y1 <= top):
                found.append(text.get_text_range(index, 1))
        return found
    finally:
        text.close()
