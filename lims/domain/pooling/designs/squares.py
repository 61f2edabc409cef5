"""The best square array of everybody at one risk: one number to choose, all of them weighed."""

import numpy as np

from lims.domain.pooling.designs import array
from lims.domain.pooling.designs.accuracy import ROUNDING
from lims.domain.pooling.designs.configuration import SquareArray
from lims.domain.pooling.designs.partitions import Asked


def largest_side(most: int, *, master: bool) -> int:
    """A row is a pool and so is the master: neither may be larger than ``most``."""
    return int(np.sqrt(most)) if master else most


def best_square(asked: Asked, *, master: bool) -> SquareArray | None:
    """The side with the fewest expected tests per person; None when none is sensitive enough."""
    sides = np.arange(2, largest_side(asked.most, master=master) + 1, dtype=np.float64)
    tests, sensitivity = array.alike(asked.probability, sides, asked.accuracy, master=master)
    tests[sensitivity < asked.least_sensitivity - ROUNDING] = np.inf
    if not np.isfinite(tests).any():
        return None
    return SquareArray(int(sides[np.argmin(tests)]), master)
