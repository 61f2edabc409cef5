"""One cell as a file holds it, and as text."""

import math
from datetime import date, datetime, time, timedelta
from typing import Final

Cell = str | float | bool | date | datetime | time
"""CSV cells are text; a workbook's are also numbers, days and moments."""

Row = list[Cell]
_EXACT_TO: Final = 10**15  # a double holds every whole number below


def as_text(cell: Cell) -> str:
    """The cell as a person reads it: 912345678.0 is 912345678, a day is 05/03/1989."""
    match cell:
        case str():
            return cell
        case bool():
            return "TRUE" if cell else "FALSE"
        case float():
            whole = math.isfinite(cell) and cell == int(cell) and abs(cell) < _EXACT_TO
            return str(int(cell)) if whole else repr(float(cell))
        case datetime():
            return cell.strftime("%d/%m/%Y %H:%M")
        case date():
            return cell.strftime("%d/%m/%Y")
        case time():
            return cell.strftime("%H:%M")


def known_cell(value: object) -> Cell:
    """A workbook's cell as one of ours; a length of time is shown as a clock shows it."""
    match value:
        case str() | bool() | float() | datetime() | date() | time():
            return value
        case int():
            return float(value)
        case timedelta():
            minutes = int(value.total_seconds() // 60)
            return f"{minutes // 60:02d}:{minutes % 60:02d}"
        case _:
            return "" if value is None else str(value)


def is_blank(cell: Cell) -> bool:
    """True for a cell with nothing to see."""
    return isinstance(cell, str) and not cell.strip()


def to_json(cell: Cell) -> object:
    """A cell to keep beside its fault, until the bad rows are fetched."""
    match cell:
        case datetime():
            return {"at": cell.isoformat()}
        case date():
            return {"day": cell.isoformat()}
        case time():
            return {"time": cell.isoformat()}
        case str():
            return cell.replace("\x00", "\ufffd")  # jsonb keeps every character but this one
        case _:
            return cell


def of_json(kept: object) -> Cell:
    """The cell that `to_json` kept."""
    match kept:
        case {"at": str(said)}:
            return datetime.fromisoformat(said)
        case {"day": str(said)}:
            return date.fromisoformat(said)
        case {"time": str(said)}:
            return time.fromisoformat(said)
        case str() | bool() | float():
            return kept
        case int():
            return float(kept)
        case _:
            raise ValueError(f"expected a kept cell, came {type(kept).__name__}")
