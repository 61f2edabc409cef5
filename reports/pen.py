"""Drawing in millimetres from the top left corner, in the colours and the typeface of the house."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from reportlab.lib.colors import Color, HexColor
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfgen.canvas import Canvas

from reports import fonts

INK: Final = HexColor(0x1D2125)
SOFT: Final = HexColor(0x5C646C)
LINE: Final = HexColor(0xDCD9D1)
HAIR: Final = HexColor(0xEBE8E1)
SHEET: Final = HexColor(0xFFFFFF)
ACCENT: Final = HexColor(0x0B5F6B)
ACCENT_SOFT: Final = HexColor(0xDCEEF0)
POSITIVE: Final = HexColor(0xB3261E)
POSITIVE_SOFT: Final = HexColor(0xFBE4E1)
NEGATIVE: Final = HexColor(0x2F6B4F)
NEGATIVE_SOFT: Final = HexColor(0xE3F0E8)
DOUBT: Final = HexColor(0x8A5A00)
DOUBT_SOFT: Final = HexColor(0xFDF0D2)
FAINT: Final = HexColor(0xA9A59C)
INVALID: Final = HexColor(0x5C646C)
INVALID_SOFT: Final = HexColor(0xE9E9E6)
CHANGED: Final = HexColor(0x5B3A8C)
CHANGED_SOFT: Final = HexColor(0xECE4F7)

Language = Literal["vi", "en"]
Align = Literal["left", "centre", "right"]
_LEADING: Final = 1.22  # of the size: room for two marks above a Vietnamese capital


@dataclass(frozen=True, slots=True)
class Both:
    """The same words in both languages of the paper."""

    vi: str
    en: str

    def first(self, language: Language) -> str:
        """As the reader's own language says it."""
        return self.vi if language == "vi" else self.en

    def second(self, language: Language) -> str:
        """As the other language says it."""
        return self.en if language == "vi" else self.vi


@dataclass(slots=True)
class Pen:
    """Draws on a part of a page whose top left corner is (`left_pt`, `top_pt`) of the canvas."""

    canvas: Canvas
    left_pt: float
    top_pt: float

    def text(
        self,
        x: float,
        y: float,
        said: str,
        size: float,
        *,
        font: str = fonts.REGULAR,
        colour: Color = INK,
        align: Align = "left",
    ) -> float:
        """One line with its baseline at y; returns its width in millimetres."""
        said = fonts.drawable(said)
        wide = pdfmetrics.stringWidth(said, font, size)
        at = x * mm - {"left": 0.0, "centre": wide / 2, "right": wide}[align]
        self.canvas.setFillColor(colour)
        self.canvas.setFont(font, size)
        self.canvas.drawString(self.left_pt + at, self.top_pt - y * mm, said)
        return wide / mm

    def paragraph(
        self,
        x: float,
        y: float,
        width: float,
        said: str,
        size: float,
        *,
        font: str = fonts.REGULAR,
        colour: Color = INK,
    ) -> float:
        """Lines as wide as they may be, the first baseline at y; returns y below the last line."""
        for line in lines(said, font, size, width):
            self.text(x, y, line, size, font=font, colour=colour)
            y += leading(size)
        return y

    def centred(
        self, x: float, y: float, width: float, said: str, size: float, *, colour: Color = INK
    ) -> float:
        """Lines around x, as `paragraph`."""
        for line in lines(said, fonts.REGULAR, size, width):
            self.text(x, y, line, size, colour=colour, align="centre")
            y += leading(size)
        return y

    def box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        fill: Color,
        *,
        round_mm: float = 0,
    ) -> None:
        """A filled rectangle, its top left corner at (x, y)."""
        self.canvas.setFillColor(fill)
        at = (self.left_pt + x * mm, self.top_pt - (y + height) * mm, width * mm, height * mm)
        self.canvas.roundRect(*at, round_mm * mm, stroke=0, fill=1)

    def frame(
        self, x: float, y: float, width: float, height: float, *, round_mm: float = 0
    ) -> None:
        """An empty box to write in."""
        self.canvas.setStrokeColor(SOFT)
        self.canvas.setLineWidth(0.6)
        at = (self.left_pt + x * mm, self.top_pt - (y + height) * mm, width * mm, height * mm)
        self.canvas.roundRect(*at, round_mm * mm, stroke=1, fill=0)

    def rule(
        self, x: float, y: float, width: float, *, colour: Color = LINE, weight_pt: float = 0.6
    ) -> None:
        """A level line."""
        self.canvas.setStrokeColor(colour)
        self.canvas.setLineWidth(weight_pt)
        level = self.top_pt - y * mm
        self.canvas.line(self.left_pt + x * mm, level, self.left_pt + (x + width) * mm, level)

    def disc(
        self,
        x: float,
        y: float,
        radius: float,
        fill: Color,
        *,
        edge: Color | None = None,
        dashed: bool = False,
    ) -> None:
        """A filled circle around (x, y)."""
        self.canvas.setFillColor(fill)
        self.canvas.setStrokeColor(edge or fill)
        self.canvas.setLineWidth(0.5)
        self.canvas.setDash([1.4, 1.4] if dashed else [])
        at = (self.left_pt + x * mm, self.top_pt - y * mm)
        self.canvas.circle(*at, radius * mm, stroke=int(edge is not None), fill=1)
        self.canvas.setDash([])


def leading(size: float) -> float:
    """From one baseline to the next, in millimetres, for a size in points."""
    return size * _LEADING / mm


def lines(said: str, font: str, size: float, width: float) -> Sequence[str]:
    """The text in lines no wider than so many millimetres; a word that is wider is broken."""
    made, line = list[str](), ""
    for word in fonts.drawable(said).split():
        joined = f"{line} {word}".strip()
        if _fits(joined, font, size, width):
            line = joined
            continue
        if line:
            made.append(line)
        while not _fits(word, font, size, width):
            cut = next(
                n for n in range(len(word), 0, -1) if n == 1 or _fits(word[:n], font, size, width)
            )
            made.append(word[:cut])
            word = word[cut:]  # noqa: PLW2901 - what is left of it goes on to the next line
            if not word:
                break
        line = word
    return [*made, line] if line else made


def _fits(said: str, font: str, size: float, width: float) -> bool:
    return bool(pdfmetrics.stringWidth(said, font, size) <= width * mm)
