"""A sheet of command cards: cut out, laminated, hung beside the scanner.

Each card carries the same payload twice, as a QR code and as Code 128 (ISO/IEC 15417:2007), so
that any scanner reads it. Cards are of ID-1 size (ISO/IEC 7810: 85.60 × 53.98 mm) and fit the
sleeves that name badges come in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Final

from reportlab.graphics import renderPDF
from reportlab.graphics.barcode.code128 import Code128
from reportlab.graphics.barcode.qr import QrCodeWidget
from reportlab.graphics.shapes import Drawing
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from lims.domain.refusals import Malformed
from reports import fonts

WIDTH_MM: Final = 85.6
HEIGHT_MM: Final = 54.0
COLUMNS: Final = 2
ROWS: Final = 5
_QR_MM: Final = 27.0
_MODULE_MM: Final = 0.4
_BARS_MM: Final = 12.0


@dataclass(frozen=True, slots=True)
class CommandCard:
    """One card: what it makes the desk do, in words, and what the scanner reads."""

    payload: str
    title: str
    says: str


def command_sheet(cards: Sequence[CommandCard], *, title: str) -> bytes:
    """A PDF with these cards on A4, cut lines around each; `title` is the laboratory's name.

    The same input gives the same bytes. Raises Malformed for no cards or a payload given twice.
    """
    payloads = [card.payload for card in cards]
    if not payloads or len(set(payloads)) < len(payloads):
        raise Malformed(
            expected="one or more command cards, each once",
            came=f"{len(payloads)} cards, {len(set(payloads))} different",
            where="command sheet",
        )
    fonts.register()
    document = BytesIO()
    canvas = Canvas(document, pagesize=A4, invariant=1, lang="vi-VN")
    canvas.setTitle(f"Thẻ lệnh: {title}")
    left_pt = (A4[0] - COLUMNS * WIDTH_MM * mm) / 2
    top_pt = A4[1] - (A4[1] - ROWS * HEIGHT_MM * mm) / 2
    for count, card in enumerate(cards):
        place = count % (COLUMNS * ROWS)
        if count and place == 0:
            canvas.showPage()
        row, column = divmod(place, COLUMNS)
        corner = (left_pt + column * WIDTH_MM * mm, top_pt - (row + 1) * HEIGHT_MM * mm)
        _draw(canvas, card, title, corner)
    canvas.save()
    return document.getvalue()


def _draw(canvas: Canvas, card: CommandCard, title: str, corner_pt: tuple[float, float]) -> None:
    left, bottom = corner_pt
    canvas.setLineWidth(0.3)
    canvas.setDash(2, 2)
    canvas.rect(left, bottom, WIDTH_MM * mm, HEIGHT_MM * mm)
    canvas.setDash()
    top, words = bottom + HEIGHT_MM * mm, left + (_QR_MM + 7) * mm
    room = WIDTH_MM * mm - (_QR_MM + 7 + 4) * mm
    _draw_qr(canvas, card.payload, left + 4 * mm, top - (_QR_MM + 4) * mm)
    canvas.setFont(fonts.BOLD, 15)
    line = top - 10 * mm
    for text in _lines(card.title, fonts.BOLD, 15, room):
        canvas.drawString(words, line, text)
        line -= 6.2 * mm
    canvas.setFont(fonts.REGULAR, 8.5)
    for text in _lines(card.says, fonts.REGULAR, 8.5, room)[:3]:
        canvas.drawString(words, line, text)
        line -= 3.8 * mm
    bars = Code128(
        card.payload, barWidth=_MODULE_MM * mm, barHeight=_BARS_MM * mm, quiet=0, humanReadable=0
    )
    bars.drawOn(canvas, left + (WIDTH_MM * mm - bars.width) / 2, bottom + 7.5 * mm)
    canvas.setFont(fonts.REGULAR, 7)
    canvas.drawString(left + 4 * mm, bottom + 3 * mm, card.payload)
    shown = fonts.fitted(title, fonts.REGULAR, 7, (WIDTH_MM - 30) * mm)
    canvas.drawRightString(left + (WIDTH_MM - 4) * mm, bottom + 3 * mm, shown)


def _draw_qr(canvas: Canvas, payload: str, left: float, bottom: float) -> None:
    symbol = QrCodeWidget(payload, barLevel="M", barBorder=2)
    x0, y0, x1, y1 = symbol.getBounds()
    size = _QR_MM * mm
    drawing = Drawing(size, size, transform=[size / (x1 - x0), 0, 0, size / (y1 - y0), 0, 0])
    drawing.add(symbol)
    renderPDF.draw(drawing, canvas, left, bottom)


def _lines(text: str, font: str, size_pt: float, width_pt: float) -> list[str]:
    """Words on as many lines as they need; a word wider than a line is cut."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if fonts.fitted(longer, font, size_pt, width_pt) == longer or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    return [fonts.fitted(line, font, size_pt, width_pt) for line in lines]
