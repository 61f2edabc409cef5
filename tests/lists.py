"""Lists as people keep them, made for a test: workbooks with all their habits, CSV in any dress."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time
from io import BytesIO

import xlsxwriter

HEADINGS = ("Mã ống", "Họ và tên", "Năm sinh", "SĐT", "CCCD")


def workbook(
    rows: Sequence[Sequence[object]],
    *,
    merged: Sequence[tuple[int, int, int, int, str]] = (),
    sheets: Sequence[str] = ("Danh sách",),
    formulas: Sequence[tuple[int, int, str, object]] = (),
) -> bytes:
    """Every row as given; days and moments as the spreadsheet's own; the last sheet has the rows.

    `merged` are (first row, first column, last row, last column, text); `formulas` are (row,
    column, formula, the value it had when saved).
    """
    out = BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False}) as book:
        pages = [book.add_worksheet(name) for name in sheets]
        day = book.add_format({"num_format": "dd/mm/yyyy"})
        moment = book.add_format({"num_format": "dd/mm/yyyy hh:mm"})
        hour = book.add_format({"num_format": "hh:mm"})
        page = pages[-1]
        for number, row in enumerate(rows):
            for n, cell in enumerate(row):
                match cell:
                    case datetime():
                        page.write_datetime(number, n, cell, moment)
                    case date():
                        page.write_datetime(number, n, cell, day)
                    case time():
                        page.write_datetime(number, n, cell, hour)
                    case str():
                        page.write_string(number, n, cell)
                    case None:
                        pass
                    case _:
                        page.write(number, n, cell)
        for top, left, bottom, right, text in merged:
            page.merge_range(top, left, bottom, right, text)
        for row_number, column, formula, value in formulas:
            page.write_formula(row_number, column, formula, None, value)
    return out.getvalue()


def csv_text(rows: Sequence[Sequence[str]], separator: str = ",") -> str:
    return "".join(separator.join(row) + "\r\n" for row in rows)
