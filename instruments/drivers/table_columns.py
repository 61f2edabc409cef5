"""A table's columns by their names: nothing is read by position that a vendor may move."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from instruments.drivers.reading import Unreadable
from instruments.drivers.words import plain
from instruments.files.table import Row, Sheet

Names = Mapping[str, Sequence[str]]  # our word for a column, to the headings it may go by


@dataclass(frozen=True, slots=True)
class Table:
    """A heading row, the columns found in it, and the rows below up to the next block."""

    heading: Row
    at: Mapping[str, int]
    rows: tuple[Row, ...]
    sheet: str = ""

    def cell(self, row: Row, column: str) -> str:
        """Empty where the file has no such column or the row is short."""
        return row.cell(self.at.get(column))

    def has(self, column: str) -> bool:
        return column in self.at

    def where(self, row: Row) -> str:
        return f"{self.sheet} row {row.number}".strip()

    def refuse_short(self, row: Row, column: str) -> None:
        """A row that ends before this column was cut off, and nothing of the file is trusted.
        Raises `Unreadable` short-row."""
        if len(row.cells) <= self.at[column]:
            told = f"{self.where(row)} ends before {self.heading.cell(self.at[column])!r}"
            raise Unreadable("short-row", told)

    def refuse_cut(self, row: Row, column: str) -> None:
        """So was the last row if it ends in the column itself, where the rows above it go on:
        "27.9" may have been "27.98". Raises `Unreadable` short-row."""
        self.refuse_short(row, column)
        at, heading = self.at[column], self.heading.cell(self.at[column])
        others = (self.heading, *self.rows[:-1])
        ends_here = row is self.rows[-1] and len(row.cells) == at + 1
        if ends_here and any(len(other.cells) > at + 1 for other in others):
            raise Unreadable("short-row", f"{self.where(row)} is cut off in {heading!r}")


def found_table(sheet: Sheet, names: Names, needed: Iterable[str], *, after: int = 0) -> Table:
    """The first row below line `after` that has a heading for every `needed` column. Raises
    `Unreadable`: no-table, or missing-columns with what the row that came nearest lacks."""
    needed = tuple(needed)
    best: tuple[int, Row, list[str]] | None = None
    for index, row in enumerate(sheet.rows):
        if row.number <= after:
            continue
        at = columns_of(row, names)
        missing = [column for column in needed if column not in at]
        if not missing:
            return Table(row, at, _until_blank(sheet.rows[index + 1 :]), sheet.name)
        if best is None or len(missing) < len(best[2]):
            best = index, row, missing
    lacking = _lacking(best, names, needed)
    part = best is not None and len(best[2]) < len(needed)
    raise Unreadable("missing-columns" if part else "no-table", lacking)


def columns_of(row: Row, names: Names) -> dict[str, int]:
    """The first heading of each list that the row has counts."""
    cells = [plain(cell) for cell in row.cells]
    found = {}
    for column, headings in names.items():
        places = [cells.index(plain(heading)) for heading in headings if plain(heading) in cells]
        if places:
            found[column] = places[0]
    return found


def _until_blank(rows: Sequence[Row]) -> tuple[Row, ...]:
    """A blank row or a [block] ends a table."""
    for index, row in enumerate(rows):
        if row.blank or row.cell(0).startswith("["):
            return tuple(rows[:index])
    return tuple(rows)


def _lacking(best: tuple[int, Row, list[str]] | None, names: Names, needed: tuple[str, ...]) -> str:
    if best is None:
        return "the file has no rows"
    _index, row, missing = best
    expected = "; ".join(" or ".join(map(repr, names[column])) for column in missing)
    if len(missing) == len(needed):
        return f"no row has the headings expected: {expected}"
    came = ", ".join(cell for cell in row.cells if cell)[:120].rstrip(", ")
    return f"row {row.number} has no column {expected}; came {came}"
