"""Households kept whole in a pool: tests a person against the same people pooled at random.

    python -m loadtests.pooling.households [--people 10000] [--towns 24] [--seed 1] [--table]

Every town is pooled twice by the code that proposes pools at the bench (`assign_pools`): with its
households, and as if nobody shared a door. Both are tested in two stages by the simulator's truth:
the viral loads, dilution and detection of `lims.domain.pooling.dilution`, a specificity of .995.
The ratio of the two is taken town by town; its interval is over the towns (95 %, normal).

The bars are of the prototype's case: clinical viral loads, 1 % of the people, 20 to a pool. With
fewer carriers, smaller pools or weaker loads less is spared (`--table`): there are fewer positive
pools to spare, and pools made at random seem cheap because they miss more.
"""

import argparse
import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import NormalDist, fmean, stdev
from typing import Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from lims.demo.truth import HOUSEHOLD_SIZES as SIZES
from lims.domain.pooling.assigning import WaitingTube, assign_pools
from lims.domain.pooling.dilution import CLINICAL, SCREENING, LoadMix, detected
from lims.domain.pooling.pool_size import POOL_SPECIFICITY

BARS: Final = {0.2: 0.80, 0.35: 0.70}
CASE: Final = (0.01, 20)  # prevalence and pool size of the bars
_START: Final = datetime(2021, 9, 11, tzinfo=UTC)

Loads = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Pooled:
    """One town's two-stage testing."""

    tests_per_person: float
    pool_sensitivity: float


@dataclass(frozen=True, slots=True)
class Ratio:
    """Whole households against random, for one attack rate and pool size."""

    attack_rate: float
    prevalence: float
    size: int
    ratio: float
    low: float
    high: float
    whole: Pooled
    random: Pooled


def ratio(
    attack_rate: float,
    *,
    prevalence: float = CASE[0],
    size: int = CASE[1],
    mix: LoadMix = CLINICAL,
    people: int = 10_000,
    towns: int = 24,
    seed: int = 1,
) -> Ratio:
    """Over ``towns`` towns of this many people each."""
    rng = np.random.default_rng([seed, round(attack_rate * 1000), size])
    pairs = [
        _town(
            rng, attack_rate=attack_rate, prevalence=prevalence, size=size, mix=mix, people=people
        )
        for _town_no in range(towns)
    ]
    ratios = [whole.tests_per_person / random.tests_per_person for whole, random in pairs]
    middle = fmean(ratios)
    off = NormalDist().inv_cdf(0.975) * stdev(ratios) / math.sqrt(towns)
    return Ratio(
        attack_rate=attack_rate,
        prevalence=prevalence,
        size=size,
        ratio=middle,
        low=middle - off,
        high=middle + off,
        whole=_mean([whole for whole, _random in pairs]),
        random=_mean([random for _whole, random in pairs]),
    )


def index_rate(attack_rate: float, prevalence: float) -> float:
    """How often somebody brings it home, so that with the relatives the share is the prevalence."""

    def share(rate: float) -> float:
        sick = people = 0.0
        for size, many in SIZES.items():
            by_others = 1 - (1 - rate) ** (size - 1)
            sick += many * size * (rate + (1 - rate) * attack_rate * by_others)
            people += many * size
        return sick / people

    low, high = 0.0, prevalence
    for _halving in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if share(middle) < prevalence else (low, middle)
    return low


def _town(
    rng: np.random.Generator,
    *,
    attack_rate: float,
    prevalence: float,
    size: int,
    mix: LoadMix,
    people: int,
) -> tuple[Pooled, Pooled]:
    homes = _homes(rng, people)
    sick = _sick(rng, homes, attack_rate, index_rate(attack_rate, prevalence))
    loads = np.where(sick, _drawn_loads(rng, mix, people), np.inf)
    whole = _pools(homes, size)
    shuffled = rng.permutation(people)
    at_random = [shuffled[start : start + size] for start in range(0, people, size)]
    return _tested(rng, whole, loads), _tested(rng, at_random, loads)


def _homes(rng: np.random.Generator, people: int) -> NDArray[np.int64]:
    """Whose door each person is behind, in the order in which they come to be swabbed."""
    share = np.array(list(SIZES.values()), dtype=np.float64)
    sizes = rng.choice(list(SIZES), size=people, p=share / share.sum())
    return np.asarray(np.repeat(np.arange(people), sizes)[:people])


def _sick(
    rng: np.random.Generator, homes: NDArray[np.int64], attack_rate: float, rate: float
) -> NDArray[np.bool_]:
    first = rng.random(homes.size) < rate
    met = np.isin(homes, homes[first])
    return np.asarray(first | (met & (rng.random(homes.size) < attack_rate)))


def _drawn_loads(rng: np.random.Generator, mix: LoadMix, people: int) -> Loads:
    which = rng.choice(len(mix.components), size=people, p=[one.share for one in mix.components])
    mean = np.array([one.mean_ct for one in mix.components])[which]
    spread = np.array([one.sd_cycles for one in mix.components])[which]
    return np.clip(rng.normal(mean, spread), mix.lowest_ct, mix.highest_ct)


def _pools(homes: NDArray[np.int64], size: int) -> list[NDArray[np.int64]]:
    """As the bench proposes them; whoever waits for company is tested alone."""
    tubes = [
        WaitingTube(str(at), UUID(int=at), _START + timedelta(seconds=at), UUID(int=int(home)))
        for at, home in enumerate(homes)
    ]
    assigned = assign_pools(tubes, size)
    groups = [*(pool.tubes for pool in assigned.pools), *((one,) for one in assigned.waiting)]
    return [np.array([int(tube.barcode) for tube in group]) for group in groups]


def _tested(rng: np.random.Generator, pools: list[NDArray[np.int64]], loads: Loads) -> Pooled:
    """A pool each, and everybody of it again where it was detected; one alone is tested once."""
    amounts = np.exp2(-loads)
    pooled = np.array([amounts[pool].sum() / pool.size for pool in pools])
    with np.errstate(divide="ignore"):
        carrying = pooled > 0
        chance = np.where(carrying, detected(-np.log2(pooled)), 1 - POOL_SPECIFICITY)
    found = rng.random(len(pools)) < chance
    sizes = np.array([pool.size for pool in pools])
    again = sizes[found & (sizes > 1)].sum()
    return Pooled(float(len(pools) + again) / loads.size, float(found[carrying].mean()))


def _mean(of: list[Pooled]) -> Pooled:
    return Pooled(
        fmean(one.tests_per_person for one in of), fmean(one.pool_sensitivity for one in of)
    )


def main() -> None:
    """Print the ratios, each with its interval, and whether the bar is met."""
    asked = argparse.ArgumentParser(description="whole households against random pools")
    asked.add_argument("--people", type=int, default=10_000, help="of one town")
    asked.add_argument("--towns", type=int, default=24)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--table", action="store_true", help="other prevalences, sizes and loads")
    told = asked.parse_args()
    for attack_rate, bar in BARS.items():
        for name, mix, prevalence, size in _cases(told.table):
            one = ratio(
                attack_rate,
                prevalence=prevalence,
                size=size,
                mix=mix,
                people=told.people,
                towns=told.towns,
                seed=told.seed,
            )
            barred = bar if (mix, prevalence, size) == (CLINICAL, *CASE) else None
            print(f"{name:<9}  {line(one, barred)}")  # noqa: T201 - what was asked for


def _cases(table: bool) -> list[tuple[str, LoadMix, float, int]]:
    cases = [("clinical", CLINICAL, *CASE)]
    if table:
        cases += [("clinical", CLINICAL, p, n) for p, n in ((0.003, 20), (0.01, 11), (0.03, 11))]
        cases += [("screening", SCREENING, p, n) for p, n in ((0.01, 20), (0.02, 20), (0.01, 11))]
    return cases


def line(one: Ratio, bar: float | None = None) -> str:
    """One figure as a line; with its bar where it has one."""
    judged = "" if bar is None else f"; bar {bar:.2f} {'met' if one.ratio <= bar else 'missed'}"
    return (
        f"SAR {one.attack_rate:.2f}  p {one.prevalence:.3f}  n {one.size:>2}:"
        f" tests x {one.ratio:.3f} ({one.low:.3f} to {one.high:.3f}),"
        f" {one.whole.tests_per_person:.3f} against {one.random.tests_per_person:.3f} a person;"
        f" pool sensitivity {one.whole.pool_sensitivity:.3f} against"
        f" {one.random.pool_sensitivity:.3f}{judged}"
    )


if __name__ == "__main__":
    main()
