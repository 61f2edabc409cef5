"""Hours from a pool's positive until its infected are named and confirmed, and who pays for them.

Each way of resolving lives the same days (laboratory_day.py). Named: presumptive or positive;
confirmed: positive by a test of her own. The delay is that of the day's new pools, from arrival to
machine, against the same days with nothing resolved.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isnan
from typing import Final, TypeVar

import numpy as np

from lims.domain.pooling.choice import Resolution
from lims.domain.pooling.outlook import Figure
from loadtests.pooling.bar import Bar
from loadtests.pooling.laboratory_day import Day, Setting, live

NAMED_H, CONFIRMED_H, DELAY_H = 3.2, 6.3, 0.2
BARRED: Final = frozenset({Resolution.BAYESIAN, Resolution.AUTO})
"""The ways that are to reach the bars; the others stand beside them."""

SETTINGS: Final = (Setting(300, 0.01), Setting(180, 0.01), Setting(300, 0.003), Setting(100, 0.03))
_DAYS: Final = 8
_RESAMPLED: Final = 400

_Of = TypeVar("_Of")


@dataclass(frozen=True, slots=True)
class Hours:
    """Of one way of resolving. The intervals are over days (95 %, bootstrap)."""

    named: Figure
    named_p90: float
    confirmed: Figure
    confirmed_p90: float
    delay: Figure
    wells: float
    left: float


def hours(asked: Resolution, setting: Setting, days: int, *, first_seed: int = 0) -> Hours:
    """``left``: share of the infected of detected pools whom nobody confirmed."""
    seeds = range(first_seed, first_seed + days)
    plain = [float(np.mean(live(setting, None, seed=seed).waited_h)) for seed in seeds]
    lived = [live(setting, asked, seed=seed) for seed in seeds]
    later = [
        float(np.mean(day.waited_h)) - waited for day, waited in zip(lived, plain, strict=True)
    ]
    left, found = sum(day.left for day in lived), sum(len(day.confirmed_h) for day in lived)
    return Hours(
        named=_over_days(lived, lambda days: _quantile(days, "named_h", 0.5)),
        named_p90=_quantile(lived, "named_h", 0.9),
        confirmed=_over_days(lived, lambda days: _quantile(days, "confirmed_h", 0.5)),
        confirmed_p90=_quantile(lived, "confirmed_h", 0.9),
        delay=_over_days(later, lambda days: float(np.mean(days))),
        wells=float(np.mean([wells for day in lived for wells in day.wells])),
        left=left / (left + found),
    )


def measure(quick: bool) -> Sequence[Bar]:
    """Of four laboratories; the bars hold for those with 1 % and less."""
    bars: list[Bar] = []
    for setting in SETTINGS[:1] if quick else SETTINGS:
        for asked in Resolution:
            found = hours(asked, setting, 2 if quick else _DAYS)
            held = asked in BARRED and setting.prevalence <= 0.01
            bars.extend(_lines(asked, setting, found, held=held))
    return bars


def _lines(asked: Resolution, setting: Setting, found: Hours, *, held: bool) -> list[Bar]:
    where = f"{asked}, {setting.people_per_hour:g}/h, p {setting.prevalence:.1%}"
    return [
        Bar(
            f"hours to name, {where}",
            found.named.value,
            NAMED_H if held else None,
            "h",
            note=f"median {_within(found.named)}; p90 {found.named_p90:.2f};"
            f" {found.wells:.1f} wells a positive pool",
        ),
        Bar(
            f"hours to confirm, {where}",
            found.confirmed.value,
            CONFIRMED_H if held else None,
            "h",
            note=f"median {_within(found.confirmed)}; p90 {found.confirmed_p90:.2f};"
            f" {found.left:.1%} not found again",
        ),
        Bar(
            f"delay of new pools, {where}",
            found.delay.value,
            DELAY_H if held else None,
            "h",
            note=f"mean {_within(found.delay)}",
        ),
    ]


def _within(figure: Figure) -> str:
    return f"{figure.value:.2f} ({figure.low:.2f}-{figure.high:.2f})"


def _quantile(days: Sequence[Day], of: str, share: float) -> float:
    every = [hours for day in days for hours in getattr(day, of)]
    return float(np.quantile(every, share)) if every else float("nan")


def _over_days(days: Sequence[_Of], figure: Callable[[Sequence[_Of]], float]) -> Figure:
    """The figure of all days, and how far that of as many days drawn again strays."""
    chance = np.random.default_rng(0)
    again = [
        said
        for _ in range(_RESAMPLED)
        if not isnan(said := figure([days[i] for i in chance.integers(len(days), size=len(days))]))
    ]
    low, high = np.quantile(again, (0.025, 0.975)) if again else (float("nan"), float("nan"))
    return Figure(figure(days), float(low), float(high))
