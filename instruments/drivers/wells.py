"""Well names: A1, A01, a 1, or a number, to the LIMS' `A01`.

Rows are letters from the top, columns numbers from the left (ANSI/SLAS 4-2004). Numbers run along
the rows (Applied Biosystems: 13 is B01 on a 96-well plate) or down the columns.
"""

import re
from enum import StrEnum
from typing import Final

from instruments.drivers.reading import Unreadable

_NAMED: Final = re.compile(r"([A-Pa-p])\s*0*([1-9]\d?)", re.ASCII)
ROWS: Final = {96: 8, 384: 16}
COLUMNS: Final = {96: 12, 384: 24}


class Naming(StrEnum):
    """How a file names its wells."""

    NAME = "A1"
    BY_ROW = "number-by-row"
    BY_COLUMN = "number-by-column"


def well_named(text: str, where: str) -> str:
    """`A1` and `a 01` are `A01`. Raises `Unreadable` well-name."""
    found = _NAMED.fullmatch(text.strip())
    if not found or int(found[2]) > COLUMNS[384]:
        raise Unreadable("well-name", f"{where}: expected a well as A1 or A01, came {text[:20]!r}")
    return f"{found[1].upper()}{int(found[2]):02d}"


def well_numbered(text: str, size: int, naming: Naming, where: str) -> str:
    """`13` or `13.0` to `B01` (by row, 96 wells). Raises `Unreadable` well-name."""
    if not re.fullmatch(r"\d{1,3}(\.0+)?", text, re.ASCII) or not 1 <= float(text) <= size:
        raise Unreadable(
            "well-name", f"{where}: expected a well number up to {size}, came {text[:20]!r}"
        )
    at = int(float(text)) - 1
    if naming is Naming.BY_COLUMN:
        column, row = divmod(at, ROWS[size])
    else:
        row, column = divmod(at, COLUMNS[size])
    return f"{chr(ord('A') + row)}{column + 1:02d}"


def read_well(text: str, size: int, naming: Naming, where: str) -> str:
    if naming is Naming.NAME:
        return well_named(text, where)
    return well_numbered(text, size, naming, where)
