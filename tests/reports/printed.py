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


def overlaps(pdf: bytes) -> list[tuple[str, str]]:
    """Each two pieces of text of which one is drawn over the other."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        found = []
        for page in document:
            text = page.get_textpage()
            boxes = [text.get_rect(n) for n in range(text.count_rects())]
            for n, one in enumerate(boxes):
                for other in boxes[n + 1 :]:
                    across = min(one[2], other[2]) - max(one[0], other[0])
                    down = min(one[3], other[3]) - max(one[1], other[1])
                    if across > 0.5 and down > 0.5:
                        found.append((text.get_text_bounded(*one), text.get_text_bounded(*other)))
        return found
    finally:
        document.close()
