"""Symbols that machines read: Code 128 (ISO/IEC 15417) and QR (ISO/IEC 18004), as one path each."""

from __future__ import annotations

from reportlab.graphics.barcode.code128 import Code128
from reportlab.graphics.barcode.qrencoder import QRCode, QRErrorCorrectLevel
from reportlab.lib.units import mm

from reports.pen import INK, Pen

WIDEST_MODULE_MM = 0.254  # three dots of a 300 dpi printer, as on the labels
QUIET_MODULES = 10
QR_QUIET_MODULES = 4


def code_128(pen: Pen, text: str, *, x: float, y: float, width: float, height: float) -> None:
    """Bars of `text` in the middle of a box that leaves their quiet zones free."""
    bars = Code128(text, barWidth=1, barHeight=height * mm, quiet=0, humanReadable=0)
    modules = bars.width + 2 * QUIET_MODULES
    module_mm = min(WIDEST_MODULE_MM, width / modules)
    bars = Code128(text, barWidth=module_mm * mm, barHeight=height * mm, quiet=0, humanReadable=0)
    left_pt = pen.left_pt + (x + width / 2) * mm - bars.width / 2
    pen.canvas.setFillColor(INK)
    bars.drawOn(pen.canvas, left_pt, pen.top_pt - (y + height) * mm)


def qr(pen: Pen, text: str, *, x: float, y: float, side: float) -> None:
    """A square of `side` with its quiet zone inside; level M mends 15 % of it."""
    code = QRCode(None, QRErrorCorrectLevel.M)
    code.addData(text)
    code.make()
    dark: list[list[bool]] = code.modules
    count = len(dark)
    step = side * mm / (count + 2 * QR_QUIET_MODULES)
    left, top = pen.left_pt + x * mm + QR_QUIET_MODULES * step, pen.top_pt - y * mm
    top -= QR_QUIET_MODULES * step
    path = pen.canvas.beginPath()
    for row in range(count):
        column = 0
        while column < count:
            start = column
            while column < count and dark[row][column]:
                column += 1
            if column > start:
                path.rect(
                    left + start * step, top - (row + 1) * step, (column - start) * step, step
                )
            column += 1
    pen.canvas.setFillColor(INK)
    pen.canvas.drawPath(path, stroke=0, fill=1)
