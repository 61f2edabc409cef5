"""Every strategy has a pool to resolve, whatever the seed, and nobody is left out or made up."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lims.demo.bench import evenly
from lims.demo.campaigns import (
    BY_EVERY_STRATEGY,
    SHOWS_IN_ANY_POOL,
    share_out,
    with_a_strong_one_each,
)
from lims.demo.founding import DILUTION_SERIES
from lims.demo.physics import detection_probability, pooled_ct
from lims.demo.truth import Commune, Route, draw_commune
from lims.domain.outcomes import Outcome
from lims.domain.pooling.choice import Choice, PoolAtHand, Resolution, StrategyName, choose
from lims.domain.pooling.dilution import PanelParameters
from lims.domain.pooling.validation_panel import fit
from tests.demo.test_truth import PLACES

SEEDS = st.integers(0, 9999)


def drawn(seed: int, people: int, prevalence: float = 0.02) -> Commune:
    return share_out(
        draw_commune(PLACES, people=people, prevalence=prevalence, seed=seed), BY_EVERY_STRATEGY
    )


def pools_of(commune: Commune, campaign: int) -> list[list[int]]:
    """The tubes of each pool, as the bench makes them, by the number of who is inside."""
    alone = [
        str(villager.number)
        for household in commune.households
        if household.campaign == campaign and household.route is Route.ALONE
        for villager in household.villagers
    ]
    most = BY_EVERY_STRATEGY[campaign].pool_size
    return [[int(number) for number in pool] for pool in evenly(most, alone)]


@given(SEEDS, st.integers(40, 500), st.sampled_from([0.005, 0.02, 0.15]))
def test_each_strategy_has_a_pool_that_shows_and_is_large_enough_for_it(
    seed: int, people: int, prevalence: float
) -> None:
    commune = with_a_strong_one_each(drawn(seed, people, prevalence), BY_EVERY_STRATEGY)

    strategies = set()
    ct = {v.number: v.ct_cycles for v in commune.villagers}
    for campaign, plan in enumerate(BY_EVERY_STRATEGY):
        for pool in pools_of(commune, campaign):
            true_ct = pooled_ct([ct[number] for number in pool])
            if true_ct is not None and detection_probability(true_ct) > 0.999:
                strategies.add(_chosen(plan.resolution, len(pool), true_ct).strategy)
    assert strategies == set(StrategyName)


def _chosen(asked: Resolution, tubes: int, ct_cycles: float) -> Choice:
    return choose(
        PoolAtHand(
            asked=asked,
            sources=tubes,
            single_tubes=True,
            outcome=Outcome.DETECTED,
            ct_cycles=ct_cycles,
            wells_free=94,
        )
    )


@given(SEEDS, st.integers(40, 300))
def test_the_people_stay_who_they_are(seed: int, people: int) -> None:
    before = draw_commune(PLACES, people=people, prevalence=0.02, seed=seed)
    after = with_a_strong_one_each(drawn(seed, people), BY_EVERY_STRATEGY)

    assert [h.number for h in after.households] == [h.number for h in before.households]
    ids = [v.national_id for v in before.villagers]
    assert [v.national_id for v in after.villagers] == ids
    seeded = [
        (a.ct_cycles, b.ct_cycles)
        for a, b in zip(after.villagers, before.villagers, strict=True)
        if a != b
    ]
    assert len(seeded) <= len(BY_EVERY_STRATEGY)
    assert all(a is not None and a < SHOWS_IN_ANY_POOL for a, _ in seeded)


def test_a_healthy_commune_stays_healthy() -> None:
    assert not with_a_strong_one_each(drawn(1, 200, 0), BY_EVERY_STRATEGY).infected


def test_the_campaigns_share_those_with_a_tube_each_by_their_pool_sizes() -> None:
    tubes = Counter[int]()
    for household in drawn(1, 2000).households:
        tubes[household.campaign] += len(household.villagers) * (household.route is Route.ALONE)

    by_size = [tubes[n] / plan.pool_size for n, plan in enumerate(BY_EVERY_STRATEGY)]
    assert max(by_size) - min(by_size) < 1


@pytest.mark.parametrize(
    ("most", "tubes", "sizes"),
    [(10, 0, []), (10, 10, [10]), (10, 11, [6, 5]), (20, 61, [16, 15, 15, 15]), (20, 1, [1])],
)
def test_no_tube_is_left_alone_in_the_last_pool(most: int, tubes: int, sizes: list[int]) -> None:
    barcodes = [f"{n:03d}" for n in range(tubes)]
    pools = evenly(most, barcodes)

    assert [len(pool) for pool in pools] == sizes
    assert [one for pool in pools for one in pool] == barcodes


def test_the_founding_panel_is_what_the_simulated_kit_would_show_and_allows_each_campaign() -> None:
    fitted = fit(DILUTION_SERIES)

    assert fitted.largest_pool == max(plan.pool_size for plan in BY_EVERY_STRATEGY) == 20
    assert fitted.cycles_per_doubling == pytest.approx(1, abs=0.02)
    assert DILUTION_SERIES.lod_ct == pytest.approx(PanelParameters().lod_ct, abs=0.01)
