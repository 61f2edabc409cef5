"""The bad rows as the file they came in: its columns and its text, and what is wrong at the end.

A cell that a spreadsheet would run as a formula is text in what we write (CWE-1236).
"""

import csv
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from io import BytesIO, StringIO
from typing import Final

import xlsxwriter

from lims.sheets.cells import Row, as_text
from lims.sheets.encodings import encoded
from lims.sheets.opened import Dialect, Format

_RUNS: Final = ("=", "+", "-", "@", "\t", "\r")
_NUMBERS: Final = {
    datetime: "dd/mm/yyyy hh:mm",
    date: "dd/mm/yyyy",
    time: "hh:mm",
}
_WIDEST: Final = 48
_LOOKED_AT: Final = 200

BadRow = tuple[Row, str]
"""The cells as they came, and what is wrong in words."""


def write(
    dialect: Dialect, headings: Sequence[str], rows: Iterable[BadRow], *, wrong: str, sheet: str
) -> bytes:
    """A whole file; `wrong` heads the last column."""
    if dialect.format is Format.XLSX:
        return _workbook(headings, list(rows), wrong, sheet)
    out = StringIO()
    writer = csv.writer(out, delimiter=dialect.separator, lineterminator="\r\n")
    writer.writerow([*map(harmless, headings), wrong])
    for cells, said in rows:
        writer.writerow([*(harmless(as_text(cell)) for cell in cells), said])
    return encoded(out.getvalue(), dialect.encoding)


def harmless(cell: str) -> str:
    """A telephone number's plus sign stays: nothing follows it but digits."""
    runs = cell.startswith(_RUNS) and not (cell[0] == "+" and cell[1:].replace(" ", "").isdigit())
    return f"'{cell}" if runs else cell


def _workbook(headings: Sequence[str], rows: list[BadRow], wrong: str, sheet: str) -> bytes:
    """Text and numbers as text, so that no nought in front and no digit is lost again."""
    out = BytesIO()
    # Memory of a row, not of the sheet; text in line with its cell.
    with xlsxwriter.Workbook(out, {"constant_memory": True, "in_memory": True}) as book:
        page = book.add_worksheet(sheet[:31] or None)
        bold = book.add_format({"bold": True, "bottom": 1})
        red = book.add_format({"font_color": "#A1260D"})
        plain = book.add_format({"num_format": "@"})
        formats = {kind: book.add_format({"num_format": n}) for kind, n in _NUMBERS.items()}
        for n, width in enumerate(_widths(headings, rows)):
            page.set_column(n, n, width)
        page.set_column(len(headings), len(headings), _WIDEST + 12)
        page.freeze_panes(1, 0)
        for n, heading in enumerate([*headings, wrong]):
            page.write_string(0, n, heading, bold)
        for number, (cells, said) in enumerate(rows, 1):
            for n, cell in enumerate(cells):
                if isinstance(cell, date | time):  # a datetime is a date too
                    page.write_datetime(number, n, cell, formats[type(cell)])
                elif cell != "":
                    page.write_string(number, n, as_text(cell), plain)
            page.write_string(number, len(headings), said, red)
    return out.getvalue()


def _widths(headings: Sequence[str], rows: Sequence[BadRow]) -> list[int]:
    widths = [len(heading) for heading in headings]
    for cells, _ in rows[:_LOOKED_AT]:
        widths = [max(w, len(as_text(c))) for w, c in zip(widths, cells, strict=False)]
    return [min(max(width + 2, 8), _WIDEST) for width in widths]
