"""The one typeface on paper: Roboto, which draws every Vietnamese letter (Apache License 2.0).

reportlab's own faces have no Vietnamese. Text must be NFC: the face has whole letters, and a mark
sent after its letter would be drawn beside it. What the face lacks (emoji, other scripts) becomes
`�`: seen by the reader, where an empty box or nothing at all would hide that a letter is missing.
"""

from __future__ import annotations

import unicodedata
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

REGULAR = "Roboto"
BOLD = "Roboto-Bold"
MEDIUM = "Roboto-Medium"
MISSING = "\ufffd"
_UNSEEN = frozenset({"Cc", "Cf", "Mn"})  # controls, joiners, and marks no letter took in


@cache
def register() -> None:
    """Makes the weights known to reportlab, and `<b>` in its paragraphs; again is free."""
    folder = files("font_roboto") / "files"
    pdfmetrics.registerFont(TTFont(REGULAR, str(folder / "Roboto-Regular.ttf")))
    pdfmetrics.registerFont(TTFont(BOLD, str(folder / "Roboto-Bold.ttf")))
    pdfmetrics.registerFont(TTFont(MEDIUM, str(folder / "Roboto-Medium.ttf")))
    pdfmetrics.registerFontFamily(
        REGULAR, normal=REGULAR, bold=BOLD, italic=REGULAR, boldItalic=BOLD
    )


@lru_cache(maxsize=10_000)  # headings and labels stand on every page
def drawable(text: str) -> str:
    """The text in NFC with a visible sign for whatever the face cannot draw."""
    text = unicodedata.normalize("NFC", text)
    if text.isascii() and text.isprintable():
        return text
    known = _letters()
    return "".join(_drawn(letter, known) for letter in text)


def _drawn(letter: str, known: frozenset[int]) -> str:
    if letter.isspace():
        return " "
    kind = unicodedata.category(letter)
    if kind in _UNSEEN or (kind == "Sk" and letter > "\uffff"):  # the tint of the emoji before it
        return ""
    return letter if ord(letter) in known else MISSING


@cache
def _letters() -> frozenset[int]:
    register()
    font: Any = pdfmetrics.getFont(REGULAR)
    return frozenset(font.face.charToGlyph)


def fitted(text: str, font: str, size_pt: float, width_pt: float) -> str:
    """The text in NFC, cut with an ellipsis where it is wider than the room it has."""
    text = drawable(text)
    if pdfmetrics.stringWidth(text, font, size_pt) <= width_pt:
        return text
    while text and pdfmetrics.stringWidth(text + "…", font, size_pt) > width_pt:
        text = text[:-1].rstrip()
    return text + "…"
