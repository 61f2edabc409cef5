"""When pooling no longer does what it was chosen for: the rules, as data, and what they saw.

Both are looked at over a moving window of 7 to 10 days: when more than a quarter of the pools is
positive, two-stage pooling spares too little; when pools find less than 85 % of what single tests
find, the pool's sensitivity is to be checked and its size taken back. 85 % is also the agreement
that the FDA asks of a pooling validation (Pooled Sample Testing and Screening Testing, 24 August
2020).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from lims.domain.pooling.prevalence import Prevalence

WINDOW_DAYS: Final = 8


class Watch(StrEnum):
    """What is watched."""

    POOL_POSITIVITY = "pool_positivity"
    POOLS_AGAINST_SINGLES = "pools_against_singles"


class Action(StrEnum):
    """What the rule asks for."""

    STOP_TWO_STAGE = "stop_two_stage"
    CHECK_SENSITIVITY = "check_sensitivity"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: it speaks when the value is beyond ``limit`` and rests on ``least`` positives."""

    watch: Watch
    limit: float
    least: int
    action: Action


RULES: Final = (
    Rule(Watch.POOL_POSITIVITY, 0.25, 3, Action.STOP_TWO_STAGE),
    Rule(Watch.POOLS_AGAINST_SINGLES, 0.85, 10, Action.CHECK_SENSITIVITY),
)


@dataclass(frozen=True, slots=True)
class Alarm:
    """A rule that spoke, and the value that made it."""

    rule: Rule
    value: float


def watched(pools: Prevalence, singles: Prevalence | None = None) -> tuple[Alarm, ...]:
    """The rules that speak of one window. ``singles``: what tests of people alone found in it."""
    return tuple(_alarms(pools, singles))


def _alarms(pools: Prevalence, singles: Prevalence | None) -> Iterator[Alarm]:
    for rule in RULES:
        match rule.watch:
            case Watch.POOL_POSITIVITY:
                if pools.positive >= rule.least and pools.positivity > rule.limit:
                    yield Alarm(rule, pools.positivity)
            case Watch.POOLS_AGAINST_SINGLES:
                if singles is None or singles.positive < rule.least or not singles.estimate:
                    continue
                found = pools.estimate / singles.estimate
                if pools.pools and found < rule.limit:
                    yield Alarm(rule, found)
