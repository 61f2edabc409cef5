"""Workbooks that would take the gateway's memory, refused before they are laid out.

A sheet is laid out whole, from its first cell to its last: two cells in opposite corners, two
hundred bytes of a file, are seventeen thousand million places. And a zip says itself how large its
parts are, which need not be true: so they are unpacked here, piece by piece, and forgotten.
"""

import io
import re
import zipfile
import zlib
from typing import IO, Final

from instruments.drivers.reading import Unreadable

MOST_UNPACKED: Final = 400 * 1024 * 1024
MOST_CELLS: Final = 8_000_000  # 384 wells × 45 cycles × 6 filters, fifteen columns: 1,600,000
_PIECE: Final = 1024 * 1024
_OVERLAP: Final = 32  # bytes: a place cut in two by the end of a piece
_PLACE: Final = re.compile(rb"""\sr\s*=\s*["']([A-Za-z]{0,3})([1-9]\d{0,9})["']""")


def refuse_bombs(content: bytes) -> None:
    """Of a zipped workbook. Raises `Unreadable`: workbook, too-large."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
            if (unpacked := sum(part.file_size for part in parts)) > MOST_UNPACKED:
                raise Unreadable("too-large", f"the workbook unpacks to {unpacked} bytes")
            for part in parts:  # a sheet may go by any name
                with archive.open(part) as unpacking:
                    refuse_too_many(_laid_out(unpacking))
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError) as error:
        raise Unreadable("workbook", f"not a workbook: {error}") from error
    except (RuntimeError, NotImplementedError) as error:  # encrypted; a packing of another kind
        raise Unreadable("workbook", f"not a workbook that can be read: {error}") from error


def refuse_too_many(cells: int) -> None:
    """Raises `Unreadable` too-large."""
    if cells > MOST_CELLS:
        told = f"the sheets reach over {cells} cells, at most {MOST_CELLS}; delete empty rows"
        raise Unreadable("too-large", told)


def _laid_out(part: IO[bytes]) -> int:
    """Over how many cells it reaches if it is a sheet. Read to its end, where zipfile checks the
    size and the sum that it claims."""
    rows = columns = 1
    before = b""
    while piece := part.read(_PIECE):
        for letters, number in _PLACE.findall(before + piece):
            rows, columns = max(rows, int(number)), max(columns, _column(letters))
        before = piece[-_OVERLAP:]
    return rows * columns


def _column(letters: bytes) -> int:
    at = 0
    for letter in letters.upper():
        at = 26 * at + letter - ord("A") + 1
    return at
