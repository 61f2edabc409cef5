"""How often one measurement is wrong, by what was measured; and how often a second one is again.

The master pool is the bottleneck: it was measured in the routine, dilute, and what it misses nobody
resolves. A sub-pool of a pool that *was* detected holds the same swabs less dilute, so it detects
them nearly always (pooling.md: .983-.995 for half of one at a late Ct, .9999 before Ct 34).

Two attempts at one tube share its eluate. What is not in it (too dilute, lost when the draws were
made) no attempt finds, and what contaminated it each of them does; only the rest errs anew in every
well. So a tube is one of two kinds, *holding* enough or not, and its attempts are independent given
its kind: the finite mixture of Albert and Dodd (Biometrics 60 (2004) 427-435), for the dependence
that Vacek (Biometrics 41 (1985) 959-968) warns of. One attempt alone is wrong as often as before.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
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
    """Probabilities, each strictly between 0 and 1. Raises ValueError.

    ``shared_master_misses``, ``shared_resolver_misses``: of the misses, those that every attempt at
    the same tube repeats, from 0 to 1: how often a tube of the simulator's loads that was missed
    once is missed again, after a detected master where it is a part of one (``dilution``). Lost
    draws of our own making are not in it, nor measured by anybody we know. ``shared_false``: of
    false signals, those of a contaminated tube and not of a well; half is our assumption.
    """

    master_sensitivity: float = 0.98
    resolver_sensitivity: float = 0.998
    specificity: float = 0.995
    shared_master_misses: float = 0.85
    shared_resolver_misses: float = 0.35
    shared_false: float = 0.5

    def __post_init__(self) -> None:
        for name in ("master_sensitivity", "resolver_sensitivity", "specificity"):
            said = getattr(self, name)
            if not 0 < said < 1:
                raise ValueError(f"{name} is {said}: expected above 0 and below 1")
        for name in ("shared_master_misses", "shared_resolver_misses", "shared_false"):
            said = getattr(self, name)
            if not 0 <= said <= 1:
                raise ValueError(f"{name} is {said}: expected 0 to 1")
        weakest = min(self.master_sensitivity, self.resolver_sensitivity)
        if weakest + self.specificity <= 1:
            raise ValueError(
                f"Se {weakest} and Sp {self.specificity} add up to 1 or less: it says nothing"
            )

    def sensitivity(self, role: Role) -> float:
        """That a tube with at least one positive in it is detected."""
        return self.master_sensitivity if role is Role.MASTER else self.resolver_sensitivity

    def eluate(self, role: Role) -> "Eluate":
        """Of one tube in this role, as its attempts have it in common."""
        return _eluate(self, role)

    def of_attempts(self, role: Role, detected: int, missed: int) -> tuple[float, float]:
        """P(these attempts at one tube, in an order): with a positive in it, and without."""
        seen, false = self.sensitivity(role), 1 - self.specificity
        if detected + missed == 1:  # to the last digit as the rules before had it
            return (seen, false) if detected else (1 - seen, 1 - false)
        its = self.eluate(role)
        holding = its.seen_holding**detected * (1 - its.seen_holding) ** missed
        empty = its.seen_empty**detected * (1 - its.seen_empty) ** missed
        return (
            its.holds_of_positive * holding + (1 - its.holds_of_positive) * empty,
            its.holds_of_negative * holding + (1 - its.holds_of_negative) * empty,
        )

    def detected_next(self, role: Role, detected: int, missed: int) -> tuple[float, float]:
        """P(one more attempt at a tube of these detects it): with a positive in it, and without."""
        if not detected + missed:
            return self.of_attempts(role, 1, 0)
        before = self.of_attempts(role, detected, missed)
        after = self.of_attempts(role, detected + 1, missed)
        return after[0] / before[0], after[1] / before[1]


@dataclass(frozen=True, slots=True)
class Eluate:
    """``holds_of_positive``, ``holds_of_negative``: P(it holds enough to be found) with a positive
    in the tube and without. ``seen_holding``, ``seen_empty``: P(one attempt detects it) if it does
    and if it does not, so that one attempt has the model's Se and Sp."""

    holds_of_positive: float
    holds_of_negative: float
    seen_holding: float
    seen_empty: float


@lru_cache(maxsize=64)
def _eluate(model: ErrorModel, role: Role) -> Eluate:
    seen, false = model.sensitivity(role), 1 - model.specificity
    master = role is Role.MASTER
    shared = model.shared_master_misses if master else model.shared_resolver_misses
    lost, contaminated = shared * (1 - seen), model.shared_false * false
    apart = 1 - lost - contaminated
    return Eluate(
        holds_of_positive=1 - lost,
        holds_of_negative=contaminated,
        seen_holding=min(1.0, (seen * (1 - contaminated) - lost * false) / apart),
        seen_empty=max(0.0, (false * (1 - lost) - contaminated * seen) / apart),
    )


USUAL: Final = ErrorModel()
