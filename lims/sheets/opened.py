"""Open the bytes of an uploaded file: a workbook or CSV, its sheets, and how it was written.

A workbook is a ZIP archive, and an archive of a few kilobytes may unpack to gigabytes: it is
measured as it unpacks, before any of it is parsed.
"""

import csv
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from io import BytesIO, StringIO
from typing import Final

import python_calamine

from lims.sheets.cells import Row, is_blank, known_cell
from lims.sheets.encodings import Encoding, decoded
from lims.sheets.faults import FileFault, Unreadable
from lims.sheets.reach import is_worksheet, plainly_reached, reached
from lims.sheets.table import Sheet

MOST_BYTES: Final = 64 * 1024 * 1024
MOST_ROWS: Final = 100_000
MOST_COLUMNS: Final = 200
MOST_UNPACKED: Final = 600 * 1024 * 1024  # 100,000 lines of 30 cells are about 200 MB of XML
_MOST_PARTS: Final = 2_000
_STEP: Final = 1024 * 1024
_ABOVE: Final = 100  # titles, headings and signatures beside the lines themselves
_MOST_CELLS: Final = (
    50_000_000  # of all sheets, empty ones in between too: two sheets at the limits
)
_ZIP: Final = b"PK\x03\x04"
_OLD: Final = b"\xd0\xcf\x11\xe0"  # OLE: .xls, and .xlsx under a password
_OTHERS: Final = (b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"{\\rtf", b"Rar!", b"\x1f\x8b")
_SEPARATORS: Final = ",;\t|"


class Format(StrEnum):
    """What the bad rows are given back as."""

    CSV = "csv"
    XLSX = "xlsx"


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a file was written, so that its bad rows are written alike."""

    format: Format
    encoding: Encoding = Encoding.UTF_8_BOM
    separator: str = ","


@dataclass(frozen=True, slots=True)
class Opened:
    """A file as it was read."""

    dialect: Dialect
    sheets: tuple[Sheet, ...]


def sniff(raw: bytes) -> Format:
    """What a file is, by its first bytes and its size alone. Raises Unreadable."""
    if not raw.strip():
        raise Unreadable(FileFault.EMPTY)
    if len(raw) > MOST_BYTES:
        raise Unreadable(FileFault.TOO_BIG)
    if raw.startswith(_OLD):
        raise Unreadable(FileFault.OLD_WORKBOOK)
    if raw.startswith(_OTHERS):
        raise Unreadable(FileFault.NOT_A_LIST)
    return Format.XLSX if raw.startswith(_ZIP) else Format.CSV


def open_list(raw: bytes) -> Opened:
    """Every sheet with every cell. Raises Unreadable."""
    opened = _workbook(raw) if sniff(raw) is Format.XLSX else _text(raw)
    for sheet in opened.sheets:
        if len(sheet.rows) > MOST_ROWS + _ABOVE:
            raise Unreadable(FileFault.TOO_MANY_ROWS)
        if max(map(len, sheet.rows), default=0) > MOST_COLUMNS:
            raise Unreadable(FileFault.TOO_WIDE)
    if not any(sheet.rows for sheet in opened.sheets):
        raise Unreadable(FileFault.EMPTY)
    return opened


def _text(raw: bytes) -> Opened:
    text, encoding = decoded(raw)
    separator = separator_of(text)
    reader = csv.reader(StringIO(text.replace("\x00", "\ufffd"), newline=""), delimiter=separator)
    rows: list[Row] = []
    try:
        for row in reader:
            if len(rows) > MOST_ROWS + _ABOVE:
                raise Unreadable(FileFault.TOO_MANY_ROWS)
            rows.append([_as_typed(cell) for cell in row])
    except csv.Error as error:
        raise Unreadable(FileFault.LONG_CELL) from error
    dialect = Dialect(Format.CSV, encoding, separator)
    return Opened(dialect, (Sheet("", _ended(rows)),))


def separator_of(text: str) -> str:
    """The separator that stands most often in the first lines; a comma where none does.

    Titles have none, so one line alone cannot tell.
    """
    head = "\n".join(text.split("\n", 40)[:40])
    return max(_SEPARATORS, key=head.count) if any(map(head.count, _SEPARATORS)) else ","


def _as_typed(cell: str) -> str:
    """Without the apostrophe that `written` puts before what a spreadsheet would run."""
    return cell[1:] if cell[:1] == "'" and cell[1:2] in ("=", "+", "-", "@", "\t", "\r") else cell


def _workbook(raw: bytes) -> Opened:
    _measure(raw)
    try:
        book = python_calamine.load_workbook(BytesIO(raw))
        shown = [
            sheet.name
            for sheet in book.sheets_metadata
            if sheet.typ == python_calamine.SheetTypeEnum.WorkSheet
            and sheet.visible == python_calamine.SheetVisibleEnum.Visible
        ]
        sheets = tuple(_sheet(book, name) for name in shown)
    except Unreadable:
        raise
    except (python_calamine.CalamineError, ValueError, OverflowError) as error:
        raise Unreadable(FileFault.DAMAGED) from error
    except BaseException as error:  # a panic of its Rust, which is no Exception to Python
        if type(error).__name__ != "PanicException":
            raise
        raise Unreadable(FileFault.DAMAGED) from error
    return Opened(Dialect(Format.XLSX), sheets)


def _sheet(book: python_calamine.CalamineWorkbook, name: str) -> Sheet:
    found = book.get_sheet_by_name(name)
    rows: list[Row] = [
        [cell if type(cell) is str else known_cell(cell) for cell in row]
        for row in found.to_python(skip_empty_area=False)
    ]
    merged = tuple(found.merged_cell_ranges or ())
    return Sheet(name, _ended(rows), merged)


def _measure(raw: bytes) -> None:
    """Raises Unreadable for an archive that unpacks to too much, or not at all, and for sheets that
    reach too far."""
    try:
        with zipfile.ZipFile(BytesIO(raw)) as archive:
            parts = archive.infolist()
            if len(parts) > _MOST_PARTS or sum(p.file_size for p in parts) > MOST_UNPACKED:
                raise Unreadable(FileFault.UNPACKS_TOO_BIG)
            if "xl/workbook.xml" not in archive.namelist():
                raise Unreadable(FileFault.NOT_A_LIST)
            unpacked, cells = _Unpacked(archive), 0
            for part in parts:
                if is_worksheet(part.filename):
                    plainly = plainly_reached(unpacked.of(part))
                    cells += reached(_pieces(archive, part)) if plainly is None else plainly
                else:
                    for _piece in unpacked.of(part):
                        pass
            if cells > _MOST_CELLS:
                raise Unreadable(FileFault.UNPACKS_TOO_BIG)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError) as error:
        raise Unreadable(FileFault.DAMAGED) from error


class _Unpacked:
    """Counts what comes out of an archive: what a part says of its size is not believed."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._bytes = 0

    def of(self, part: zipfile.ZipInfo) -> Iterator[bytes]:
        """Piece by piece. Raises Unreadable."""
        for piece in _pieces(self._archive, part):
            self._bytes += len(piece)
            if self._bytes > MOST_UNPACKED:
                raise Unreadable(FileFault.UNPACKS_TOO_BIG)
            yield piece


def _pieces(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> Iterator[bytes]:
    with archive.open(part) as stream:
        while piece := stream.read(_STEP):
            yield piece


def _ended(rows: list[Row]) -> list[Row]:
    while rows and all(map(is_blank, rows[-1])):
        rows.pop()
    return rows
