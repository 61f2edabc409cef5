"""The positive list as CSV (RFC 4180), for a program of the team's own.

UTF-8 with its mark, since the usual spreadsheet takes any other for its own code page. A cell that
such a program would compute begins with an apostrophe (CWE-1236). Who took the list, when, and when
it is to be destroyed stand in each line: a line that was cut out still says whose copy it is.
"""

from __future__ import annotations

import csv
from datetime import date, datetime
from io import StringIO
from typing import Final

from reports.positive_columns import columns, in_order
from reports.positive_list import PositiveList
from reports.positive_words import plain
from reports.saying import Saying
from reports.workbook import Cell

_COMPUTED: Final = ("=", "+", "-", "@", "\t", "\r")
_MARKS: Final = ("taken_by", "taken_at", "destroy_by")


def positive_csv(listed: PositiveList, saying: Saying) -> bytes:
    """A line of headings and one for each F0."""
    shown, out = columns(listed), StringIO()
    rows = csv.writer(out, lineterminator="\r\n")
    rows.writerow([plain(saying, key) for key in (*(one.key for one in shown), *_MARKS)])
    mark = (
        listed.made_by,
        saying.local(listed.made_at).isoformat(timespec="seconds"),
        listed.destroy_by.isoformat(),
    )
    for line in in_order(listed):
        rows.writerow([_safe(cell) for cell in (*(o.said(line, saying) for o in shown), *mark)])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _safe(cell: Cell) -> Cell:
    """A moment as ISO 8601 has it, with its offset: a program must not guess the year or zone."""
    if isinstance(cell, datetime):
        return cell.isoformat(timespec="seconds")
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, str) and cell.startswith(_COMPUTED):
        return f"'{cell}"
    return cell
