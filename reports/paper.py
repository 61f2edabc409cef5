"""What every paged document has: a head, the site's type, tables that go on, page x of y.

The same input gives the same bytes (`invariant`): no clock, no random id. Pages are numbered when
all are known, so each is kept until the end and then stamped.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from io import BytesIO
from typing import Any, Final

from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Table, TableStyle

from reports import fonts
from reports.tokens import LIGHT
from reports.vector import Drawing

MARGIN: Final = 14 * mm
BODY: Final = ParagraphStyle("body", fontName=fonts.REGULAR, fontSize=8.5, leading=11)
CELL: Final = ParagraphStyle("cell", parent=BODY, fontSize=8, leading=10)
NUMBER: Final = ParagraphStyle("number", parent=CELL, alignment=TA_RIGHT)
NAME: Final = ParagraphStyle(
    "name",
    parent=BODY,
    fontName=fonts.BOLD,
    fontSize=17,
    leading=21,
    textColor=HexColor(LIGHT["ink"]),
)
HEADING: Final = ParagraphStyle(
    "heading",
    parent=BODY,
    fontName=fonts.BOLD,
    fontSize=11,
    leading=14,
    spaceBefore=9,
    spaceAfter=3,
)
SOFT: Final = ParagraphStyle("soft", parent=BODY, textColor=HexColor(LIGHT["soft"]))

_OWN_FACE: Final = {"initialFontName": fonts.REGULAR}  # else each page names Helvetica too

Stamp = Callable[[Canvas, int, int], None]


class ChartOnPaper(Flowable):
    """A chart in vectors; the same scale for all, so that their letters are of one size."""

    def __init__(self, svg: str, scale: float = 1.0) -> None:
        super().__init__()
        self._drawing = Drawing.of(svg)
        self.width = self._drawing.width * scale
        self.height = self._drawing.height * scale

    def wrap(self, _width: float, _height: float) -> tuple[float, float]:
        return self.width, self.height

    def draw(self) -> None:
        self._drawing.draw_on(self.canv, 0, 0, width=self.width)


def document(
    story: Sequence[Flowable],
    *,
    title: str,
    language: str,
    stamp: Stamp,
    wide: bool = False,
) -> bytes:
    """Lay the story on A4; `stamp(canvas, page, pages)` writes each page's foot and head."""
    fonts.register()
    out = BytesIO()
    page = landscape(A4) if wide else A4
    template = SimpleDocTemplate(
        out,
        pagesize=page,
        leftMargin=MARGIN,
        rightMargin=MARGIN,
        topMargin=MARGIN,
        bottomMargin=14 * mm,
        title=title,
        lang="vi-VN" if language == "vi" else "en",
        author="Thần Tốc",
        invariant=1,
    )
    template.build(list(story), canvasmaker=_numbered(stamp))
    return out.getvalue()


def table(
    head: Sequence[str],
    rows: Sequence[Sequence[Any]],
    widths: Sequence[float],
    *,
    numbers: Sequence[int] = (),
) -> Table:
    """A table whose head is repeated on each page; `numbers` are the columns to the right."""
    style: list[Any] = [
        ("FONT", (0, 0), (-1, 0), fonts.BOLD, 7.5),
        ("FONT", (0, 1), (-1, -1), fonts.REGULAR, 8),
        ("TEXTCOLOR", (0, 0), (-1, 0), HexColor(LIGHT["soft"])),
        ("LINEBELOW", (0, 0), (-1, 0), 0.6, HexColor(LIGHT["edge"])),
        ("LINEBELOW", (0, 1), (-1, -1), 0.3, HexColor(LIGHT["line"])),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("TOPPADDING", (0, 0), (-1, -1), 2.2),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2.6),
        ("LEFTPADDING", (0, 0), (-1, -1), 3),
        ("RIGHTPADDING", (0, 0), (-1, -1), 3),
        *(("ALIGN", (column, 0), (column, -1), "RIGHT") for column in numbers),
    ]
    return Table(
        [list(head), *map(list, rows)],
        colWidths=list(widths),
        repeatRows=1,
        hAlign="LEFT",
        style=TableStyle(style),
    )


def text(said: str, style: ParagraphStyle = CELL) -> Paragraph:
    """A cell that wraps; the text is data, so nothing in it is markup."""
    fonts.register()
    safe = said.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return Paragraph(safe, style)


def _numbered(stamp: Stamp) -> type[Canvas]:
    class Numbered(Canvas):
        """Keeps its pages until it knows how many there are."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **(kwargs | _OWN_FACE))
            self._kept: list[dict[str, Any]] = []

        def showPage(self) -> None:
            self._kept.append(dict(self.__dict__))
            self._startPage()  # type: ignore[attr-defined] # reportlab's recipe for page x of y

        def save(self) -> None:
            for number, page in enumerate(self._kept, 1):
                self.__dict__.update(page)
                stamp(self, number, len(self._kept))
                super().showPage()
            super().save()

    return Numbered
