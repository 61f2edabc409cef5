"""How far the cells of a worksheet reach, measured as it unpacks, before anything is built of it.

A sheet is read into a rectangle from its first cell to its last: one stray value in the last corner
would ask for seventeen milliard cells, and end this process. An address can be written in many
ways: under a prefix, with spaces, or not at all, when rows and cells are simply counted on. So a
sheet is either plain throughout, every cell with its near address as every spreadsheet writes it,
or it is parsed, which takes ten times as long.
"""

import re
from collections.abc import Iterable
from operator import itemgetter
from typing import Final
from xml.parsers import expat

from lims.sheets.faults import FileFault, Unreadable

FARTHEST_ROW: Final = 110_000
FARTHEST_COLUMN: Final = 208  # GZ
_NEAR_CELL: Final = re.compile(rb'<c r="([A-Z]|[A-G][A-Z])([1-9][0-9]{0,4}|10[0-9]{4})"')
_ANY_CELL: Final = re.compile(rb"<(?:[^\s<>/]*:)?c(?=[\s/>])")
_FIRST: Final = itemgetter(0)
_SECOND: Final = itemgetter(1)
_ADDRESS: Final = re.compile(r"([A-Za-z]{1,3})([0-9]{1,7})", re.ASCII)
_ROW: Final = re.compile(r"[0-9]{1,7}", re.ASCII)


def is_worksheet(part: str) -> bool:
    """By its name in the archive, in whatever letters: readers do not tell them apart."""
    return "worksheets/" in part.lower().replace("\\", "/")


def plainly_reached(pieces: Iterable[bytes]) -> int | None:
    """Cells in the rectangle of a sheet that is plain throughout; None for one to be parsed.

    Reads to the end in either case, so that all that unpacks has been measured.
    """
    rows, columns = {b"1"}, {b"A"}
    plain, kept = True, b""
    for piece in pieces:
        if not plain:
            continue
        xml, _tag, _begun = (kept + piece).rpartition(b"<")  # no tag is cut in two
        kept = (kept + piece)[len(xml) :]
        plain = len(kept) < len(piece) + 1 and _take_plain(xml, rows, columns)
    if not plain or not _take_plain(kept, rows, columns):
        return None
    return max(map(int, rows)) * max(_column(letters.decode()) for letters in columns)


def _take_plain(xml: bytes, rows: set[bytes], columns: set[bytes]) -> bool:
    if b"<!" in xml or b"\x00" in xml:  # a document type, a comment, other bytes than UTF-8
        return False
    near = _NEAR_CELL.findall(xml)
    columns.update(map(_FIRST, near))
    rows.update(map(_SECOND, near))
    return len(near) == len(_ANY_CELL.findall(xml))


def reached(pieces: Iterable[bytes]) -> int:
    """Cells in the rectangle that the contents of any sheet need.

    Raises Unreadable: TOO_MANY_ROWS, TOO_WIDE, or DAMAGED for what is no XML of a spreadsheet. A
    document type is none: it could only bring entities that unfold without end.
    """
    counted = _Counted()
    parser = expat.ParserCreate()
    parser.StartElementHandler = counted.starts
    parser.EndElementHandler = counted.ends
    parser.StartDoctypeDeclHandler = _refuse_doctype
    try:
        for piece in pieces:
            parser.Parse(piece, False)
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise Unreadable(FileFault.DAMAGED) from error
    return counted.rows * counted.columns


def _refuse_doctype(*_said: object) -> None:
    raise Unreadable(FileFault.DAMAGED)


class _Counted:
    """Follows rows and cells as the reader does. A cell counts once something is in it: formats
    alone often reach to the last column, and are passed over. A row in a row, and either in a cell,
    are refused: readers do not agree on where they stand."""

    def __init__(self) -> None:
        self.rows = self.columns = 0
        self._row, self._at = 1, (1, 0)
        self._in_row = self._in_cell = False

    def starts(self, tag: str, attributes: dict[str, str]) -> None:
        """A row, a cell, or what a cell holds."""
        name = _plain(tag)
        if name == "c":
            if self._in_cell:
                raise Unreadable(FileFault.DAMAGED)
            self._in_cell = True
            address = attributes.get("r")
            self._at = (self._row, self._at[1] + 1) if address is None else _place(address)
        elif name == "row":
            self._begin_row(attributes.get("r"))
        elif self._in_cell:
            self._hold()

    def ends(self, tag: str) -> None:
        """The next row begins at its first cell."""
        name = _plain(tag)
        if name == "c":
            self._in_cell = False
        elif name == "row":
            self._row, self._in_row = self._row + 1, False
            self._at = (self._row, 0)

    def _begin_row(self, number: str | None) -> None:
        if self._in_row or self._in_cell or (number and not _ROW.fullmatch(number)):
            raise Unreadable(FileFault.DAMAGED)
        self._in_row = True
        if number:
            self._row = int(number)

    def _hold(self) -> None:
        row, column = self._at
        if row > FARTHEST_ROW:
            raise Unreadable(FileFault.TOO_MANY_ROWS)
        if column > FARTHEST_COLUMN:
            raise Unreadable(FileFault.TOO_WIDE)
        self.rows, self.columns = max(self.rows, row), max(self.columns, column)


def _plain(tag: str) -> str:
    """Without its prefix."""
    return tag.rpartition(":")[2] if ":" in tag else tag


def _place(address: str) -> tuple[int, int]:
    """Row and column, from one."""
    found = _ADDRESS.fullmatch(address)
    if found is None:
        raise Unreadable(FileFault.DAMAGED)
    return int(found[2]), _column(found[1].upper())


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number
