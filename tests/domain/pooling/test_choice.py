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
        (15, StrategyName.GRID, Because.WELLS_SCARCE),
        (9, StrategyName.GRID, Because.WELLS_SCARCE),
        (4, StrategyName.BAYESIAN, Because.WELLS_SCARCE),
        (0, StrategyName.BAYESIAN, Because.WELLS_SCARCE),
    ],
)
def test_auto_takes_the_soonest_that_the_empty_wells_hold_and_else_the_fewest_wells(
    free: int, strategy: StrategyName, because: Because
) -> None:
    choice = choose(replace(POOL, asked=Resolution.AUTO, wells_free=free))
    assert (choice.strategy, choice.because) == (strategy, because)
    assert (choice.facts["wells_free"], choice.facts["lines"]) == (free, 9)
    wells = choice.facts["expected_wells"]
    assert wells["bayesian"] < wells["grid"] < wells["dorfman"] == 20


def test_a_longer_queue_makes_an_hour_worth_fewer_wells() -> None:
    """The grid names more of a pool of many carriers, until too many wait for its wells."""
    full = replace(POOL, asked=Resolution.AUTO, risk=0.05)
    chosen = [choose(replace(full, queue_runs=runs)) for runs in (0.5, 1.0, 4.0)]
    assert [one.strategy for one in chosen] == [
        StrategyName.GRID,
        StrategyName.GRID,
        StrategyName.BAYESIAN,
    ]
    assert chosen[0].facts["hour_in_wells"] == chosen[1].facts["hour_in_wells"]
    assert chosen[2].facts["hour_in_wells"] < chosen[1].facts["hour_in_wells"]


@pytest.mark.parametrize(("tubes", "free"), [(6, 0), (40, 0), (40, 20)])
def test_auto_opens_few_tubes_whole_and_parts_what_is_too_large_to_count_by_a_grid(
    tubes: int, free: int
) -> None:
    choice = choose(replace(POOL, asked=Resolution.AUTO, sources=tubes, wells_free=free))
    assert choice.strategy is (StrategyName.DORFMAN if tubes == 6 else StrategyName.GRID)


def test_a_pool_detected_without_a_cycle_number_is_not_called_weak() -> None:
    assert choose(replace(POOL, ct_cycles=None)).strategy is StrategyName.GRID
