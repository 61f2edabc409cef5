"""A grid of rows and columns as the bench pipetted it, each tube with how it stands."""

from collections.abc import Sequence
from dataclasses import dataclass

from lims.work.views.pool_view import PoolMember
from lims.work.views.sub_pool_view import SubPoolLine
from lims.work.views.tube_story import Sign


@dataclass(frozen=True, slots=True)
class Cell:
    """The tube where a row and a column cross; empty where the last row is short."""

    barcode: str | None
    mark: str


@dataclass(frozen=True, slots=True)
class GridPicture:
    """Columns from the left, rows from the top with their cells."""

    columns: tuple[SubPoolLine, ...]
    rows: tuple[tuple[SubPoolLine, tuple[Cell, ...]], ...]


def grid_of(lines: Sequence[SubPoolLine], *, members: Sequence[PoolMember]) -> GridPicture | None:
    """The picture, or None when these are not whole rows and columns."""
    rows = [line for line in lines if line.position.startswith("row ")]
    columns = [line for line in lines if line.position.startswith("column ")]
    if not rows or not columns or len(rows) + len(columns) != len(lines):
        return None
    stands = {member.barcode: member.sign for member in members}
    return GridPicture(
        tuple(columns),
        tuple((row, tuple(_cell(row, column, stands) for column in columns)) for row in rows),
    )


def _cell(row: SubPoolLine, column: SubPoolLine, stands: dict[str, Sign]) -> Cell:
    in_column = {draw.barcode for draw in column.draws}
    here = next((draw.barcode for draw in row.draws if draw.barcode in in_column), None)
    return Cell(here, str(stands.get(here, "")) if here is not None else "none")
