"""Workbooks whose cells are what they say: text stays text, numbers are numbers, nothing computes.

An identity number with a leading zero, a phone with a plus or a name that begins with "=" is
written as a string cell, never as a number or a formula (CWE-1236). The same input gives the same
bytes: the creation date is an argument.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from io import BytesIO

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from reports.tokens import LIGHT

Cell = str | int | float | date | datetime | None
MOST_NAME = 31  # of a sheet, by the file format
_NOT_IN_NAMES = str.maketrans("[]:*?/\\", "       ")


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: its name, lines of text above, a frozen head, rows, and how wide columns are."""

    name: str
    head: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    widths: Sequence[int] = ()
    above: Sequence[str] = ()
    shares: frozenset[int] = frozenset()
    wide: bool = False


@dataclass(frozen=True, slots=True)
class About:
    """What the file says of itself; `foot` stands under every printed page."""

    title: str
    author: str
    made_at: datetime
    foot: str = ""


def workbook(sheets: Sequence[Sheet], about: About) -> bytes:
    """The file. Texts longer than a cell can hold (32,767) are cut."""
    out = BytesIO()
    book = xlsxwriter.Workbook(
        out,
        {
            "in_memory": True,
            "strings_to_numbers": False,
            "strings_to_formulas": False,
            "strings_to_urls": False,
        },
    )
    made_at = about.made_at.replace(tzinfo=None, microsecond=0)
    book.set_properties({"title": about.title, "author": about.author, "created": made_at})
    looks = {
        "above": book.add_format({"font_color": LIGHT["soft"]}),
        "title": book.add_format({"bold": True, "font_size": 14}),
        "head": book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"}),
        "text": book.add_format({"num_format": "@", "valign": "top", "text_wrap": True}),
        "number": book.add_format({"num_format": "#,##0.##", "valign": "top"}),
        "whole": book.add_format({"num_format": "#,##0", "valign": "top"}),
        "moment": book.add_format({"num_format": "dd/mm/yyyy hh:mm", "valign": "top"}),
        "day": book.add_format({"num_format": "dd/mm/yyyy", "valign": "top"}),
        "share": book.add_format({"num_format": "0.00%", "valign": "top"}),
    }
    for sheet in sheets:
        name = sheet.name.translate(_NOT_IN_NAMES)[:MOST_NAME]
        _fill(book.add_worksheet(name), sheet, looks, about)
    book.close()
    return out.getvalue()


def _fill(page: Worksheet, sheet: Sheet, looks: Mapping[str, object], about: About) -> None:
    for row, line in enumerate(sheet.above):
        page.write_string(row, 0, line, looks["title" if row == 0 else "above"])
    top = len(sheet.above) + (1 if sheet.above else 0)
    for column, said in enumerate(sheet.head):
        page.write_string(top, column, said, looks["head"])
    for row, cells in enumerate(sheet.rows, top + 1):
        for column, value in enumerate(cells):
            _write(page, (row, column), value, sheet, looks)
    for column, width in enumerate(sheet.widths):
        page.set_column(column, column, width)
    page.freeze_panes(top + 1, 0)
    page.repeat_rows(top)
    if sheet.rows:
        page.autofilter(top, 0, top + len(sheet.rows), max(len(sheet.head) - 1, 0))
    page.set_paper(9)
    page.fit_to_pages(1, 0)
    if sheet.wide:
        page.set_landscape()
    page.set_footer(f"&L&8{about.foot.replace('&', '&&')}&R&8&P / &N")


def _write(
    page: Worksheet,
    place: tuple[int, int],
    value: Cell,
    sheet: Sheet,
    looks: Mapping[str, object],
) -> None:
    row, column = place
    match value:
        case None:
            page.write_blank(row, column, None, looks["text"])
        case str():
            page.write_string(row, column, value[:32_767], looks["text"])
        case datetime():  # a workbook knows no zone: the site's wall clock, as everywhere on it
            page.write_datetime(row, column, value.replace(tzinfo=None), looks["moment"])
        case date():
            page.write_datetime(row, column, datetime.combine(value, time()), looks["day"])
        case float() if column in sheet.shares:
            page.write_number(row, column, value, looks["share"])
        case int():
            page.write_number(row, column, value, looks["whole"])
        case float():
            page.write_number(row, column, value, looks["number"])
