"""The one typeface on paper: Roboto, which draws every Vietnamese letter (Apache License 2.0).

reportlab's own faces have no Vietnamese. Text must be NFC: the face has whole letters, and a mark
sent after its letter would be drawn beside it.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from importlib.resources import files

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

REGULAR = "Roboto"
BOLD = "Roboto-Bold"


@cache
def register() -> None:
    """Makes REGULAR and BOLD known to reportlab, and `<b>` in its paragraphs; again is free."""
    folder = files("font_roboto") / "files"
    pdfmetrics.registerFont(TTFont(REGULAR, str(folder / "Roboto-Regular.ttf")))
    pdfmetrics.registerFont(TTFont(BOLD, str(folder / "Roboto-Bold.ttf")))
    pdfmetrics.registerFontFamily(
        REGULAR, normal=REGULAR, bold=BOLD, italic=REGULAR, boldItalic=BOLD
    )


def fitted(text: str, font: str, size_pt: float, width_pt: float) -> str:
    """The text in NFC, cut with an ellipsis where it is wider than the room it has."""
    text = unicodedata.normalize("NFC", text)
    if pdfmetrics.stringWidth(text, font, size_pt) <= width_pt:
        return text
    while text and pdfmetrics.stringWidth(text + "…", font, size_pt) > width_pt:
        text = text[:-1].rstrip()
    return text + "…"
