"""Sheets and rolls of tube labels: a line in words, bars for the scanner, characters for people.

Symbol: Code 128 (ISO/IEC 15417:2007), quiet zones of ten modules on both sides. The module is a
whole number of printer dots, so that no bar is rounded to another width, and never under 0.25 mm,
which hand scanners read from a curved tube. Eleven characters and the quiet zones are 176 modules,
44 mm at least: the common sheet of 65 labels (38.1 mm wide) cannot carry them and is not offered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

from reportlab.graphics.barcode.code128 import Code128
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from lims.domain import barcodes as tube_barcodes
from lims.domain.refusals import Malformed
from reports import fonts

QUIET_MODULES = 10
NARROWEST_MODULE_MM = 0.25
_SYMBOL_MODULES = 11 * (1 + tube_barcodes.LENGTH + 1) + 13  # start, characters, check, stop
_SIDE_PT = 1.5 * mm  # kept free of words: cutters and feeders are off by about a millimetre


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A sheet of labels, all lengths in millimetres; raises Malformed where a label is too narrow.

    Gaps are between labels; what is left of the page is shared by its two margins.
    """

    page_width_mm: float
    page_height_mm: float
    columns: int
    rows: int
    label_width_mm: float
    label_height_mm: float
    column_gap_mm: float = 0.0
    module_mm: float

    def __post_init__(self) -> None:
        needed_mm = (_SYMBOL_MODULES + 2 * QUIET_MODULES) * self.module_mm
        if self.module_mm < NARROWEST_MODULE_MM or needed_mm > self.label_width_mm:
            raise Malformed(
                expected=f"modules of {NARROWEST_MODULE_MM} mm or more that fit the label",
                came=f"{self.module_mm} mm: {needed_mm:.1f} mm on {self.label_width_mm} mm",
                where="label layout",
                todo="choose a sheet with wider labels",
            )

    @property
    def labels(self) -> int:
        return self.columns * self.rows

    def corner_pt(self, place: int) -> tuple[float, float]:
        """Lower left corner of a label, counted along the rows from the top, in PDF points."""
        row, column = divmod(place, self.columns)
        wide_mm = self.columns * (self.label_width_mm + self.column_gap_mm) - self.column_gap_mm
        left_mm = (self.page_width_mm - wide_mm) / 2
        top_mm = (self.page_height_mm - self.rows * self.label_height_mm) / 2
        x_mm = left_mm + column * (self.label_width_mm + self.column_gap_mm)
        y_mm = self.page_height_mm - top_mm - (row + 1) * self.label_height_mm
        return x_mm * mm, y_mm * mm


# 45.7 × 21.2 mm, 4 × 12, as Avery L4736; three dots of a 300 dpi printer a module.
A4_48 = Layout(
    page_width_mm=210,
    page_height_mm=297,
    columns=4,
    rows=12,
    label_width_mm=45.7,
    label_height_mm=21.2,
    column_gap_mm=2.5,
    module_mm=0.254,
)
# 63.5 × 33.9 mm, 3 × 8, as Avery L7159; four dots of a 300 dpi printer a module.
A4_24 = Layout(
    page_width_mm=210,
    page_height_mm=297,
    columns=3,
    rows=8,
    label_width_mm=63.5,
    label_height_mm=33.9,
    column_gap_mm=2.5,
    module_mm=0.3387,
)
# A roll of 50 × 25 mm, one label a page; two dots of a 203 dpi thermal printer a module.
ROLL_50_25 = Layout(
    page_width_mm=50,
    page_height_mm=25,
    columns=1,
    rows=1,
    label_width_mm=50,
    label_height_mm=25,
    module_mm=0.2502,
)
SHEETS = {"a4-48": A4_48, "a4-24": A4_24, "roll-50-25": ROLL_50_25}  # by the name people choose


def label_sheet(
    barcodes: Sequence[str], *, title: str, copies: int = 1, layout: Layout = A4_48
) -> bytes:
    """A PDF of labels, `copies` of each side by side; `title` is the site and campaign line.

    The same input gives the same bytes, so that a sheet printed twice can be known as one.
    Raises NotABarcode or WrongCheckCharacter for what no scanner could read back, Malformed for
    no labels, no copies or a barcode given twice.
    """
    labels = [tube_barcodes.parse(barcode) for barcode in barcodes]
    if not labels or copies < 1 or len(set(labels)) != len(labels):
        raise Malformed(
            expected="one or more barcodes, each once, and one or more copies",
            came=f"{len(labels)} barcodes, {len(set(labels))} different, {copies} copies",
            where="label sheet",
        )
    fonts.register()
    page_size = (layout.page_width_mm * mm, layout.page_height_mm * mm)
    document = BytesIO()
    canvas = Canvas(document, pagesize=page_size, invariant=1, lang="vi-VN")
    canvas.setTitle(f"Nhãn ống mẫu: {title}")
    for count, barcode in enumerate(label for label in labels for _ in range(copies)):
        place = count % layout.labels
        if count and place == 0:
            canvas.showPage()
        _draw_label(canvas, barcode, title, layout, layout.corner_pt(place))
    canvas.save()
    return document.getvalue()


def _draw_label(
    canvas: Canvas, barcode: str, title: str, layout: Layout, corner_pt: tuple[float, float]
) -> None:
    left, bottom = corner_pt
    width, height = layout.label_width_mm * mm, layout.label_height_mm * mm
    centre = left + width / 2
    words_pt, shown_pt = min(height * 0.115, 7.5), min(height * 0.17, 14.0)
    title = fonts.fitted(title, fonts.REGULAR, words_pt, width - 2 * _SIDE_PT)
    canvas.setFont(fonts.REGULAR, words_pt)
    canvas.drawCentredString(centre, bottom + height * 0.84, title)
    canvas.setFont(fonts.BOLD, shown_pt)
    canvas.drawCentredString(centre, bottom + height * 0.1, tube_barcodes.shown(barcode))
    bars = Code128(
        barcode, barWidth=layout.module_mm * mm, barHeight=height * 0.5, quiet=0, humanReadable=0
    )
    bars.drawOn(canvas, centre - bars.width / 2, bottom + height * 0.28)
