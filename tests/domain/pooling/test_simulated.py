"""Whole pools through the code that decides: seeded, and far enough from the bars that chance is
not what decides."""

from dataclasses import replace
from itertools import combinations, product

import numpy as np
import pytest

from lims.domain.pooling.bayes.error_model import ErrorModel
from lims.domain.pooling.choice import StrategyName
from lims.domain.pooling.grid import shape_of
from lims.domain.pooling.simulated import (
    USUAL_BENCH,
    Decisions,
    Errors,
    Resolved,
    resolve,
    simulated,
)

PERFECT = ErrorModel(1 - 1e-12, 1 - 1e-12, 1 - 1e-12)


@pytest.mark.parametrize(
    ("members", "risk", "d3_optimum"),
    [(20, 0.01, 0.1349), (20, 0.003, 0.0772), (12, 0.05, 0.3736)],
)
def test_it_needs_fewer_tests_than_the_best_three_stages(
    members: int, risk: float, d3_optimum: float
) -> None:
    """``d3_optimum``: tests a person of the best D3 design under the same cap and the same errors
    (Kim et al. 2007), worked out apart from this code."""
    told = list(simulated(members, risk, 6000, seed=20210913))
    tests = np.array([one.tests for one in told]) / members
    sure = 1.96 * tests.std() / len(tests) ** 0.5
    assert tests.mean() + sure < d3_optimum
    infected = sum(one.infected for one in told if one.detected)
    found = sum(one.found for one in told)
    assert found / infected > 0.985


def test_nine_infected_of_ten_pools_are_named_after_one_run() -> None:
    told = [one for one in simulated(20, 0.01, 4000, seed=7) if one.detected and one.infected]
    whole = [sum(run <= 1 for run in one.named_in) == one.infected for one in told]
    assert np.mean(whole) > 0.85
    assert np.mean([one.runs <= 3 for one in told]) > 0.97


@pytest.mark.parametrize("strategy", StrategyName)
def test_a_pool_of_nobody_is_left_to_a_reviewer_and_nobody_called_positive(
    strategy: StrategyName,
) -> None:
    decisions = Decisions(strategy, 10, 0.01)
    chance = np.random.default_rng(7)
    nobody = np.zeros(10, dtype=bool)
    told = [resolve(Errors(nobody, chance), decisions) for _ in range(6000)]
    detected = [one for one in told if one.detected]
    assert detected
    assert np.mean([one.discordant for one in detected]) > 0.9
    assert sum(one.false_positives for one in detected) <= 1


@pytest.mark.parametrize("strategy", StrategyName)
def test_tests_that_never_err_find_exactly_the_infected(strategy: StrategyName) -> None:
    told = list(simulated(12, 0.05, 400, strategy=strategy, model=PERFECT, seed=3))
    assert sum(one.infected for one in told) > 100
    for one in told:
        assert (one.found, one.false_positives, one.discordant) == (one.infected, 0, False)


def one_infected(strategy: StrategyName, members: int) -> list[Resolved]:
    """Each of them in turn, with tests that never err."""
    decisions, chance = Decisions(strategy, members, 0.01), np.random.default_rng(1)
    return [
        resolve(Errors(np.arange(members) == her, chance, PERFECT), decisions)
        for her in range(members)
    ]


def test_each_strategy_takes_the_tests_of_its_design() -> None:
    """Of twenty with one infected: everybody; four groups and five of them; nine lines and who lies
    in both; five code words and who they point at."""
    alone, groups, grid, words = (
        {one.tests - 1 for one in one_infected(strategy, 20)}
        for strategy in (
            StrategyName.DORFMAN,
            StrategyName.HIERARCHICAL,
            StrategyName.GRID,
            StrategyName.BAYESIAN,
        )
    )
    assert alone == {20}
    assert groups == {4 + 5}
    assert grid == {sum(shape_of(20)) + 1}
    assert max(words) <= 5 + 3


def test_two_infected_of_twenty_take_fewer_tests_than_everybody_alone() -> None:
    """Whoever they are, where no test errs. To rule bayesian/2 one pair in five took 21 to 26."""
    decisions, chance = Decisions(StrategyName.BAYESIAN, 20, 0.01), np.random.default_rng(1)
    tests = [
        resolve(Errors(np.isin(np.arange(20), pair), chance, PERFECT), decisions).tests - 1
        for pair in combinations(range(20), 2)
    ]
    assert max(tests) < 20
    assert np.mean(tests) < 13.5


@pytest.mark.parametrize("strategy", StrategyName)
def test_a_run_holds_no_more_than_its_wells_and_the_rest_follows(strategy: StrategyName) -> None:
    narrow = Decisions(strategy, 20, 0.01, replace(USUAL_BENCH, wells=3))
    roomy = Decisions(strategy, 20, 0.01)
    asked = [decisions.after(None, ((True,),)).asked for decisions in (narrow, roomy)]
    assert len(asked[0]) <= 3 < len(asked[1])
    told = [
        resolve(Errors(np.arange(20) == 5, np.random.default_rng(1), PERFECT), decisions)
        for decisions in (narrow, roomy)
    ]
    assert all((one.found, one.false_positives) == (1, 0) for one in told)
    assert told[0].runs > told[1].runs


def test_the_same_people_come_to_every_strategy() -> None:
    came = [
        [one.infected for one in simulated(10, 0.05, 300, strategy=strategy, seed=5)]
        for strategy in StrategyName
    ]
    assert all(one == came[0] for one in came)


@pytest.mark.parametrize("strategy", StrategyName)
def test_what_was_decided_once_is_decided_so_again(strategy: StrategyName) -> None:
    """With the answers of every run in hand nothing is left to chance: not by what was seen of
    other pools before."""
    seen, fresh = Decisions(strategy, 8, 0.05), Decisions(strategy, 8, 0.05)
    chance = np.random.default_rng(11)
    for _ in range(40):
        resolve(Errors(chance.random(8) < 0.2, chance), seen)
    for first in product((True, False), repeat=2):
        begun = [one.after(None, ((True,),)) for one in (seen, fresh)]
        answers = tuple(first[n % 2] for n in range(len(begun[0].asked)))
        one, other = (
            d.after(b, ((True,), answers)) for d, b in zip((seen, fresh), begun, strict=True)
        )
        assert (one.asked, one.named, one.confirmed) == (other.asked, other.named, other.confirmed)
