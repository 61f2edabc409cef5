"""A list of people's probabilities, as CSV: one a line."""

import csv
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from lims.domain.refusals import OutOfRange, UnreadableList

MOST_PEOPLE: Final = 2_000
_HEADINGS: Final = frozenset({"probability", "risk", "prevalence", "p", "xác suất", "nguy cơ"})


def read_risks(text: str) -> tuple[float, ...]:
    """The probabilities in the order of the list.

    The column is the one headed probability, risk or p, else the last. Semicolons or tabs may part
    the columns, and then a comma the decimals. Raises UnreadableList for no or too many lines, and
    OutOfRange with the line for one that is no probability.
    """
    lines = text.lstrip("\ufeff").splitlines()
    first = lines[0] if lines else ""
    parting = next((sign for sign in ";\t" if sign in first), ",")
    rows = list(islice(_rows(lines, parting), MOST_PEOPLE + 2))
    column = -1
    if rows and _probability(rows[0][1][-1], parting) is None:
        headings = [cell.strip().lower() for cell in rows[0][1]]
        named = [at for at, heading in enumerate(headings) if heading in _HEADINGS]
        column = named[0] if named else -1
        if named or len(rows) > 1:
            rows = rows[1:]
    if not 1 <= len(rows) <= MOST_PEOPLE:
        raise UnreadableList(
            came=str(len(rows)),
            where="risk",
            expected="one probability a line, of 1 to 2,000 people",
            todo="plan a longer list in parts: sort it by risk and take 2,000 at a time",
        )
    return tuple(_checked(row, column, number, parting) for number, row in rows)


def _rows(lines: Sequence[str], parting: str) -> Iterator[tuple[int, list[str]]]:
    try:
        for number, row in enumerate(csv.reader(lines, delimiter=parting), 1):
            if any(cell.strip() for cell in row):
                yield number, row
    except csv.Error as error:
        raise UnreadableList(came=str(error)[:40], where="risk") from error


def _checked(row: Sequence[str], column: int, number: int, parting: str) -> float:
    cell = row[column] if -len(row) <= column < len(row) else ""
    value = _probability(cell, parting)
    if value is None or not 0 < value < 1:
        raise OutOfRange(came=cell.strip()[:40] or "—", where=f"line {number}")
    return value


def _probability(cell: str, parting: str) -> float | None:
    try:
        return float(cell.strip().replace(",", ".") if parting != "," else cell.strip())
    except ValueError:
        return None
