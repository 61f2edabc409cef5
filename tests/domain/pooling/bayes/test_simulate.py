"""Whole pools through the code that decides: seeded, and far enough from the bars that chance is
not what decides."""

import numpy as np
import pytest

from lims.domain.pooling.bayes.next_tests import Limits
from lims.domain.pooling.bayes.posterior import posterior
from lims.domain.pooling.bayes.simulate import Deciding, Errors, Resolved, resolve
from lims.domain.pooling.bayes.states import independent


def many(members: int, risk: float, pools: int) -> list[Resolved]:
    chance = np.random.default_rng(20210913)
    states = independent([risk] * members)
    deciding = Deciding(lambda told: posterior(states, told), Limits())
    return [resolve(Errors(chance.random(members) < risk, chance), deciding) for _ in range(pools)]


@pytest.mark.parametrize(
    ("members", "risk", "d3_optimum"),
    [(20, 0.01, 0.1349), (20, 0.003, 0.0772), (12, 0.05, 0.3736)],
)
def test_it_needs_fewer_tests_than_the_best_three_stages(
    members: int, risk: float, d3_optimum: float
) -> None:
    """``d3_optimum``: tests a person of the best D3 design under the same cap and the same errors
    (Kim et al. 2007), worked out apart from this code."""
    told = many(members, risk, 6000)
    tests = np.array([one.tests for one in told]) / members
    sure = 1.96 * tests.std() / len(tests) ** 0.5
    assert tests.mean() + sure < d3_optimum
    infected = sum(one.infected for one in told if one.detected)
    found = sum(one.found for one in told)
    assert found / infected > 0.985


def test_nine_infected_of_ten_pools_are_named_after_one_run() -> None:
    told = [one for one in many(20, 0.01, 4000) if one.detected and one.infected]
    whole = [sum(run <= 1 for run in one.named_in) == one.infected for one in told]
    assert np.mean(whole) > 0.85
    assert np.mean([one.runs <= 3 for one in told]) > 0.97


def test_a_pool_of_nobody_is_left_to_a_reviewer_and_nobody_called_positive() -> None:
    chance = np.random.default_rng(7)
    states = independent([0.01] * 10)
    deciding = Deciding(lambda told: posterior(states, told))
    nobody = np.zeros(10, dtype=bool)
    told = [resolve(Errors(nobody, chance), deciding) for _ in range(6000)]
    detected = [one for one in told if one.detected]
    assert detected
    assert np.mean([one.discordant for one in detected]) > 0.9
    assert sum(one.false_positives for one in detected) <= 1
