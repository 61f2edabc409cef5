"""An empty list to hand out: headings that are understood, columns that keep what is typed."""

from collections.abc import Mapping
from io import BytesIO
from typing import Final

import xlsxwriter

from lims.sheets.columns import Column

_OFFERED: Final = (
    Column.BARCODE,
    Column.NAME,
    Column.BIRTH,
    Column.SEX,
    Column.PHONE,
    Column.NATIONAL_ID,
    Column.ADDRESS,
    Column.AREA,
    Column.COLLECTED_AT,
)
_WIDTHS: Final = {Column.NAME: 30, Column.ADDRESS: 36, Column.AREA: 28}


def blank_list(headings: Mapping[Column, str]) -> bytes:
    """Every column is Text, so that the spreadsheet cuts no nought and turns no day around."""
    out = BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        page = book.add_worksheet()
        text = book.add_format({"num_format": "@"})
        bold = book.add_format({"bold": True, "bottom": 1, "num_format": "@"})
        for n, column in enumerate(_OFFERED):
            page.set_column(n, n, _WIDTHS.get(column, 18), text)
            page.write_string(0, n, headings[column], bold)
        page.freeze_panes(1, 0)
    return out.getvalue()
