"""Is a share of disagreements more than chance gives? Exact binomial control limits.

Source: Spiegelhalter, "Funnel plots for comparing institutional performance", Statistics in
Medicine 24 (2005): limits at 95 % (warning) and 99.8 % (action) around the expected share, exact
for small numbers. England's Immensa laboratory (2021) was beyond the second within days, and
worked on for five weeks.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from math import exp, lgamma, log, log1p
from typing import Final

WARNING_TAIL: Final = 0.025
ACTION_TAIL: Final = 0.001


class Signal(StrEnum):
    """What a count says against its band."""

    WITHIN = "within"
    WARNING = "warning"
    ACTION = "action"


@dataclass(frozen=True)
class ControlBand:
    """``odd`` disagreements of ``many``, where a share of ``expected`` (0 to 1) is usual."""

    odd: int
    many: int
    expected: float

    @cached_property
    def chance(self) -> float:
        """How often chance alone gives so many or more."""
        return sum(_term(k, self.many, self.expected) for k in range(self.odd, self.many + 1))

    @property
    def signal(self) -> Signal:
        """Only upwards: too few disagreements harm nobody."""
        if self.odd < 2:  # one disagreement is a person, not a pattern
            return Signal.WITHIN
        if self.chance < ACTION_TAIL:
            return Signal.ACTION
        return Signal.WARNING if self.chance < WARNING_TAIL else Signal.WITHIN

    @cached_property
    def limit(self) -> int:
        """The most that is within the action limit: one more is a signal."""
        tail = 1.0
        for k in range(self.many + 1):
            tail -= _term(k, self.many, self.expected)
            if tail < ACTION_TAIL:
                return min(max(k, 1), self.many)
        return self.many

    @property
    def share(self) -> float:
        """Disagreements of all, 0 to 1."""
        return self.odd / self.many if self.many else 0.0


def _term(k: int, n: int, p: float) -> float:
    """The binomial probability of exactly ``k`` of ``n``; by logarithms, for n in the thousands."""
    ways = lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)
    return exp(ways + k * log(p) + (n - k) * log1p(-p))
