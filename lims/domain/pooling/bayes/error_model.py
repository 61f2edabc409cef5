"""How often one measurement is wrong, by what was measured.

The master pool is the bottleneck: it was measured in the routine, dilute, and what it misses nobody
resolves. A sub-pool of a pool that *was* detected holds the same swabs less dilute, so it detects
them nearly always (pooling.md: .983-.995 for half of one at a late Ct, .9999 before Ct 34).
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Role(StrEnum):
    """What a tube is to the pool being resolved."""

    MASTER = "master"
    SUB_POOL = "sub_pool"
    ALONE = "alone"


@dataclass(frozen=True, slots=True)
class ErrorModel:
    """Probabilities, each strictly between 0 and 1. Raises ValueError."""

    master_sensitivity: float = 0.98
    resolver_sensitivity: float = 0.998
    specificity: float = 0.995

    def __post_init__(self) -> None:
        for name in ("master_sensitivity", "resolver_sensitivity", "specificity"):
            said = getattr(self, name)
            if not 0 < said < 1:
                raise ValueError(f"{name} is {said}: expected above 0 and below 1")
        weakest = min(self.master_sensitivity, self.resolver_sensitivity)
        if weakest + self.specificity <= 1:
            raise ValueError(
                f"Se {weakest} and Sp {self.specificity} add up to 1 or less: it says nothing"
            )

    def sensitivity(self, role: Role) -> float:
        """That a tube with at least one positive in it is detected."""
        return self.master_sensitivity if role is Role.MASTER else self.resolver_sensitivity

    def detected(self, role: Role, positives: NDArray[np.integer]) -> Floats:
        """P(detected) where so many of the tube's members are positive. Same shape."""
        return np.where(positives > 0, self.sensitivity(role), 1 - self.specificity)


USUAL: Final = ErrorModel()
