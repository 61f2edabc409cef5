"""Which strategy a pool gets: what was asked, unless sub-pools can tell no more than the tubes."""

from dataclasses import replace

import pytest

from lims.domain.outcomes import Outcome
from lims.domain.pooling.choice import (
    Because,
    PoolAtHand,
    Resolution,
    StrategyName,
    choose,
)

POOL = PoolAtHand(
    asked=Resolution.GRID,
    sources=20,
    single_tubes=True,
    outcome=Outcome.DETECTED,
    ct_cycles=27.0,
    wells_free=0,
)


def test_the_campaigns_way_is_taken_where_it_can_tell_something() -> None:
    for asked in (Resolution.GRID, Resolution.HIERARCHICAL):
        choice = choose(replace(POOL, asked=asked))
        assert (choice.strategy, choice.because) == (StrategyName(asked), Because.CAMPAIGN)


@pytest.mark.parametrize(
    ("pool", "because"),
    [
        (replace(POOL, sources=5), Because.FEW_TUBES),
        (replace(POOL, ct_cycles=38.0), Because.WEAK_POOL),
        (replace(POOL, outcome=Outcome.INCONCLUSIVE), Because.WEAK_POOL),
        (replace(POOL, outcome=Outcome.INVALID), Because.NO_ANSWER),
        (replace(POOL, outcome=None), Because.NO_ANSWER),
        (replace(POOL, single_tubes=False), Because.NOT_SINGLE_TUBES),
        (replace(POOL, volume_short=True), Because.VOLUME),
    ],
)
@pytest.mark.parametrize("asked", [Resolution.GRID, Resolution.HIERARCHICAL, Resolution.AUTO])
def test_otherwise_every_tube_alone_and_why(
    pool: PoolAtHand, because: Because, asked: Resolution
) -> None:
    choice = choose(replace(pool, asked=asked))
    assert (choice.strategy, choice.because) == (StrategyName.DORFMAN, because)


@pytest.mark.parametrize(
    ("free", "strategy", "because"),
    [
        (20, StrategyName.DORFMAN, Because.WELLS_FREE),
        (19, StrategyName.GRID, Because.WELLS_SCARCE),
    ],
)
def test_auto_compares_the_empty_wells_with_the_tubes(
    free: int, strategy: StrategyName, because: Because
) -> None:
    choice = choose(replace(POOL, asked=Resolution.AUTO, wells_free=free))
    assert (choice.strategy, choice.because) == (strategy, because)
    assert (choice.facts["wells_free"], choice.facts["lines"]) == (free, 9)


def test_a_pool_detected_without_a_cycle_number_is_not_called_weak() -> None:
    assert choose(replace(POOL, ct_cycles=None)).strategy is StrategyName.GRID
