"""What is to be pipetted to part a positive pool: a list for the hand, a worklist for the robot.

The worklist is RFC 4180 with a heading line, UTF-8, a line a transfer. The columns:

- `pool`: the positive pool's barcode; `destination`: what is made, `row 2`
- `destination_barcode`: its label, empty until one was scanned for it
- `transfer`: 1, 2, … within the destination
- `source_rack`, `source_position`: where the tube was received, empty when by itself; `pool_place`:
  its place in the pool, which is how it stands beside it
- `source_barcode`: the tube, 11 characters as scanned
- `volume_ul`: µl
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import StringIO
from typing import Final

from lims.domain import barcodes
from reports import fonts, pen
from reports.page import FLOOR, INNER, MARGIN, TOP, Heading, Sheets
from reports.pen import Both, Language, Pen
from reports.worklist import safe

TITLE: Final = Both("Phiếu hút mẫu", "Pipetting list")
_COUNT: Final = Both(
    "Mẻ {pool} · {made} ống mới · {draws} lần hút", "Pool {pool} · tubes: {made} · draws: {draws}"
)
_ON: Final = Both("{name} (tiếp)", "{name} (goes on)")
_NEW_LABEL: Final = Both("Dán nhãn ống mới", "New tube's label")
_DRAWN_BY: Final = Both("Người hút mẫu", "Pipetted by")
_NOTHING: Final = Both("Không còn gì để hút.", "Nothing is to be pipetted.")
_NAMES: Final = {
    "row": Both("Hàng {n}", "Row {n}"),
    "column": Both("Cột {n}", "Column {n}"),
    "pool": Both("Mẻ gộp con {n}", "Sub-pool {n}"),
    "check": Both("Mẻ kiểm tra từ ống {n}", "Check pool from tube {n}"),
    "group": Both("Nhóm {n}", "Group {n}"),
}
COLUMNS: Final = (
    "pool",
    "destination",
    "destination_barcode",
    "transfer",
    "source_rack",
    "source_position",
    "pool_place",
    "source_barcode",
    "volume_ul",
)
_HEAD, _LINE, _GAP = 24.0, 7.6, 3.0


@dataclass(frozen=True, slots=True)
class Transfer:
    """One draw, µl."""

    place: int
    pool_place: int
    barcode: str
    rack: str | None
    rack_position: str | None
    volume_ul: int


@dataclass(frozen=True, slots=True)
class Destination:
    """One new tube, `row 2`; `barcode` once it has a label."""

    position: str
    barcode: str | None
    transfers: tuple[Transfer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PipettingList:
    """All that one pool asks for; times on the site's wall clock."""

    laboratory: str
    pool: str
    destinations: tuple[Destination, ...]
    issued_at: datetime
    language: Language = "vi"


def worklist_of(asked: PipettingList) -> bytes:
    """The file for the robot."""
    out = StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for made in asked.destinations:
        for one in made.transfers:
            row = (
                asked.pool,
                made.position,
                made.barcode,
                one.place,
                one.rack,
                one.rack_position,
                one.pool_place,
                one.barcode,
                one.volume_ul,
            )
            writer.writerow([safe(cell) for cell in row])
    return out.getvalue().encode()


def pipetting_pdf(asked: PipettingList) -> bytes:
    """The list on A4, a box to tick at each draw; nothing to pipette is a page that says so."""
    language = asked.language
    pages = _pages(asked.destinations)
    detail = _COUNT.first(language).format(
        pool=barcodes.shown(asked.pool),
        made=len(asked.destinations),
        draws=sum(len(made.transfers) for made in asked.destinations),
    )
    heading = Heading(TITLE, detail, asked.laboratory, asked.issued_at, language)
    sheets = Sheets(heading, pages=max(1, len(pages)))
    if not pages:
        sheets.begin().text(MARGIN, TOP + 6, _NOTHING.first(language), 11)
    for parts in pages:
        page, y = sheets.begin(), TOP
        for made, transfers in parts:
            _head(page, made, y, language, goes_on=transfers[0].place > 1)
            y += _HEAD
            for one in transfers:
                _transfer(page, one, y)
                y += _LINE
            y += _GAP
        wide = page.text(MARGIN, FLOOR + 1.5, _DRAWN_BY.first(language), 8, colour=pen.SOFT)
        page.rule(MARGIN + wide + 2, FLOOR + 2.1, 60, colour=pen.LINE)
    return sheets.done()


_Part = tuple[Destination, Sequence[Transfer]]


def _pages(destinations: Sequence[Destination]) -> list[list[_Part]]:
    """A tube's draws stand together; only what is longer than a page goes on over it."""
    made, left = list[list[_Part]](), 0.0
    for destination, transfers in _parts(destinations):
        needed = _HEAD + _LINE * len(transfers) + _GAP
        if needed > left:
            made.append([])
            left = FLOOR - TOP
        made[-1].append((destination, transfers))
        left -= needed
    return made


def _parts(destinations: Sequence[Destination]) -> Iterator[_Part]:
    most = int((FLOOR - TOP - _HEAD - _GAP) / _LINE)
    for destination in destinations:
        for start in range(0, len(destination.transfers), most):
            yield destination, destination.transfers[start : start + most]


def said_position(position: str, language: Language) -> str:
    """`Hàng 2` of `row 2`; a name that no strategy of ours gave is said as it is."""
    kind, _, nth = position.partition(" ")
    known = _NAMES.get(kind)
    return known.first(language).format(n=nth) if known else position


def _head(page: Pen, made: Destination, y: float, language: Language, *, goes_on: bool) -> None:
    page.box(MARGIN, y + 1, INNER, _HEAD - 2.5, pen.ACCENT_SOFT, round_mm=1)
    name = said_position(made.position, language)
    said = _ON.first(language).format(name=name) if goes_on else name
    page.text(MARGIN + 4, y + 14, said, 20, font=fonts.BOLD, colour=pen.ACCENT)
    if goes_on:
        return
    wide, high = 58.0, _HEAD - 5.5
    x = MARGIN + INNER - wide - 2
    page.box(x, y + 2.5, wide, high, pen.SHEET, round_mm=1)
    page.frame(x, y + 2.5, wide, high, round_mm=1)
    label = barcodes.shown(made.barcode) if made.barcode else _NEW_LABEL.first(language)
    size, colour = (13.0, pen.INK) if made.barcode else (7.5, pen.FAINT)
    page.text(x + wide / 2, y + 13, label, size, colour=colour, align="centre")


def _transfer(page: Pen, one: Transfer, y: float) -> None:
    base = y + 5.4
    page.frame(MARGIN + 1, y + 1.5, 4.8, 4.8, round_mm=0.6)
    page.text(MARGIN + 15, base, str(one.place), 10, align="right", colour=pen.SOFT)
    page.text(MARGIN + 22, base, barcodes.shown(one.barcode), 13, font=fonts.MEDIUM)
    where = " · ".join(part for part in (one.rack, one.rack_position) if part)
    said = f"{where} · #{one.pool_place}" if where else f"#{one.pool_place}"
    page.text(MARGIN + 80, base, said, 9, colour=pen.SOFT)
    page.text(MARGIN + INNER - 3, base, f"{one.volume_ul} µl", 12, font=fonts.BOLD, align="right")
    page.rule(MARGIN, y + _LINE, INNER, colour=pen.HAIR)
