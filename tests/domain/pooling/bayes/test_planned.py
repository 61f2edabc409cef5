"""The first lines of a pool: planned once, from few enough subsets, the same on every machine."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lims.domain.outcomes import Outcome
from lims.domain.pooling.adaptive import FIRST_LINES, Adaptive, planned
from lims.domain.pooling.bayes import states as every_way
from lims.domain.pooling.bayes.error_model import USUAL, Role
from lims.domain.pooling.bayes.measurement import Measurement
from lims.domain.pooling.bayes.overlapping import prospect
from lims.domain.pooling.bayes.posterior import posterior
from lims.domain.pooling.bayes.remaining_work import USUAL_WORTH, _Joint
from lims.domain.pooling.bayes.states import in_households, independent
from lims.domain.pooling.measured import RULE
from tests.domain.pooling.rack import Rack

DETECTED = Measurement(Role.MASTER, tuple(range(32)), detected=True)


def test_lines_that_were_stored_are_those_that_are_asked_for() -> None:
    rack = Rack()
    tubes = rack.singles(12)
    pool = rack.pool(tubes)
    lines = [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11], [0, 4, 8]]
    rack.chosen[pool.id] = Adaptive()
    rack.facts[pool.id] = {"rule": RULE, "prevalence": 0.01, FIRST_LINES: lines}
    rack.measured(pool, Outcome.DETECTED)

    wanted = rack.conclude().sub_pools

    assert [one.sources for one in wanted] == [tuple(tubes[n].id for n in line) for line in lines]


def test_a_choice_without_lines_is_planned_as_it_was() -> None:
    facts = {"rule": RULE, "prevalence": 0.01}

    assert planned(facts, 20) == planned({**facts, FIRST_LINES: planned(facts, 20)}, 20)
    assert len(planned(facts, 20)) == 5


@pytest.mark.parametrize("home", [1, 4, 8])
def test_designs_are_judged_on_no_more_pairs_than_are_quick(home: int) -> None:
    """Households of eight are infected together: each subset of them counts up to 64 pairs."""
    states = (
        independent([0.03] * 32)
        if home == 1
        else in_households([0.01] * 32, [n // home for n in range(32)], 0.25)
    )
    seen = posterior(states, [DETECTED])

    ahead = prospect(seen, list(range(32)), USUAL, USUAL_WORTH)

    assert len(ahead.pair) <= 32_000
    assert ahead.weights.sum() == pytest.approx(1)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.sampled_from([2, 3, 16, 17, 40]))
def test_of_a_large_household_the_same_subsets_are_kept_as_by_looking_at_all(
    before: int, subsets: int
) -> None:
    chance = np.random.default_rng(before * 100 + subsets)
    prior, chances = (10 ** chance.uniform(-8, 0, many) for many in (before, subsets))

    one, other = every_way._not_too_light(prior, chances, 0.5)

    kept = np.nonzero(np.outer(prior, chances) * 0.5 >= every_way._TOO_LIGHT)
    assert (one.tolist(), other.tolist()) == (kept[0].tolist(), kept[1].tolist())


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 7), st.integers(1, 9))
def test_the_chance_of_somebody_infected_is_the_weight_of_the_subsets_that_hold_one(
    members: int, largest: int
) -> None:
    chance = np.random.default_rng(members * 10 + largest)
    infected = chance.random((50, members)) < 0.3
    weights = chance.dirichlet(np.ones(50))
    sizes = np.arange(min(largest, members), 0, -1)

    told = _Joint(weights, infected).positive(sizes)

    for end in range(1, members + 1):
        for place, size in enumerate(sizes):
            if size <= end:
                somebody = infected[:, end - size : end].any(axis=1)
                assert told[0, end - 1, place] == pytest.approx(weights[somebody].sum(), abs=1e-6)
