"""What many simulated pools add up to, each figure with the interval that chance leaves it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, floor, sqrt
from typing import Final

import numpy as np

from lims.domain.pooling.designs.hours import Clock
from lims.domain.pooling.simulated import Resolved

_Z: Final = 1.959964  # 95 %
_CLOCK_SEED: Final = 5


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
    somebody infected of whom all are named by then. ``hours_to_name``, ``hours_to_confirm``: of the
    infected found, from their pool's own answer, median; and what nine of ten are within.
    ``fourth_stage``: detected pools that need more than two runs after their own.
    ``more_than_alone``: those that take more tests after their own than they have members;
    ``most_tests``: of any.
    """

    pools: int
    members: int
    expected_tests_per_person: Figure
    pooling_sensitivity: Figure
    pooling_specificity: Figure
    named_after_one_run: Figure
    pools_named: Figure
    tests_per_detected_pool: Figure
    most_tests: int
    more_than_alone: Figure
    fourth_stage: Figure
    discordant: Figure
    hours_to_name: Figure
    hours_to_name_p90: Figure
    hours_to_confirm: Figure
    hours_to_confirm_p90: Figure


def outlook(told: Iterable[Resolved], members: int, clock: Clock | None = None) -> Outlook:
    """``clock``: of the hours; the usual one where none is given. Raises ValueError without a
    pool."""
    every = list(told)
    if not every:
        raise ValueError("no pool was simulated")
    detected = [one for one in every if one.detected]
    held = [one for one in detected if one.infected]
    named, confirmed = _hours(held, clock or Clock())
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
        most_tests=max((one.tests - 1 for one in detected), default=0),
        more_than_alone=_share(sum(one.tests - 1 > members for one in detected), len(detected)),
        fourth_stage=_share(sum(one.runs > 2 for one in detected), len(detected)),
        discordant=_share(sum(one.discordant for one in detected), len(detected)),
        hours_to_name=_quantile(named, 0.5),
        hours_to_name_p90=_quantile(named, 0.9),
        hours_to_confirm=_quantile(confirmed, 0.5),
        hours_to_confirm_p90=_quantile(confirmed, 0.9),
    )


def _in_one(one: Resolved) -> int:
    return sum(run <= 1 for run in one.named_in)


def _hours(told: Sequence[Resolved], clock: Clock) -> tuple[list[float], list[float]]:
    """Until each infected member was named, and until she was confirmed. All of a pool wait for
    the same machines; always the same ones for the same pools."""
    chance = np.random.default_rng(_CLOCK_SEED)
    named: list[float] = []
    confirmed: list[float] = []
    for one in told:
        ended = [0.0, *clock.drawn_hours(one.runs, chance)]
        named += [ended[run] for run in one.named_in]
        confirmed += [ended[run] for run in one.confirmed_in]
    return named, confirmed


def _quantile(values: Sequence[float], share: float) -> Figure:
    """Interval by order statistics (Conover 1999, ch. 3.2, normal form), of no assumed shape."""
    if not values:
        return Figure(float("nan"), float("nan"), float("nan"))
    ordered, many = sorted(values), len(values)
    off = _Z * sqrt(many * share * (1 - share))
    low = max(0, floor(many * share - off))
    high = min(many - 1, ceil(many * share + off))
    return Figure(float(np.quantile(ordered, share)), ordered[low], ordered[high])


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
