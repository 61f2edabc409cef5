"""The re-swab sheet: door by door, whom to call, why, and a box for each new tube's label.

A row is as high as a label of the A4 sheets (45.7 × 21.2 mm), so that the second copy of the tube's
label is stuck beside the name instead of being written down.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Final

from reportlab.lib.units import mm

from lims.domain import barcodes
from lims.domain.identity import bare_household
from reports import fonts, pen
from reports.page import FLOOR, INNER, MARGIN, TOP, Heading, Sheets
from reports.pen import Both, Language, Pen
from reports.written import moment, number

TITLE: Final = Both("Danh sách lấy mẫu lại", "People to swab again")
_COUNT: Final = Both("{people} người · {doors} hộ", "People: {people} · doors: {doors}")
_BEYOND: Final = Both("còn {doors} hộ không có trên giấy", "{doors} more doors not on paper")
_HOUSEHOLD: Final = Both("Hộ {label}", "Household {label}")
_PEOPLE: Final = Both("{n} người", "people: {n}")
_BORN: Final = Both("Sinh", "Born")
_LABEL: Final = Both("Dán nhãn ống mới", "New tube's label")
_SINCE: Final = Both("Chờ từ", "Waiting since")
_OLD: Final = Both("Ống cũ", "Old tube")
_NOBODY: Final = Both("Không có ai phải lấy mẫu lại.", "Nobody is to be swabbed again.")
_BY: Final = Both("Người lấy mẫu", "Swabbed by")
_ELSEWHERE: Final = Both("Chưa rõ địa bàn", "Place not known")
_ROW, _DOOR, _AREA = 23.2, 9.0, 9.5
_BOX_WIDTH, _BOX_HEIGHT = 47.0, 21.8
_SIGN_Y: Final = FLOOR + 1.5


@dataclass(frozen=True, slots=True)
class Again:
    """One person, and why; `why` as the laboratory says it in both languages."""

    name: str
    birth_year: int | None
    sex: Both | None
    phone: str | None
    barcode: str | None
    why: Both
    since: datetime


@dataclass(frozen=True, slots=True)
class DoorOnPaper:
    """A household, or one person alone; doors of one area stand together."""

    label: str | None
    address: str | None
    area: str | None
    people: tuple[Again, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReswabSheet:
    """Doors in the order of the road, and how many are left out; times on the site's wall clock."""

    laboratory: str
    doors: tuple[DoorOnPaper, ...]
    issued_at: datetime
    language: Language = "vi"
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class _Block:
    """A line of the sheet: an area, a door or a person; `height` in millimetres."""

    height: float
    area: str | None = None
    door: DoorOnPaper | None = None
    again: Again | None = None


def reswab_pdf(sheet: ReswabSheet) -> bytes:
    """The sheet on A4. Nobody to swab is one page that says so."""
    fonts.register()
    pages = _pages(sheet)
    people = sum(len(door.people) for door in sheet.doors)
    language = sheet.language
    detail = _COUNT.first(language).format(
        people=number(people, language), doors=number(len(sheet.doors), language)
    )
    if sheet.left_out:
        beyond = _BEYOND.first(language).format(doors=number(sheet.left_out, language))
        detail = f"{detail} · {beyond}"
    heading = Heading(TITLE, detail, sheet.laboratory, sheet.issued_at, language)
    sheets = Sheets(heading, pages=max(1, len(pages)))
    if not pages:
        sheets.begin().text(MARGIN, TOP + 6, _NOBODY.first(language), 11)
    for blocks in pages:
        page, y = sheets.begin(), TOP - 4
        for block in blocks:
            _draw(page, block, y, language)
            y += block.height
        wide = page.text(MARGIN, _SIGN_Y, _BY.first(language), 8, colour=pen.SOFT)
        page.rule(MARGIN + wide + 2, _SIGN_Y + 0.6, 60, colour=pen.LINE)
    return sheets.done()


def _pages(sheet: ReswabSheet) -> list[list[_Block]]:
    """Blocks by page: a heading is never the last of one, and a door goes on with its name."""
    made, page, left = list[list[_Block]](), list[_Block](), 0.0
    for waiting, block in _blocks(sheet.doors):
        needed = sum(one.height for one in waiting) + block.height
        if needed > left:
            page = []
            made.append(page)
            left = FLOOR - TOP
            if not waiting and block.door is not None:
                again = _Block(_DOOR, door=block.door)
                page.append(again)
                left -= again.height
        page += [*waiting, block]
        left -= needed
    return made


def _blocks(doors: Sequence[DoorOnPaper]) -> Iterator[tuple[list[_Block], _Block]]:
    """Each person with the headings that must stand right above."""
    for area, there in groupby(doors, key=lambda door: door.area):
        waiting = [_Block(_AREA, area=area or "")]
        for door in there:
            waiting.append(_Block(_DOOR, door=door))
            for again in door.people:
                yield waiting, _Block(_ROW, door=door, again=again)
                waiting = []


def _draw(page: Pen, block: _Block, y: float, language: Language) -> None:
    if block.again is not None:
        _person(page, block.again, y, language)
    elif block.door is not None:
        _door(page, block.door, y, language)
    else:
        said = block.area or _ELSEWHERE.first(language)
        page.text(MARGIN, y + 6.4, said, 12, font=fonts.BOLD)


def _door(page: Pen, door: DoorOnPaper, y: float, language: Language) -> None:
    page.box(MARGIN, y + 1.2, INNER, 6.4, pen.ACCENT_SOFT, round_mm=1)
    label = (
        _HOUSEHOLD.first(language).format(label=bare_household(door.label)) if door.label else ""
    )
    if door.label and (door.address or "").startswith(door.label):
        label = ""  # families are named by their address
    where = " · ".join(part for part in (label, door.address) if part) or "—"
    many = _PEOPLE.first(language).format(n=len(door.people)) if len(door.people) > 1 else ""
    fitted = fonts.fitted(where, fonts.MEDIUM, 9.5, (INNER - 30) * mm)
    page.text(MARGIN + 2.5, y + 5.7, fitted, 9.5, font=fonts.MEDIUM, colour=pen.ACCENT)
    page.text(MARGIN + INNER - 2.5, y + 5.7, many, 8.5, colour=pen.ACCENT, align="right")


def _person(page: Pen, again: Again, y: float, language: Language) -> None:
    page.frame(MARGIN, y + 2.6, 4.4, 4.4, round_mm=0.6)
    x, wide = MARGIN + 8, 66.0
    size = 11.0 if len(pen.lines(again.name, fonts.BOLD, 11, wide)) == 1 else 9.0
    below = y + 6.2
    for line in pen.lines(again.name, fonts.BOLD, size, wide)[:3]:
        page.text(x, below, line, size, font=fonts.BOLD)
        below += pen.leading(size)
    born = f"{_BORN.first(language)} {again.birth_year or '—'}"
    sex = again.sex.first(language) if again.sex else ""
    page.text(x, below + 0.2, " · ".join(part for part in (born, sex) if part), 8.5)
    if again.phone:
        page.text(x, below + 5.4, again.phone, 11.5, font=fonts.MEDIUM)
    _why(page, again, y, language)
    box = MARGIN + INNER - _BOX_WIDTH
    page.frame(box, y + 0.7, _BOX_WIDTH, _BOX_HEIGHT, round_mm=1)
    centre = box + _BOX_WIDTH / 2
    page.text(centre, y + 11, _LABEL.first(language), 7.5, colour=pen.FAINT, align="centre")
    page.text(centre, y + 14.4, _LABEL.second(language), 6.5, colour=pen.FAINT, align="centre")
    page.rule(MARGIN, y + _ROW, INNER - _BOX_WIDTH - 3, colour=pen.HAIR)


def _why(page: Pen, again: Again, y: float, language: Language) -> None:
    x, wide = MARGIN + 78, INNER - _BOX_WIDTH - 82
    below = page.paragraph(x, y + 6, wide, again.why.first(language), 8.5)
    below = page.paragraph(x, below - 0.4, wide, again.why.second(language), 7, colour=pen.SOFT)
    if again.barcode:
        shown = barcodes.shown(again.barcode)
        page.text(x, below + 0.6, f"{_OLD.first(language)} {shown}", 7.5, colour=pen.SOFT)
        below += 3.4
    since = f"{_SINCE.first(language)} {moment(again.since, language)}"
    page.text(x, below + 0.6, since, 7.5, colour=pen.SOFT)
