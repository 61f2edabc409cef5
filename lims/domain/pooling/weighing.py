"""What each way of resolving a pool costs now: wells that others wait for, and hours.

Tests + λ · hours is least (pooling.md, "Hours"). A well that would stay empty costs nothing. One
that is taken from a full queue keeps everybody behind it waiting until the queue is empty again.
So λ, an hour of a positive pool in such wells, follows from the queue: the carriers of the pool win
that hour, and those who wait lose it, who are carriers as often as the pools of the day are
positive: λ = 1 / (positive share · hours of queue).

The hours are those until its carriers are named: then they are isolated and their contacts are
called. Figures and what it was held against: docs/pooling.md, "Hours".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, isqrt, log2
from typing import Final

from lims.domain.pooling.grid import shape_of

RUN_EVERY_HOURS: Final = 0.5  # four machines of two hours
STAGE_HOURS: Final = 3.05  # setting up, waiting, the run
_WELLS_A_BIT: Final = 1.45
"""Of the adaptive strategy, by what is not known of a detected pool (make bench-pooling)."""

_FIRST_PART: Final = 0.7  # of its wells are in its first run
LARGEST_BY_PROBABILITY: Final = 32  # members; a larger pool is parted by rows and columns


@dataclass(frozen=True, slots=True)
class Weighed:
    """Wells of the next run and of the one after it, and mean hours until a carrier is named."""

    first: float
    later: float
    hours: float

    @property
    def wells(self) -> float:
        """Of both runs."""
        return self.first + self.later

    def cost(self, wells_free: int, hour_in_wells: float) -> float:
        """In wells. Either run has as many empty ones."""
        taken = max(0.0, self.first - wells_free) + max(0.0, self.later - wells_free)
        return taken + hour_in_wells * self.hours


def weigh(members: int, risk: float) -> Mapping[str, Weighed]:
    """Every way that is worth weighing for a detected pool whose members are infected with this
    risk, each for themselves; by the strategy's name. Errors of the tests are left out."""
    ways = {"dorfman": Weighed(float(members), 0.0, STAGE_HOURS), "grid": _grid(members, risk)}
    if members <= LARGEST_BY_PROBABILITY:
        ways["bayesian"] = _by_probability(members, risk)
    return ways


def hour_in_wells(members: int, risk: float, queue_runs: float) -> float:
    """λ, wells an hour. ``queue_runs``: how many runs wait; less than one counts as one."""
    return 1 / (_detected(members, risk) * RUN_EVERY_HOURS * max(1.0, queue_runs))


def first_wells(way: str, members: int, risk: float) -> int:
    """That it takes of the next run; groups as ``Hierarchical`` makes them."""
    ways = weigh(members, risk)
    return ceil(ways[way].first) if way in ways else max(2, isqrt(members))


def _grid(members: int, risk: float) -> Weighed:
    """Suspects are where detected rows and columns cross. A carrier is named at once if all others
    lie in her row, or all in her column; Kim et al., Biometrics 63 (2007) 1152-1163."""
    rows, columns = shape_of(members)
    well = 1 - risk
    crossed = (1 - well ** (columns - 1)) * (1 - well ** (rows - 1))
    suspects = members * (risk + well * crossed) / _detected(members, risk)
    named = well ** (members - columns) + well ** (members - rows) - well ** (members - 1)
    return Weighed(float(rows + columns), suspects, STAGE_HOURS * (2 - named))


def _by_probability(members: int, risk: float) -> Weighed:
    """A carrier who is the only one is named at once."""
    detected = _detected(members, risk)
    bits = (members * _entropy(risk) - _entropy(detected)) / detected
    wells = _WELLS_A_BIT * bits
    named = (1 - risk) ** (members - 1)
    return Weighed(_FIRST_PART * wells, (1 - _FIRST_PART) * wells, STAGE_HOURS * (2 - named))


def _detected(members: int, risk: float) -> float:
    return 1 - (1 - risk) ** members


def _entropy(p: float) -> float:
    return 0.0 if p in (0.0, 1.0) else -p * log2(p) - (1 - p) * log2(1 - p)
