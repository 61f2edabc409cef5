"""What every figure says: what was measured, and the bar it must stay under or reach."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isnan


@dataclass(frozen=True)
class Bar:
    """One line of the table. ``at_most`` False: the bar must be reached, not kept under. ``bar``
    None: it only stands beside those that have one."""

    name: str
    measured: float
    bar: float | None
    unit: str = ""
    at_most: bool = True
    note: str = ""

    @property
    def met(self) -> bool:
        """A figure that could not be measured (NaN) is not met."""
        if self.bar is None:
            return not isnan(self.measured)
        return self.measured <= self.bar if self.at_most else self.measured >= self.bar


Measure = Callable[[bool], Sequence[Bar]]
"""A figure: told whether to be quick, it measures and says its lines."""
