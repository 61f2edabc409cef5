"""The frame of an A4 page: what it is, of which laboratory, when it was printed, page x of y."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from reportlab.lib.units import mm

from reports import fonts, pen
from reports.pen import Both, Language, Pen
from reports.poured import PouredCanvas
from reports.written import moment

WIDTH: Final = 210.0
HEIGHT: Final = 297.0
MARGIN: Final = 12.0
INNER: Final = WIDTH - 2 * MARGIN
TOP: Final = 36.0  # where the content begins, below the heading
FLOOR: Final = HEIGHT - 18.0  # where it must end
_PAGE: Final = Both("Trang {n}/{all}", "Page {n} of {all}")
_PRINTED: Final = Both("In lúc", "Printed")


@dataclass(frozen=True, slots=True)
class Heading:
    """What stands on every page of a document."""

    title: Both
    detail: str
    laboratory: str
    issued_at: datetime
    language: Language


class Sheets:
    """An A4 document whose pages are begun one after another; how many is known beforehand."""

    def __init__(self, heading: Heading, *, pages: int) -> None:
        fonts.register()
        self._heading, self._pages, self._page = heading, pages, 0
        title = f"{heading.title.vi} · {heading.title.en}: {heading.detail}"
        self._canvas = PouredCanvas(
            page_size=(WIDTH * mm, HEIGHT * mm), title=title, author=heading.laboratory
        )

    def begin(self) -> Pen:
        """The next page, its frame drawn."""
        if self._page:
            self._canvas.showPage()
        self._page += 1
        page, heading = Pen(self._canvas, 0, HEIGHT * mm), self._heading
        language = heading.language
        page.text(
            MARGIN,
            15,
            fonts.fitted(heading.laboratory, fonts.MEDIUM, 9, 120 * mm),
            9,
            font=fonts.MEDIUM,
            colour=pen.SOFT,
        )
        wide = page.text(
            MARGIN, 23.5, heading.title.first(language), 18, font=fonts.BOLD, colour=pen.ACCENT
        )
        page.text(MARGIN + wide + 3, 23.5, heading.title.second(language), 9.5, colour=pen.SOFT)
        page.text(WIDTH - MARGIN, 23.5, heading.detail, 12, font=fonts.MEDIUM, align="right")
        page.rule(MARGIN, 27, INNER, colour=pen.ACCENT, weight_pt=1.2)
        self._foot(page)
        return page

    def done(self) -> bytes:
        """The whole document."""
        self._canvas.showPage()
        return self._canvas.rest()

    def _foot(self, page: Pen) -> None:
        language, y = self._heading.language, HEIGHT - 9
        page.rule(MARGIN, y - 4.2, INNER, colour=pen.HAIR)
        printed = f"{_PRINTED.first(language)} {moment(self._heading.issued_at, language)}"
        page.text(MARGIN, y, printed, 7.5, colour=pen.SOFT)
        numbered = _PAGE.first(language).format(n=self._page, all=self._pages)
        page.text(WIDTH - MARGIN, y, numbered, 7.5, colour=pen.SOFT, align="right")
