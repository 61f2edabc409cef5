"""Where each tube of a list stands first, to be named to whoever has it a second time."""

from collections.abc import Sequence
from functools import cached_property

from lims.sheets.faults import Wrong
from lims.sheets.table import Line
from lims.sheets.understood import tube_of


class FirstLines:
    """Looked for when the first tube is taken already: most lists have none twice."""

    def __init__(self, lines: Sequence[Line], column: int) -> None:
        self._lines = lines
        self._column = column

    def of(self, barcode: str) -> int | None:
        """The number of the first line with this tube."""
        return self._numbers.get(barcode)

    @cached_property
    def _numbers(self) -> dict[str, int]:
        first: dict[str, int] = {}
        for line in self._lines:
            tube = tube_of(line.cells[self._column])
            if not isinstance(tube, Wrong):
                first.setdefault(tube, line.number)
        return first
