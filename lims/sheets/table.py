"""Find the table on a sheet: titles above it, headings in one line or two, the lines beneath.

A Vietnamese list opens with the office's name, a title, often a merged cell "Năm sinh" over "Nam"
and "Nữ", and a line of column numbers (1) (2) (3). A merged cell's value belongs to its first cell.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from lims.sheets.cells import Row, as_text, is_blank
from lims.sheets.columns import column_of, heading_key
from lims.sheets.faults import WRONG_HEADINGS

Merged = tuple[tuple[int, int], tuple[int, int]]
"""The first and the last cell of a merged range, (row, column) from nought."""

LOOKED_AT: Final = 40
SAMPLES: Final = 3
_NUMBERING: Final = re.compile(r"\(?(\d{1,2})\)?")
_UNDER: Final = frozenset({"nam", "nu", "male", "female", "ngay", "gio", "nam sinh", "thang"})
_PASSED_OVER: Final = frozenset(map(heading_key, WRONG_HEADINGS))


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet of a file, with every cell as it came. Empty rows at the end are left out."""

    name: str
    rows: Sequence[Row]
    merged: Sequence[Merged] = ()


@dataclass(frozen=True, slots=True)
class Headings:
    """Where the headings stand: the first line (from 1), how many lines, the words by column.

    `width` leaves out a last column that said what was wrong the time before.
    """

    line: int
    lines: int
    words: tuple[str, ...]

    @property
    def first_row(self) -> int:
        """The line of the first row under them, from nought."""
        return self.line - 1 + self.lines


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table: its number in the file and its cells."""

    number: int
    cells: Row


def headings_of(sheet: Sheet, line: int | None = None) -> Headings | None:
    """The headings, found by the words they use, or in the line a person named (from 1).

    None on a sheet without anything that could be headings.
    """
    if line is not None:
        if not 1 <= line <= len(sheet.rows):
            return None
        return _headed(sheet, line - 1)
    best, most = None, 0
    for number, row in enumerate(sheet.rows[:LOOKED_AT]):
        known = len({column_of(as_text(cell)) for cell in row} - {None})
        if known > most:
            best, most = number, known
    if best is None:
        best = next((n for n, row in enumerate(sheet.rows) if sum(map(_said, row)) > 1), None)
    return None if best is None else _headed(sheet, best)


def lines_of(sheet: Sheet, headings: Headings) -> Iterator[Line]:
    """Every line under the headings that holds anything, cut and filled to their width."""
    width = len(headings.words)
    blank: Row = [""] * width
    for number, row in enumerate(sheet.rows[headings.first_row :], headings.first_row + 1):
        cells = row
        if len(row) != width:
            cells = row[:width] if len(row) > width else [*row, *blank[len(row) :]]
        if not all(map(is_blank, cells)):
            yield Line(number, cells)


def _headed(sheet: Sheet, first: int) -> Headings:
    words = _across(sheet, first)
    lines = 1
    if first + 1 < len(sheet.rows) and _continues(sheet, first):
        under = [as_text(cell).strip() for cell in sheet.rows[first + 1]]
        size = max(len(words), len(under))
        pairs = zip(_to(words, size), _to(under, size), strict=True)
        words = [" / ".join(filter(None, pair)) for pair in pairs]
        lines = 2
    else:
        words = _own(sheet, first)
    if first + lines < len(sheet.rows) and _is_numbering(sheet.rows[first + lines]):
        lines += 1
    return Headings(first + 1, lines, tuple(_without_the_last_fault(words)))


def _own(sheet: Sheet, row: int) -> list[str]:
    return [" ".join(as_text(cell).split()) for cell in sheet.rows[row]]


def _across(sheet: Sheet, row: int) -> list[str]:
    """The words of a line, a merged cell's in each of its columns; where the file knows no merged
    cells (CSV), an empty cell over a sub-heading takes the word to its left."""
    words = _own(sheet, row)
    for (top, left), (bottom, right) in sheet.merged:
        if top <= row <= bottom and left < len(words):
            said = " ".join(as_text(sheet.rows[top][left]).split())
            words = _to(words, right + 1)
            words[left : right + 1] = [said if top == row else ""] * (right + 1 - left)
    if not sheet.merged and row + 1 < len(sheet.rows):
        under = sheet.rows[row + 1]
        for n in range(1, min(len(words), len(under))):
            if not words[n] and not is_blank(under[n]) and not is_blank(under[n - 1]):
                words[n] = words[n - 1]
    return words


def _continues(sheet: Sheet, row: int) -> bool:
    """True when the next line belongs to the headings: it divides what stands above it."""
    under = [as_text(cell).strip() for cell in sheet.rows[row + 1]]
    said = [(n, word) for n, word in enumerate(under) if word]
    if not said or any(any(map(str.isdigit, word)) for _, word in said):
        return False
    tall = any(top == row and bottom == row + 1 for (top, _), (bottom, _) in sheet.merged)
    keys = [heading_key(word) for _, word in said]
    return tall or all(key in _UNDER for key in keys)


def _is_numbering(row: Row) -> bool:
    """(1) (2) (3) under the headings, as official forms have it."""
    found = [_NUMBERING.fullmatch(as_text(cell).strip()) for cell in row if not is_blank(cell)]
    numbers = [int(one[1]) for one in found if one]
    return len(found) == len(numbers) > 2 and numbers == list(range(1, len(numbers) + 1))


def _without_the_last_fault(words: list[str]) -> list[str]:
    while words and (not words[-1] or heading_key(words[-1]) in _PASSED_OVER):
        words = words[:-1]
    return words


def _to(words: list[str], size: int) -> list[str]:
    return words + [""] * (size - len(words))


def _said(cell: object) -> bool:
    return isinstance(cell, str) and bool(cell.strip())
