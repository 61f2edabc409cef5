"""What many simulated pools add up to, each figure with the interval that chance leaves it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Final

import numpy as np

from lims.domain.pooling.bayes.error_model import USUAL, ErrorModel
from lims.domain.pooling.bayes.next_tests import Limits
from lims.domain.pooling.bayes.posterior import posterior
from lims.domain.pooling.bayes.simulate import Deciding, Errors, Resolved, resolve
from lims.domain.pooling.bayes.states import independent

_Z: Final = 1.959964  # 95 %


@dataclass(frozen=True, slots=True)
class Figure:
    """A mean or a share, and its 95 % interval. NaN where there was nothing to count."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Outlook:
    """Of ``pools`` pools of ``members``.

    ``named_after_one_run``: of the infected of detected pools. ``pools_named``: detected pools with
    somebody infected of whom all are named by then. ``runs_to_confirm``: of the infected found,
    median. ``fourth_stage``: detected pools that need more than two runs after their own.
    """

    pools: int
    members: int
    expected_tests_per_person: Figure
    pooling_sensitivity: Figure
    pooling_specificity: Figure
    named_after_one_run: Figure
    pools_named: Figure
    tests_per_detected_pool: Figure
    fourth_stage: Figure
    discordant: Figure
    runs_to_name: float
    runs_to_confirm: float


def simulated(
    members: int,
    risk: float,
    pools: int,
    *,
    limits: Limits | None = None,
    model: ErrorModel = USUAL,
    seed: int = 0,
) -> Iterator[Resolved]:
    """Pools of alike members whose tests err independently, one after another."""
    chance = np.random.default_rng(seed)
    states = independent([risk] * members)
    deciding = Deciding(lambda told: posterior(states, told, model), limits or Limits(), model)
    for _ in range(pools):
        yield resolve(Errors(chance.random(members) < risk, chance, model), deciding)


def outlook(told: Iterable[Resolved], members: int) -> Outlook:
    """Raises ValueError without a pool."""
    every = list(told)
    if not every:
        raise ValueError("no pool was simulated")
    detected = [one for one in every if one.detected]
    held = [one for one in detected if one.infected]
    infected = sum(one.infected for one in every)
    well = len(every) * members - infected
    return Outlook(
        pools=len(every),
        members=members,
        expected_tests_per_person=_mean([one.tests / members for one in every]),
        pooling_sensitivity=_share(sum(one.found for one in every), infected),
        pooling_specificity=_share(well - sum(one.false_positives for one in every), well),
        named_after_one_run=_share(
            sum(_in_one(one) for one in held), sum(one.infected for one in held)
        ),
        pools_named=_share(sum(_in_one(one) == one.infected for one in held), len(held)),
        tests_per_detected_pool=_mean([one.tests - 1.0 for one in detected]),
        fourth_stage=_share(sum(one.runs > 2 for one in detected), len(detected)),
        discordant=_share(sum(one.discordant for one in detected), len(detected)),
        runs_to_name=_median(held, lambda one: one.named_in),
        runs_to_confirm=_median(held, lambda one: one.confirmed_in),
    )


def _in_one(one: Resolved) -> int:
    return sum(run <= 1 for run in one.named_in)


def _median(told: Sequence[Resolved], runs: Callable[[Resolved], tuple[int, ...]]) -> float:
    every = [run for one in told for run in runs(one)]
    return float(np.median(every)) if every else float("nan")


def _mean(values: Sequence[float]) -> Figure:
    """Normal interval."""
    if not values:
        return Figure(float("nan"), float("nan"), float("nan"))
    mean = float(np.mean(values))
    off = _Z * float(np.std(values)) / sqrt(len(values))
    return Figure(mean, mean - off, mean + off)


def _share(so_many: int, of: int) -> Figure:
    """Interval of Wilson (1927)."""
    if not of:
        return Figure(float("nan"), float("nan"), float("nan"))
    share, z2 = so_many / of, _Z**2
    middle = (share + z2 / (2 * of)) / (1 + z2 / of)
    off = _Z * sqrt(share * (1 - share) / of + z2 / (4 * of**2)) / (1 + z2 / of)
    return Figure(share, max(0.0, middle - off), min(1.0, middle + off))
