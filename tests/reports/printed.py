"""A PDF as a printer and a scanner see it: rendered, its symbols read, its words extracted."""

from __future__ import annotations

from io import BytesIO

import pypdfium2
import zxingcpp
from PIL.Image import Image
from pypdf import PdfReader


def pictures(pdf: bytes, *, dpi: int = 200) -> list[Image]:
    """Each page as it comes out of the printer."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        return [page.render(scale=dpi / 72).to_pil().convert("L") for page in document]
    finally:
        document.close()


def symbols(picture: Image) -> list[tuple[str, str]]:
    """What a scanner reads: (format, text), from top to bottom."""
    found = sorted(zxingcpp.read_barcodes(picture), key=lambda one: one.position.top_left.y)
    return [(one.format.name, one.text) for one in found]


def words(pdf: bytes) -> list[str]:
    """The text of each page, spaces evened out."""
    return [" ".join(page.extract_text().split()) for page in PdfReader(BytesIO(pdf)).pages]


def ink_beyond(picture: Image, *, margin_mm: float, width_mm: float) -> bool:
    """Whether anything is drawn in the outer margin, where printers cut."""
    edge = round(margin_mm / width_mm * picture.width)
    inner = (edge, edge, picture.width - edge, picture.height - edge)
    whole = sum(picture.histogram()[:250])
    return whole != sum(picture.crop(inner).histogram()[:250])
