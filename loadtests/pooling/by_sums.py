"""The published formulas once more, as their sums stand in print; slow, and sharing no code.

Hierarchical: over which of the nested pools truly hold a positive. Arrays: over the number of
positives in a row, as Kim et al. 2007 write them (the LIMS has products in their place).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb


@dataclass(frozen=True)
class Sums:
    """Of one design for people alike: tests a person, sensitivity, specificity."""

    tests: float
    sensitivity: float
    specificity: float

    def pppv(self, p: float) -> float:
        """P(positive | found)."""
        found, blamed = p * self.sensitivity, (1 - p) * (1 - self.specificity)
        return found / (found + blamed)

    def pnpv(self, p: float) -> float:
        """P(negative | cleared)."""
        cleared, missed = (1 - p) * self.specificity, p * (1 - self.sensitivity)
        return cleared / (cleared + missed)


def hierarchical(sizes: Sequence[int], p: float, se: float, sp: float) -> Sums:
    """Pools alike at each stage, the master first: 25, 5, 1."""
    q = 1 - p
    tests = 1.0
    for stage in range(1, len(sizes)):
        tests += sizes[0] / sizes[stage] * _nested([q**n for n in sizes[:stage]], se, sp)
    blamed = _nested([q ** (n - 1) for n in sizes], se, sp)
    return Sums(tests / sizes[0], se ** len(sizes), 1 - blamed)


def _nested(clear: Sequence[float], se: float, sp: float) -> float:
    bounds = [0.0, *clear, 1.0]
    return sum(
        (bounds[holding + 1] - bounds[holding]) * se**holding * (1 - sp) ** (len(clear) - holding)
        for holding in range(len(clear) + 1)
    )


def square(n: int, p: float, se: float, sp: float, *, master: bool) -> Sums:
    """A2 of n by n, or A2M."""
    q = 1 - p
    found = se**2 + 2 * se * (1 - se) * sum(
        comb(n - 1, c) * (1 - q**n) ** c * (1 - se) ** c * (q**n * sp) ** (n - 1 - c)
        for c in range(n)
    )
    row = (1 - sp) * q ** (n - 1) + se * (1 - q ** (n - 1))
    blamed = row**2 + 2 * _row_and_no_column(n, p, se, sp)
    opened = 1.0
    if master:
        everyone, nobody = q ** (n * n), (1 - sp) ** 2 + 2 * (1 - sp) * sp**n
        blamed = se * blamed + (1 - sp - se) * q ** (n * n - 1) * nobody
        found, opened = se * found, (1 - sp) * everyone + se * (1 - everyone)
    tests = (2 * n * opened + master) / n**2 + p * found + q * blamed
    return Sums(tests, found * se, 1 - blamed * (1 - sp))


def _row_and_no_column(n: int, p: float, se: float, sp: float) -> float:
    """Given that its own cell is negative: the row is positive and every column negative."""
    q = 1 - p
    silent = sp * q ** (n - 1) + (1 - se) * (1 - q ** (n - 1))
    return sum(
        comb(n - 1, k)
        * p**k
        * q ** (n - 1 - k)
        * (se if k else 1 - sp)
        * (1 - se) ** k
        * silent ** (n - k)
        for k in range(n)
    )
