"""The tables of an export, as text cells with the number of their line or row.

The standard library's csv reads the text and python-calamine the workbooks: rows of these files
are uneven, blocks follow each other under one another, and a free line may stand first, which a
data frame would have to be talked out of; and a gateway on a small box is spared 150 MB of Polars.

Cells keep their words; a workbook's number is written as the shortest text that is that number.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Final

import python_calamine

from instruments.drivers.reading import Unreadable
from instruments.files.export import MOST_BYTES, Export
from instruments.files.workbook import refuse_bombs, refuse_too_many

MOST_ROWS: Final = 400_000  # 384 wells × 45 cycles × 6 filters are 104,000
DELIMITERS: Final = "\t;,|"
_WORKBOOKS: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # xlsx; xls


@dataclass(frozen=True, slots=True)
class Row:
    """`number` counts from 1, as an editor or a spreadsheet shows it."""

    number: int
    cells: tuple[str, ...]

    def cell(self, at: int | None) -> str:
        """Empty where the row is short."""
        return self.cells[at] if at is not None and at < len(self.cells) else ""

    @property
    def blank(self) -> bool:
        return not any(self.cells)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet of a workbook, or a whole text file under the name ''."""

    name: str
    rows: tuple[Row, ...]


def sheets(
    export: Export, *, delimiter: str | None = None, encoding: str | None = None
) -> tuple[Sheet, ...]:
    """Raises `Unreadable`: empty-file, too-large, workbook, and those of `decoded`."""
    if not export.content.strip():
        raise Unreadable("empty-file", "nothing is in the file")
    if len(export.content) > MOST_BYTES:
        raise Unreadable("too-large", f"{len(export.content)} bytes, at most {MOST_BYTES}")
    if export.content.startswith(_WORKBOOKS):
        return _workbook(export.content)
    return (Sheet("", tuple(_text_rows(export.text(encoding), delimiter))),)


def _text_rows(text: str, delimiter: str | None) -> Iterator[Row]:
    """Lines end in CR, LF or both; a quoted cell may go over several lines."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    between = delimiter or found_delimiter(lines)
    reader = csv.reader(io.StringIO(lines, newline=""), delimiter=between, strict=True)
    line = 1
    try:
        for count, cells in enumerate(reader):
            if count >= MOST_ROWS:
                raise Unreadable("too-large", f"more than {MOST_ROWS} rows")
            yield Row(line, tuple(_plain(cell) for cell in cells))
            line = reader.line_num + 1
    except csv.Error as error:
        raise Unreadable("table", f"line {line}: {error}") from error


def found_delimiter(text: str) -> str:
    """The one that cuts the widest row: of a table's heading, every cell is cut, and no number
    or sentence has as many commas as a table has columns."""
    widths = dict.fromkeys(DELIMITERS, 0)
    for line in text.split("\n", 20_000)[:20_000]:
        for each in DELIMITERS:
            widths[each] = max(widths[each], line.count(each))
    return max(DELIMITERS, key=lambda each: widths[each])


def _workbook(content: bytes) -> tuple[Sheet, ...]:
    if content.startswith(b"PK"):
        refuse_bombs(content)
    try:
        return tuple(_opened(content))
    except (python_calamine.CalamineError, OSError, ValueError) as error:
        raise Unreadable("workbook", f"not a workbook that can be read: {error}") from error
    except BaseException as error:  # what the reader's own language calls a panic is no Exception
        if type(error).__module__ != "pyo3_runtime":
            raise
        raise Unreadable("workbook", "not a workbook: its reader fell over it") from error


def _opened(content: bytes) -> Iterator[Sheet]:
    book = python_calamine.load_workbook(io.BytesIO(content))
    cells = 0
    for name in book.sheet_names:
        sheet = book.get_sheet_by_name(name)
        cells += sheet.total_height * sheet.total_width
        refuse_too_many(cells)
        yield Sheet(name, tuple(_sheet_rows(sheet)))


def _sheet_rows(sheet: python_calamine.CalamineSheet) -> Iterator[Row]:
    for number, cells in enumerate(sheet.to_python(skip_empty_area=False), start=1):
        if number > MOST_ROWS:
            raise Unreadable("too-large", f"sheet {sheet.name}: more than {MOST_ROWS} rows")
        yield Row(number, tuple(_plain(_written(cell)) for cell in cells))


def _written(cell: object) -> str:
    match cell:
        case bool():
            return "true" if cell else "false"
        case float() if cell.is_integer() and abs(cell) < 1e15:
            return str(int(cell))
        case datetime() | date() | time():
            return cell.isoformat()
    return str(cell)


def _plain(cell: str) -> str:
    return cell.replace("\u00a0", " ").strip()


def last_filled(cells: Sequence[str]) -> int:
    """How many cells there are up to the last that says something."""
    return max((at for at, cell in enumerate(cells, start=1) if cell), default=0)
