"""How a positive pool is resolved: what a campaign asks for, and what is chosen for one pool.

The choice is made once, when the pool first cannot clear its people, and stored: how busy the
laboratory was at that moment enters here and nowhere else, so that the conclusion stays a pure
function of what is stored.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from lims.domain.outcomes import Outcome
from lims.domain.pooling.grid import SMALLEST, shape_of
from lims.domain.pooling.prior import usual_risk
from lims.domain.pooling.weighing import hour_in_wells, weigh

WEAK_FROM_CYCLES: Final = 38.0
"""From here a sub-pool of half the size misses one in ten (pooling.md, "Ct")."""


class StrategyName(StrEnum):
    """How one pool is resolved."""

    DORFMAN = "dorfman"
    HIERARCHICAL = "hierarchical"
    GRID = "grid"
    BAYESIAN = "bayesian"


class Resolution(StrEnum):
    """What a campaign asks for; ``auto`` looks at the queue before the machines."""

    DORFMAN = "dorfman"
    HIERARCHICAL = "hierarchical"
    GRID = "grid"
    BAYESIAN = "bayesian"
    AUTO = "auto"


class Because(StrEnum):
    """Why a pool is resolved as it is."""

    CAMPAIGN = "campaign"
    WELLS_FREE = "wells_free"
    WELLS_SCARCE = "wells_scarce"
    FEW_TUBES = "few_tubes"
    WEAK_POOL = "weak_pool"
    NO_ANSWER = "no_answer"
    NOT_SINGLE_TUBES = "not_single_tubes"
    VOLUME = "volume"
    PIPETTING = "pipetting"
    PERSON = "person"
    BEFORE = "before_choices"


@dataclass(frozen=True, slots=True)
class PoolAtHand:
    """What the choice looks at. ``sources``: those that can still be drawn from.

    ``wells_free``: places that stay empty in the next run if nothing is added. ``queue_runs``: how
    many runs wait already. ``volume_short``: some tube has no volume for a sub-pool and a test of
    its own. ``risk``: the share of infected people that is expected of it, where anybody knows.
    """

    asked: Resolution
    sources: int
    single_tubes: bool
    outcome: Outcome | None
    ct_cycles: float | None
    wells_free: int
    volume_short: bool = False
    queue_runs: float = 1.0
    risk: float | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """The strategy of one pool. ``facts`` are the numbers it was chosen by, shown with it."""

    strategy: StrategyName
    because: Because
    facts: Mapping[str, Any] = field(default_factory=dict)


def choose(pool: PoolAtHand) -> Choice:
    """Sub-pools only where they can tell more than the tubes alone; else what was asked for."""
    if pool.asked is Resolution.DORFMAN:
        return Choice(StrategyName.DORFMAN, Because.CAMPAIGN)
    because = _alone_because(pool)
    if because is not None:
        return Choice(StrategyName.DORFMAN, because, _numbers(pool))
    if pool.asked is not Resolution.AUTO:
        return Choice(StrategyName(pool.asked), Because.CAMPAIGN)
    return _least(pool)


def _least(pool: PoolAtHand) -> Choice:
    """The way of the least tests + λ · hours, as busy as the laboratory is."""
    risk = pool.risk or usual_risk(pool.sources)
    worth = hour_in_wells(pool.sources, risk, pool.queue_runs)
    ways = weigh(pool.sources, risk)
    least = min(ways, key=lambda way: ways[way].cost(pool.wells_free, worth))
    whole = least == StrategyName.DORFMAN
    facts = {
        **_numbers(pool),
        "risk": risk,
        "queue_runs": round(pool.queue_runs, 1),
        "hour_in_wells": round(worth, 1),
        "expected_wells": {way: round(one.wells, 1) for way, one in ways.items()},
        "expected_hours": {way: round(one.hours, 2) for way, one in ways.items()},
    }
    because = Because.WELLS_FREE if whole else Because.WELLS_SCARCE
    return Choice(StrategyName(least), because, facts)


def _alone_because(pool: PoolAtHand) -> Because | None:
    if not pool.single_tubes:
        return Because.NOT_SINGLE_TUBES
    if pool.sources < SMALLEST:
        return Because.FEW_TUBES
    if pool.outcome in {None, Outcome.INVALID}:
        return Because.NO_ANSWER
    ct = pool.ct_cycles
    if pool.outcome is not Outcome.DETECTED or (ct is not None and ct >= WEAK_FROM_CYCLES):
        return Because.WEAK_POOL
    return Because.VOLUME if pool.volume_short else None


def _numbers(pool: PoolAtHand) -> dict[str, Any]:
    lines = sum(shape_of(pool.sources)) if pool.sources >= SMALLEST else 0
    return {
        "tubes": pool.sources,
        "ct_cycles": pool.ct_cycles,
        "wells_free": pool.wells_free,
        "lines": lines,
    }
