"""How many people carry it, from pools that were or were not detected.

A pool of m is detected with probability θ = Se − (Se + Sp − 1)(1 − p)^m. The point estimate solves
Firth's modified score, which takes out the first-order bias of the maximum likelihood estimate
(upwards, and worse the larger the pools): U(p) = ½ Σ w·(m − 1)/(1 − p), with w the share of each
group in the Fisher information (Hepworth & Biggerstaff 2017, J Agric Biol Environ Stat 22:602).
The interval is the score interval corrected for skewness, the best of seven in coverage (Gart &
Nam 1988; Biggerstaff 2008, J Agric Biol Environ Stat 13:478); where no pool or every pool was
detected the score has no skewness to correct, and the exact limit is taken (Clopper & Pearson).

Se and Sp are known numbers here, and people carry it independently: with households kept whole the
estimate is of the same prevalence, but the interval is somewhat too narrow.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
_ALMOST_ALL: Final = 1 - 1e-9  # of 1: there everybody carries it and nothing is left to estimate
_NOTHING: Final = 1e-100  # of information, where p is so near 1 that it underflows
_HALVINGS: Final = 100  # of an interval in a root's search: past the last bit
_STEPS: Final = 120  # at which the sign of a statistic is looked at before its root is narrowed


@dataclass(frozen=True, slots=True)
class PoolResults:
    """Pools of one size, with the chance to detect a carrier and to stay silent without one.

    ``sensitivity`` is relative to a person tested alone, so that the estimate is what individual
    tests would have found.
    """

    pool_size: int
    tested: int
    positive: int
    sensitivity: float = 1.0
    specificity: float = 1.0


@dataclass(frozen=True, slots=True)
class Prevalence:
    """Share of people who carry it, with its interval; and on how much it rests."""

    estimate: float
    low: float
    high: float
    pools: int
    positive: int
    people: int

    @property
    def positivity(self) -> float:
        """The share of pools that were detected."""
        return self.positive / self.pools if self.pools else 0.0


@dataclass(frozen=True, slots=True)
class DayResults:
    """What one day brought."""

    day: date
    results: PoolResults


def estimate_prevalence(results: Iterable[PoolResults], *, level: float = 0.95) -> Prevalence:
    """From pools of any sizes, single tubes among them; without any, nought to one.

    Raises ValueError where a group cannot be one: Se + Sp ≤ 1, more positive than tested.
    """
    groups = [one for one in results if one.tested > 0]
    for one in groups:
        _refuse_impossible(one)
    pools, positive = sum(one.tested for one in groups), sum(one.positive for one in groups)
    people = sum(one.tested * one.pool_size for one in groups)
    if not groups:
        return Prevalence(0.0, 0.0, 1.0, 0, 0, 0)
    model = _Model(groups)
    estimate = _root(model.modified_score)
    if positive == 0:
        low, high = 0.0, model.beyond(detected=False, chance=(1 - level) / 2)
    elif positive == pools:
        low, high = model.beyond(detected=True, chance=(1 - level) / 2), 1.0
        estimate = min(max(estimate, low), high)
    else:
        low, high = model.interval(NormalDist().inv_cdf(0.5 + level / 2), estimate)
    return Prevalence(estimate, min(low, estimate), max(high, estimate), pools, positive, people)


def rolling_prevalence(
    days: Sequence[DayResults], *, window_days: int = 8, level: float = 0.95
) -> tuple[tuple[date, Prevalence], ...]:
    """For each day that brought results, of the window that ends with it."""
    ends = sorted({one.day for one in days})
    return tuple((end, of_window(days, end, window_days=window_days, level=level)) for end in ends)


def of_window(
    days: Sequence[DayResults], end: date, *, window_days: int = 8, level: float = 0.95
) -> Prevalence:
    """Of the ``window_days`` that end with ``end``."""
    since = end - timedelta(days=window_days - 1)
    inside = [one.results for one in days if since <= one.day <= end]
    return estimate_prevalence(inside, level=level)


def _refuse_impossible(one: PoolResults) -> None:
    told = f"{one.positive} of {one.tested} pools of {one.pool_size}"
    if one.pool_size < 1 or not 0 <= one.positive <= one.tested:
        raise ValueError(f"no result: {told}")
    if not (one.sensitivity + one.specificity > 1 and one.sensitivity <= 1 >= one.specificity):
        raise ValueError(f"a test that says nothing: Se {one.sensitivity}, Sp {one.specificity}")


class _Model:
    """Independent binomials whose chances all follow from one p."""

    def __init__(self, groups: Sequence[PoolResults]) -> None:
        self._size = np.array([one.pool_size for one in groups], dtype=np.float64)
        self._tested = np.array([one.tested for one in groups], dtype=np.float64)
        self._positive = np.array([one.positive for one in groups], dtype=np.float64)
        self._seen = np.array([one.sensitivity for one in groups], dtype=np.float64)
        silent = np.array([one.specificity for one in groups], dtype=np.float64)
        self._gain = self._seen + silent - 1

    def modified_score(self, p: float) -> float:
        """Firth's: its root has no first-order bias."""
        score, information, _third = self._moments(p)
        known = float(information.sum())
        if known < _NOTHING:
            return -math.inf
        weight = information / known
        return float(score.sum() - 0.5 * (weight * (self._size - 1)).sum() / (1 - p))

    def interval(self, z: float, estimate: float) -> tuple[float, float]:
        """Where the statistic leaves ±z on either side of the estimate."""

        def standing(p: float) -> float:
            score, information, third = self._moments(p)
            known = float(information.sum())
            if known < _NOTHING:
                return -math.inf
            skewness = float(third.sum()) / math.pow(known, 1.5)
            standardised: float = float(score.sum()) / math.sqrt(known)
            return standardised - skewness * (z * z - 1) / 6

        return (
            _crossing(lambda p: standing(p) - z, estimate, 0.0),
            _crossing(lambda p: standing(p) + z, estimate, 1.0),
        )

    def beyond(self, *, detected: bool, chance: float) -> float:
        """The p at which all pools answer alike with this chance."""

        def short(p: float) -> float:
            chances = self._chance(p)
            alike = chances if detected else 1 - chances
            said = float((self._tested * np.log(np.maximum(alike, 1e-300))).sum())
            return said - math.log(chance) if not detected else math.log(chance) - said

        return _root(short)

    def _chance(self, p: float) -> Array:
        return np.asarray(self._seen - self._gain * (1 - p) ** self._size)

    def _moments(self, p: float) -> tuple[Array, Array, Array]:
        """By group: the score, its variance (Fisher's information) and its third moment."""
        chance = np.clip(self._chance(p), 1e-12, 1 - 1e-12)
        slope = self._gain * self._size * (1 - p) ** (self._size - 1)
        spread = chance * (1 - chance)
        per_pool = slope / spread
        return (
            (self._positive - self._tested * chance) * per_pool,
            self._tested * slope * per_pool,
            self._tested * per_pool**3 * spread * (1 - 2 * chance),
        )


def _root(falling: Callable[[float], float]) -> float:
    """Where a falling function of p crosses nought; the end of the range where it does not."""
    low, high = 1e-9, _ALMOST_ALL
    if falling(low) <= 0:
        return 0.0
    if falling(high) >= 0:
        return 1.0
    return _halved(falling, low, high)


def _crossing(standing: Callable[[float], float], start: float, end: float) -> float:
    """The first crossing on the way from the estimate to an end, or that end.

    Near an end the corrected statistic may turn back, so that the first crossing is the limit.
    """
    inside = min(max(start, 1e-9), _ALMOST_ALL)
    last = 1e-9 if end == 0.0 else _ALMOST_ALL
    steps = np.geomspace(inside, last, _STEPS) if end == 0.0 else _up(inside, last)
    before, sign = float(steps[0]), standing(float(steps[0])) > 0
    for step in map(float, steps[1:]):
        if (standing(step) > 0) != sign:
            return _halved(standing, *sorted((before, step)))
        before = step
    return end


def _up(start: float, end: float) -> Array:
    """Fine steps near a small estimate, and near all where it is large."""
    middle = max(start, 0.5)
    below = np.geomspace(start, middle, _STEPS)
    return np.concatenate((below, 1 - np.geomspace(1 - middle, 1 - end, _STEPS)))


def _halved(crossing: Callable[[float], float], low: float, high: float) -> float:
    at_low = crossing(low) > 0
    for _halving in range(_HALVINGS):
        middle = (low + high) / 2
        if (crossing(middle) > 0) == at_low:
            low = middle
        else:
            high = middle
    return (low + high) / 2
