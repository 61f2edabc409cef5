"""A square array inside a positive pool: its rows and its columns are pooled, all in one run.

Every tube is in one row and one column, so that a single positive is named by what the detected
row and the detected column have in common. Source: Phatarfod and Sudbury, "The use of a square
array scheme in blood testing", Statistics in Medicine 13 (1994) 2337-2343; inside a master pool,
Kim et al., Biometrics 63 (2007) 1152-1163.
"""

from math import isqrt
from typing import Final, TypeVar

from lims.domain.pooling.ct_rank import by_ct_match
from lims.domain.pooling.strategy import Next, Question, SubPool

Tube = TypeVar("Tube")

SMALLEST: Final = 6
"""With fewer tubes a grid takes as many wells as testing each alone."""


def shape_of(tubes: int) -> tuple[int, int]:
    """Rows and columns: the fewest pools that hold them all, then the squarest. 20 tubes: 4 × 5."""
    shapes = ((rows, -(-tubes // rows)) for rows in range(1, isqrt(tubes) + 1))
    return min(shapes, key=lambda shape: (sum(shape), shape[1] - shape[0]))


def lines_of(sources: tuple[Tube, ...]) -> tuple[tuple[str, tuple[Tube, ...]], ...]:
    """Rows and columns with their names, filled row by row in pipetting order."""
    rows, columns = shape_of(len(sources))
    across = [(f"row {n + 1}", sources[n * columns : (n + 1) * columns]) for n in range(rows)]
    down = [(f"column {n + 1}", sources[n::columns]) for n in range(columns)]
    return tuple((name, line) for name, line in (*across, *down) if line)


class Grid:
    """Rows and columns first; then, alone, whoever they leave in question."""

    name = "grid/1"

    def next(self, question: Question) -> Next:
        """The lines without an answer while there are any, then the suspects.

        A line of one tube, or with one tube left in question, is that tube alone. A line that
        failed is not repeated: whom it leaves open is tested alone in the same run.
        """
        wanted: list[SubPool] = []
        alone = question.only_alone()
        for position, line in lines_of(question.pool.sources):
            opened = question.askable(line)
            made = question.prepared(line)
            if not opened or (made is not None and made.id in question.known):
                continue
            if made is not None:
                wanted.append(SubPool(1, position, made.sources))
            elif len(opened) == 1:
                alone.extend(opened)
            else:
                wanted.append(SubPool(1, position, question.drawable(line)))
        if not wanted:
            alone = list(by_ct_match(question, question.open_sources))
        tubes = dict.fromkeys(s for s in alone if question.testable(s))
        return Next(tubes=tuple(tubes), sub_pools=tuple(wanted))
