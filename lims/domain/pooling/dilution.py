"""What pooling costs in sensitivity: a Ct later by every doubling, and the chance to still see it.

The model is the one of the house's simulator: the viral load of a person is a Ct drawn from a mix
of normal distributions; equal volumes add as amounts, so a pool of n with k positives has the Ct
−log2(Σ 2^−Ct / n); it is detected with probability 1/(1 + exp((Ct − half)/width)); and a Ct shown
twice differs by a normal error. Measured: 1.9–2.4 cycles lost at 4 and 2.2–3.5 at 5 (log2: 2 and
2.3), so the loss of a doubling is a parameter that the site's own validation panel gives.

Everything is an integral over the load on a grid of Ct; all sensitivities are of a pool that does
hold positives, and none counts a false positive as seen.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_STEP: Final = 0.05  # cycles between two points of the grid; halving it moves nothing by 1e-5
_LOGISTIC_95: Final = math.log(19)  # widths between 95 % and 50 % detection
_ROUNDING: Final = 1e-9


@dataclass(frozen=True, slots=True)
class LoadComponent:
    """One part of the people who carry virus: its share, and the Ct of their undiluted swabs."""

    share: float
    mean_ct: float
    sd_cycles: float


@dataclass(frozen=True, slots=True)
class LoadMix:
    """The Ct of carriers as they come, clipped at both ends (what is beyond counts as the end)."""

    components: tuple[LoadComponent, ...]
    lowest_ct: float = 12.0
    highest_ct: float = 38.5


# Our assumption, with medians near 25 as published; the same figures as the simulator's.
CLINICAL: Final = LoadMix((LoadComponent(0.85, 24.5, 4.8), LoadComponent(0.15, 33.0, 2.5)))
SCREENING: Final = LoadMix((LoadComponent(0.6, 25.0, 5.0), LoadComponent(0.4, 33.5, 2.5)))


@dataclass(frozen=True, slots=True)
class PanelParameters:
    """What a site's validation panel says of its assay; the defaults are the simulator's truth.

    ``half_detected_ct`` is the Ct that is detected every second time, ``width_cycles`` how gradual
    that is, ``noise_cycles`` the spread of a repeated Ct, ``cycles_per_doubling`` what a pool
    twice as large loses.
    """

    half_detected_ct: float = 37.0
    width_cycles: float = 0.5
    noise_cycles: float = 0.4
    cycles_per_doubling: float = 1.0

    @property
    def lod_ct(self) -> float:
        """The Ct still detected 19 times of 20, which is a limit of detection (CLSI EP17-A2)."""
        return self.half_detected_ct - self.width_cycles * _LOGISTIC_95

    def cycles_lost(self, n: int) -> float:
        """How much later a single positive comes in a pool of ``n`` than alone."""
        return self.cycles_per_doubling * math.log2(n)


STANDARD: Final = PanelParameters()


def parameters_of(lod_ct: float, cycles_per_doubling: float) -> PanelParameters:
    """The model of a site that knows its limit of detection and what a doubling costs it."""
    half = lod_ct + STANDARD.width_cycles * _LOGISTIC_95
    return PanelParameters(half_detected_ct=half, cycles_per_doubling=cycles_per_doubling)


def largest_pool(lod_ct: float, weak_positive_ct: float, cycles_per_doubling: float = 1.0) -> int:
    """The most swabs whose pool still shows the weak positive: n ≤ 2^((LoD − weak)/loss).

    1 where the weak positive is at the limit already: pooling would lose it.
    """
    doublings = (lod_ct - weak_positive_ct) / cycles_per_doubling
    return 1 if doublings <= 0 else math.floor(2 ** min(doublings, 30) + _ROUNDING)


def detected(ct: Array, parameters: PanelParameters = STANDARD) -> Array:
    """The chance that a tube of this true Ct is detected."""
    late = (ct - parameters.half_detected_ct) / parameters.width_cycles
    return np.asarray(1 / (1 + np.exp(np.clip(late, -500, 500))))


def sensitivity(
    n: int,
    *,
    positives: int = 1,
    mix: LoadMix = SCREENING,
    parameters: PanelParameters = STANDARD,
) -> float:
    """The chance that a pool of ``n`` with this many carriers among them is detected."""
    ct, weight = _loads_together(mix, positives)
    return float(weight @ detected(ct + parameters.cycles_lost(n), parameters))


def pool_sensitivity(
    n: int,
    prevalence: float,
    *,
    mix: LoadMix = SCREENING,
    parameters: PanelParameters = STANDARD,
) -> float:
    """The same for a pool that holds a carrier at all, of people who carry it independently."""
    most = min(n, 1 + math.ceil(n * prevalence + 6 * math.sqrt(n * prevalence)))
    seen = total = 0.0
    for positives in range(1, most + 1):
        likely = (
            math.comb(n, positives) * prevalence**positives * (1 - prevalence) ** (n - positives)
        )
        total += likely
        seen += likely * sensitivity(n, positives=positives, mix=mix, parameters=parameters)
    return seen / total if total else sensitivity(n, mix=mix, parameters=parameters)


def sensitivity_given_pool_ct(
    pool_ct: float,
    sub_size: int,
    master_size: int,
    *,
    mix: LoadMix = SCREENING,
    parameters: PanelParameters = STANDARD,
) -> float:
    """The chance that a sub-pool with the one carrier is detected, its master's Ct being known.

    The master has been detected and showed ``pool_ct``, which is its true Ct but for the noise; the
    sub-pool holds the carrier in fewer swabs, so it comes earlier. ``sub_size`` 1 is the person
    alone. With more carriers than one in the master the figure is too high for each of them.
    """
    true_ct, seen = _true_of_detected(master_size, mix, parameters)
    with np.errstate(divide="ignore"):
        said = np.log(seen) - ((pool_ct - true_ct) / parameters.noise_cycles) ** 2 / 2
    return _seen_again(true_ct, np.exp(said - said.max()), sub_size, master_size, parameters)


def sensitivity_in_band(
    lowest_ct: float,
    highest_ct: float,
    sub_size: int,
    master_size: int,
    *,
    mix: LoadMix = SCREENING,
    parameters: PanelParameters = STANDARD,
) -> float:
    """The same over all detected masters whose Ct was shown in this band; ±inf for all of them."""
    true_ct, seen = _true_of_detected(master_size, mix, parameters)
    inside = _normal_below((highest_ct - true_ct) / parameters.noise_cycles) - _normal_below(
        (lowest_ct - true_ct) / parameters.noise_cycles
    )
    return _seen_again(true_ct, seen * inside, sub_size, master_size, parameters)


def _true_of_detected(
    master_size: int, mix: LoadMix, parameters: PanelParameters
) -> tuple[Array, Array]:
    """True Ct of detected masters with one carrier, each with its weight (not summing to one)."""
    ct, weight = _loads_together(mix, 1)
    true_ct = ct + parameters.cycles_lost(master_size)
    return true_ct, weight * detected(true_ct, parameters)


def _seen_again(
    true_ct: Array, weight: Array, sub_size: int, master_size: int, parameters: PanelParameters
) -> float:
    earlier = parameters.cycles_lost(master_size) - parameters.cycles_lost(sub_size)
    return float(weight @ detected(true_ct - earlier, parameters) / weight.sum())


@lru_cache(maxsize=256)
def _loads_together(mix: LoadMix, positives: int) -> tuple[Array, Array]:
    """The Ct of ``positives`` carriers in the volume of one, on the grid, and its probability.

    One more carrier is one more sum of amounts; what falls between two points of the grid is
    shared between them, which keeps the mean.
    """
    if positives == 1:
        return _loads(mix)
    ct_before, weight_before = _loads_together(mix, positives - 1)
    ct_one, weight_one = _loads(mix)
    together = -np.logaddexp2(-ct_before[:, None], -ct_one[None, :])
    weight = weight_before[:, None] * weight_one[None, :]
    first = float(together.min())
    place = (together.ravel() - first) / _STEP
    left = np.floor(place).astype(np.intp)
    share = place - left
    length = int(left.max()) + 2
    summed = np.zeros(length)
    np.add.at(summed, left, (1 - share) * weight.ravel())
    np.add.at(summed, left + 1, share * weight.ravel())
    return _kept(first + _STEP * np.arange(length, dtype=np.float64), summed)


@lru_cache(maxsize=64)
def _loads(mix: LoadMix) -> tuple[Array, Array]:
    """The mix on the grid: each point has the mass around it, both ends all that is beyond."""
    steps = round((mix.highest_ct - mix.lowest_ct) / _STEP)
    ct = np.linspace(mix.lowest_ct, mix.highest_ct, steps + 1)
    between = (ct[1:] + ct[:-1]) / 2
    mass = np.zeros_like(ct)
    for one in mix.components:
        below = _normal_below((between - one.mean_ct) / one.sd_cycles)
        mass += one.share * np.diff(np.concatenate(([0.0], below, [1.0])))
    return _kept(ct, mass / mass.sum())


def _kept(ct: Array, weight: Array) -> tuple[Array, Array]:
    """Both are shared by every caller from now on, so nobody may write into them."""
    ct.setflags(write=False)
    weight.setflags(write=False)
    return ct, weight


def _normal_below(z: Array) -> Array:
    return np.array([0.5 * math.erfc(-one / math.sqrt(2)) for one in z])
